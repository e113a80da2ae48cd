"""Features from row models: right by hand, the same for one applicant as for many."""

import pickle
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from credit_scoring.models import fit_model
from credit_scoring.models.row_models import NO_ROW_MODELS, RowModels, row_features_among, summarise_risks


class Tables:
    """Rows of histories in memory."""

    def __init__(self, tables: Mapping[str, pd.DataFrame]) -> None:
        self.tables = tables

    def read(self, history: str, first: int | None = None, last: int | None = None) -> pd.DataFrame:
        rows = self.tables[history]
        return rows[rows["SK_ID_CURR"].between(first or -np.inf, last or np.inf)].reset_index(drop=True)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    generator = np.random.default_rng(3)
    count = generator.integers(0, 6, 200)
    frame = pd.DataFrame({"SK_ID_CURR": np.repeat(np.arange(200) + 1000, count)})
    frame["RANK"] = (frame.groupby("SK_ID_CURR").cumcount() + 1).astype("float32")
    return frame.assign(
        DELAY=generator.normal(size=len(frame)).astype("float32"),
        KIND=generator.choice(["Cash", "Consumer", None], len(frame)),
    )


@pytest.fixture(scope="module")
def models(rows: pd.DataFrame) -> RowModels:
    outcome = (rows["DELAY"] + np.random.default_rng(4).normal(size=len(rows)) > 1).astype(int)
    params = {"n_estimators": 20, "min_child_samples": 5, "n_jobs": 1}
    return RowModels({"bureau": fit_model("lightgbm", params, rows.drop(columns="SK_ID_CURR"), outcome)})


def test_risks_of_rows_are_aggregated_per_applicant() -> None:
    rows = pd.DataFrame({"SK_ID_CURR": [7, 7, 7, 9], "RANK": [1, 2, 3, 1]})
    made = summarise_risks("previous", rows, np.array([0.3, 0.1, 0.5, 0.2]), np.array([9, 8, 7]))
    assert list(made.columns) == [f"PREVIOUS_ROW_RISK_{name}" for name in ("MEAN", "MAX", "MIN", "LAST")]
    np.testing.assert_allclose(made, [[0.2] * 4, [np.nan] * 4, [0.3, 0.5, 0.1, 0.3]])


def test_an_applicant_gets_the_same_features_alone_as_among_others(rows: pd.DataFrame, models: RowModels) -> None:
    ids = np.array([1005, 1000, 1199, 1100, 1])
    together = models.features({"bureau": rows}, ids)
    for place, client in enumerate(ids):
        own = rows[rows["SK_ID_CURR"] == client].reset_index(drop=True)
        pd.testing.assert_frame_equal(
            models.features({"bureau": own}, [client]), together.iloc[[place]].reset_index(drop=True)
        )
    assert together.iloc[4].isna().all()  # a stranger has no history
    known = rows.loc[rows["SK_ID_CURR"] == 1100]
    risk = models.models["bureau"].predict_proba(known.drop(columns="SK_ID_CURR"))[:, 1]
    assert together.loc[3, "BUREAU_ROW_RISK_MEAN"] == pytest.approx(risk.mean())
    assert together.loc[3, "BUREAU_ROW_RISK_LAST"] == risk[0]


def test_a_history_that_is_not_sent_is_one_that_is_not_there(models: RowModels) -> None:
    assert models.features({}, [1, 2]).isna().all(axis=None)


def test_a_table_of_applicants_is_completed_in_place_of_columns_of_these_names(
    rows: pd.DataFrame, models: RowModels
) -> None:
    applicants = pd.DataFrame(
        {"SK_ID_CURR": [1020, 1010], "AMT_CREDIT": [1.0, 2.0], "BUREAU_ROW_RISK_MAX": 9.0}, index=[5, 3]
    )
    completed = models.complete(applicants, Tables({"bureau": rows}))
    expected = models.features({"bureau": rows}, [1020, 1010]).set_axis([5, 3])
    pd.testing.assert_frame_equal(completed[expected.columns], expected)
    pd.testing.assert_series_equal(completed["AMT_CREDIT"], applicants["AMT_CREDIT"])
    assert applicants["BUREAU_ROW_RISK_MAX"].tolist() == [9.0, 9.0]


def test_no_row_model_adds_nothing_and_reads_nothing() -> None:
    applicants = pd.DataFrame({"SK_ID_CURR": [1]})
    assert NO_ROW_MODELS.complete(applicants, Tables({})) is applicants
    assert NO_ROW_MODELS.features({}, [1]).shape == (1, 0)
    assert NO_ROW_MODELS.libraries == ()


def test_what_is_served_keeps_the_models_and_names_what_they_need(rows: pd.DataFrame, models: RowModels) -> None:
    again = pickle.loads(pickle.dumps(models))
    ids = rows["SK_ID_CURR"].unique()
    pd.testing.assert_frame_equal(again.features({"bureau": rows}, ids), models.features({"bureau": rows}, ids))
    assert again.libraries == ("lightgbm",)
    assert row_features_among(["AMT_CREDIT", *again.feature_names]) == again.feature_names
