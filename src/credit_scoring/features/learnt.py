"""Features that a model learns from outcomes, in words; `credit_scoring.models.target_features` makes them."""

from collections.abc import Mapping
from types import MappingProxyType

from credit_scoring.features.application import APPLICATION
from credit_scoring.features.records import Feature, Theme, Words


def _learnt(name: str, theme: Theme, words: Words, formula: str, measure: str = "") -> tuple[str, Feature]:
    return name, Feature(name, APPLICATION, theme, None, "share", words, (), formula, measure or name)


LEARNT_FEATURES: Mapping[str, Feature] = MappingProxyType(
    dict(
        (
            _learnt("TARGET_KNN_MEAN", "external_scores",
                ("estimated default rate of similar applicants", "taux de défaut estimé des demandeurs semblables"),
                "default rate of the nearest training rows by external scores and CREDIT_TO_ANNUITY"),
            _learnt("OCCUPATION_TYPE_TARGET_RATE", "income",
                ("estimated default rate of the occupation", "taux de défaut estimé de la profession"),
                "default rate of the training rows of the same OCCUPATION_TYPE", "OCCUPATION_TYPE"),
            _learnt("ORGANIZATION_TYPE_TARGET_RATE", "income",
                ("estimated default rate of the type of employer", "taux de défaut estimé du type d'employeur"),
                "default rate of the training rows of the same ORGANIZATION_TYPE", "ORGANIZATION_TYPE"),
        )
    )
)  # fmt: skip
"""Name -> record."""
