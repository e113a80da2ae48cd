"""What reasons are told with, gathered from the feature dictionary and from decisions on training rows."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from credit_scoring.explanations import usual_direction
from credit_scoring.features.catalogue import find_feature
from credit_scoring.features.categories import category_label
from credit_scoring.metrics.cost import refuse
from credit_scoring.models import ScoringModel
from credit_scoring.models.calibration import Calibration
from credit_scoring.pipelines.threshold_tuning.options import ReasonOptions
from credit_scoring.reasons import ExplainedColumn, Peers, ReasonBook
from credit_scoring.texts import LANGUAGES

_FEWEST = 20
"""Rows of a category, or without a value, from which on what it usually does is known."""


def write_reason_book(
    champion_model: ScoringModel,
    calibration: dict[str, Any],
    training_rows: pd.DataFrame,
    oof_predictions: pd.DataFrame,
    decision_policy: dict[str, Any],
    reasons: ReasonOptions,
) -> ReasonBook:
    """Gather labels, units, causes, reference and peers of the champion's columns.

    Peers are training applicants as the policy decides on their out-of-fold probabilities. The reference is the mean
    contribution of those of a sample that it approves (of all of the sample, should it approve none). What a value
    usually does to the risk is measured on the whole sample: the direction of a number by the rank correlation of
    value and contribution, the effect of a category or of a missing value by the mean contribution. A direction that
    the record declares stands before the measured one: that more payments are late is never told for a client.
    """
    values = champion_model.explained_features(training_rows)
    names = [str(name) for name in values.columns]
    causes = pd.factorize(np.array(name_causes(names, reasons.max_columns)))[0]
    probability = oof_predictions.set_index("SK_ID_CURR")["PROBABILITY"].loc[training_rows["SK_ID_CURR"]]
    refused = refuse(probability, decision_policy["threshold"])
    sample = training_rows.sample(min(len(training_rows), reasons.n_reference), random_state=reasons.seed)
    contributions = champion_model.contributions(sample)[0] * Calibration.from_dict(calibration).slope
    approved = ~pd.Series(refused, training_rows.index).loc[sample.index]
    reference = contributions[approved if approved.any() else ~approved].mean()
    related = contributions - reference
    return ReasonBook(
        columns=tuple(
            _describe(name, values[name], related[name], cause, reasons.least_weight)
            for name, cause in zip(names, causes, strict=True)
        ),
        reference=reference.to_numpy(),
        granted=Peers.describe(values[~refused]),
        refused=Peers.describe(values[refused]),
        n_against=reasons.n_against,
        n_for=reasons.n_for,
        least_weight=reasons.least_weight,
    )


def name_causes(names: Sequence[str], max_columns: int) -> list[str]:
    """Name the cause of each column of a model by what the records say it measures, see `Feature.cause`.

    A cause of more than `max_columns` columns is told apart by window of time, but for the external scores.
    """
    records = [find_feature(name) for name in names]
    sizes = Counter(record.cause for record in records)
    return [
        f"{record.cause} {record.window}".rstrip() if sizes[record.cause] > max_columns else record.cause
        for record in records
    ]


def _describe(name: str, values: pd.Series, related: pd.Series, cause: int, least_effect: float) -> ExplainedColumn:
    is_text = not pd.api.types.is_numeric_dtype(values)
    categories = sorted(map(str, values.dropna().unique())) if is_text else []
    feature, sampled = find_feature(name), values.loc[related.index]
    return ExplainedColumn(
        name=name,
        labels={language: feature.client_label(language) for language in LANGUAGES},
        unit=feature.unit,
        cause=int(cause),
        clarity=feature.clarity,
        categories={
            language: {category: category_label(category, language) for category in categories}
            for language in LANGUAGES
        },
        absent={language: feature.client_absent(language) for language in LANGUAGES},
        direction=0 if is_text else feature.direction or usual_direction(sampled, related),
        effects=_usual_effects(sampled, related, least_effect, is_text),
    )


def _usual_effects(values: pd.Series, related: pd.Series, least_effect: float, is_text: bool) -> dict[str | None, int]:
    """Say for each category, and for missing values, whether it usually raises (1) or lowers (-1) the risk."""
    keys = values.astype(object).where(values.notna(), "")
    if not is_text:
        keys = keys.where(keys == "", "known")
    means = related.groupby(keys.astype(str)).agg(["mean", "size"])
    effects: dict[str | None, int] = {}
    for key, mean, size in means.itertuples():
        if size >= _FEWEST and abs(mean) >= least_effect and (is_text or key == ""):
            effects[key or None] = 1 if mean > 0 else -1
    return effects
