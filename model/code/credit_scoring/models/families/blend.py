"""The average of several models, which is steadier than any of them."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, logit

from credit_scoring.models import FAMILIES, FamilyUnavailableError, build_model, family_class
from credit_scoring.models.base import CodedModel, Rebalance, ScoringModel, TrainingRows
from credit_scoring.models.encoding import CategoryCodes

logger = logging.getLogger(__name__)

# Log-odds beyond those of the last probability below 1 cannot be read back from a probability.
_LEAST = np.finfo(np.float64).eps
_OWN_NAME = __name__.rpartition(".")[2]
_MEMBER = ("family", "params", "max_features", "n_seeds")


class BlendModel(CodedModel):
    """Average the log-odds of members that are fitted to the same rows; each member counts alike.

    Contributions are the same average of the members' own, so that they are exact where those are, and sum to the
    log-odds. Rows are rebalanced once for all members; a member that stops early keeps validation rows of its own, and
    has the others rebalanced. A member that cannot be fitted, or whose library cannot be imported, is left out with a
    warning if two remain. Where every member scores coded rows, so does the blend.

    Args:
        members: Two or more by name, each with its `family` (any but this one) and, unless the default does, its
            `params`; `max_features`, columns that it is given at most, picked by `select_features` on the rows given to
            `fit` (default null: all of them); `n_seeds`, fits with consecutive `random_state` that stand for it with
            their average (default 1), for a family that has one.
        n_jobs: Members that are fitted at once, each in a thread; all of them if it is not above 0. No score depends on
            it.

    Attributes:
        feature_names_in_: Columns that a member reads.
        fits_: By name of a member, its fitted models, one per seed.
        left_out_: By name of a member that could not be fitted, why.
        libraries: What the members need; once fitted, those that were not left out.
    """

    labels = {"fr": "combinaison de modèles", "en": "blend"}
    complexity = "blend"
    test_params = {
        "members": {
            "lightgbm": {
                "family": "lightgbm",
                "params": {"n_estimators": 15, "min_child_samples": 5, "subsample": 0.7, "subsample_freq": 1},
                "n_seeds": 2,
            },
            "logistic_regression": {"family": "logistic_regression", "params": {"C": 0.1}, "max_features": 3},
        }
    }

    def __init__(self, members: Mapping[str, Mapping[str, Any]], n_jobs: int = 1) -> None:
        problems = [f"members.{name}{problem}" for name, member in members.items() for problem in _problems(member)]
        if len(members) < 2:
            problems.append(f"members: a blend needs two at least, found {', '.join(members) or 'none'}")
        if problems:
            raise TypeError("; ".join(problems))
        self.members, self.n_jobs = members, n_jobs
        self.libraries = _libraries_of(family_class(member["family"]) for member in members.values())

    def _fit_rows(self, X: pd.DataFrame, y: npt.NDArray[np.int_], rebalance: Rebalance) -> None:
        rows = rebalance(X, y)

        def rebalance_once(part: pd.DataFrame, outcomes: npt.NDArray[np.int_]) -> TrainingRows:
            return rebalance(part, outcomes) if len(part) < len(X) else rows._replace(X=rows.X[part.columns])

        def fit_member(member: Mapping[str, Any]) -> list[ScoringModel] | Exception:
            try:
                columns = _pick_columns(X, y, member.get("max_features"))
                return [model.fit(X[columns], y, rebalance_once) for model in _build(member)]
            except Exception as error:  # of a library's own type: in any case the other members go on
                return error

        self.fits_: dict[str, list[ScoringModel]] = {}
        self.left_out_: dict[str, str] = {}
        with ThreadPoolExecutor(self.n_jobs if self.n_jobs > 0 else len(self.members)) as threads:
            for name, fitted in zip(self.members, threads.map(fit_member, self.members.values()), strict=True):
                if isinstance(fitted, list):
                    self.fits_[name] = fitted
                    continue
                self.left_out_[name] = f"{type(fitted).__name__}: {fitted}"
                logger.warning("Member %s of the blend cannot be fitted and is left out: %s", name, fitted)
        if len(self.fits_) < 2:
            reasons = "\n".join(f"  - {name}: {reason}" for name, reason in self.left_out_.items())
            raise ValueError(
                f"A blend needs two members, {len(self.fits_)} of {len(self.members)} could be fitted.\n{reasons}\n"
                "Hint: mend them, or leave the blend out of `candidates`."
            )
        self.libraries = _libraries_of(fit for fit, _ in self._shares())
        read = np.concatenate([fit.feature_names_in_ for fit, _ in self._shares()])
        self.feature_names_in_ = self.feature_names_in_[np.isin(self.feature_names_in_, read)]
        self._see(X[self.feature_names_in_])

    def _shares(self) -> Iterator[tuple[ScoringModel, float]]:
        """Give every fit with its share of the average."""
        for fits in self.fits_.values():
            for fit in fits:
                yield fit, 1 / (len(self.fits_) * len(fits))

    def _see(self, X: pd.DataFrame) -> None:
        """Note which columns each fit sees and which codes it has for them; fits that see the same share one view."""
        self.codes_ = CategoryCodes("name", with_null=True).fit(X)
        self.views_: list[tuple[npt.NDArray[np.int_], npt.NDArray[np.float64]]] = []
        self.view_of_fit_: list[int] = []
        place = {name: i for i, name in enumerate(X.columns)}
        numbers: dict[bytes, int] = {}
        for fit, _ in self._shares():
            its_codes: list[float] = []
            for name, categories in self.codes_.categories_.items():
                of_column = (fit.category_codes or {}).get(name, {})
                its_codes += [*(of_column.get(category, np.nan) for category in categories), np.nan]
            columns, codes = np.array([place[name] for name in fit.feature_names_in_]), np.array(its_codes)
            number = numbers.setdefault(columns.tobytes() + codes.tobytes(), len(self.views_))
            if number == len(self.views_):
                self.views_.append((columns, codes))
            self.view_of_fit_.append(number)

    def _look(self, encoded: npt.NDArray[np.float64]) -> Iterator[npt.NDArray[np.float64]]:
        """Give encoded rows as each fit sees them."""
        places, views = self.codes_.places(encoded), []
        for columns, codes in self.views_:
            view = encoded.copy()
            view[:, self.codes_.texts_] = codes[places]
            views.append(view[:, columns])
        return (views[number] for number in self.view_of_fit_)

    @property
    def category_codes(self) -> Mapping[str, Mapping[str | None, float]] | None:
        """By text column, the number of each category in a coded row; null if a member takes tables only."""
        return None if any(fit.category_codes is None for fit, _ in self._shares()) else self.codes_.codes

    def predict_coded(self, encoded: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the probabilities of default of encoded rows."""
        rows = self._look(encoded)
        return self._average_scores(fit.predict_coded(view) for fit, view in zip(self._coded_fits(), rows, strict=True))

    def contributions_coded(self, encoded: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], float]:
        """Return the average of the members' contributions, and of their base values."""
        rows = self._look(encoded)
        split = (fit.contributions_coded(view) for fit, view in zip(self._coded_fits(), rows, strict=True))
        return self._average_contributions(len(encoded), split)

    def _coded_fits(self) -> Iterator[CodedModel]:
        for fit, _ in self._shares():
            assert isinstance(fit, CodedModel)
            yield fit

    def _predict_default(self, X: pd.DataFrame) -> npt.NDArray[np.float64]:
        return self._average_scores(fit.predict_proba(X)[:, 1] for fit, _ in self._shares())

    def _contributions(self, X: pd.DataFrame) -> tuple[npt.NDArray[np.float64], float]:
        split = (fit.contributions(X) for fit, _ in self._shares())
        return self._average_contributions(len(X), ((values.to_numpy(), base) for values, base in split))

    def _average_scores(self, probabilities: Iterable[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
        log_odds = logit(np.clip(list(probabilities), _LEAST, 1 - _LEAST))
        # One after the other: a matrix sums in another order for another number of rows, and the last bit would follow.
        return expit(sum(share * of_fit for (_, share), of_fit in zip(self._shares(), log_odds, strict=True)))

    def _average_contributions(
        self, n_rows: int, split: Iterable[tuple[npt.NDArray[np.float64], float]]
    ) -> tuple[npt.NDArray[np.float64], float]:
        contributions, average = np.zeros((n_rows, len(self.feature_names_in_))), 0.0
        for (_, share), number, (values, base) in zip(self._shares(), self.view_of_fit_, split, strict=True):
            contributions[:, self.views_[number][0]] += share * values
            average += share * base
        return contributions, average


def _libraries_of(models: Iterable[ScoringModel | type[ScoringModel]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for model in models for name in model.libraries))


def _problems(member: Mapping[str, Any]) -> Iterator[str]:
    """Say what is wrong with the description of a member."""
    if unknown := [key for key in member if key not in _MEMBER]:
        yield f": {', '.join(unknown)} is not known, expected {', '.join(_MEMBER)}"
    family = member.get("family")
    if family not in FAMILIES or family == _OWN_NAME:
        yield f".family: {family}, expected one of {', '.join(name for name in FAMILIES if name != _OWN_NAME)}"
        return
    for count in ("n_seeds", "max_features"):
        given = member.get(count, 1)
        unbounded = given is None and count == "max_features"
        if not unbounded and not (isinstance(given, int) and given > 0):
            yield f".{count}: {given}, expected a whole number above 0"
            return
    try:
        build_model(family, member.get("params", {}))
    except FamilyUnavailableError:
        return  # said when it is fitted, where the others go on
    except ValueError as error:
        yield f".params: {error}"
        return
    try:
        _build(member)
    except ValueError:
        yield f".n_seeds: {member['n_seeds']}, expected 1, since {family} has no random_state"


def _build(member: Mapping[str, Any]) -> list[ScoringModel]:
    """Return the unfitted models that stand for a member."""
    params, n_seeds = member.get("params", {}), member.get("n_seeds", 1)
    if n_seeds == 1:
        return [build_model(member["family"], params)]
    first = params.get("random_state") or 0
    return [build_model(member["family"], {**params, "random_state": first + number}) for number in range(n_seeds)]


def _pick_columns(X: pd.DataFrame, y: npt.NDArray[np.int_], max_features: int | None) -> list[str]:
    if max_features is None:
        return list(X.columns)
    from credit_scoring.models.selection import SelectionOptions, select_features

    options = SelectionOptions.model_validate({"max_features": max_features, "threads": 1})
    return select_features(X, pd.Series(y, index=X.index), options)
