"""Measure AUC and cost against the number of training rows, for candidates from a simple one to an elaborate one.

Each draw stands for a lender with so many loans: rows that no other draw of the same size has, from the training rows
that `benchmarks.features` left. The lender does what the project does, with its rows alone: columns are selected, the
cut-off comes from out-of-fold predictions, the model is fitted on all rows. All are measured on one test set, the
hold-out, on which nothing was fitted or chosen. Every result is kept: `--resume` measures only what is missing.
Run by `make bench`, or alone after `python -m benchmarks.features`.
"""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator
from scipy.stats import rankdata
from scipy.stats import t as student

from benchmarks.harness import (
    DEFAULT_FOLDER,
    ROOT,
    candidates_of,
    parameters_of,
    predict_by_folds,
    split_rows,
    write_section,
)
from credit_scoring.figures import FigureOptions
from credit_scoring.metrics.cost import MisclassificationCosts, decision_costs, refuse
from credit_scoring.metrics.threshold import break_even_threshold
from credit_scoring.metrics.uncertainty import Interval
from credit_scoring.models.labels import label_candidates
from credit_scoring.models.selection import SelectionOptions, select_features
from credit_scoring.pipelines.modelling.folds import fit_candidate, make_folds, split_columns
from credit_scoring.pipelines.modelling.options import CandidateOptions, CrossValidationOptions

SIZES = (5_000, 10_000, 25_000, 50_000, 100_000, 250_000)
SMALL_LENDER = 10_000
"""Training rows of the lender that the advice is for."""
LARGE = 50_000
"""Training rows from which on hyper-parameters are those of `conf/kaggle`; those of `conf/base` are for fewer."""
CONFIDENCE = 0.95
FIGURE = Path("docs/images/learning_curve.png")
COLOURS = ("#1f4e79", "#c55a11", "#2e7d32", "#6a4c93", "#8a6d00")
MEASURES = {"auc": "AUC", "cost": "cost per applicant"}


@dataclass(frozen=True)
class Measured:
    """What the test set says of one candidate at one number of training rows.

    Attributes:
        terms: By measure and draw, one row per draw and one column per test applicant: numbers whose mean over the
            applicants is the measure. See `auc_terms` for that of the AUC.
        n_columns: Mean number of columns that the models of all rows were given.
    """

    terms: dict[str, npt.NDArray[np.float64]]
    n_columns: float


def environment_of(size: int) -> str:
    """Return the environment whose hyper-parameters are meant for so many rows."""
    return "kaggle" if size >= LARGE else "base"


def draw_rows(target: pd.Series, size: int, n_draws: int, seed: int) -> list[npt.NDArray[np.int_]]:
    """Deal rows into draws of a size with no row in common, defaults in proportion.

    Returns:
        Positions in ascending order, for each of at most `n_draws` draws; of a size that all rows do not reach, one
        draw of all.
    """
    if size >= len(target):
        return [np.arange(len(target))]
    generator = np.random.default_rng(seed)
    shuffled = generator.permutation(len(target))
    # Every k-th of the rows sorted by outcome: draws have the same default rate, and together each row at most once.
    dealt = shuffled[np.argsort(target.to_numpy()[shuffled], kind="stable")]
    n_possible = len(target) // size
    return [np.sort(_trim(dealt[start::n_possible], size, generator)) for start in range(min(n_draws, n_possible))]


def _trim(rows: npt.NDArray[np.int_], size: int, generator: np.random.Generator) -> npt.NDArray[np.int_]:
    """Leave out so many rows of a draw that `size` are left."""
    return generator.choice(rows, size, replace=False)


def auc_terms(target: npt.NDArray[np.int_], probability: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return one number per applicant, whose mean is the AUC and whose standard error is that of the AUC.

    The share of applicants of the other outcome that an applicant is ranked right against, ties counting half, is
    centred and divided by the share of its own outcome among all (DeLong et al., Biometrics 44, 1988: the variance of
    the AUC is that of these shares, outcome by outcome, over the number of applicants with it).
    """
    bad = target == 1
    shares = np.empty(len(target))
    ranks = rankdata(probability)
    n_bad, n_good = int(bad.sum()), int((~bad).sum())
    shares[bad] = (ranks[bad] - rankdata(probability[bad])) / n_good
    shares[~bad] = 1 - (ranks[~bad] - rankdata(probability[~bad])) / n_bad
    auc = shares[bad].mean()
    return auc + (shares - auc) / np.where(bad, n_bad, n_good) * len(target)


def measure_draw(
    candidate: CandidateOptions,
    rows: pd.DataFrame,
    test: pd.DataFrame,
    selection: SelectionOptions,
    cross_validation: CrossValidationOptions,
    costs: MisclassificationCosts,
) -> dict[str, Any]:
    """Do as a lender with these rows would, and return probabilities of the test set, cut-off, seconds and columns."""
    started = time.perf_counter()
    folds = make_folds(rows, cross_validation.n_folds, cross_validation.seed, selection)
    out_of_fold = predict_by_folds(candidate, folds, cross_validation.seed)
    columns = select_features(folds.features, folds.target, selection)
    model = fit_candidate(candidate, folds.features, folds.target, columns, cross_validation.seed)
    seconds = time.perf_counter() - started
    probability = model.predict_proba(split_columns(test)[0])[:, 1]
    return {
        "probability": probability,
        "cut_off": break_even_threshold(folds.target, out_of_fold, costs),
        "seconds": seconds,
        "columns": len(model.feature_names_in_),
    }


def measure_size(
    size: int,
    names: Sequence[str],
    n_draws: int,
    training: pd.DataFrame,
    test: pd.DataFrame,
    folder: Path,
    *,
    resume: bool,
) -> tuple[int, dict[str, Measured]]:
    """Measure every candidate on every draw of a size, and keep what was measured in a folder.

    Returns:
        Rows of a draw, and the candidates by name.
    """
    parameters = parameters_of(environment_of(size))
    selection = SelectionOptions(**parameters["selection"])
    cross_validation = CrossValidationOptions(**parameters["cross_validation"])
    costs = MisclassificationCosts(**parameters["costs"])
    described = candidates_of(environment_of(size))
    draws = draw_rows(training["TARGET"], size, n_draws, cross_validation.seed)
    target = test["TARGET"].to_numpy(dtype=int)
    ids = [digest_of(rows["SK_ID_CURR"], rows["TARGET"]) for rows in (training, test)]
    found = {}
    for name in names:
        candidate = CandidateOptions.model_validate(described[name])
        results = []
        for number, rows in enumerate(draws):
            stored = folder / f"{name}_{size}_{number}.npz"
            question = json.dumps([ids, *(one.model_dump() for one in (candidate, selection, cross_validation, costs))])
            if not (resume and stored.exists() and str(np.load(stored)["question"]) == question):
                print(f"{name}, {len(rows):,} rows, draw {number + 1} of {len(draws)}.", file=sys.stderr, flush=True)
                drawn = training.iloc[rows].reset_index(drop=True)
                result = measure_draw(candidate, drawn, test, selection, cross_validation, costs)
                np.savez(stored, question=question, **result)
            results.append(dict(np.load(stored)))
        found[name] = Measured(
            {
                "auc": np.array([auc_terms(target, result["probability"]) for result in results]),
                "cost": np.array(
                    [
                        decision_costs(target, refuse(result["probability"], float(result["cut_off"])), costs)
                        for result in results
                    ]
                ),
            },
            float(np.mean([result["columns"] for result in results])),
        )
    return len(draws[0]), found


def digest_of(*columns: pd.Series) -> str:
    """Digest the values of columns, in their order."""
    table = pd.concat(columns, axis=1)
    return hashlib.sha256(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes()).hexdigest()[:16]


def interval_of(terms: npt.NDArray[np.float64]) -> Interval:
    """Return the mean of a measure over draws, or of a difference, and its interval.

    Both the rows drawn and the applicants of the test set are samples, and the draws share the test set: to the
    variance of the mean over the applicants comes that over the draws, as far as there are several. Student's t has the
    degrees of freedom of such a sum (Satterthwaite, Biometrics Bulletin 2, 1946): few draws make a wide interval.

    Args:
        terms: One row per draw, one column per test applicant.
    """
    means = [mean for mean in (terms.mean(axis=0), terms.mean(axis=1)) if len(mean) > 1]
    variances = [mean.var(ddof=1) / len(mean) for mean in means]
    uncertain = sum(variance**2 / (len(mean) - 1) for variance, mean in zip(variances, means, strict=True))
    freedom = sum(variances) ** 2 / uncertain if uncertain else np.inf
    half = float(student.ppf(0.5 + CONFIDENCE / 2, freedom) * np.sqrt(sum(variances)))
    estimate = float(terms.mean())
    return Interval(estimate=estimate, low=estimate - half, high=estimate + half)


def differences(found: dict[str, Measured], other: str, measure: str) -> dict[str, Interval]:
    """Return what every candidate has more of a measure than another one, paired by draw and applicant."""
    return {
        name: interval_of(measured.terms[measure] - found[other].terms[measure]) for name, measured in found.items()
    }


def advise(found: dict[str, Measured], n_rows: int, labels: dict[str, str]) -> str:
    """Say which candidate a lender with so many loans should serve, no more firmly than the intervals allow.

    The simplest of those whose cost is not above the cheapest one's by more than chance; the candidates are in the
    order of their complexity.
    """
    cost = {name: interval_of(measured.terms["cost"]).estimate for name, measured in found.items()}
    cheapest = min(cost, key=lambda name: cost[name])
    if len(found) == 1:
        return f"A lender with {n_rows:,} loans: nothing but {labels[cheapest]} was measured."
    to_cheapest = differences(found, cheapest, "cost")
    level = [name for name in found if name == cheapest or to_cheapest[name].low <= 0]
    simplest = level[0]
    worse = [name for name in found if name not in level]
    dearer = "; ".join(f"{labels[name]} costs {_signed(to_cheapest[name])} more" for name in worse)
    if simplest == cheapest:
        others = [name for name in level if name != cheapest]
        unclear = ", ".join(f"{labels[name]} ({_signed(to_cheapest[name])})" for name in others)
        sentence = f"A lender with {n_rows:,} loans should serve {labels[cheapest]}: of those measured it costs least"
        sentence += f", and is simpler than what may be level with it: {unclear}." if others else "."
    else:
        gain = differences(found, simplest, "auc")[cheapest]
        if gain.low <= 0 <= gain.high:
            ranked = f"their AUCs do not differ significantly ({_signed(gain)})"
        else:
            ranked = f"the AUC of {labels[cheapest]} is {'higher' if gain.low > 0 else 'lower'} by {_signed(gain)}"
        sentence = (
            f"A lender with {n_rows:,} loans may serve {labels[simplest]}: it is the simplest whose cost is not "
            f"significantly above the least, that of {labels[cheapest]} ({_signed(to_cheapest[simplest])} per "
            f"applicant, 95 % interval in brackets, while {ranked}). "
            f"A true difference of cost of up to {to_cheapest[simplest].high:.4f} is within that interval."
        )
    return f"{sentence} {dearer[0].upper() + dearer[1:]}." if dearer else sentence


def _signed(interval: Interval) -> str:
    return f"{interval.estimate:+.4f} [{interval.low:+.4f}, {interval.high:+.4f}]"


def describe(
    curve: dict[int, dict[str, Measured]], labels: dict[str, str], n_test: int, source: str, advised: int | None
) -> str:
    """Write the table, and the advice for a lender with `advised` loans."""
    lines = [
        "| training rows | draws | candidate | columns | AUC | to the first | cost | to the first |",
        "|---:|---:|---|---:|---:|---:|---:|---:|",
    ]
    for n_rows, found in curve.items():
        first = next(iter(found))
        to_first = {measure: differences(found, first, measure) for measure in MEASURES}
        for name, measured in found.items():
            cells = []
            for measure in MEASURES:
                value = interval_of(measured.terms[measure])
                cells.append(f"{value.estimate:.4f} [{value.low:.4f}, {value.high:.4f}]")
                cells.append("" if name == first else _signed(to_first[measure][name]))
            lines.append(
                f"| {n_rows:,} | {len(measured.terms['auc'])} | {labels[name]} | {measured.n_columns:.0f} | "
                f"{' | '.join(cells)} |"
            )
    text = [
        f"Data: {source}. Training rows are drawn so that no two draws of a size have an applicant in common, the test "
        f"set is the hold-out of {n_test:,} applicants, on which nothing was fitted or chosen. The cut-off is that of "
        "the draw's own out-of-fold predictions. Hyper-parameters are those of `conf/base` below "
        f"{LARGE:,} training rows and of `conf/kaggle` from there on. Means over the draws with their 95 % intervals, "
        "which hold the noise of the test set and, where there are several draws, of the rows drawn; differences are "
        "paired by draw and applicant.",
        "",
        f"![AUC and cost against training rows]({FIGURE.relative_to('docs').as_posix()})",
        "",
        *lines,
    ]
    if advised is not None:
        text += ["", f"**{advise(curve[advised], advised, labels)}**"]
    return "\n".join(text)


def plot(curve: dict[int, dict[str, Measured]], labels: dict[str, str], figures: FigureOptions) -> Figure:
    """Draw AUC and cost against training rows, with their intervals."""
    figure = Figure(figsize=(9, 4))
    names = list(next(iter(curve.values())))
    for axes, (measure, title) in zip(figure.subplots(1, 2), MEASURES.items(), strict=True):
        for place, name in enumerate(names):
            values = [interval_of(found[name].terms[measure]) for found in curve.values()]
            means = np.array([value.estimate for value in values])
            errors = [means - [value.low for value in values], [value.high for value in values] - means]
            shift = 1.025 ** (place - (len(names) - 1) / 2)  # so that intervals do not hide each other
            axes.errorbar(
                np.array(list(curve)) * shift,
                means,
                yerr=errors,
                fmt="o-",
                ms=4,
                lw=1.3,
                capsize=2,
                color=COLOURS[place % len(COLOURS)],
                label=labels[name],
            )
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator(list(curve)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(figures.axis(",.0f"))
        axes.yaxis.set_major_formatter(figures.axis(".3f"))
        axes.tick_params(labelsize=8)
        axes.set_xlabel("training rows", fontsize=9)
        axes.set_title(title, loc="left", fontsize=11)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="0.92")
    figure.axes[0].legend(frameon=False, fontsize=9)
    return figures.finish(figure)


def read_arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    known = list(dict.fromkeys(name for environment in ("base", "kaggle") for name in candidates_of(environment)))
    default = [name for name in ("scorecard", "lightgbm", "blend") if name in known]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="scratch folder of benchmarks.features")
    parser.add_argument(
        "--candidates", nargs="+", choices=known, default=default, help="names in the parameters, the simplest first"
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="training rows")
    parser.add_argument("--draws", type=int, default=8, help="draws of a size at most, as far as the rows suffice")
    parser.add_argument("--resume", action="store_true", help="keep the draws that were measured before")
    parser.add_argument("--source", default="the synthetic twin", help="what the report calls the data")
    return parser.parse_args(words)


def reachable(sizes: Sequence[int], n_rows: int) -> Iterator[int]:
    """Yield the sizes in ascending order; of those beyond the rows the first alone, which takes all of them."""
    for size in sorted(set(sizes)):
        yield size
        if size >= n_rows:
            return


def main() -> None:
    """Measure every size, draw the figure, write the section."""
    arguments = read_arguments()
    folder = arguments.folder.resolve()
    training, test = map(pd.read_parquet, split_rows(folder / "project"))
    results = folder / "learning_curve"
    results.mkdir(parents=True, exist_ok=True)
    measured = (
        measure_size(size, arguments.candidates, arguments.draws, training, test, results, resume=arguments.resume)
        for size in reachable(arguments.sizes, len(training))
    )
    curve = dict(measured)
    figures = FigureOptions(language="en", source="synthetic" if "synthetic" in arguments.source else "given")
    described = candidates_of("base") | candidates_of("kaggle")
    labels = {
        name: label["en"]
        for name, label in label_candidates({one: described[one] for one in arguments.candidates}).items()
    }
    (ROOT / FIGURE).parent.mkdir(parents=True, exist_ok=True)
    plot(curve, labels, figures).savefig(ROOT / FIGURE, dpi=120)
    advised = SMALL_LENDER if SMALL_LENDER in curve else None
    body = describe(curve, labels, len(test), arguments.source, advised)
    write_section("learning_curve", "Learning curve", body)


if __name__ == "__main__":
    main()
