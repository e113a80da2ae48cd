"""Contracts of `bureau.csv` and `bureau_balance.csv`: credits at other lenders."""

from credit_scoring.schemas.contract import RawTable, key, real, text, whole

BUREAU = RawTable(
    name="bureau",
    grain="one credit of the applicant at another lender, reported to the credit bureau",
    definition={
        "SK_ID_CURR": key("The applicant"),
        "SK_ID_BUREAU": key("The credit at another lender"),
        "CREDIT_ACTIVE": text("State of the credit", ("Closed", "Active", "Sold", "Bad debt")),
        "CREDIT_CURRENCY": text("Currency, recoded", tuple(f"currency {number}" for number in range(1, 5))),
        "DAYS_CREDIT": whole("Date of the credit, in days before the application", -2_922, 0),
        "CREDIT_DAY_OVERDUE": whole("Days past due on the day of the application", 0, 3_000),
        "DAYS_CREDIT_ENDDATE": real(
            "Planned end, in days from the application; a century away where it is unknown",
            -42_100,
            31_300,
            missing=0.061,
        ),
        "DAYS_ENDDATE_FACT": real("Actual end, in days before the application", -42_100, 0, missing=0.369),
        "AMT_CREDIT_MAX_OVERDUE": real("Largest amount overdue so far", 0, 80_000_000, missing=0.655),
        "CNT_CREDIT_PROLONG": whole("How often the credit was prolonged", 0, 10),
        "AMT_CREDIT_SUM": real("Amount of the credit", 0, 300_000_000, missing=0.00001),
        "AMT_CREDIT_SUM_DEBT": real(
            "Debt on the day of the application; negative on an overpaid account",
            -5_000_000,
            100_000_000,
            missing=0.15,
        ),
        "AMT_CREDIT_SUM_LIMIT": real("Limit of the card", -600_000, 5_000_000, missing=0.345),
        "AMT_CREDIT_SUM_OVERDUE": real("Amount overdue on the day of the application", 0, 80_000_000),
        "CREDIT_TYPE": text(
            "Kind of credit",
            (
                "Consumer credit",
                "Credit card",
                "Car loan",
                "Mortgage",
                "Microloan",
                "Loan for business development",
                "Another type of loan",
                "Unknown type of loan",
                "Loan for working capital replenishment",
                "Cash loan (non-earmarked)",
                "Real estate loan",
                "Loan for the purchase of equipment",
                "Loan for purchase of shares (margin lending)",
                "Interbank credit",
                "Mobile operator loan",
            ),
        ),
        "DAYS_CREDIT_UPDATE": whole("Latest report on the credit, in days before the application", -42_100, 0),
        "AMT_ANNUITY": real("Regular payment; 0 where the other lender gave none", 0, 80_000_000, missing=0.715),
    },
    official_rows=1_716_428,
    official_bytes=170_016_717,
    key=("SK_ID_BUREAU",),
    parents={"SK_ID_CURR": ("application", 0.0)},
)

BUREAU_BALANCE = RawTable(
    name="bureau_balance",
    grain="one month of one credit at another lender",
    definition={
        "SK_ID_BUREAU": key("The credit at another lender"),
        "MONTHS_BALANCE": whole("The month, from the application: 0 is the latest", -96, 0),
        "STATUS": text(
            "C closed, X unknown, 0 nothing past due, 1 to 5 ever later payment (5: over 120 days, sold, written off)",
            ("C", "X", "0", "1", "2", "3", "4", "5"),
        ),
    },
    official_rows=27_299_925,
    official_bytes=375_592_889,
    key=("SK_ID_BUREAU", "MONTHS_BALANCE"),
    parents={"SK_ID_BUREAU": ("bureau", 0.114)},
)
