"""Typed parameters of the modelling pipeline."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Imbalance = Literal["none", "class_weight", "smote", "random_over", "random_under"]
Metric = Literal["business_cost", "log_loss", "roc_auc"]


class CandidateOptions(BaseModel):
    """One competitor: a family, its hyper-parameters, and what is done to its training rows.

    Attributes:
        family: A module of `credit_scoring.models.families`.
        params: Hyper-parameters; what is left out keeps the family's default.
        imbalance: Treatment of class imbalance, on training rows only. In the parameters it may be a list: each
            strategy then competes, under the candidate's name with the strategy behind it.
        target_features: Whether features learnt from TARGET are added, cross-fitted inside the training rows.
        max_rows: Training rows at most, a stratified part of them; for families too slow for all.
        tuned: Whether the hyper-parameters are searched for, starting from `params`.
        row_models: Whether features from row models are added. In the parameters it is not set here: `row_models`
            names the candidates that also compete with them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: str
    params: dict[str, Any] = {}
    imbalance: Imbalance = "none"
    target_features: bool = False
    max_rows: int | None = Field(None, gt=0)
    tuned: bool = False
    row_models: bool = False

    @classmethod
    def of_champion(cls, champion: Mapping[str, Any]) -> Self:
        """Return the candidate that a `champion` was."""
        return cls.model_validate({field: champion[field] for field in cls.model_fields})


class CrossValidationOptions(BaseModel):
    """How candidates are compared.

    Attributes:
        n_folds: Number of stratified folds; every candidate sees the same ones.
        seed: Seed of the shuffle before the rows are dealt into folds, and of everything random inside them.
        confidence: Of the intervals of paired differences to the best candidate.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_folds: int = Field(5, ge=2)
    seed: int = Field(42, ge=0)
    confidence: float = Field(0.95, gt=0, lt=1)


class TuningOptions(BaseModel):
    """How hyper-parameters are searched for.

    Attributes:
        method: `optuna` draws from the family's search space (TPE, hopeless trials are pruned fold by fold), `grid`
            tries every combination of the family's small grid. Both begin with the hand-set values.
        metric: What is minimised (AUC is maximised): log loss, cost at a cross-fitted threshold, or AUC.
        n_trials: Trials per tuned candidate, the hand-set values and those of an interrupted search included. To
            search for nothing, mark no candidate `tuned`.
        timeout: Seconds after which no new trial starts; null for none. A search cut short by time is not repeatable.
        n_folds: Stratified folds of the search, dealt with another seed than those of the comparison.
        seed: Seed of the folds and of the draws.
        max_rows: Rows the search looks at, a stratified part of the training rows; null for all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Literal["optuna", "grid"] = "optuna"
    metric: Metric = "log_loss"
    n_trials: int = Field(10, ge=1)
    timeout: float | None = Field(None, gt=0)
    n_folds: int = Field(3, ge=2)
    seed: int = Field(43, ge=0)
    max_rows: int | None = Field(None, gt=0)


class DiagnosisOptions(BaseModel):
    """When a result is too good, or too far from another, to be believed.

    Attributes:
        max_auc: An AUC above this is a leak until proven otherwise.
        max_holdout_gap: Largest believable difference of AUC between out-of-fold and hold-out predictions.
        max_training_gap: Largest tolerable difference of AUC between training rows and out-of-fold predictions.
        n_seeds: Further seeds with which the champion is cross-validated again.
        n_explained: Applicants of each of their folds whose scores are explained, to see whether the same features
            weigh.
        n_resamples: Bootstrap resamples of the hold-out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_auc: float = Field(0.82, gt=0.5, le=1)
    max_holdout_gap: float = Field(0.05, gt=0)
    max_training_gap: float = Field(0.2, gt=0)
    n_seeds: int = Field(1, ge=0)
    n_explained: int = Field(200, ge=1)
    n_resamples: int = Field(500, ge=10)


def read_candidates(candidates: Mapping[str, Any]) -> dict[str, CandidateOptions]:
    """Check the parameters of all candidates.

    Raises:
        ValueError: If there is none, or one is not described as it should be; names every problem.
    """
    if not candidates:
        raise ValueError("No model to compare. Hint: name at least one under `candidates`.")
    read, problems = {}, []
    for name, described in candidates.items():
        for variant, single in list_variants(name, described):
            try:
                read[variant] = CandidateOptions.model_validate(single)
                if read[variant].row_models:
                    problems.append(f"  - candidates.{name}.row_models: not set here, but in row_models.candidates")
            except ValidationError as error:
                problems += [
                    f"  - candidates.{name}.{'.'.join(map(str, issue['loc']))}: {issue['msg']}"
                    for issue in error.errors()
                ]
    if problems:
        raise ValueError(
            "Candidates that cannot be read:\n" + "\n".join(problems) + "\nHint: conf/*/parameters/modelling.yml, each "
            "candidate has `family` and may have `params`, `imbalance`, `target_features`, `max_rows`, `tuned`."
        )
    return read


def list_variants(name: str, described: Any) -> Iterator[tuple[str, Any]]:
    """Yield the candidates that a description stands for, by name: one for each treatment of class imbalance."""
    strategies = described.get("imbalance") if isinstance(described, Mapping) else None
    if not isinstance(strategies, list):
        yield name, described
        return
    for strategy in strategies:
        yield name if strategy == "none" else f"{name}_{strategy}", {**described, "imbalance": strategy}
