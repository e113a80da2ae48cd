"""Model families. A family is one module with a class that is built from parameters alone; listed here, it competes.

Every family takes the model input's features as they are (numbers, text categories, nulls) and keeps its own
preprocessing inside, so that whatever is fitted is fitted on the rows given to `fit` and nowhere else.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from credit_scoring.models.base import ScoringModel
from credit_scoring.models.dummy import DummyModel
from credit_scoring.models.lightgbm import LightGBMModel
from credit_scoring.models.logistic_regression import LogisticRegressionModel

FAMILIES: Mapping[str, type[ScoringModel]] = MappingProxyType(
    {
        "dummy": DummyModel,
        "logistic_regression": LogisticRegressionModel,
        "lightgbm": LightGBMModel,
    }
)


def build_model(family: str, params: Mapping[str, Any]) -> ScoringModel:
    """Build an unfitted model.

    Args:
        family: One of `FAMILIES`.
        params: Hyper-parameters of the family; what is left out keeps the library's default.

    Raises:
        ValueError: If the family is unknown or does not take one of the parameters.
    """
    if family not in FAMILIES:
        raise ValueError(
            f"Unknown model family '{family}' under `candidates`, expected one of {', '.join(FAMILIES)}.\n"
            "Hint: correct conf/*/parameters/modelling.yml, or add the family in credit_scoring/models/."
        )
    try:
        return FAMILIES[family](**params)
    except TypeError as error:
        raise ValueError(f"Model family '{family}' does not take these parameters: {error}.") from error


__all__ = ["FAMILIES", "ScoringModel", "build_model"]
