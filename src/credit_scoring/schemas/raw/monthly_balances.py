"""Contracts of what happened to earlier loans: `POS_CASH_balance`, `installments_payments`, `credit_card_balance`."""

from credit_scoring.schemas.contract import RawTable, key, real, text, whole

_LOAN = key("The earlier loan; some have no row in previous_application")
_APPLICANT = key("The applicant")
_MONTH = whole("The month, from the application: -1 is the latest", -96, -1)


def _parents(orphans: float) -> dict[str, tuple[str, float]]:
    return {"SK_ID_CURR": ("application", 0.0), "SK_ID_PREV": ("previous_application", orphans)}


POS_CASH_BALANCE = RawTable(
    name="POS_CASH_balance",
    grain="one month of one earlier point-of-sale or cash loan",
    definition={
        "SK_ID_PREV": _LOAN,
        "SK_ID_CURR": _APPLICANT,
        "MONTHS_BALANCE": _MONTH,
        "CNT_INSTALMENT": real("Term in months, as it stood that month", 1, 92, missing=0.0026),
        "CNT_INSTALMENT_FUTURE": real("Instalments left", 0, 85, missing=0.0026),
        "NAME_CONTRACT_STATUS": text(
            "State of the contract",
            (
                "Active",
                "Completed",
                "Signed",
                "Demand",
                "Returned to the store",
                "Approved",
                "Amortized debt",
                "Canceled",
                "XNA",
            ),
        ),
        "SK_DPD": whole("Days past due", 0, 4_300),
        "SK_DPD_DEF": whole("Days past due, small debts left out", 0, 3_700),
    },
    official_rows=10_001_358,
    official_bytes=392_703_158,
    key=("SK_ID_PREV", "MONTHS_BALANCE"),
    parents=_parents(0.034),
)

INSTALLMENTS_PAYMENTS = RawTable(
    name="installments_payments",
    grain="one payment, or one missed instalment, of an earlier loan; a payment in parts has a row for each",
    definition={
        "SK_ID_PREV": _LOAN,
        "SK_ID_CURR": _APPLICANT,
        "NUM_INSTALMENT_VERSION": real("Version of the payment schedule; 0 for a card", 0, 200),
        "NUM_INSTALMENT_NUMBER": whole("Number of the instalment", 1, 280),
        "DAYS_INSTALMENT": real("Day it was due, before the application", -2_926, 0),
        "DAYS_ENTRY_PAYMENT": real("Day it was paid, before the application", -5_000, 0, missing=0.0002),
        "AMT_INSTALMENT": real("Amount due", 0, 4_000_000),
        "AMT_PAYMENT": real("Amount paid", 0, 4_000_000, missing=0.0002),
    },
    official_rows=13_605_401,
    official_bytes=723_118_349,
    parents=_parents(0.092),
)

CREDIT_CARD_BALANCE = RawTable(
    name="credit_card_balance",
    grain="one month of one earlier credit card",
    definition={
        "SK_ID_PREV": _LOAN,
        "SK_ID_CURR": _APPLICANT,
        "MONTHS_BALANCE": _MONTH,
        "AMT_BALANCE": real("Balance; negative where the card holds the client's own money", -450_000, 1_600_000),
        "AMT_CREDIT_LIMIT_ACTUAL": whole("Limit", 0, 1_400_000),
        "AMT_DRAWINGS_ATM_CURRENT": real("Cash drawn in the month", -7_000, 2_200_000, missing=0.195),
        "AMT_DRAWINGS_CURRENT": real("All that was drawn in the month", -7_000, 2_300_000),
        "AMT_DRAWINGS_OTHER_CURRENT": real("Drawn in other ways in the month", 0, 1_600_000, missing=0.195),
        "AMT_DRAWINGS_POS_CURRENT": real("Purchases in the month", 0, 2_300_000, missing=0.195),
        "AMT_INST_MIN_REGULARITY": real("Least payment due in the month", 0, 210_000, missing=0.079),
        "AMT_PAYMENT_CURRENT": real("Paid in the month", 0, 4_300_000, missing=0.2),
        "AMT_PAYMENT_TOTAL_CURRENT": real("Paid in the month in total", 0, 4_300_000),
        "AMT_RECEIVABLE_PRINCIPAL": real("Principal to be received", -450_000, 1_500_000),
        "AMT_RECIVABLE": real("Amount to be received (the official spelling)", -450_000, 1_600_000),
        "AMT_TOTAL_RECEIVABLE": real("Total to be received", -450_000, 1_600_000),
        "CNT_DRAWINGS_ATM_CURRENT": real("Number of cash drawings", 0, 60, missing=0.195),
        "CNT_DRAWINGS_CURRENT": whole("Number of drawings", 0, 170),
        "CNT_DRAWINGS_OTHER_CURRENT": real("Number of other drawings", 0, 15, missing=0.195),
        "CNT_DRAWINGS_POS_CURRENT": real("Number of purchases", 0, 170, missing=0.195),
        "CNT_INSTALMENT_MATURE_CUM": real("Instalments paid so far", 0, 125, missing=0.079),
        "NAME_CONTRACT_STATUS": text(
            "State of the contract",
            ("Active", "Completed", "Signed", "Demand", "Sent proposal", "Refused", "Approved"),
        ),
        "SK_DPD": whole("Days past due", 0, 3_300),
        "SK_DPD_DEF": whole("Days past due, small debts left out", 0, 3_300),
    },
    official_rows=3_840_312,
    official_bytes=424_582_605,
    key=("SK_ID_PREV", "MONTHS_BALANCE"),
    parents=_parents(0.282),
)
