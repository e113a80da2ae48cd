"""Score and decision metrics on cases small enough to count."""

import numpy as np
import pytest

from credit_scoring.metrics.discrimination import decision_metrics, kolmogorov_smirnov_score, score_metrics


def test_score_metrics_by_hand() -> None:
    metrics = score_metrics([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.8])
    assert metrics["roc_auc"] == 0.75  # 3 of the 4 pairs in the right order
    assert metrics["gini"] == 0.5
    assert metrics["ks"] == 0.5
    assert metrics["brier"] == pytest.approx((0.01 + 0.36 + 0.36 + 0.04) / 4)
    assert metrics["log_loss"] == pytest.approx(-np.log([0.9, 0.4, 0.4, 0.8]).mean())
    assert metrics["average_precision"] == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


def test_what_is_undefined_with_one_outcome_is_nan() -> None:
    metrics = score_metrics([0, 0], [0.1, 0.2])
    assert np.isnan([metrics["roc_auc"], metrics["gini"], metrics["ks"], metrics["average_precision"]]).all()
    assert metrics["brier"] == pytest.approx(0.025)


def test_decision_metrics_by_hand() -> None:
    metrics = decision_metrics([1, 1, 0, 0, 0], [True, False, True, False, False])
    assert metrics == {"recall": 0.5, "precision": 0.5, "f1": 0.5, "accuracy": 0.6, "approval_rate": pytest.approx(0.6)}


def test_precision_without_refusals_is_nan_not_zero() -> None:
    assert np.isnan(decision_metrics([1, 0], [False, False])["precision"])


def test_ks_of_identical_scores_is_zero() -> None:
    assert kolmogorov_smirnov_score([0, 1, 0, 1], [0.3, 0.3, 0.3, 0.3]) == 0
