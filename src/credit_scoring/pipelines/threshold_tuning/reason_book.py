"""What reasons are told with, gathered from the feature dictionary and from decisions on training rows."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from credit_scoring.features.catalogue import columns_derived_from, find_feature
from credit_scoring.features.categories import category_label
from credit_scoring.metrics.cost import refuse
from credit_scoring.models import ScoringModel
from credit_scoring.models.selection import rank_correlation
from credit_scoring.pipelines.threshold_tuning.options import ReasonOptions
from credit_scoring.reasons import ExplainedColumn, Peers, ReasonBook
from credit_scoring.texts import LANGUAGES


def write_reason_book(
    champion_model: ScoringModel,
    training_rows: pd.DataFrame,
    oof_predictions: pd.DataFrame,
    decision_policy: dict[str, Any],
    reasons: ReasonOptions,
) -> ReasonBook:
    """Gather labels, units, causes and peers of the champion's columns.

    Peers are training applicants as the policy decides on their out-of-fold probabilities. One cause are columns whose
    ranks correlate (average linkage on 1 - |rank correlation|) and those that aggregate the same measure of a source;
    a column derived from a forbidden attribute is forbidden too, and never shares a cause with others.
    """
    values = champion_model.explained_features(training_rows)
    names = [str(name) for name in values.columns]
    banned = columns_derived_from(reasons.forbidden)
    forbidden = [name in banned or _learnt_from(name, reasons.forbidden) for name in names]
    causes = _group_causes(values, forbidden, reasons)
    probability = oof_predictions.set_index("SK_ID_CURR")["PROBABILITY"].loc[training_rows["SK_ID_CURR"]]
    refused = refuse(probability, decision_policy["threshold"])
    return ReasonBook(
        columns=tuple(
            _describe(name, values[name], cause, ban) for name, cause, ban in zip(names, causes, forbidden, strict=True)
        ),
        granted=Peers.describe(values[~refused]),
        refused=Peers.describe(values[refused]),
        n_against=reasons.n_against,
        n_for=reasons.n_for,
        least_weight=reasons.least_weight,
    )


def _describe(name: str, values: pd.Series, cause: int, forbidden: bool) -> ExplainedColumn:
    is_text = not pd.api.types.is_numeric_dtype(values)
    categories = sorted(map(str, values.dropna().unique())) if is_text else []
    feature = find_feature(name)
    return ExplainedColumn(
        name=name,
        labels={language: feature.client_label(language) for language in LANGUAGES},
        unit=feature.unit,
        cause=int(cause),
        forbidden=forbidden,
        clarity=feature.clarity,
        categories={
            language: {category: category_label(category, language) for category in categories}
            for language in LANGUAGES
        },
    )


def _learnt_from(name: str, forbidden: Collection[str]) -> bool:
    """Tell whether a feature learnt from outcomes is that of a forbidden category."""
    return any(name == f"{column}_TARGET_RATE" for column in forbidden)


def _group_causes(values: pd.DataFrame, forbidden: Sequence[bool], reasons: ReasonOptions) -> npt.NDArray[np.int_]:
    """Number the cause of each column, from 0 in the order in which the columns stand."""
    rows = values.sample(min(len(values), reasons.max_rows), random_state=reasons.seed)
    numeric = np.array(
        [pd.api.types.is_numeric_dtype(values[name]) and not ban for name, ban in zip(values, forbidden, strict=True)]
    )
    groups = np.arange(len(numeric))
    if numeric.sum() > 1:
        distance = 1 - np.clip(np.abs(rank_correlation(rows.loc[:, numeric])), 0, 1)
        np.fill_diagonal(distance, 0.0)
        tree = linkage(squareform(distance, checks=False), method="average")
        groups[numeric] = len(numeric) + fcluster(tree, 1 - reasons.min_correlation, criterion="distance")
    return _join_same_measure(values.columns, groups, numeric)


def _join_same_measure(
    names: Sequence[str], groups: npt.NDArray[np.int_], numeric: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int_]:
    joined, first_of = groups.copy(), dict[str, int]()
    for i in np.flatnonzero(numeric):
        measure = find_feature(str(names[int(i)])).measure
        first = first_of.setdefault(measure, int(i))
        joined[joined == joined[i]] = joined[first]
    return pd.factorize(joined)[0]
