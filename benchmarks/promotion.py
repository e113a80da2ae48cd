"""Count false promotions of challengers no better than the champion, and how often a better one is promoted.

Outcomes follow a logistic regression on equally weighted, independent terms. A model is a logistic regression that
knows some of the terms: two models that know as many are equally good, whichever they know, yet decide differently on
many applicants and learn different coefficients, as retrained models do. Cut-offs and decisions on promotion are the
project's own.
Run by `make bench`.
"""

import argparse
from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from benchmarks.harness import ROOT, write_section
from credit_scoring.metrics.cost import (
    MisclassificationCosts,
    business_cost_loss,
    decision_costs,
    refuse,
)
from credit_scoring.metrics.threshold import break_even_threshold
from credit_scoring.metrics.uncertainty import bootstrap_mean, rate_interval
from credit_scoring.models.complexity import COMPLEXITIES
from credit_scoring.pipelines.threshold_tuning.options import PromotionOptions
from credit_scoring.pipelines.threshold_tuning.promotion import decide_promotion, record_decisions
from credit_scoring.protected import ProtectedOptions
from credit_scoring.scorer import Incumbent

REPORT = ROOT / "docs" / "promotion_and_tuning.md"
COSTS = MisclassificationCosts()
TRAINING, HOLDOUT, POPULATION = 8_000, 2_000, 100_000
TERMS, KNOWN = 24, 16
CHALLENGERS = 20
BETTER = (17, 18, 20, 24)
"""Terms that better challengers know."""
TURNS = (1, 5, 20)
"""Which comparison with the champion a better challenger is."""
INTERCEPT, SPREAD = -2.85, 1.25
"""Of the log-odds: 9 % of the applicants default; the AUC is 0.74 with the terms of the champion, 0.79 with all."""


class Model:
    """What is known of a fitted model when it is promoted or not: its decisions out of fold and on the hold-out."""

    def __init__(self, X: np.ndarray, y: np.ndarray, folds: np.ndarray, known: np.ndarray) -> None:
        self.known = known
        training, held = slice(None, TRAINING), slice(TRAINING, None)
        probability = np.empty(TRAINING)
        for fold in range(5):
            inside = folds == fold
            self._fit(X[training][~inside], y[training][~inside])
            probability[inside] = self.predict(X[training][inside])
        predictions = {"SK_ID_CURR": range(TRAINING), "TARGET": y[training], "FOLD": folds, "PROBABILITY": probability}
        self.cut_off = break_even_threshold(y[training], probability, COSTS)
        self.out_of_fold = record_decisions(pd.DataFrame(predictions), {"threshold": self.cut_off})
        self._fit(X[training], y[training])
        self.holdout_costs = decision_costs(y[held], refuse(self.predict(X[held]), self.cut_off), COSTS)

    def _fit(self, X: np.ndarray, y: np.ndarray) -> None:
        self.estimator = LogisticRegression(C=1.0).fit(X[:, self.known], y)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return probabilities of default."""
        return self.estimator.predict_proba(X[:, self.known])[:, 1]


def draw_applicants(generator: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw terms and outcomes."""
    X = generator.normal(size=(size, TERMS))
    return X, (generator.random(size) < expit(INTERCEPT + SPREAD * X.sum(axis=1) / np.sqrt(TERMS))).astype(int)


def is_promoted(model: Model, champion: Model, number: int, *, corrected: bool) -> bool:
    """Decide as the project does, on the `number`-th comparison; uncorrected, as if each were the first."""
    digests = decide_promotion(
        model.out_of_fold,
        {"model_digest": "mine"},
        None,
        COSTS,
        PromotionOptions(),
        ProtectedOptions(),
        COMPLEXITIES[-1],
    )
    tags = {name: digests[name] for name in ("training_data", "training_folds")}
    earlier = range(number - 1 if corrected else 0)
    history = [{"compared_with": "1", "model_digest": str(each)} for each in earlier]
    incumbent = Incumbent("1", tags, champion.out_of_fold, history)
    policy = {"model_digest": "mine"}
    return bool(
        decide_promotion(
            model.out_of_fold, policy, incumbent, COSTS, PromotionOptions(), ProtectedOptions(), COMPLEXITIES[-1]
        )["promoted"]
    )


def is_cheaper_on_holdout(model: Model, champion: Model, number: int, *, corrected: bool) -> bool:
    """Compare costs on the hold-out (paired bootstrap), at a level for one comparison or spent over all of them."""
    confidence = 1 - 2 * 0.05 / (number * (number + 1)) if corrected else 0.95
    difference = model.holdout_costs - champion.holdout_costs
    return bootstrap_mean(difference, confidence=confidence, n_resamples=20_000 if corrected else 2_000).high < 0


RULES = {
    "hold-out, every comparison at 95 % (before)": (is_cheaper_on_holdout, False),
    "hold-out, levels spent": (is_cheaper_on_holdout, True),
    "out of fold, every comparison at 95 %": (is_promoted, False),
    "**out of fold, levels spent (now)**": (is_promoted, True),
}


def replicate(seed: int) -> Iterator[dict]:
    """Draw applicants, train a champion and its challengers, and apply every rule to them."""
    generator = np.random.default_rng(seed)
    X, y = draw_applicants(generator, TRAINING + HOLDOUT)
    folds = np.empty(TRAINING, dtype=int)
    splitter = StratifiedKFold(5, shuffle=True, random_state=seed)
    for fold, (_, inside) in enumerate(splitter.split(X[:TRAINING], y[:TRAINING])):
        folds[inside] = fold

    def train(n_known: int) -> Model:
        return Model(X, y, folds, generator.choice(TERMS, n_known, replace=False))

    champion = train(KNOWN)
    equals = [train(KNOWN) for _ in range(CHALLENGERS)]
    for name, (rule, corrected) in RULES.items():
        taken = [rule(model, champion, number, corrected=corrected) for number, model in enumerate(equals, 1)]
        yield {"rule": name, "what": "first", "value": taken[0]}
        yield {"rule": name, "what": "any", "value": any(taken)}
    population = draw_applicants(generator, POPULATION)
    base = true_cost(champion, *population)
    for n_known in BETTER:
        model = train(n_known)
        yield {"rule": "", "what": f"gain {n_known}", "value": base - true_cost(model, *population)}
        for name, (rule, corrected) in RULES.items():
            for turn in TURNS if corrected else TURNS[:1]:
                taken = rule(model, champion, turn, corrected=corrected)
                yield {"rule": name, "what": f"power {n_known} {turn}", "value": taken}


def true_cost(model: Model, X: np.ndarray, y: np.ndarray) -> float:
    """Return what the model's decisions cost on so many applicants that chance hardly matters."""
    return business_cost_loss(y, refuse(model.predict(X), model.cut_off), COSTS)


def describe(found: pd.DataFrame) -> str:
    """Write both tables."""
    n = int((found["what"] == "any").sum() / len(RULES))

    def rate(rule: str, what: str) -> str:
        values = found.loc[(found["rule"] == rule) & (found["what"] == what), "value"]
        if values.empty:
            return ""
        share = rate_interval(int(values.sum()), len(values))
        return f"{share.estimate:.1%} [{share.low:.1%}, {share.high:.1%}]"

    lines = [
        f"{n} times: {TRAINING:,} training rows in five folds, {HOLDOUT:,} of a hold-out, a champion that knows "
        f"{KNOWN} of {TERMS} equally weighted terms, and {CHALLENGERS} challengers, one after the other, that know as "
        "many others and are therefore no better. Rates with their 95 % intervals (Wilson).",
        "",
        f"| rule | the first of them is promoted | any of the {CHALLENGERS} is |",
        "|---|---:|---:|",
        *(f"| {rule} | {rate(rule, 'first')} | {rate(rule, 'any')} |" for rule in RULES),
        "",
        "How often a challenger that is truly better is promoted, by how much less it costs per applicant (mean over "
        f"the repetitions, on {POPULATION:,} applicants), and by which comparison with the champion it is:",
        "",
        "| rule | comparison | " + " | ".join(f"−{_mean(found, f'gain {known}'):.3f}" for known in BETTER) + " |",
        "|---|---:|" + "---:|" * len(BETTER),
    ]
    for rule, (_, corrected) in RULES.items():
        for turn in TURNS if corrected else TURNS[:1]:
            cells = " | ".join(rate(rule, f"power {known} {turn}") for known in BETTER)
            lines.append(f"| {rule} | {turn if corrected else 'any'} | {cells} |")
    return "\n".join(lines)


def _mean(found: pd.DataFrame, what: str) -> float:
    return float(found.loc[found["what"] == what, "value"].mean())


def main() -> None:
    """Repeat the simulation, write the section."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=300)
    repetitions = parser.parse_args().repetitions
    found = pd.DataFrame([row for seed in range(repetitions) for row in replicate(seed)])
    found["value"] = found["value"].astype(float)
    write_section("promotion", "False promotions and power", describe(found), report=REPORT)


if __name__ == "__main__":
    main()
