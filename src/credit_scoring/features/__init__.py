"""Features of an application and of its client's history: pure functions, Ibis tables in, Ibis tables out.

One module per source. To add a source, write its module and list it in `SOURCES`; `join_features` takes one table per
history source, in this order.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import ibis.expr.types as ir

from credit_scoring.features.application import clean_application, compute_application_features
from credit_scoring.features.bureau import clean_bureau, clean_bureau_balance, compute_bureau_features
from credit_scoring.features.credit_card import clean_credit_card_balance, compute_credit_card_features
from credit_scoring.features.installments import clean_installments_payments, compute_installments_features
from credit_scoring.features.join import join_features
from credit_scoring.features.pos_cash import clean_pos_cash_balance, compute_pos_cash_features
from credit_scoring.features.previous_application import (
    clean_previous_application,
    compute_previous_application_features,
)

__all__ = [
    "SOURCES",
    "FeatureSource",
    "clean_application",
    "clean_bureau",
    "clean_bureau_balance",
    "clean_credit_card_balance",
    "clean_installments_payments",
    "clean_pos_cash_balance",
    "clean_previous_application",
    "compute_application_features",
    "compute_bureau_features",
    "compute_credit_card_features",
    "compute_installments_features",
    "compute_pos_cash_features",
    "compute_previous_application_features",
    "join_features",
]


@dataclass(frozen=True)
class FeatureSource:
    """One source of features.

    Attributes:
        name: Name of the module and of the dataset `<name>_features`.
        prefixes: First words of its feature names.
        clean: Raw table -> function that cleans it, in the order in which `compute` takes the clean tables.
        compute: Clean tables -> one row per SK_ID_CURR.
    """

    name: str
    prefixes: tuple[str, ...]
    clean: Mapping[str, Callable[[ir.Table], ir.Table]]
    compute: Callable[..., ir.Table]


# fmt: off
SOURCES: tuple[FeatureSource, ...] = (
    FeatureSource("application", ("APPLICATION",), {"application": clean_application}, compute_application_features),
    FeatureSource(
        "bureau", ("BUREAU", "BUREAU_BALANCE"),
        {"bureau": clean_bureau, "bureau_balance": clean_bureau_balance}, compute_bureau_features,
    ),
    FeatureSource(
        "previous_application", ("PREVIOUS",),
        {"previous_application": clean_previous_application}, compute_previous_application_features,
    ),
    FeatureSource("pos_cash", ("POS_CASH",), {"POS_CASH_balance": clean_pos_cash_balance}, compute_pos_cash_features),
    FeatureSource(
        "installments", ("INSTALLMENTS",),
        {
            "installments_payments": clean_installments_payments,
            "previous_application": clean_previous_application,
        },
        compute_installments_features,
    ),
    FeatureSource(
        "credit_card", ("CREDIT_CARD",),
        {"credit_card_balance": clean_credit_card_balance}, compute_credit_card_features,
    ),
)
# fmt: on
"""Every source, the application (the spine of the join) first."""
