"""Simulate how well rules choose the cut-off, and whether the intervals of the rule that the project uses cover.

Scores are drawn, and outcomes from a known curve of default rates over the score, so that the best cut-off of the score
and the true cost of any other are known. The curves say how a score may be off: not at all, too steep, too flat, too
low, bent. The last is bent at the very cut-off, where a smooth curve does worst; it is not part of the mean.
Run by `make bench`; writes docs/cut_off.md.
"""

import argparse
import os
import re
import zlib
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ShuffleSplit

from benchmarks.harness import ROOT, write_section
from credit_scoring.metrics.cost import (
    MisclassificationCosts,
    business_cost_loss,
    cost_curve,
    optimal_threshold,
    rank_losses,
    refuse,
)
from credit_scoring.metrics.threshold import (
    ReviewBand,
    bootstrap_threshold,
    break_even_threshold,
    expected_losses,
    optimal_review_band,
)
from credit_scoring.models.calibration import Calibration

Vector = np.ndarray
REPORT = ROOT / "docs" / "cut_off.md"
COSTS = MisclassificationCosts(false_negative=10, false_positive=1)
BREAK_EVEN = logit(COSTS.theoretical_threshold)
CENTRE, SPREAD = -2.85, 1.0
"""Of the scores' log-odds: 8 % of the applicants default, and the AUC is 0.75."""
REVIEW = {"budget": 0.1, "review_cost": 0.1, "error_rate": 0.2}


def _bent(at: float, below: float, above: float) -> Callable[[Vector], Vector]:
    return lambda z: z + np.where(z < logit(at), below - 1, above - 1) * (z - logit(at))


CURVES: dict[str, Callable[[Vector], Vector]] = {
    "calibrated": lambda z: z,
    "slope 0.85": lambda z: CENTRE + 0.85 * (z - CENTRE),
    "slope 1.15": lambda z: CENTRE + 1.15 * (z - CENTRE),
    "odds 15 % higher": lambda z: z + np.log(1.15),
    "bent at 0.07, slopes 0.88 and 1.16": _bent(0.07, 0.88, 1.16),
    "S-shaped": lambda z: CENTRE + 0.1 + 2 * np.tanh((z - CENTRE) / 2),
}
ADVERSE = {"bent at the cut-off, slopes 0.88 and 1.16": _bent(1 / 11, 0.88, 1.16)}
"""Log-odds of default over the log-odds of the score."""


class Population:
    """All applicants with scores of one curve."""

    def __init__(self, curve: Callable[[Vector], Vector]) -> None:
        """Price every cut-off, by summing over a fine grid of scores."""
        self._curve = curve
        self._grid = np.linspace(CENTRE - 6 * SPREAD, CENTRE + 6 * SPREAD, 200_001)
        density = np.exp(-0.5 * ((self._grid - CENTRE) / SPREAD) ** 2)
        density /= density.sum()
        rate = expit(curve(self._grid))
        self._granted = np.cumsum(density * COSTS.false_negative * rate)
        self._refused = np.cumsum(density * COSTS.false_positive * (1 - rate))
        self._all = np.cumsum(density)
        self.best = float(expit(brentq(lambda z: float(curve(np.array(z))) - BREAK_EVEN, -8, 6)))

    def draw(self, n: int, generator: np.random.Generator) -> tuple[Vector, Vector]:
        """Return outcomes and scores of a sample."""
        log_odds = generator.normal(CENTRE, SPREAD, n)
        return (generator.random(n) < expit(self._curve(log_odds))).astype(int), expit(log_odds)

    def cost(self, threshold: float) -> float:
        """Return the true cost per applicant of a cut-off."""
        return self._below(self._granted, threshold) + self._refused[-1] - self._below(self._refused, threshold)

    def excess(self, threshold: float) -> float:
        """Return how much more it costs than the best one."""
        return self.cost(threshold) - self.cost(self.best)

    def review_cost(self, band: ReviewBand) -> float:
        """Return the true cost per applicant with a reviewer in between."""
        granted, refused = (
            self._below(part, band.high) - self._below(part, band.low) for part in (self._granted, self._refused)
        )
        looked_at = self._below(self._all, band.high) - self._below(self._all, band.low)
        decided = REVIEW["review_cost"] * looked_at + REVIEW["error_rate"] * (granted + refused)
        return self.cost(band.low) + decided - refused

    def _below(self, total: Vector, threshold: float) -> float:
        return float(np.interp(logit(np.clip(threshold, 1e-12, 1 - 1e-12)), self._grid, total, left=0.0))


def middle_of_plateau(target: Vector, probability: Vector) -> float:
    """Return the middle of the thresholds around the cheapest one that cost at most 1 % more."""
    curve = cost_curve(target, probability, COSTS)
    cost, thresholds = curve["cost"].to_numpy(), curve["threshold"].to_numpy()
    best = int(np.argmin(cost))
    outside = np.flatnonzero(cost > 1.01 * cost[best])
    first, last = outside[outside < best].max(initial=-1) + 1, outside[outside > best].min(initial=len(cost)) - 1
    return float((thresholds[first] + thresholds[last]) / 2)


def nearest_within_noise(target: Vector, probability: Vector) -> float:
    """Return the threshold nearest to 1/11 that is at most one standard error (paired) costlier than the cheapest."""
    ranked = rank_losses(target, probability, COSTS)
    change = ranked.if_granted - ranked.if_refused
    total = np.append(0, np.cumsum(change))[ranked.granted]
    squares = np.append(0, np.cumsum(change**2))[ranked.granted]
    best = int(np.argmin(total))
    error = np.sqrt(np.abs(squares - squares[best]) - (total - total[best]) ** 2 / len(target))
    near = ranked.thresholds[total - total[best] <= error]
    return float(near[np.argmin(np.abs(near - COSTS.theoretical_threshold))])


def after_sigmoid(target: Vector, probability: Vector) -> float:
    """Return the score that a sigmoid calibration takes to 1/11."""
    sigmoid = Calibration.fit("sigmoid", probability, target)
    return float(expit((BREAK_EVEN - sigmoid.intercept) / sigmoid.slope))


def local_linear(target: Vector, probability: Vector) -> float:
    """Return where a logistic regression on the log-odds, weighted by a normal kernel around it, crosses 1/11.

    The kernel is 3 standard deviations times n^(-1/5) wide. Scores are put into 1,500 bins of equal width.
    """
    log_odds = logit(probability)
    width = 3 * log_odds.std() * len(target) ** -0.2
    edges = np.linspace(log_odds.min(), log_odds.max(), 1501)
    place = np.clip(np.searchsorted(edges, log_odds) - 1, 0, 1499)
    bins = np.tile((edges[1:] + edges[:-1]) / 2, 2)
    counts = np.bincount(place + 1500 * (1 - target), minlength=3000)
    outcome = np.repeat([1, 0], 1500)
    at = BREAK_EVEN
    for _ in range(30):
        weight = counts * np.exp(-0.5 * ((bins - at) / width) ** 2)
        line = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-9)
        used = weight > 1e-12
        line.fit((bins[used] - at)[:, None], outcome[used], weight[used])
        step = (BREAK_EVEN - line.intercept_[0]) / line.coef_[0, 0]
        at += np.clip(step, -0.5, 0.5)
        if abs(step) < 1e-5:
            break
    return float(expit(at))


RULES: dict[str, Callable[[Vector, Vector], float]] = {
    "least cost (= isotonic)": lambda target, probability: optimal_threshold(target, probability, COSTS),
    "middle of the plateau": middle_of_plateau,
    "1/11 on the score": lambda *_: COSTS.theoretical_threshold,
    "nearest to 1/11 within one standard error": nearest_within_noise,
    "1/11 after a sigmoid": after_sigmoid,
    "local linear in the log-odds": local_linear,
    "**logistic on 1, logit, logit²**": lambda target, probability: break_even_threshold(target, probability, COSTS),
}


class Task(NamedTuple):
    """One sample of one curve."""

    curve: str
    n: int
    repetition: int
    resamples: int = 0

    def draw(self) -> tuple[Population, Vector, Vector]:
        """Return the population, outcomes and scores."""
        population = Population({**CURVES, **ADVERSE}[self.curve])
        seed = [zlib.crc32(self.curve.encode()), self.n, self.repetition]
        return (population, *population.draw(self.n, np.random.default_rng(seed)))


def excess_costs(task: Task) -> list[float]:
    """Return by how much each rule's cut-off costs more than the best one."""
    population, target, probability = task.draw()
    return [population.excess(rule(target, probability)) for rule in RULES.values()]


def interval_hits(task: Task) -> list[float]:
    """Return, for least cost and for the project's rule, whether the intervals hold the truth, and the optimism.

    Those of least cost are the usual ones: quantiles of the resamples' cheapest thresholds, and of their costs at the
    sample's.
    """
    population, target, probability = task.draw()
    cheapest = optimal_threshold(target, probability, COSTS)
    ranked = rank_losses(target, probability, COSTS)
    change = ranked.if_granted - ranked.if_refused
    n_granted = int(np.searchsorted(np.sort(probability), cheapest))
    generator = np.random.default_rng(task.repetition)
    thresholds, costs = [], []
    for _ in range(task.resamples):
        times = np.bincount(generator.integers(0, task.n, task.n), minlength=task.n)
        total = np.append(0, np.cumsum(times * change))[ranked.granted]
        thresholds.append(ranked.thresholds[total.size - 1 - np.argmin(total[::-1])])
        costs.append((times @ ranked.if_refused + times[:n_granted] @ change[:n_granted]) / task.n)
    raw_cut, raw_cost = (np.quantile(values, [0.025, 0.975]) for values in (thresholds, costs))
    chosen = bootstrap_threshold(target, probability, COSTS, n_resamples=task.resamples, seed=task.repetition)
    cut, cost = chosen.threshold, chosen.cost

    def too_good(threshold: float, claimed: float) -> float:
        """Return how much more a threshold costs than was claimed, less what chance does at the best cut-off."""
        return population.cost(threshold) - claimed - (population.cost(population.best) - own(population.best))

    def own(threshold: float) -> float:
        return business_cost_loss(target, refuse(probability, threshold), COSTS)

    return [
        float(raw_cut[0] <= population.best <= raw_cut[1]),
        float(raw_cost[0] <= population.cost(cheapest) <= raw_cost[1]),
        too_good(cheapest, own(cheapest)),
        raw_cut[1] - raw_cut[0],
        float(cut.low <= population.best <= cut.high),
        float(cost.low <= population.cost(cut.estimate) <= cost.high),
        too_good(cut.estimate, own(cut.estimate)),
        too_good(cut.estimate, cost.estimate),
        cut.high - cut.low,
    ]


def band_costs(task: Task) -> list[float]:
    """Return what the review bands of least cost on outcomes, and on fitted default rates, truly cost."""
    population, target, probability = task.draw()
    bands = [
        optimal_review_band(losses(target, probability, COSTS), **REVIEW) for losses in (rank_losses, expected_losses)
    ]
    return [population.review_cost(band) for band in bands]


def measure(function: Callable[[Task], list[float]], tasks: Iterable[Task]) -> dict[str, Vector]:
    """Return for each curve one row per sample."""
    tasks = list(tasks)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(function, tasks, chunksize=4))
    return {
        curve: np.array([result for task, result in zip(tasks, results, strict=True) if task.curve == curve])
        for curve in dict.fromkeys(task.curve for task in tasks)
    }


def compare_rules(sizes: dict[int, int]) -> str:
    """Return the table of the rules, for samples of these sizes and as many of each."""
    found = {
        n: measure(excess_costs, (Task(curve, n, i) for curve in {**CURVES, **ADVERSE} for i in range(repetitions)))
        for n, repetitions in sizes.items()
    }
    head = [f"n = {n:,}: mean / worst / sd" for n in sizes] + [f"n = {n:,}: bent at the cut-off" for n in sizes]
    lines = ["| rule | " + " | ".join(head) + " |", "|---|" + "---:|" * len(head)]
    for i, rule in enumerate(RULES):
        cells = []
        for n in sizes:
            by_curve = np.array([1e4 * found[n][curve][:, i] for curve in CURVES])
            error = np.sqrt((by_curve.var(axis=1, ddof=1) / by_curve.shape[1]).sum()) / len(CURVES)
            means = by_curve.mean(axis=1)
            cells.append(f"{means.mean():.2f} ± {error:.2f} / {means.max():.1f} / {by_curve.std(axis=1).mean():.1f}")
        cells += [f"{1e4 * found[n][curve][:, i].mean():.1f}" for n in sizes for curve in ADVERSE]
        lines.append(f"| {rule} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def check_intervals(n: int, repetitions: int, resamples: int) -> str:
    """Return the table of coverage and optimism, curve by curve."""
    curves = {**CURVES, **ADVERSE}
    found = measure(interval_hits, (Task(curve, n, i, resamples) for curve in curves for i in range(repetitions)))
    rows = {curve: found[curve] for curve in curves}
    rows["mean of the first six"] = np.concatenate([found[curve] for curve in CURVES])
    lines = [
        "| true curve | least cost: cut-off covered | its cost covered | its optimism | width "
        "| crossing: cut-off covered | its cost covered | optimism | after correction | width |",
        "|---|" + "---:|" * 9,
    ]
    for curve, values in rows.items():
        mean, error = values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(len(values))
        cells = [
            f"{mean[0]:.1%}",
            f"{mean[1]:.1%}",
            f"{1e4 * mean[2]:.0f} ± {1e4 * error[2]:.0f}",
            f"{mean[3]:.4f}",
            f"{mean[4]:.1%}",
            f"{mean[5]:.1%}",
            f"{1e4 * mean[6]:.0f} ± {1e4 * error[6]:.0f}",
            f"{1e4 * mean[7]:.0f} ± {1e4 * error[7]:.0f}",
            f"{mean[8]:.4f}",
        ]
        lines.append(f"| {curve} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def compare_bands(sizes: dict[int, int]) -> str:
    """Return the table of review bands."""
    lines = [
        "| n | band of least cost on outcomes | band on fitted default rates | difference |",
        "|---:|---:|---:|---:|",
    ]
    for n, repetitions in sizes.items():
        found = measure(band_costs, (Task(curve, n, i) for curve in CURVES for i in range(repetitions)))
        costs = np.concatenate(list(found.values()))
        difference = costs[:, 1] - costs[:, 0]
        error = difference.std(ddof=1) / np.sqrt(len(difference))
        lines.append(
            f"| {n:,} | {costs[:, 0].mean():.4f} | {costs[:, 1].mean():.4f} "
            f"| {1e4 * difference.mean():.1f} ± {1e4 * error:.1f} |"
        )
    return "\n".join(lines)


def compare_on_predictions(target: Vector, probability: Vector, splits: int) -> str:
    """Return the table of the rules on repeated splits: the cut-off is chosen on four fifths, priced on one fifth.

    The splits share their rows, so the variance of a mean difference is that of the splits times 1 / splits + 1 / 4
    (Nadeau & Bengio, 2003).
    """
    cuts, costs = [], []
    for learn, judge in ShuffleSplit(splits, test_size=0.2, random_state=0).split(probability):
        cuts.append([rule(target[learn], probability[learn]) for rule in RULES.values()])
        costs.append([business_cost_loss(target[judge], refuse(probability[judge], cut), COSTS) for cut in cuts[-1]])
    chosen, priced = np.array(cuts), np.array(costs)
    difference = priced - priced[:, :1]
    error = difference.std(axis=0, ddof=1) * np.sqrt(1 / splits + 1 / 4)
    lines = ["| rule | mean cut-off | its sd | cost less that of least cost, 1e-4 |", "|---|---:|---:|---:|"]
    for i, rule in enumerate(RULES):
        told = f"{1e4 * difference[:, i].mean():.0f} ± {1e4 * error[i]:.0f}" if i else ""
        lines.append(f"| {rule} | {chosen[:, i].mean():.4f} | {chosen[:, i].std(ddof=1):.4f} | {told} |")
    return "\n".join(lines)


INTRODUCTION = """# The cut-off

Where to cut, and how sure that is: rules compared where the truth is known, and the coverage of what is reported. The
tables are written by `python -m benchmarks.cut_off`. Why the rule is what it is stands in
[ADR 0018](adr/0018-the-cut-off-is-a-crossing.md).
"""

ABOUT_RULES = f"""Scores are drawn (log-odds normal, 8 % defaults, AUC 0.75), outcomes from a known default rate
over the score, so that the best cut-off of the score is known: where that rate is 1/11, as a bad loan approved costs
ten good customers declined. Six curves: {", ".join(CURVES)}. The table says how much more a rule's cut-off costs than
the best one, in 1e-4 of a good customer declined per applicant (the cost itself is about 0.54): mean over the six
curves ± standard error of the simulation / the worst curve's mean / standard deviation over samples, mean of the
curves. The last columns are a seventh curve, bent at the very cut-off, the least favourable place for a smooth curve.
"""

ABOUT_INTERVALS = """Samples of 8,000. What is counted: how often the 95 % interval of the cut-off holds **the best
cut-off of the same score**, and how often the 95 % interval of the cost holds **the true cost at the cut-off that was
chosen**. Optimism is by how much a cut-off truly costs more than it did on its own sample, in 1e-4, ± standard error.
The crossing's intervals come of fitting again on each resample; `after correction` is what is left of the optimism in
the cost that is reported. Those of least cost are the usual percentiles. Quantiles of 200 resamples have 94.1 % between
them at best, those of the 500 that a run takes 94.6 %.
"""

ABOUT_BANDS = """True cost per applicant with a reviewer of at most 10 % of the applications (0.1 per review, 20 %
of the decisions wrong), mean over the six curves. Both bands are the cheapest within the budget: one on the outcomes of
the sample, one on the default rates fitted to them.
"""

ABOUT_PREDICTIONS = """{n:,} out-of-fold predictions of {whose}, {defaults:,} defaults, {splits} splits: the cut-off is
chosen on four fifths and priced on one fifth. ± is the standard error of the difference, corrected for the rows that
splits share. The predictions were calibrated on the same rows, which favours rules that take the score at its word.
"""


def main() -> None:
    """Write the sections that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sections", nargs="+", default=["rules", "bands", "intervals"], help="(default: all three)")
    parser.add_argument("--repetitions", type=int, default=300, help="samples of 8,000 per curve (default: 300)")
    parser.add_argument("--large", type=int, default=40, help="samples of 250,000 per curve (default: 40)")
    parser.add_argument("--resamples", type=int, default=200, help="bootstrap resamples per sample (default: 200)")
    parser.add_argument("--predictions", help="compare on these instead: a table with TARGET and PROBABILITY")
    parser.add_argument("--whose", default="the synthetic twin", help="whose predictions they are")
    options = parser.parse_args()
    if options.predictions:
        table = pd.read_parquet(options.predictions)
        target, probability = table["TARGET"].to_numpy(), table["PROBABILITY"].to_numpy()
        about = ABOUT_PREDICTIONS.format(n=len(target), whose=options.whose, defaults=target.sum(), splits=200)
        body = f"{about}\n{compare_on_predictions(target, probability, 200)}"
        _write(re.sub(r"\W+", "_", options.whose), f"On predictions of {options.whose}", body)
        return
    sizes = {8_000: options.repetitions, 250_000: options.large}
    if "rules" in options.sections:
        _write("rules", "Rules", f"{ABOUT_RULES}\n{compare_rules(sizes)}")
    if "bands" in options.sections:
        _write("bands", "The review band", f"{ABOUT_BANDS}\n{compare_bands(sizes)}")
    if "intervals" in options.sections:
        intervals = check_intervals(8_000, options.repetitions, options.resamples)
        _write("intervals", "What the intervals hold", f"{ABOUT_INTERVALS}\n{intervals}")


def _write(name: str, title: str, body: str) -> None:
    write_section(name, title, body, report=REPORT, introduction=INTRODUCTION)


if __name__ == "__main__":
    main()
