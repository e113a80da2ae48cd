"""How well a score separates defaulters from the others, and how a decision fares on both."""

import numpy as np
import numpy.typing as npt
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    log_loss,
    precision_recall_fscore_support,
    roc_auc_score,
    roc_curve,
)

from credit_scoring.metrics.inputs import known


def score_metrics(y_true: npt.ArrayLike, probability: npt.ArrayLike) -> dict[str, float]:
    """Measure probabilities of default, at no particular threshold.

    Returns:
        `roc_auc`, `gini` (2 AUC - 1), `ks` (largest gap between the score distributions of the two outcomes),
        `average_precision`, `brier`, `log_loss`. All but the last two are NaN if only one outcome occurs.

    Raises:
        ValueError: If an outcome or a probability is NaN.
    """
    y_true, probability = known(y_true, "outcomes"), known(probability, "probabilities")
    one_class = np.unique(y_true).size < 2
    auc = np.nan if one_class else float(roc_auc_score(y_true, probability))
    return {
        "roc_auc": auc,
        "gini": 2 * auc - 1,
        "ks": kolmogorov_smirnov_score(y_true, probability),
        "average_precision": np.nan if one_class else float(average_precision_score(y_true, probability)),
        "brier": float(brier_score_loss(y_true, probability, pos_label=1)),
        "log_loss": float(log_loss(y_true, probability, labels=[0, 1])),
    }


def decision_metrics(y_true: npt.ArrayLike, refused: npt.ArrayLike) -> dict[str, float]:
    """Measure refusals as predictions of default.

    Returns:
        `recall` (share of defaulters refused), `precision` (share of refused who default), `f1`, `accuracy`,
        `approval_rate`. Recall is NaN without defaulters, precision without refusals.

    Raises:
        ValueError: If an outcome or a decision is NaN.
    """
    y_true, refused = known(y_true, "outcomes").astype(int), known(refused, "decisions").astype(int)
    precision, recall, f1, _ = precision_recall_fscore_support(y_true, refused, average="binary", zero_division=np.nan)
    return {
        "recall": float(recall),
        "precision": float(precision),
        "f1": float(f1),
        "accuracy": float(accuracy_score(y_true, refused)),
        "approval_rate": float(1 - refused.mean()),
    }


def kolmogorov_smirnov_score(y_true: npt.ArrayLike, probability: npt.ArrayLike) -> float:
    """Return the largest vertical gap between the score distributions of defaulters and of the others.

    NaN if only one outcome occurs.

    Raises:
        ValueError: If an outcome or a probability is NaN.

    Examples:
        >>> kolmogorov_smirnov_score([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4])
        1.0
    """
    y_true, probability = known(y_true, "outcomes"), known(probability, "probabilities")
    if np.unique(y_true).size < 2:
        return np.nan
    of_good, of_bad, _ = roc_curve(y_true, probability)
    return float(np.abs(of_bad - of_good).max())
