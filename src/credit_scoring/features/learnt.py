"""Features that a model learns from outcomes, in words.

`credit_scoring.models.target_features` and, of single rows of a history, `credit_scoring.models.row_models` make them.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from credit_scoring.features.application import APPLICATION
from credit_scoring.features.bureau import BUREAU
from credit_scoring.features.installments import INSTALLMENTS
from credit_scoring.features.previous_application import PREVIOUS
from credit_scoring.features.records import Feature, Origin, Theme, Words


def _learnt(name: str, theme: Theme, words: Words, formula: str, measure: str = "") -> tuple[str, Feature]:
    return name, Feature(name, APPLICATION, theme, None, "share", words, (), formula, measure or name)


_ROW_AGGREGATES: Mapping[str, tuple[Words, str]] = {
    "MEAN": (("mean", "moyenne"), "mean over {noun}s"),
    "MAX": (("maximum", "maximum"), "max over {noun}s"),
    "MIN": (("minimum", "minimum"), "min over {noun}s"),
    "LAST": (("latest one", "la dernière"), "of the latest {noun}"),
}


def _of_rows(origin: Origin, noun: str, fr: str) -> Iterator[tuple[str, Feature]]:
    """Record what a row model says of the rows of a history: a share that nobody knows the usual value of."""
    assert origin.theme is not None
    measure = f"{origin.prefix}_ROW_RISK"
    for aggregate, ((how_en, how_fr), formula) in _ROW_AGGREGATES.items():
        name = f"{measure}_{aggregate}"
        words = (
            f"probability of default estimated from each {noun} alone, {how_en}",
            f"probabilité de défaut estimée sur chaque {fr} seule, {how_fr}",
        )
        told = f"probability of default by the model of single {noun}s, {formula.format(noun=noun)}"
        yield name, Feature(
            name, origin, origin.theme, None, "share", words, (), told, measure, clarity=0.1, absent=origin.absent
        )  # fmt: skip


LEARNT_FEATURES: Mapping[str, Feature] = MappingProxyType(
    dict(
        (
            *_of_rows(PREVIOUS, "application", "demande"),
            *_of_rows(BUREAU, "credit", "ligne de crédit"),
            *_of_rows(INSTALLMENTS, "instalment", "échéance"),
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
