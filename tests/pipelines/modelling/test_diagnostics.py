"""The champion once more: other folds and other seeds."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from credit_scoring.pipelines.modelling.comparison import cross_validate_candidates, select_champion
from credit_scoring.pipelines.modelling.diagnostics import measure_stability
from credit_scoring.pipelines.modelling.nodes import select_training_rows
from credit_scoring.pipelines.modelling.options import ChampionOptions, DiagnosisOptions
from tests.pipelines.modelling.conftest import CANDIDATES, COSTS, FOLDS, SELECTION, draw_applicants


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """The outcome hangs on a score, half as much on gender, and not at all on noise."""
    generator = np.random.default_rng(11)
    drawn = draw_applicants(generator)
    return drawn.assign(
        EXT_SOURCE_3=generator.normal(size=len(drawn)), SPLIT=np.where(drawn.index % 5 == 0, "holdout", "train")
    )


@pytest.fixture(scope="module")
def champion_and_results(rows: pd.DataFrame) -> tuple[dict[str, Any], list[dict[str, Any]], pd.DataFrame]:
    predictions, results = cross_validate_candidates(select_training_rows(rows), CANDIDATES, SELECTION, FOLDS, COSTS)
    return select_champion(results, ChampionOptions(), FOLDS), results, predictions


@pytest.mark.parametrize("n_seeds", [0, 2])
def test_other_folds_give_figures_and_weights_of_their_own(
    rows: pd.DataFrame, champion_and_results: Any, n_seeds: int
) -> None:
    champion, results, _ = champion_and_results
    stability, weights = measure_stability(
        select_training_rows(rows),
        champion,
        results,
        SELECTION,
        FOLDS,
        DiagnosisOptions(n_seeds=n_seeds, n_explained=100),
        COSTS,
    )
    for metric in ("roc_auc", "business_cost"):
        assert stability[metric][0] == results[0]["mean"][metric]
        assert len(set(stability[metric])) == n_seeds + 1
    assert list(weights.columns) == ["seed", "fold", "feature", "share"]
    models = weights.groupby(["seed", "fold"])
    assert sorted(models.groups) == [(seed, fold) for seed in range(1, n_seeds + 1) for fold in (1, 2, 3)]
    for _, model in models:
        share = model.set_index("feature")["share"]
        assert share.sum() == pytest.approx(1)
        assert share["EXT_SOURCE_2"] > share["CODE_GENDER"] > share["EXT_SOURCE_3"]


def test_two_processes_measure_what_one_does(rows: pd.DataFrame, champion_and_results: Any) -> None:
    champion, results, _ = champion_and_results
    one, two = (
        measure_stability(
            select_training_rows(rows), champion, results, SELECTION, FOLDS, DiagnosisOptions(), COSTS, n_jobs=n_jobs
        )
        for n_jobs in (1, 2)
    )
    assert one[0] == two[0]
    pd.testing.assert_frame_equal(one[1], two[1], check_exact=True)
