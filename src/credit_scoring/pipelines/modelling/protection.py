"""No model learns from a protected attribute: what that costs, and what the other columns still know of it."""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from credit_scoring.metrics.cost import MisclassificationCosts, refuse
from credit_scoring.metrics.uncertainty import bootstrap_auc, corrected_fold_interval
from credit_scoring.models import ScoringModel
from credit_scoring.models.base import text_columns
from credit_scoring.models.selection import SelectionOptions
from credit_scoring.parallel import Workers
from credit_scoring.pipelines.modelling.comparison import fold_metrics, predict_out_of_fold, start_fits
from credit_scoring.pipelines.modelling.folds import make_folds, stratified_part
from credit_scoring.pipelines.modelling.options import CandidateOptions, CrossValidationOptions
from credit_scoring.protected import ProtectedOptions, group_values
from credit_scoring.run_log import tell_progress

logger = logging.getLogger(__name__)

_PRICED = ("business_cost", "roc_auc", "log_loss")
_PREDICTION_COLUMNS = ["SK_ID_CURR", "WITH", "WITHOUT", "REFUSED_WITH", "REFUSED_WITHOUT"]
_PROXY_COLUMNS = ["attribute", "group", "applicants", "roc_auc", "low", "high"]
_PROXY_TREES: Mapping[str, Any] = {
    "n_estimators": 60,
    "num_leaves": 8,
    "min_child_samples": 40,
    "colsample_bytree": 0.5,
    "max_bin": 63,
}


def leave_out_protected(training_rows: pd.DataFrame, protected: ProtectedOptions) -> pd.DataFrame:
    """Return the training rows with the columns that a model may learn from.

    All that is fitted starts from these rows: search, selection of columns, folds, champion. The rows with all columns
    are for measuring how decisions fall on groups.
    """
    left_out = protected.found_in(training_rows.columns)
    logger.info("Protected, no model learns from them: %s", ", ".join(left_out) or "no column")
    return training_rows.drop(columns=left_out)


def price_protection(
    training_rows: pd.DataFrame,
    candidate_predictions: pd.DataFrame,
    champion: dict[str, Any],
    protected: ProtectedOptions,
    selection: SelectionOptions,
    cross_validation: CrossValidationOptions,
    costs: MisclassificationCosts,
    row_features: pd.DataFrame | None = None,
    n_jobs: int = 1,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Fit the champion with the protected columns as well, on the folds of the comparison, and compare.

    Both are treated alike: same rows, same folds, columns selected inside each fold, decisions at the threshold chosen
    on the other folds. The hold-out takes no part.

    Args:
        training_rows: One row per applicant with all columns: `SK_ID_CURR`, `TARGET`, features.
        candidate_predictions: Out-of-fold probabilities of the comparison, same applicants.
        champion: Description of the champion.
        protected: Columns left out of the champion.
        selection: Columns that the models are given.
        cross_validation: Folds.
        costs: Prices of the wrong decisions.
        row_features: Features from row models by fold left out, see `learn_row_features`.
        n_jobs: Fits at once, see `Workers`.

    Returns:
        `protected` columns; `left_out`, all columns that derive from them; `picked`, in how many folds the selection
        would have taken each of them (those of none are not there); `folds`, `applicants`; under `with`, `without` and
        `difference` (without less with, its interval over the folds paired, see `corrected_fold_interval`)
        `business_cost`, `roc_auc`, `log_loss`. Nothing under the last three if no column is protected. And the
        predictions, one row per applicant: `SK_ID_CURR`, `WITH`, `WITHOUT` (out-of-fold probabilities before
        calibration), `REFUSED_WITH`, `REFUSED_WITHOUT`; no row if no column is protected.

    Raises:
        ValueError: If `candidate_predictions` were made on other folds than the parameters describe.
    """
    described: dict[str, Any] = {
        "protected": list(protected.columns),
        "left_out": protected.found_in(training_rows.columns),
        "picked": {},
        "folds": cross_validation.n_folds,
        "applicants": len(training_rows),
        "with": {},
        "without": {},
        "difference": {},
    }
    if not protected.columns:
        return described, pd.DataFrame(columns=_PREDICTION_COLUMNS)
    folds = make_folds(training_rows, cross_validation.n_folds, cross_validation.seed, selection, row_features, n_jobs)
    if not np.array_equal(folds.fold_of_row, candidate_predictions["FOLD"]):
        raise ValueError(
            "The model with the protected columns must be fitted on the folds of the comparison, but "
            f"candidate_predictions have other folds than {cross_validation.n_folds} with seed {cross_validation.seed}."
            "\nHint: `kedro run --pipelines modelling` makes both with the same parameters."
        )
    candidate = CandidateOptions.of_result(champion)
    with Workers(folds, n_jobs) as workers:
        with_protected, _, _ = predict_out_of_fold(start_fits(candidate, workers, cross_validation.seed), folds)
    probability = {"with": with_protected, "without": candidate_predictions[champion["name"]].to_numpy()}
    measured = {name: fold_metrics(folds, scores, costs) for name, scores in probability.items()}
    refused = {
        name: refuse(scores, np.array([fold["threshold"] for fold in measured[name]])[folds.fold_of_row])
        for name, scores in probability.items()
    }
    picked = {name: sum(name in columns for columns in folds.columns) for name in described["left_out"]}
    described["picked"] = {name: times for name, times in picked.items() if times}
    for metric in _PRICED:
        values = {name: np.array([fold[metric] for fold in of_folds]) for name, of_folds in measured.items()}
        for name, of_folds in values.items():
            described[name][metric] = float(of_folds.mean())
        described["difference"][metric] = corrected_fold_interval(
            values["without"] - values["with"], confidence=cross_validation.confidence
        ).model_dump()
    predictions = pd.DataFrame(
        {
            "SK_ID_CURR": training_rows["SK_ID_CURR"].to_numpy(),
            "WITH": probability["with"],
            "WITHOUT": probability["without"],
            "REFUSED_WITH": refused["with"],
            "REFUSED_WITHOUT": refused["without"],
        }
    )
    return described, predictions[_PREDICTION_COLUMNS]


def measure_proxies(
    training_rows: pd.DataFrame,
    champion_model: ScoringModel,
    protected: ProtectedOptions,
    cross_validation: CrossValidationOptions,
    n_jobs: int = 1,
) -> pd.DataFrame:
    """Measure how well the champion's columns separate the groups of the attributes that were kept from it.

    Taking out a column does not take out what others know of it. A small boosted forest predicts the group from the
    columns of the champion, out of fold; it is no upper bound: another model might separate them better. `n_jobs`
    forests are fitted at once, see `Workers`.

    Returns:
        One row per attribute and group of at least `min_group` applicants among the at most `max_rows` drawn, one group
        only of two: `attribute`, `group`, `applicants` of it drawn, `roc_auc` of the group against the others (0.5: the
        columns know nothing of it) and its 95 % bootstrap interval, `low` and `high`. Applicants whose attribute is
        unknown are left out. No row for an attribute with fewer than two such groups, or if no column is protected.
    """
    features = training_rows[[str(name) for name in champion_model.feature_names_in_]]
    texts = text_columns(features)
    features = features.astype({name: "category" if name in texts else float for name in features})
    rows, begun = [], []
    with Workers(features, n_jobs) as workers:
        for attribute in protected.columns:
            groups = group_values(training_rows[attribute], training_rows[attribute])
            known = np.flatnonzero(groups.notna())
            outcomes = training_rows["TARGET"].iloc[known]
            part = known[stratified_part(outcomes, protected.max_rows, cross_validation.seed)]
            drawn = groups.iloc[part].value_counts()
            large = drawn[drawn >= protected.min_group].index.sort_values()
            if len(large) < 2:
                continue
            part = part[groups.iloc[part].isin(large)]
            group = groups.iloc[part].to_numpy()
            dealt = StratifiedKFold(cross_validation.n_folds, shuffle=True, random_state=cross_validation.seed)
            fits = [
                (
                    validated,
                    workers.start(
                        _tell_groups_apart, part[learnt], group[learnt], part[validated], cross_validation.seed
                    ),
                )
                for learnt, validated in dealt.split(part, group)
            ]
            begun.append((attribute, large, group, fits))
        for attribute, large, group, fits in tell_progress(begun, "attributes"):
            probability = np.empty((len(group), len(large)))
            for validated, fit in fits:
                probability[validated] = fit()
            for column, name in enumerate(large[:1] if len(large) == 2 else large):
                inside = group == name
                auc = bootstrap_auc(inside, probability[:, column])
                rows.append((attribute, name, int(inside.sum()), auc.estimate, auc.low, auc.high))
    return pd.DataFrame(rows, columns=_PROXY_COLUMNS)


def _tell_groups_apart(
    features: pd.DataFrame,
    learnt: npt.NDArray[np.int_],
    group: npt.NDArray[np.object_],
    validated: npt.NDArray[np.int_],
    seed: int,
) -> npt.NDArray[np.float64]:
    """Return the probability of each group, in their order, of some rows, by a forest fitted to others."""
    from lightgbm import LGBMClassifier  # noqa: PLC0415 - takes a second to import

    forest = LGBMClassifier(**_PROXY_TREES, random_state=seed, n_jobs=1, verbosity=-1)
    return np.asarray(forest.fit(features.iloc[learnt], group).predict_proba(features.iloc[validated]))
