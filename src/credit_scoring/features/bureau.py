"""Features of the credits at other lenders: `bureau` and its monthly history `bureau_balance`.

Units: amounts in currency, dates in days and months relative to the application (negative = before it).
"""

# ruff: noqa: SIM300 - a column such as _.AMT_CREDIT is not the constant that Ruff takes it for

import dataclasses

import ibis
import ibis.expr.types as ir
from ibis import _

from credit_scoring.features.expressions import (
    CLIENT_KEY,
    aggregate_by_client,
    change_since_previous,
    count_where,
    join_on_client,
    null_if,
    ols_slope,
    rank,
    safe_ratio,
    total,
)
from credit_scoring.features.records import (
    Cleaning,
    Feature,
    Measure,
    Origin,
    Rows,
    Source,
    Subset,
    Words,
    last_days,
    last_months,
    last_rows,
    make_feature,
    values_of,
)

BUREAU = Origin(
    "BUREAU",
    "bureau",
    ("Credits at other lenders", "Crédits chez d'autres prêteurs"),
    "bureau",
    "BUREAU_CREDITS_COUNT",
    ("no credit known at other lenders", "aucun crédit connu chez d'autres prêteurs"),
    ("no such credit known at other lenders", "aucun crédit de ce type connu chez d'autres prêteurs"),
    noun=("credits", "crédits"),
    which=("at other lenders", "chez d'autres prêteurs"),
)
BUREAU_BALANCE = Origin(
    "BUREAU_BALANCE",
    "bureau_balance",
    ("Monthly history at other lenders", "Historique mensuel chez d'autres prêteurs"),
    "bureau",
    "BUREAU_BALANCE_CREDITS_COUNT",
    ("no monthly history known at other lenders", "aucun historique mensuel connu chez d'autres prêteurs"),
    ("no such month known at other lenders", "aucun mois de ce type connu chez d'autres prêteurs"),
    noun=("monthly history", "historique mensuel"),
    which=("at other lenders", "chez d'autres prêteurs"),
)

_CREDIT_KEY = "SK_ID_BUREAU"
_LATEST_FIRST = ("DAYS_CREDIT", _CREDIT_KEY)

# Ends written 40,000 days away and more are placeholders: no loan runs a century.
_MAX_DAYS = 40_000

CLEAN_BUREAU = Cleaning(
    "bureau",
    keep=_.DAYS_CREDIT <= 0,
    columns={
        # Above these bounds amounts are keying errors (one credit of 585 million, one overdue of 116 million). A credit
        # of 0 is one whose amount was not reported, an annuity of 0 one that the other lender did not give.
        "AMT_ANNUITY": null_if(_.AMT_ANNUITY, (_.AMT_ANNUITY > 8e7) | (_.AMT_ANNUITY <= 0)),
        "AMT_CREDIT_SUM": null_if(_.AMT_CREDIT_SUM, (_.AMT_CREDIT_SUM > 3e8) | (_.AMT_CREDIT_SUM <= 0)),
        "AMT_CREDIT_MAX_OVERDUE": null_if(_.AMT_CREDIT_MAX_OVERDUE, _.AMT_CREDIT_MAX_OVERDUE > 8e7),
        "AMT_CREDIT_SUM_OVERDUE": null_if(_.AMT_CREDIT_SUM_OVERDUE, _.AMT_CREDIT_SUM_OVERDUE > 8e7),
        # A negative debt is an overpaid account. Its owner owes nothing, and it must not offset debts elsewhere.
        "AMT_CREDIT_SUM_DEBT": null_if(_.AMT_CREDIT_SUM_DEBT, _.AMT_CREDIT_SUM_DEBT > 1e8).clip(lower=0.0),
        "AMT_CREDIT_SUM_LIMIT": null_if(_.AMT_CREDIT_SUM_LIMIT, _.AMT_CREDIT_SUM_LIMIT < 0),
        "DAYS_CREDIT_ENDDATE": null_if(_.DAYS_CREDIT_ENDDATE, _.DAYS_CREDIT_ENDDATE.abs() > _MAX_DAYS),
        # What happened after the application is not known on its day.
        "DAYS_ENDDATE_FACT": null_if(
            _.DAYS_ENDDATE_FACT, (_.DAYS_ENDDATE_FACT < -_MAX_DAYS) | (_.DAYS_ENDDATE_FACT > 0)
        ),
        "DAYS_CREDIT_UPDATE": null_if(
            _.DAYS_CREDIT_UPDATE, (_.DAYS_CREDIT_UPDATE < -_MAX_DAYS) | (_.DAYS_CREDIT_UPDATE > 0)
        ),
    },
)

CLEAN_BUREAU_BALANCE = Cleaning("bureau_balance", keep=_.MONTHS_BALANCE <= 0)
"""Months of credits without a `bureau` row stay; they belong to no client and join to nothing."""

CREDITS = Rows(
    BUREAU,
    "credit",
    measures=(
        Measure("CREDITS", True, "yes_no", "credits", "crédits"),
        Measure("ACTIVE", _.CREDIT_ACTIVE == "Active", "yes_no", "active credits", "crédits actifs"),
        Measure("CLOSED", _.CREDIT_ACTIVE == "Closed", "yes_no", "closed credits", "crédits clos"),
        Measure("DISTRESSED", _.CREDIT_ACTIVE.isin(("Sold", "Bad debt")), "yes_no", "credits sold or in bad debt",
            "crédits cédés ou irrécouvrables", direction=1),
        Measure("CREDIT", _.AMT_CREDIT_SUM, "amount", "amount of credit", "montant du crédit"),
        Measure("DEBT", _.AMT_CREDIT_SUM_DEBT, "amount", "debt", "dette"),
        Measure("LIMIT", _.AMT_CREDIT_SUM_LIMIT, "amount", "limit of the credit card", "plafond de carte"),
        Measure("OVERDUE", _.AMT_CREDIT_SUM_OVERDUE, "amount", "amount overdue now", "impayé actuel", direction=1),
        Measure("MAX_OVERDUE", _.AMT_CREDIT_MAX_OVERDUE, "amount", "largest amount ever overdue",
            "plus fort impayé", direction=1),
        Measure("ANNUITY", _.AMT_ANNUITY, "amount", "annuity", "montant de l'échéance"),
        Measure("DAYS_CREDIT", _.DAYS_CREDIT, "date_days", "date of grant", "jour d'octroi",
            known=True),
        Measure("DURATION_DAYS", _.DAYS_CREDIT_ENDDATE - _.DAYS_CREDIT, "day_gap",
            "planned end, counted from the start", "fin prévue, comptée depuis le début"),
        Measure("REMAINING_DAYS", _.DAYS_CREDIT_ENDDATE.clip(lower=0), "days", "days left", "jours restants"),
        Measure("PLANNED_END_DAYS", _.DAYS_CREDIT_ENDDATE, "date_planned_days", "planned day of the end",
            "jour de fin prévu"),
        Measure("CLOSURE_DAYS", _.DAYS_ENDDATE_FACT, "date_days", "day of closure", "jour de clôture"),
        Measure("EARLY_CLOSURE_DAYS", _.DAYS_CREDIT_ENDDATE - _.DAYS_ENDDATE_FACT, "day_gap",
            "planned end, counted from the actual end", "fin prévue, comptée depuis la fin réelle"),
        Measure("UPDATE_DAYS", _.DAYS_CREDIT_UPDATE, "date_days", "day of the last report",
            "jour de la dernière déclaration"),
        Measure("DAYS_OVERDUE", _.CREDIT_DAY_OVERDUE, "days", "days past due now", "jours de retard actuels",
            known=True, direction=1),
        Measure("PROLONGATIONS", _.CNT_CREDIT_PROLONG, "count", "prolongations", "prolongations", known=True),
        Measure("DEBT_TO_CREDIT", safe_ratio(_.AMT_CREDIT_SUM_DEBT, _.AMT_CREDIT_SUM), "ratio",
            "debt relative to the amount of credit", "dette par rapport au montant du crédit"),
        Measure("UNUSED_CREDIT", _.AMT_CREDIT_SUM - _.AMT_CREDIT_SUM_DEBT, "amount", "credit less debt",
            "crédit moins dette", net=True),
        Measure("EVER_OVERDUE", _.AMT_CREDIT_MAX_OVERDUE > 0, "yes_no", "credits once overdue",
            "crédits ayant connu un impayé", direction=1),
        Measure("STILL_RUNNING", _.DAYS_CREDIT_ENDDATE > 0, "yes_no", "credits that end after the application",
            "crédits finissant après la demande"),
        # Days since the client's previous credit.
        Measure("GAP_DAYS", change_since_previous("DAYS_CREDIT", *_LATEST_FIRST), "days",
            "days between one credit and the next", "jours entre deux crédits successifs"),
        Measure("OVERDRAWN", _.DEBT_TO_CREDIT > 1, "yes_no", "credits with more debt than credit",
            "crédits dont la dette dépasse le montant", derived=True),
    ),
    helpers={
        "RANK": rank(*_LATEST_FIRST),
        # Debt and credit where both are known, so that the ratio of their sums compares the same credits.
        "DEBT_OF_KNOWN": null_if(_.AMT_CREDIT_SUM_DEBT, _.AMT_CREDIT_SUM.isnull()),
        "CREDIT_OF_KNOWN": null_if(_.AMT_CREDIT_SUM, _.AMT_CREDIT_SUM_DEBT.isnull()),
    },
)  # fmt: skip

_ACTIVE = Subset("ACTIVE", _.ACTIVE, ("of credits still active", "des crédits actifs"))
_CLOSED = Subset("CLOSED", _.CLOSED, ("of credits already closed", "des crédits clos"))
_TYPES = (
    Subset("CONSUMER", _.CREDIT_TYPE == "Consumer credit", ("of consumer loans", "des crédits à la consommation")),
    Subset("CARD", _.CREDIT_TYPE == "Credit card", ("of credit cards", "des cartes de crédit")),
    Subset("CAR", _.CREDIT_TYPE == "Car loan", ("of car loans", "des prêts automobiles")),
    Subset("MORTGAGE", _.CREDIT_TYPE.isin(("Mortgage", "Real estate loan")), ("of mortgages", "des prêts immobiliers")),
    Subset("MICROLOAN", _.CREDIT_TYPE == "Microloan", ("of microloans", "des microcrédits")),
)


def _granted_in_last(days: int) -> Subset:
    window = last_days(days, _.DAYS_CREDIT >= -days)
    en, fr = window.words
    words = (f"of credits granted in the {en}", f"des crédits octroyés dans les {fr}")
    return dataclasses.replace(window, words=words)


_OVERALL = {
    "CREDITS": ("COUNT",),
    "ACTIVE": ("COUNT", "RATE"),
    "CLOSED": ("COUNT",),
    "DISTRESSED": ("COUNT",),
    "CREDIT": ("SUM", "MEAN", "MAX"),
    "DEBT": ("SUM", "MEAN", "MAX"),
    "LIMIT": ("SUM",),
    "OVERDUE": ("SUM",),
    "MAX_OVERDUE": ("MEAN", "MAX"),
    "ANNUITY": ("MEAN", "MAX"),
    "DAYS_CREDIT": ("MIN", "MAX", "MEAN", "STD"),
    "DURATION_DAYS": ("MEAN",),
    "PLANNED_END_DAYS": ("MAX", "MEAN"),
    "CLOSURE_DAYS": ("MAX", "MEAN"),
    "EARLY_CLOSURE_DAYS": ("MEAN", "MAX"),
    "UPDATE_DAYS": ("MAX", "MEAN"),
    "DAYS_OVERDUE": ("MAX",),
    "PROLONGATIONS": ("SUM",),
    "DEBT_TO_CREDIT": ("MEAN", "MAX"),
    "UNUSED_CREDIT": ("MAX", "SUM"),
    "GAP_DAYS": ("MIN", "MEAN"),
    "OVERDRAWN": ("RATE",),
    "EVER_OVERDUE": ("COUNT", "RATE"),
    "STILL_RUNNING": ("COUNT", "RATE"),
}
_OF_ACTIVE = {
    "CREDIT": ("SUM", "MAX"),
    "DEBT": ("SUM", "MEAN", "MAX"),
    "LIMIT": ("SUM",),
    "OVERDUE": ("SUM",),
    "MAX_OVERDUE": ("MAX",),
    "ANNUITY": ("SUM",),
    "DAYS_CREDIT": ("MIN", "MAX", "MEAN"),
    "REMAINING_DAYS": ("MAX", "SUM"),
    "UPDATE_DAYS": ("MAX",),
    "DEBT_TO_CREDIT": ("MEAN", "MAX"),
    "UNUSED_CREDIT": ("SUM",),
}
_OF_CLOSED = {"CREDIT": ("SUM", "MAX"), "DAYS_CREDIT": ("MAX",), "MAX_OVERDUE": ("MAX",)}
_BY_TYPE = {
    "CREDITS": ("COUNT",),
    "DEBT": ("SUM",),
    "DAYS_CREDIT": ("MAX",),
    "MAX_OVERDUE": ("MAX",),
}
_BY_DAYS = {"CREDIT": ("SUM",), "DEBT": ("SUM",), "MAX_OVERDUE": ("MAX",), "DEBT_TO_CREDIT": ("MEAN",)}
_BY_RANK = {"CREDIT": ("MEAN",), "DEBT_TO_CREDIT": ("MEAN",), "MAX_OVERDUE": ("MAX",)}


_CREDIT_FEATURES: tuple[Feature, ...] = (
    *CREDITS.features(_OVERALL),
    *CREDITS.features(_OF_ACTIVE, _ACTIVE),
    *CREDITS.features(_OF_CLOSED, _CLOSED),
    *(feature for kind in _TYPES for feature in CREDITS.features(_BY_TYPE, kind)),
    *(
        feature
        for days in (30, 90, 180, 365, 720)
        for feature in CREDITS.features({"CREDITS": ("COUNT",)}, _granted_in_last(days))
    ),
    *(feature for days in (180, 365, 1000) for feature in CREDITS.features(_BY_DAYS, _granted_in_last(days))),
    *(feature for last in (1, 3) for feature in CREDITS.features(_BY_RANK, last_rows(last))),
    CREDITS.feature("TYPES_COUNT", _.CREDIT_TYPE.nunique(), "count",
        ("types of credit, number", "types de crédit, nombre")),
    CREDITS.feature("CREDIT_SLOPE", ols_slope(_.CREDIT, _.DAYS_CREDIT, per=365), "number",
        ("amount of credit, trend per year", "montant du crédit, tendance par an"),
        null="fewer than two days have a credit of known amount", measure="BUREAU_CREDIT", abstract=True),
    CREDITS.feature("DEBT_TO_CREDIT_RATIO", safe_ratio(_.DEBT_OF_KNOWN.sum(), _.CREDIT_OF_KNOWN.sum()), "ratio",
        ("total debt relative to total credit", "dette totale par rapport au crédit total"),
        null="debt and amount are both known for no credit", measure="BUREAU_DEBT_TO_CREDIT"),
    CREDITS.feature("DEBT_TO_CREDIT_RATIO_ACTIVE",
        safe_ratio(_.DEBT_OF_KNOWN.sum(where=_.ACTIVE), _.CREDIT_OF_KNOWN.sum(where=_.ACTIVE)), "ratio",
        ("total debt relative to total credit, of credits still active",
         "dette totale par rapport au crédit total, des crédits actifs"),
        null="debt and amount are both known for no active credit", measure="BUREAU_DEBT_TO_CREDIT", subset="ACTIVE"),
    CREDITS.feature("OVERDUE_TO_DEBT_RATIO", safe_ratio(_.OVERDUE.sum(), _.DEBT.sum()), "number",
        ("amount overdue relative to debt", "impayé par rapport à la dette"),
        null=("no credit has a known amount overdue", "the total debt is unknown or 0")),
)  # fmt: skip

_DERIVED_FEATURES = (
    make_feature(BUREAU, "BUREAU_CREDITS_365D_TO_ALL_RATIO",
        safe_ratio(_.BUREAU_CREDITS_COUNT_365D, _.BUREAU_CREDITS_COUNT), "share",
        ("share of the credits granted in the last 365 days", "part des crédits octroyés dans les 365 derniers jours")),
)  # fmt: skip

_LATE_STATUSES = ("1", "2", "3", "4", "5")
# The month of the application is reported, too: it is month 0.
_WINDOWS = tuple(last_months(months, latest=0) for months in (6, 12, 24))

HISTORIES = Rows(
    BUREAU_BALANCE,
    "credit with monthly history",
    keys=(_CREDIT_KEY,),
    parts={
        "MONTHS": _.count(),
        "KNOWN": count_where(_.STATUS != "X"),
        "CLOSED_MONTHS": count_where(_.STATUS == "C"),
        "OLDEST": _.MONTHS_BALANCE.min(),
        "NEWEST": _.MONTHS_BALANCE.max(),
        **{f"KNOWN_{window.name}": count_where((_.STATUS != "X") & window.where) for window in _WINDOWS},
    },
    # Known in some month and late in none is on time: severity 0. `X` throughout is unknown.
    helpers={
        f"WORST{suffix}": (_[f"KNOWN{suffix}"] > 0).ifelse(_[f"WORST{suffix}"].fill_null(0.0), ibis.null("float64"))
        for suffix in ("", *(f"_{window.name}" for window in _WINDOWS))
    },
)
"""STATUS is `C` closed, `X` unknown, `0` nothing past due, `1` to `5` ever later payments (5 = more than 120 days, sold
or written off)."""

LATE_MONTHS = Rows(
    BUREAU_BALANCE,
    "credit late in some month",
    keys=(_CREDIT_KEY,),
    parts={
        "LATE": _.count(),
        "SERIOUSLY_LATE": count_where(_.SEVERITY > 1),
        "SEVERITY": _.SEVERITY.sum(),
        "DECAYED_SEVERITY": (_.SEVERITY / (1.0 + _.AGE)).sum(),
        "WORST": _.SEVERITY.max(),
        "LAST_LATE": _.MONTHS_BALANCE.max(),
        **{f"LATE_{window.name}": count_where(window.where) for window in _WINDOWS},
        **{f"SEVERITY_{window.name}": _.SEVERITY.sum(where=window.where) for window in _WINDOWS},
        **{f"WORST_{window.name}": _.SEVERITY.max(where=window.where) for window in _WINDOWS},
    },
    helpers={"SEVERITY": _.STATUS.cast("float64"), "AGE": -_.MONTHS_BALANCE},
)
"""One month in a hundred is late: what concerns only late months is summed on those."""

_NEVER_LATE = "no month was past due"
_NO_STATUS = "the status of no month is known"


def _of_months(window: Subset | None) -> tuple[Feature, ...]:
    """Record how often and how badly credits were late, in all months or in the last ones."""
    name = window.name if window else ""
    suffix = f"_{name}" if name else ""

    def words(en: str, fr: str) -> Words:
        return (f"{en}, {window.words[0]}", f"{fr}, {window.words[1]}") if window else (en, fr)

    late, severity, known = (total(_[f"{part}{suffix}"]) for part in ("LATE", "SEVERITY", "KNOWN"))
    null = f"{_NO_STATUS} in the {window.words[0]}" if window else _NO_STATUS
    return (
        HISTORIES.feature(f"LATE_RATE{suffix}", safe_ratio(late, known), "share",
            words("months past due, share", "mois en retard, part"), null=null, measure="BUREAU_BALANCE_LATE",
            window=name, direction=1),
        HISTORIES.feature(f"SEVERITY_MEAN{suffix}", safe_ratio(severity, known), "number",
            words("severity of arrears from 0 to 5, mean", "gravité des retards de 0 à 5, moyenne"), null=null,
            measure="BUREAU_BALANCE_SEVERITY", window=name, direction=1),
        HISTORIES.feature(f"SEVERITY_MAX{suffix}", _[f"WORST{suffix}"].max(), "number",
            words("severity of arrears from 0 to 5, maximum", "gravité des retards de 0 à 5, maximum"), null=null,
            measure="BUREAU_BALANCE_SEVERITY", window=name, direction=1),
    )  # fmt: skip


_HISTORY_FEATURES: tuple[Feature, ...] = (
    HISTORIES.feature("CREDITS_COUNT", _.count(), "count",
        ("credits with a monthly history, number", "crédits avec historique mensuel, nombre")),
    HISTORIES.feature("MONTHS_SUM", total(_.MONTHS), "count", ("months of history, total", "mois d'historique, total"),
        measure="BUREAU_BALANCE_MONTHS"),
    HISTORIES.feature("MONTHS_MEAN", _.MONTHS.mean(), "months",
        ("months of history, mean", "mois d'historique, moyenne"), measure="BUREAU_BALANCE_MONTHS"),
    HISTORIES.feature("MONTHS_BALANCE_MIN", _.OLDEST.min(), "date_months",
        ("oldest month reported", "mois déclaré le plus ancien"), measure="BUREAU_BALANCE_MONTHS_BALANCE"),
    HISTORIES.feature("MONTHS_BALANCE_MAX", _.NEWEST.max(), "date_months",
        ("most recent month reported", "mois déclaré le plus récent"), measure="BUREAU_BALANCE_MONTHS_BALANCE"),
    HISTORIES.feature("LATE_MONTHS_BALANCE_MAX", _.LAST_LATE.max(), "date_months",
        ("most recent month past due", "mois en retard le plus récent"), null=_NEVER_LATE,
        absent=("no month past due known at other lenders", "aucun mois en retard connu chez d'autres prêteurs")),
    HISTORIES.feature("LATE_COUNT", total(_.LATE), "count", ("months past due, number", "mois en retard, nombre"),
        measure="BUREAU_BALANCE_LATE", direction=1),
    HISTORIES.feature("SERIOUSLY_LATE_COUNT", total(_.SERIOUSLY_LATE), "count",
        ("months over 30 days past due, number", "mois à plus de 30 jours de retard, nombre"),
        measure="BUREAU_BALANCE_SERIOUSLY_LATE", direction=1),
    HISTORIES.feature("SERIOUSLY_LATE_RATE", safe_ratio(total(_.SERIOUSLY_LATE), total(_.KNOWN)), "share",
        ("months over 30 days past due, share", "mois à plus de 30 jours de retard, part"), null=_NO_STATUS,
        measure="BUREAU_BALANCE_SERIOUSLY_LATE", direction=1),
    HISTORIES.feature("LATE_RATE_ACTIVE", safe_ratio(total(_.LATE, _.ACTIVE), total(_.KNOWN, _.ACTIVE)), "share",
        ("months past due, share, of credits still active", "mois en retard, part, des crédits actifs"),
        null=f"{_NO_STATUS} for active credits", measure="BUREAU_BALANCE_LATE", subset="ACTIVE", direction=1),
    HISTORIES.feature(
        "SEVERITY_MAX_ACTIVE", _.WORST.max(where=_.ACTIVE), "number",
        (
            "severity of arrears from 0 to 5, maximum, of credits still active",
            "gravité des retards de 0 à 5, maximum, des crédits actifs",
        ),
        null=f"{_NO_STATUS} for active credits", measure="BUREAU_BALANCE_SEVERITY", subset="ACTIVE",
        direction=1,
    ),
    HISTORIES.feature("CLOSED_RATE", safe_ratio(total(_.CLOSED_MONTHS), total(_.MONTHS)), "share",
        ("months closed, share", "mois clos, part")),
    HISTORIES.feature("UNKNOWN_RATE", safe_ratio(total(_.MONTHS) - total(_.KNOWN), total(_.MONTHS)), "share",
        ("months of unknown status, share", "mois de statut inconnu, part")),
    HISTORIES.feature("DECAYED_SEVERITY_SUM", total(_.DECAYED_SEVERITY), "number",
        ("severity of arrears, recent months weigh more, total", "gravité des retards, pondérée par récence, total"),
        direction=1),
    *(
        feature
        for window in (None, *_WINDOWS)
        for feature in _of_months(window)
    ),
)  # fmt: skip


def compute_bureau_features(bureau: ir.Table, bureau_balance: ir.Table) -> ir.Table:
    """Summarise what other lenders reported about each client.

    Args:
        bureau: Clean `bureau`.
        bureau_balance: Clean `bureau_balance`.

    Returns:
        One row per SK_ID_CURR that has a bureau credit: BUREAU_* features, and BUREAU_BALANCE_* features that are
        null for clients none of whose credits has a monthly history.
    """
    credits = CREDITS.measure(bureau)
    lateness = LATE_MONTHS.merge(LATE_MONTHS.measure(bureau_balance.filter(_.STATUS.isin(_LATE_STATUSES))))
    months = HISTORIES.merge(bureau_balance).left_join(lateness, _CREDIT_KEY, rname="{name}_right")
    histories = credits.select(CLIENT_KEY, _CREDIT_KEY, "ACTIVE").inner_join(
        HISTORIES.measure(months.drop(f"{_CREDIT_KEY}_right")), _CREDIT_KEY
    )
    of_credits = aggregate_by_client(credits, values_of(_CREDIT_FEATURES)).mutate(**values_of(_DERIVED_FEATURES))
    return join_on_client(of_credits, aggregate_by_client(histories, values_of(_HISTORY_FEATURES)))


SOURCE = Source(
    "bureau",
    "Credits at other lenders",
    (CLEAN_BUREAU, CLEAN_BUREAU_BALANCE),
    compute_bureau_features,
    (*_CREDIT_FEATURES, *_DERIVED_FEATURES, *_HISTORY_FEATURES),
    (CREDITS, HISTORIES, LATE_MONTHS),
)
