"""Model families. A family is one module in `families` with one class, which is built from parameters alone.

Every family takes the model input's features as they are (numbers, text categories, nulls) and keeps its own
preprocessing inside, so that everything fitted is fitted on the rows given to `fit` and nowhere else.

A family's module is imported when the family is named, its library when it is used: a library that is not there takes
no other family down, and a served model needs its own family's library alone. Only training needs `imbalance` and
`selection`.
"""

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import numpy.typing as npt
import pandas as pd
from sklearn.base import clone

from credit_scoring.models import families
from credit_scoring.models.base import ScoringModel

FAMILIES = tuple(module.name for module in iter_modules(families.__path__))


class FamilyUnavailableError(ImportError):
    """A family's library cannot be imported here; the other families work.

    Attributes:
        family: Name of the family.
        library: What has to be installed, or repaired.
    """

    def __init__(self, family: str, library: str, reason: str) -> None:
        self.family = family
        self.library = library
        super().__init__(
            f"Model family '{family}' needs {library}, which cannot be imported: {reason}.\n"
            f"Hint: install {library}, or take '{family}' out of `candidates`."
        )


def family_class(family: str) -> type[ScoringModel]:
    """Return the class of a family: the one that its module defines.

    Raises:
        ValueError: If the family is unknown.
        TypeError: If its module does not define one class of it.
    """
    if family not in FAMILIES:
        raise ValueError(
            f"Unknown model family '{family}' under `candidates`, expected one of {', '.join(FAMILIES)}.\n"
            "Hint: correct conf/*/parameters/modelling.yml, or add the family to credit_scoring/models/families/."
        )
    module = import_module(f"{families.__name__}.{family}")
    defined = (found for found in vars(module).values() if getattr(found, "__module__", "") == module.__name__)
    classes = [found for found in defined if isinstance(found, type) and issubclass(found, ScoringModel)]
    if len(classes) != 1:
        raise TypeError(
            f"{module.__name__} must define one subclass of ScoringModel, found {len(classes)}.\n"
            "Hint: random_forest.py shows what a family consists of."
        )
    return classes[0]


def build_model(family: str, params: Mapping[str, Any]) -> ScoringModel:
    """Build an unfitted model.

    Args:
        family: One of `FAMILIES`.
        params: Hyper-parameters of the family; what is left out keeps the library's default.

    Raises:
        ValueError: If the family is unknown or does not take one of the parameters.
        TypeError: If its class does not define all that a family has to.
        FamilyUnavailableError: If the family's library cannot be imported.
    """
    model_class = family_class(family)
    if missing := sorted(model_class.__abstractmethods__):
        raise TypeError(
            f"Model family '{family}': {model_class.__name__} must define {', '.join(missing)}.\n"
            f"Hint: add them in {model_class.__module__}; `PermutationContributions` brings `_contributions`."
        )
    for library in model_class.libraries:
        try:
            import_module(library)
        except Exception as error:  # a missing shared library raises OSError, XGBoost an error of its own
            raise FamilyUnavailableError(family, library, f"{type(error).__name__}: {error}") from error
    known = model_class.known_params()
    if known and (unknown := [name for name in params if name not in known]):
        from credit_scoring.nearest import nearest  # noqa: PLC0415 - not among the code that is served

        told = "; ".join(f"{name} is not known{nearest(name, known)}" for name in unknown)
        raise ValueError(f"Model family '{family}' does not take these parameters: {told}.")
    try:
        return model_class(**params)
    except TypeError as error:
        raise ValueError(f"Model family '{family}' does not take these parameters: {error}.") from error


def fit_model(
    family: str,
    params: Mapping[str, Any],
    X: pd.DataFrame,
    y: npt.ArrayLike,
    *,
    imbalance: str = "none",
    imbalance_ratio: float = 1.0,
    seed: int = 42,
    target_features: bool = False,
) -> ScoringModel:
    """Build a model and fit it on the rows given, the one way that folds and the final model share.

    Args:
        family: One of `FAMILIES`.
        params: Hyper-parameters of the family, its `random_state` among them.
        X: Features of the rows to learn from.
        y: Their outcomes.
        imbalance: One of `credit_scoring.models.imbalance.STRATEGIES`. It changes what is learned from, never what is
            scored. All but `none` shift the probabilities, see there.
        imbalance_ratio: Rarer to commoner outcome afterwards.
        seed: Seed of resampling and of the inner folds of target features.
        target_features: Whether to add features learned from outcomes, see `credit_scoring.models.target_features`.

    Raises:
        ValueError: If a name or parameter is unknown, `y` does not hold both outcomes, or `X` lacks a column that
            target features are made of.
        FamilyUnavailableError: If the family's library cannot be imported.
    """
    from credit_scoring.models.imbalance import rebalance  # noqa: PLC0415

    model = build_model(family, params)
    if target_features:
        from credit_scoring.models.target_features import TargetFeatureModel  # noqa: PLC0415

        model = TargetFeatureModel(model, random_state=seed)
    return model.fit(X, y, partial(rebalance, strategy=imbalance, seed=seed, ratio=imbalance_ratio))


def refit_model(
    model: ScoringModel, rows: pd.DataFrame, *, imbalance: str, seed: int = 42, **params: Any
) -> ScoringModel:
    """Fit a copy of a fitted model to other rows, on the columns that it was given: it may choose others of them.

    Args:
        model: The fitted model, which stays as it is.
        rows: Rows to learn from: features and `TARGET`.
        imbalance: See `fit_model`.
        seed: Seed of resampling.
        **params: Hyper-parameters that are to differ.
    """
    from credit_scoring.models.imbalance import rebalance  # noqa: PLC0415

    X = rows[list(model.columns_given_)]
    return clone(model).set_params(**params).fit(X, rows["TARGET"], partial(rebalance, strategy=imbalance, seed=seed))


__all__ = [
    "FAMILIES",
    "FamilyUnavailableError",
    "ScoringModel",
    "build_model",
    "family_class",
    "fit_model",
    "refit_model",
]
