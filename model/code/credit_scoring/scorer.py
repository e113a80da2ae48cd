"""What is served: the champion, the policy that turns its probability into a decision, the words of its reasons."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin

from credit_scoring.counterfactual import USUAL_LEVERS, Levers
from credit_scoring.gaps import Gap, GapRules, name_unknown
from credit_scoring.models.base import CodedModel, PointsModel, ScoringModel
from credit_scoring.models.calibration import Calibration
from credit_scoring.models.row_models import NO_ROW_MODELS, RowModels
from credit_scoring.reasons import ReasonBook
from credit_scoring.texts import DEFAULT_LANGUAGE, texts_in

GRANTED, REFUSED, REVIEW = "granted", "refused", "review"


def digest_model(model: ScoringModel, calibration: Calibration) -> str:
    """Name a fitted model and its calibration, which together give the probability that a policy decides on."""
    described = f"{model.fingerprint_} {json.dumps(calibration.to_dict(), sort_keys=True)}"
    return hashlib.sha256(described.encode()).hexdigest()[:16]


class CreditScorer(ClassifierMixin, BaseEstimator):
    """Score applicants and decide: the one code path of evaluation, batch scoring, notebooks and the API.

    Attributes:
        model: Fitted model of default; its score ranks applicants.
        calibration: Turns the model's score into a probability of default.
        decision_policy: The policy of the same model: `threshold` is what decides, `model_digest` names the model.
        reason_book: What reasons are told with; without it, decisions come without them.
        row_models: What makes those features of the model that come from single rows of histories: whoever has the rows
            completes applicants with them (`RowModels.complete`) before they are scored.
        gap_rules: What makes an applicant a case for manual review; without them, nobody is.
        levers: What an applicant can change, for a change that would lead to approval.

    Raises:
        ValueError: If the policy belongs to another model, or does not say to which.
    """

    row_models: RowModels = NO_ROW_MODELS  # of the class, for scorers that were pickled before there were any
    gap_rules: GapRules | None = None
    levers: Levers = USUAL_LEVERS

    def __init__(
        self,
        model: ScoringModel,
        calibration: Calibration,
        decision_policy: Mapping[str, Any],
        reason_book: ReasonBook | None = None,
        row_models: RowModels = NO_ROW_MODELS,
        gap_rules: GapRules | None = None,
        levers: Levers = USUAL_LEVERS,
    ) -> None:
        mine, its = digest_model(model, calibration), decision_policy.get("model_digest")
        if mine != its:
            raise ValueError(
                f"The decision policy belongs to {f'model {its}' if its else 'no model that it names'}, not to model "
                f"{mine}: its threshold means nothing on other probabilities.\n"
                "Hint: choose the threshold anew, `kedro run --pipelines threshold_tuning`."
            )
        self.model = model
        self.calibration = calibration
        self.decision_policy = decision_policy
        self.reason_book = reason_book
        self.row_models = row_models
        self.gap_rules = gap_rules
        self.levers = levers

    def __sklearn_is_fitted__(self) -> bool:
        """Report that nothing is left to fit."""
        return True

    @property
    def feature_names_in_(self) -> npt.NDArray[np.str_]:
        """Features an applicant is described by."""
        return self.model.feature_names_in_

    def predict_proba(self, X: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return the calibrated probabilities of repayment and of default, shape (n, 2)."""
        default = self.calibration.apply(self.model.predict_proba(X)[:, 1])
        return np.column_stack([1 - default, default])

    def contributions(self, X: pd.DataFrame) -> tuple[pd.DataFrame, float]:
        """Split each score among the features (SHAP values).

        A sigmoid calibration is a straight line on the log-odds: contributions and base value then sum to the log-odds
        of the calibrated probability. An isotonic one is a staircase that nothing can be split along: they then sum to
        the log-odds of the model's own score, before calibration.

        Returns:
            Contributions in log-odds, same rows as `X` and one column per feature, and the base value.
        """
        values, base = self.model.contributions(X)
        return values * self.calibration.slope, base * self.calibration.slope + self.calibration.intercept

    def related_contributions(self, X: pd.DataFrame) -> tuple[pd.DataFrame, float]:
        """Split each score as reasons do: how far it is from the approved customers' on average.

        Returns:
            What `contributions` gives less the mean of the approved customers, and the log-odds that their mean
            contributions sum to; together they sum to the same log-odds.

        Raises:
            ValueError: If the scorer was made without a reason book.
        """
        contributions, base = self.contributions(X)
        return self.reasons().relate(contributions), base + float(self.reasons().reference.sum())

    def attribute_points(self, X: pd.DataFrame) -> pd.DataFrame | None:
        """Return the points of each feature of a scorecard, rows as `X`; null for a model without points."""
        return self.model.attribute_points(X) if isinstance(self.model, PointsModel) else None

    @property
    def points_per_log_odds(self) -> float | None:
        """Points of a scorecard for one log-odds less of what `contributions` splits; null for a model without."""
        return self.model.factor / self.calibration.slope if isinstance(self.model, PointsModel) else None

    def decide(
        self, probability: npt.NDArray[np.float64], gaps: Sequence[Sequence[Gap]] | None = None
    ) -> npt.NDArray[np.str_]:
        """Return `refused` where the probability of default reaches the threshold, and `granted` elsewhere.

        Args:
            probability: Of default, one per applicant.
            gaps: Of each applicant; whoever has one is not decided automatically: `review`.
        """
        decided = np.where(probability >= self.decision_policy["threshold"], REFUSED, GRANTED)
        return np.where([len(found) > 0 for found in gaps], REVIEW, decided) if gaps and any(gaps) else decided

    def predict(self, X: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Score and decide, and say why if asked to.

        Args:
            X: One row per applicant. Columns may stand in any order; one that is missing counts as null, one that the
                model does not know is ignored.
            params: `explain`: whether to add the reasons (default no). `language`: of the reasons, `fr` (default) or
                `en`.

        Returns:
            One row per row of `X`, same index: `probability_default`, `decision` (`granted`, `refused`, or `review`
            for an applicant with gaps), `threshold`, `gaps`: a list per row, see `credit_scoring.gaps`. If asked for,
            `reasons`: a list per row of `effect` (`against` or `for` the applicant) and `text`, what speaks for the
            side of the threshold that the probability is on first, the heaviest first among either.

        Raises:
            ValueError: If the language is unknown, or the scorer was made without a reason book.
        """
        asked = params or {}
        language = texts_in(asked.get("language", DEFAULT_LANGUAGE)).language
        probability = self.predict_proba(X)[:, 1]
        gaps = self._find_gaps(X, language)
        columns: dict[str, Any] = {
            "probability_default": probability,
            "decision": self.decide(probability, gaps),
            "threshold": float(self.decision_policy["threshold"]),
            "gaps": pd.Series(gaps, index=X.index, dtype=object),
        }
        if asked.get("explain"):
            columns["reasons"] = self._describe_reasons(X, self.decide(probability) == REFUSED, language)
        return pd.DataFrame(columns, index=X.index)

    def _find_gaps(self, X: pd.DataFrame, language: str) -> list[list[Gap]]:
        if self.gap_rules is None:
            return [[] for _ in range(len(X))]
        names, is_text = self.gap_rules.names, self.gap_rules.is_text
        rows = X if list(X.columns) == list(names) else X.reindex(columns=names)
        values = np.full(rows.shape, np.nan)
        values[:, ~is_text] = rows.loc[:, ~is_text].to_numpy(dtype=np.float64, na_value=np.nan)
        return self.gap_rules.find(values, rows.isna().to_numpy(), language)

    def _describe_reasons(
        self, X: pd.DataFrame, declined: npt.NDArray[np.bool_], language: str
    ) -> list[list[dict[str, str]]]:
        book = self.reasons()
        if X.empty:
            return []
        values = self.model.explained_features(X)
        return book.explain(self.contributions(X)[0], values, declined, language, self.points_per_log_odds)

    def reasons(self) -> ReasonBook:
        """Return what reasons are told with.

        Raises:
            ValueError: If the scorer was made without it.
        """
        if self.reason_book is None:
            raise ValueError("This scorer was made without reasons.\nHint: `kedro run --pipelines threshold_tuning`.")
        return self.reason_book

    @property
    def category_codes(self) -> Mapping[str, Mapping[str | None, float]] | None:
        """By text column, the number that stands for each category in `score_coded`; null if the model has none."""
        return self.model.category_codes

    def score_coded(self, encoded: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the probabilities of default that `predict` gives, from rows without a table around them.

        Args:
            encoded: One column per feature of `feature_names_in_`: numbers as they are, categories as `category_codes`
                says, NaN for what it does not name: a category that is not there, and null unless it is one.

        Raises:
            TypeError: If the model has no `category_codes`.
        """
        return self.calibration.apply(self._coded().predict_coded(encoded))

    def explain_coded(
        self,
        encoded: npt.NDArray[np.float64],
        texts: Mapping[str, Sequence[str | None]],
        language: str,
        probability: npt.NDArray[np.float64] | None = None,
    ) -> list[list[dict[str, str]]]:
        """Return the reasons that `predict` gives, from rows without a table around them.

        Args:
            encoded: As of `score_coded`.
            texts: By text column what stands there, of which `encoded` only knows the categories that training held.
            language: `fr` or `en`.
            probability: What `score_coded` says of these rows, if it was asked already.

        Raises:
            TypeError: If the model has no `category_codes`.
            ValueError: If the language is unknown, or the scorer was made without a reason book.
        """
        book = self.reasons()

        def pick(column: int, at: int) -> Any:
            name = book.columns[column].name
            return texts[name][at] if name in texts else encoded[at, column].item()

        values, _ = self._coded().contributions_coded(encoded)
        probability = self.score_coded(encoded) if probability is None else probability
        return book.explain_values(
            values * self.calibration.slope,
            pick,
            self.decide(probability) == REFUSED,
            texts_in(language).language,
            self.points_per_log_odds,
        )

    def find_gaps_coded(
        self, encoded: npt.NDArray[np.float64], texts: Mapping[str, Sequence[str | None]], language: str
    ) -> list[list[Gap]]:
        """Return the gaps that `predict` gives, from rows without a table around them; arguments as `explain_coded`."""
        if self.gap_rules is None:
            return [[] for _ in range(len(encoded))]
        null = np.isnan(encoded)
        for place, name in self.gap_rules.texts:
            null[:, place] = [value is None for value in texts[name]]
        return self.gap_rules.find(encoded, null, language)

    def name_unknown(self, meant: Sequence[str | None], language: str) -> list[Gap]:
        """Return the gaps of names that whoever asks has sent and nobody knows, see `credit_scoring.gaps`."""
        return name_unknown(meant, language)

    def _coded(self) -> CodedModel:
        if not isinstance(self.model, CodedModel) or self.model.category_codes is None:
            raise TypeError(f"{type(self.model).__name__} has no codes. Hint: call predict with a table.")
        return self.model


@dataclass(frozen=True)
class ScorerRelease:
    """A scorer on its way to the registry, with what a reader and a server need to know about it.

    Attributes:
        scorer: What will be served.
        example_rows: Feature rows that stand for what the API will be sent; they give the signature its types, and
            the columns that hold a null among them are optional.
        input_example: Few of these rows, stored with the model to try it out.
        description: What the model is, in Markdown.
        promoted: Whether it replaces the present champion.
        tags: Short facts to find the version by.
        out_of_fold: What later versions are compared with, one row per training applicant (see
            `pipelines.threshold_tuning.promotion.record_decisions`). It names applicants and their outcomes, so that
            it stays in the registry and is never exported.
    """

    scorer: CreditScorer
    example_rows: pd.DataFrame
    input_example: pd.DataFrame
    description: str
    promoted: bool = True
    tags: dict[str, str] = field(default_factory=dict)
    out_of_fold: pd.DataFrame | None = None


@dataclass(frozen=True)
class Incumbent:
    """The champion of the registry, as it stands before a run.

    Attributes:
        version: Its version.
        tags: What was noted on it.
        out_of_fold: What it decided out of fold when it was trained; empty if it was registered without.
        history: What was noted on every version of the registry, its own tags included.
        features: Columns that it reads.
        problem: Why it cannot be loaded any more, if so.
    """

    version: str
    tags: Mapping[str, str]
    out_of_fold: pd.DataFrame = field(default_factory=pd.DataFrame)
    history: Sequence[Mapping[str, str]] = ()
    features: Sequence[str] = ()
    problem: str = ""
