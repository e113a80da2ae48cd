"""Measure what might make the scores better, one lever at a time, on applicants that the models never saw.

A twin is dealt into halves, each scored by what the other half taught, several times over. The same models score the
applicants of other files, if they are given: what the twin taught and holds on real applicants is no quirk of the twin.
Columns are picked on the training rows. The reference is fixed here, so that the table stays comparable
when `conf/base` takes over what was found better.
`python -m benchmarks.levers --other /folder/of/the/eight/files --resume`
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, logit
from sklearn.model_selection import StratifiedKFold

from benchmarks.harness import DEFAULT_FOLDER, ROOT, make_twin, write_section
from benchmarks.learning_curve import auc_terms
from benchmarks.selection import make_model_input
from credit_scoring.metrics.cost import MisclassificationCosts, refuse
from credit_scoring.metrics.threshold import break_even_threshold
from credit_scoring.metrics.uncertainty import Interval, mean_interval
from credit_scoring.models.selection import SelectionOptions, select_features
from credit_scoring.pipelines.modelling.folds import fit_candidate, split_columns
from credit_scoring.pipelines.modelling.options import CandidateOptions
from credit_scoring.pipelines.modelling.protection import leave_out_protected
from credit_scoring.protected import ProtectedOptions

REPORT = ROOT / "docs" / "levers.md"
N_TWIN = 20_000
COSTS = MisclassificationCosts()
REFERENCE: Mapping[str, Mapping[str, Any]] = {
    "xgboost": {
        "n_estimators": 250, "learning_rate": 0.04, "max_depth": 3, "min_child_weight": 20, "subsample": 0.8,
        "colsample_bytree": 0.2, "reg_lambda": 20, "n_jobs": 1,
    },
    "lightgbm": {
        "n_estimators": 200, "learning_rate": 0.04, "num_leaves": 8, "min_child_samples": 60, "subsample": 0.8,
        "subsample_freq": 1, "colsample_bytree": 0.2, "reg_lambda": 10, "cat_smooth": 50, "min_data_per_group": 100,
        "n_jobs": 1,
    },
    "logistic_regression": {"C": 0.01, "max_iter": 1000},
}  # fmt: skip
XGB, LGB, LR = REFERENCE


@dataclass(frozen=True)
class Lever:
    """One change of the reference.

    Attributes:
        name: What is done.
        family: Model that it is done to; none for a mean of others.
        params: Hyper-parameters that differ from the reference.
        selection: Options of the selection of columns that differ.
        forests: Forests that vote on the columns.
        monotone: Whether the model keeps to the declared directions.
        members: Levers whose log-odds are averaged.
        kept: Whether `conf/base` has taken it over.
    """

    name: str
    family: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    selection: Mapping[str, Any] = field(default_factory=dict)
    forests: int = 1
    monotone: bool = False
    members: tuple[str, ...] = ()
    kept: str = "no"

    @property
    def key(self) -> str:
        """Name under which its scores are stored."""
        return f"{self.family} {self.name}"


SMALL, RANDOM = {"num_leaves": 4, "n_estimators": 400}, {"num_leaves": 4, "n_estimators": 600, "extra_trees": True}
SHALLOW = {"max_depth": 2, "n_estimators": 400, "min_child_weight": 10}
STEADY = {"learning_rate": 0.03, "n_estimators": 350, "min_child_weight": 10}
ALL = {"max_features": 10_000}
LEVERS: tuple[Lever, ...] = (
    *(Lever("reference", family) for family in (XGB, LGB, LR)),
    Lever("monotone", XGB, monotone=True, kept="as a candidate"),
    Lever("monotone", LGB, monotone=True, kept="as a candidate"),
    Lever("monotone, method intermediate", LGB, {"monotone_constraints_method": "intermediate"}, monotone=True),
    Lever("monotone, method advanced", LGB, {"monotone_constraints_method": "advanced"}, monotone=True),
    *(Lever(f"seed {seed}", family, {"random_state": seed}) for family in (XGB, LGB) for seed in (1, 2)),
    *(Lever("columns: 75", family, selection={"max_features": 75}) for family in (XGB, LGB, LR)),
    *(Lever("columns: 250", family, selection={"max_features": 250}) for family in (XGB, LGB, LR)),
    *(Lever("columns: all but repeats", family, selection=ALL) for family in (XGB, LGB, LR)),
    *(Lever("columns: correlated up to .8", family, selection={"max_correlation": 0.8}) for family in (XGB, LGB, LR)),
    *(Lever("columns: correlated up to .95", family, selection={"max_correlation": 0.95}) for family in (XGB, LGB)),
    *(Lever("columns: vote of five forests", family, forests=5) for family in (XGB, LGB, LR)),
    Lever("learning rate .02, twice the trees", XGB, {"learning_rate": 0.02, "n_estimators": 500}),
    Lever("learning rate .02, twice the trees", LGB, {"learning_rate": 0.02, "n_estimators": 400}),
    Lever("400 trees", XGB, {"n_estimators": 400}),
    Lever("320 trees", LGB, {"n_estimators": 320}),
    Lever("depth 4", XGB, {"max_depth": 4, "n_estimators": 180}),
    Lever("depth 2, 400 trees", XGB, {"max_depth": 2, "n_estimators": 400}),
    Lever("depth 2, 400 trees, min_child_weight 10", XGB, SHALLOW),
    Lever("min_child_weight 10", XGB, {"min_child_weight": 10}),
    Lever("min_child_weight 5", XGB, {"min_child_weight": 5}),
    Lever("min_child_weight 50", XGB, {"min_child_weight": 50}),
    Lever("learning rate .02, 500 trees, min_child_weight 10", XGB,
        {"learning_rate": 0.02, "n_estimators": 500, "min_child_weight": 10}),
    Lever("learning rate .03, 350 trees, min_child_weight 10", XGB, STEADY, kept="yes"),
    Lever("reg_lambda 5", XGB, {"reg_lambda": 5}),
    Lever("reg_lambda 60", XGB, {"reg_lambda": 60}),
    Lever("colsample_bytree .1", XGB, {"colsample_bytree": 0.1}),
    Lever("colsample_bytree .4", XGB, {"colsample_bytree": 0.4}),
    Lever("columns drawn by node", XGB, {"colsample_bytree": 1, "colsample_bynode": 0.2}),
    Lever("subsample .6", XGB, {"subsample": 0.6}),
    Lever("64 bins", XGB, {"max_bin": 64}),
    Lever("16 leaves, 120 trees", LGB, {"num_leaves": 16, "n_estimators": 120}),
    Lever("6 leaves, 260 trees", LGB, {"num_leaves": 6, "n_estimators": 260}),
    Lever("4 leaves, 400 trees", LGB, SMALL),
    Lever("colsample_bytree .1", LGB, {"colsample_bytree": 0.1}),
    Lever("colsample_bytree .4", LGB, {"colsample_bytree": 0.4}),
    Lever("columns drawn by node", LGB, {"colsample_bytree": 1.0, "feature_fraction_bynode": 0.2}),
    Lever("min_child_samples 150", LGB, {"min_child_samples": 150}),
    Lever("reg_lambda 50", LGB, {"reg_lambda": 50}),
    Lever("path_smooth 100", LGB, {"path_smooth": 100}),
    Lever("63 bins", LGB, {"max_bin": 63}),
    Lever("dart", LGB, {"boosting_type": "dart", "drop_rate": 0.05, "skip_drop": 0.5}),
    Lever("extra trees, 400 trees", LGB, {"extra_trees": True, "n_estimators": 400}),
    Lever("extra trees, 4 leaves, 600 trees", LGB, RANDOM, kept="yes"),
    Lever("the same, monotone", LGB, RANDOM, monotone=True),
    Lever("the same, all columns but repeats", LGB, RANDOM, selection=ALL),
    Lever("C .003", LR, {"C": 0.003}),
    Lever("C .005", LR, {"C": 0.005}, kept="yes"),
    Lever("C .03", LR, {"C": 0.03}),
    Lever("mean of 3 seeds, XGBoost", members=(f"{XGB} reference", f"{XGB} seed 1", f"{XGB} seed 2")),
    Lever("mean of 3 seeds, LightGBM", members=(f"{LGB} reference", f"{LGB} seed 1", f"{LGB} seed 2")),
    Lever("mean of XGBoost and LightGBM", members=(f"{XGB} reference", f"{LGB} reference")),
    Lever("mean of both and logistic regression", members=(f"{XGB} reference", f"{LGB} reference", f"{LR} reference"),
        kept="as family blend"),
    Lever("the same, all columns but repeats",
        members=tuple(f"{family} columns: all but repeats" for family in (XGB, LGB, LR))),
    Lever("mean of the three as kept",
        members=(
            f"{XGB} learning rate .03, 350 trees, min_child_weight 10", f"{LGB} extra trees, 4 leaves, 600 trees",
            f"{LR} C .005",
        ), kept="as family blend"),
)  # fmt: skip
FEWER = {
    XGB: {**STEADY, "n_estimators": 235, "learning_rate": 0.045},
    LGB: {**RANDOM, "n_estimators": 400, "learning_rate": 0.06},
}
HALF = {
    XGB: {**STEADY, "n_estimators": 175, "learning_rate": 0.06},
    LGB: {**RANDOM, "n_estimators": 300, "learning_rate": 0.08},
}
COARSE = {XGB: {"max_bin": 64}, LGB: {"max_bin": 63}}
BUDGETS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "all bins, all trees": {XGB: STEADY, LGB: RANDOM},
    "64 bins": {XGB: {**STEADY, **COARSE[XGB]}, LGB: {**RANDOM, **COARSE[LGB]}},
    "two thirds of the trees": FEWER,
    "two thirds of the trees, 64 bins": {family: {**FEWER[family], **COARSE[family]} for family in (XGB, LGB)},
    "half the trees, 64 bins": {family: {**HALF[family], **COARSE[family]} for family in (XGB, LGB)},
}
"""What the boosters as kept may spend: fewer trees take larger steps."""
KEPT = ("two thirds of the trees, 64 bins", 1)
SEEDS = 3


def read_rows(raw: Path, project: Path) -> tuple[pd.DataFrame, npt.NDArray[np.int_]]:
    """Return the features that models may learn from, of every applicant whose outcome is known, and the outcomes."""
    rows = make_model_input(raw, project).sort_values("SK_ID_CURR", ignore_index=True)
    features, target = split_columns(leave_out_protected(rows, ProtectedOptions()))
    return features, target.to_numpy(dtype=int)


def pick(lever: Lever, X: pd.DataFrame, y: pd.Series) -> list[str]:
    """Return the columns of a lever, picked on the training rows; of equal votes the earlier column."""
    options = [SelectionOptions(**{"seed": seed, "threads": 1, **lever.selection}) for seed in range(lever.forests)]
    votes = Counter(name for each in options for name in select_features(X, y, each))
    most = sorted(votes, key=lambda name: (-votes[name], X.columns.get_loc(name)))[: options[0].max_features]
    return sorted(most, key=X.columns.get_loc)


class Measured:
    """Scores of every lever, computed once and kept in a folder.

    Args:
        folder: Where scores are kept.
        twin: Features and outcomes of the twin.
        other: Features and outcomes of other applicants; none of them without.
        repeats: How often the twin is dealt into halves.
    """

    def __init__(
        self,
        folder: Path,
        twin: tuple[pd.DataFrame, npt.NDArray[np.int_]],
        other: tuple[pd.DataFrame, npt.NDArray[np.int_]],
        repeats: int,
    ) -> None:
        self.folder = folder
        self.X, self.y = twin
        self.other = other[0].reindex(columns=self.X.columns).astype(self.X.dtypes), other[1]
        self.halves = [
            halves
            for seed in range(repeats)
            for halves in StratifiedKFold(2, shuffle=True, random_state=seed).split(self.X, self.y)
        ]
        self.columns: dict[tuple[int, str], list[str]] = {}

    def scores(self, lever: Lever) -> list[npt.NDArray[np.float64]]:
        """Return the log-odds of each fit: of the other half, then of the other applicants."""
        if lever.members:
            by_key = {each.key: each for each in LEVERS}
            return [
                np.mean(fits, axis=0) for fits in zip(*(self.scores(by_key[key]) for key in lever.members), strict=True)
            ]
        return [self._score(lever, number) for number in range(len(self.halves))]

    def _score(self, lever: Lever, number: int) -> npt.NDArray[np.float64]:
        path = self.folder / f"{number} {lever.key}.npy".replace("/", "_")
        if path.exists():
            return np.load(path)
        learnt, scored = self.halves[number]
        X, y = self.X.iloc[learnt], pd.Series(self.y[learnt])
        chosen = (number, f"{lever.selection} {lever.forests}")
        if chosen not in self.columns:
            self.columns[chosen] = pick(lever, X, y)
        candidate = CandidateOptions(
            family=lever.family, params={**REFERENCE[lever.family], **lever.params}, monotone=lever.monotone
        )
        model = fit_candidate(candidate, X, y, self.columns[chosen], seed=0)
        parts = [model.predict_proba(rows)[:, 1] for rows in (self.X.iloc[scored], self.other[0])]
        log_odds = logit(np.concatenate(parts))
        np.save(path, log_odds)
        return log_odds

    def figures(self, lever: Lever) -> dict[str, npt.NDArray[np.float64]]:
        """Return what each applicant adds to each measure, mean over the fits that did not learn from the applicant."""
        return self.figures_of(self.scores(lever))

    def figures_of(self, scores: Sequence[npt.NDArray[np.float64]]) -> dict[str, npt.NDArray[np.float64]]:
        """Do as `figures` does, of the log-odds of each fit."""
        fits = [expit(log_odds) for log_odds in scores]
        added: dict[str, npt.NDArray[np.float64]] = {}
        for name, part in _PARTS.items():
            twin = np.zeros((len(fits), len(self.y)))
            for fit, (_, scored) in enumerate(self.halves):
                twin[fit, scored] = part(self.y[scored], fits[fit][: len(scored)])
            added[f"twin {name}"] = twin.sum(axis=0) / (len(fits) / 2)
            if len(self.other[1]):
                others = [part(self.other[1], fit[-len(self.other[1]) :]) for fit in fits]
                added[f"other {name}"] = np.mean(others, axis=0)
        return added


def cost_parts(y: npt.NDArray[np.int_], probability: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the cost of each decision, at the threshold of the other fifths."""
    fifth, refused = np.arange(len(y)) % 5, np.zeros(len(y), dtype=bool)
    for number in range(5):
        here = fifth == number
        refused[here] = refuse(probability[here], break_even_threshold(y[~here], probability[~here], COSTS))
    return np.where(y == 1, ~refused * COSTS.false_negative, refused * COSTS.false_positive)


def loss_parts(y: npt.NDArray[np.int_], probability: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the log loss of each applicant."""
    return -np.log(np.where(y == 1, probability, 1 - probability))


_PARTS: Mapping[str, Callable[[npt.NDArray[np.int_], npt.NDArray[np.float64]], npt.NDArray[np.float64]]] = {
    "AUC": auc_terms,
    "log loss": loss_parts,
    "cost": cost_parts,
}
_SHOWN = ("twin AUC", "twin log loss", "twin cost", "other AUC", "other log loss")


def difference(own: npt.NDArray[np.float64], reference: npt.NDArray[np.float64]) -> str:
    """Write the mean difference with the half-width of its 95 % interval, by the paired t-test over applicants."""
    found: Interval = mean_interval(own - reference)
    return f"{found.estimate:+.4f} ± {found.high - found.estimate:.4f}"


def describe(lever: Lever, measured: Measured, references: Mapping[str, Mapping[str, npt.NDArray[np.float64]]]) -> str:
    """Write the row of a lever: a reference as it is, others against that of their family, a mean against XGBoost."""
    figures = measured.figures(lever)
    shown = [name for name in _SHOWN if name in figures]
    if lever.name == "reference":
        cells = [f"{figures[name].mean():.4f}" for name in shown]
    else:
        cells = [difference(figures[name], references[lever.family or XGB][name]) for name in shown]
    return f"| {lever.family or 'mean'} | {lever.name} | {' | '.join(cells)} | {lever.kept} |"


def describe_budgets(measured: Measured) -> list[str]:
    """Write a row per budget: of each booster the mean over its seeds, of the blend one row per number of seeds.

    Differences are to the first budget, of the blend with all seeds.
    """
    scores = {
        (family, budget): [
            measured.scores(Lever(f"{budget}, seed {seed}", family, {**params, "random_state": seed}))
            for seed in range(SEEDS)
        ]
        for budget, of_family in BUDGETS.items() for family, params in of_family.items()
    }  # fmt: skip
    regression = measured.scores(next(lever for lever in LEVERS if lever.family == LR and lever.kept == "yes"))

    def single(family: str, budget: str) -> dict[str, npt.NDArray[np.float64]]:
        of_seeds = [measured.figures_of(fits) for fits in scores[family, budget]]
        return {name: np.mean([figures[name] for figures in of_seeds], axis=0) for name in of_seeds[0]}

    def blend(budget: str, n_seeds: int) -> dict[str, npt.NDArray[np.float64]]:
        boosters = [np.mean(scores[family, budget][:n_seeds], axis=0) for family in (XGB, LGB)]
        return measured.figures_of(np.mean([*boosters, np.array(regression)], axis=0))

    rows: list[tuple[str, str, int | None, dict[str, npt.NDArray[np.float64]]]] = [
        *((family, budget, None, single(family, budget)) for family in (XGB, LGB) for budget in BUDGETS),
        *(("blend", budget, n, blend(budget, n)) for budget in BUDGETS for n in range(SEEDS, 0, -1)),
    ]
    first = {model: figures for model, _, _, figures in reversed(rows)}
    lines = []
    for model, budget, n_seeds, figures in rows:
        reference = first[model]
        cells = [
            f"{figures[name].mean():.4f}" if figures is reference else difference(figures[name], reference[name])
            for name in _SHOWN
            if name in figures
        ]
        kept = "yes" if budget == KEPT[0] and n_seeds in (None, KEPT[1]) else "no"
        lines.append(f"| {model} | {budget} | {n_seeds or ''} | {' | '.join(cells)} | {kept} |")
    return lines


def main() -> None:
    """Write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="where data and scores are kept")
    parser.add_argument("--other", type=Path, help="folder of the eight raw files of other applicants")
    parser.add_argument("--repeats", type=int, default=2, help="how often the twin is dealt into halves")
    parser.add_argument("--resume", action="store_true", help="keep the scores of an earlier call on the same data")
    arguments = parser.parse_args()

    kept = arguments.folder / "levers"
    kept.mkdir(parents=True, exist_ok=True)
    if not arguments.resume:
        for path in kept.glob("*.npy"):
            path.unlink()
    twin = read_rows(make_twin(arguments.folder, N_TWIN, 10), arguments.folder / "project")
    other = twin[0].head(0), twin[1][:0]
    if arguments.other:
        other = read_rows(arguments.other, arguments.folder / "other_project")
    measured = Measured(kept, twin, other, arguments.repeats)
    references = {lever.family: measured.figures(lever) for lever in LEVERS if lever.name == "reference"}
    others = ["other applicants: AUC", "other: log loss"] if len(other[1]) else []
    columns = ["model", "lever", "twin: AUC", "twin: log loss", "twin: cost", *others, "kept"]
    lines = [f"| {' | '.join(columns)} |", f"|---|---|{'---:|' * (3 + len(others))}---|"]
    for lever in LEVERS:
        print(lever.key, file=sys.stderr, flush=True)
        lines.append(describe(lever, measured, references))
    body = [
        f"Data: the synthetic twin, {N_TWIN:,} applicants, dealt into halves of {N_TWIN // 2:,} (repeats: "
        f"{arguments.repeats}), each scored by the models of the other half"
        + (f"; {len(other[1]):,} other applicants, scored by all of these models." if others else "."),
        "Differences to the reference of the same model (means: to XGBoost), paired by applicant, with the half-width "
        "of their 95% intervals.",
        "",
        *lines,
        "",
        "What fewer bins, trees and seeds of the boosters change, as kept otherwise; a seed more is a fit more. "
        "Differences are to the first row of the same model; of a booster it is the mean over its seeds.",
        "",
        f"| model | boosters | seeds | {' | '.join(name for name in columns[2:])} |",
        f"|---|---|---:|{'---:|' * (len(columns) - 3)}---|",
        *describe_budgets(measured),
    ]
    write_section("levers", "What was tried", "\n".join(body), report=REPORT)


if __name__ == "__main__":
    main()
