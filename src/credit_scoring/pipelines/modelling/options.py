"""Typed parameters of the modelling pipeline."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from credit_scoring.features.catalogue import FEATURES
from credit_scoring.features.records import Direction
from credit_scoring.models import FAMILIES, FamilyUnavailableError, build_model, family_class
from credit_scoring.models.complexity import COMPLEXITIES, Complexity, within
from credit_scoring.models.labels import MONOTONE
from credit_scoring.nearest import nearest
from credit_scoring.protected import ProtectedOptions

Imbalance = Literal["none", "class_weight", "smote", "random_over", "random_under"]
Metric = Literal["business_cost", "log_loss", "roc_auc"]


class CandidateOptions(BaseModel):
    """One competitor: a family, its hyper-parameters, and what is done to its training rows.

    Attributes:
        family: A module of `credit_scoring.models.families`.
        params: Hyper-parameters; what is left out keeps the family's default. In the parameters a member of a blend may
            name a `candidate` in place of `family` and `params`, and has those of it, found by the search if it is
            `tuned`; the candidate's treatment of imbalance, target features and rows are not those of the blend. It may
            not name one that is `monotone`.
        imbalance: Treatment of class imbalance, on training rows only. In the parameters it may be a list: each
            strategy then competes, under the candidate's name with the strategy behind it.
        target_features: Whether features learnt from TARGET are added, cross-fitted inside the training rows.
        max_rows: Training rows at most, a stratified part of them; for families too slow for all.
        tuned: Whether the hyper-parameters are searched for, starting from `params`.
        monotone: Whether the probability of default may only rise, or only fall, with a column whose direction is
            declared in the feature dictionary. In the parameters it may be `[false, true]`: under the candidate's name
            with `_monotone` behind it, it then also competes with the constraints, the rest as set by hand.
        constraints: Column -> 1, -1 or 0: a direction beside or in place of the declared one, 0 for none.
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
    monotone: bool = False
    constraints: dict[str, Direction] = {}

    @field_validator("monotone")
    @classmethod
    def _is_within_the_family(cls, monotone: bool, info: ValidationInfo) -> bool:
        if monotone and "family" in info.data and not family_class(info.data["family"]).can_be_monotone:
            able = ", ".join(family for family in FAMILIES if family_class(family).can_be_monotone)
            raise ValueError(f"family {info.data['family']} cannot be made monotone, expected one of {able}")
        return monotone

    @field_validator("constraints")
    @classmethod
    def _are_of_use(cls, constraints: dict[str, Direction], info: ValidationInfo) -> dict[str, Direction]:
        if constraints and not info.data.get("monotone", True):
            raise ValueError("without `monotone: true` they are of no use")
        return constraints

    @property
    def complexity(self) -> Complexity:
        """How far a person can check a score: the family's own, and what is done to it beside.

        Monotonic constraints take an unconstrained family one step down. Features learnt from TARGET look up similar
        applicants, and row models score every row of a history: neither a sheet of points nor a table of coefficients
        says how to do that.

        Raises:
            ValueError: If the family is unknown.
        """
        own = family_class(self.family).complexity
        if (self.target_features or self.row_models) and within(own, "unconstrained"):
            return "unconstrained"
        return "monotone" if own == "unconstrained" and self.monotone else own

    @classmethod
    def of_result(cls, result: Mapping[str, Any]) -> Self:
        """Return the candidate that a result of the comparison, or the champion chosen from them, describes."""
        return cls.model_validate({field: result[field] for field in cls.model_fields})


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


class ChampionOptions(BaseModel):
    """Which candidate becomes champion.

    Attributes:
        max_complexity: The most complex model that the lender serves; the last level of the scale excludes none.
        prefer: Among the allowed candidates whose cost is within the noise of the cheapest of them: that of the best
            log loss, or the simplest (the best log loss of the least complex level; never the baseline, unless alone).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_complexity: Complexity = COMPLEXITIES[-1]
    prefer: Literal["best_log_loss", "simplest"] = "best_log_loss"

    def find_allowed(self, levels: Mapping[str, Complexity]) -> list[str]:
        """Return the names of those no more complex than the bound.

        Args:
            levels: Name -> complexity of each candidate.

        Raises:
            ValueError: If the bound excludes all, or all but the baseline, which no bound makes worth serving.
        """
        allowed = [name for name, level in levels.items() if within(level, self.max_complexity)]
        if len(allowed) < len(levels) and all(levels[name] == "constant" for name in allowed):
            found = ", ".join(f"{name} is `{level}`" for name, level in levels.items())
            raise ValueError(
                f"champion.max_complexity: at most `{self.max_complexity}` is allowed, and no candidate but a baseline "
                f"is: {found}.\nHint: add a simpler one under `candidates`, or raise the bound (from simple to "
                f"complex: {', '.join(COMPLEXITIES)})."
            )
        return allowed


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

    Members of a blend that name a candidate get its family and hyper-parameters.

    Raises:
        ValueError: If there is none, or one is not described as it should be; names every problem.
    """
    if not candidates:
        raise ValueError("No model to compare. Hint: name at least one under `candidates`.")
    read, problems = {}, []
    for name, described in candidates.items():
        for variant, single in list_variants(name, described):
            try:
                candidate = CandidateOptions.model_validate(single)
                if candidate.family == "blend":
                    candidate = candidate.model_copy(update={"params": _find_members(candidate.params, candidates)})
                if candidate.family not in FAMILIES:
                    problems.append(
                        f"  - candidates.{name}.family: {candidate.family}, expected one of {', '.join(FAMILIES)}"
                        f"{nearest(candidate.family, FAMILIES)}"
                    )
                    continue
                with suppress(FamilyUnavailableError):  # named when it is to be fitted, and left out
                    build_model(candidate.family, candidate.params)
                if variant in read:
                    problems.append(f"  - candidates.{name}: another candidate is called {variant} as well")
                if candidate.row_models:
                    problems.append(f"  - candidates.{name}.row_models: not set here, but in row_models.candidates")
                read[variant] = candidate
            except ValidationError as error:
                for issue in error.errors():
                    field = ".".join(map(str, issue["loc"]))
                    meant = nearest(field, CandidateOptions.model_fields) if issue["type"] == "extra_forbidden" else ""
                    problems.append(f"  - candidates.{name}.{field}: {issue['msg']}{meant}")
            except ValueError as error:
                problems.append(f"  - candidates.{name}.params: {error}")
    if problems:
        raise ValueError(
            "Candidates that cannot be read:\n" + "\n".join(dict.fromkeys(problems)) + "\nHint: "
            "conf/*/parameters/modelling.yml, each candidate has `family` and may have `params`, `imbalance`, "
            "`target_features`, `max_rows`, `tuned`, `monotone`, `constraints`."
        )
    return read


def _find_members(params: Mapping[str, Any], candidates: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a blend, with family and hyper-parameters in place of the names of candidates."""
    members = params.get("members")
    if not isinstance(members, Mapping) or not all(isinstance(member, Mapping) for member in members.values()):
        raise ValueError(f"members: {members}, expected each by its name, with `candidate` or `family`")
    found = {}
    for name, member in members.items():
        found[name] = {key: value for key, value in member.items() if key != "candidate"}
        if "candidate" not in member:
            continue
        its = candidates.get(member["candidate"])
        if isinstance(its, Mapping) and its.get("monotone") in (True, [True]):
            raise ValueError(
                f"members.{name}.candidate: {member['candidate']} is monotone, which a member of a blend cannot be kept"
            )
        if not isinstance(its, Mapping) or "family" in member or "params" in member:
            raise ValueError(
                f"members.{name}.candidate: {member['candidate']}, expected one of {', '.join(candidates)}, without "
                "`family` or `params` beside it"
            )
        found[name] = {"family": its.get("family"), "params": dict(its.get("params") or {}), **found[name]}
    return {**params, "members": found}


def list_variants(name: str, described: Any) -> Iterator[tuple[str, Any]]:
    """Yield the candidates that a description stands for, by name, as far as its lists ask for them.

    One for each treatment of class imbalance, free of constraints, and one that is monotone; where treatments are
    listed, this one has none.
    """
    if not isinstance(described, Mapping):
        yield name, described
        return
    constrained, treatments = (described.get(field) for field in ("monotone", "imbalance"))
    if isinstance(constrained, list):
        if True in constrained:
            untreated = {} if not isinstance(treatments, list) else {"imbalance": "none"}
            yield f"{name}{MONOTONE}", {**described, "monotone": True, **untreated}
        if False not in constrained:
            return
        described = {**described, "monotone": False, "constraints": {}}
    if not isinstance(treatments, list):
        yield name, described
        return
    for treatment in treatments:
        yield name if treatment == "none" else f"{name}_{treatment}", {**described, "imbalance": treatment}


def check_candidates(candidates: dict[str, Any], champion: ChampionOptions, protected: ProtectedOptions) -> None:
    """Make sure, before anything is computed, that all candidates can be fitted as described and one may be champion.

    Raises:
        ValueError: If the candidates cannot be read; if a constraint is on a column that is not there, that models do
            not learn from, or that holds text; or if no candidate is allowed (see `ChampionOptions.find_allowed`).
    """
    described = read_candidates(candidates)
    _check_constraints(described, protected)
    champion.find_allowed({name: one.complexity for name, one in described.items()})


def _check_constraints(described: Mapping[str, CandidateOptions], protected: ProtectedOptions) -> None:
    left_out = set(protected.found_in(FEATURES))
    known = [name for name in FEATURES if name not in left_out]
    problems = []
    for name, candidate in described.items():
        for column in candidate.constraints:
            if column in left_out:
                problem = "is protected or derives from what is"
            elif column not in FEATURES:
                problem = f"is not a feature{nearest(column, known)}"
            elif FEATURES[column].unit == "category":
                problem = "holds text"
            else:
                continue
            problems.append(f"  - candidates.{name}.constraints: {column} {problem}")
    if problems:
        raise ValueError(
            "Constraints that no model can keep:\n" + "\n".join(problems) + "\nHint: docs/feature_dictionary.md lists "
            "the features with their directions."
        )
