"""The popular way of making features, on files small enough to compute by hand."""

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.pandas_popular import HISTORIES, compute_features, summarise


def test_numbers_have_five_statistics_and_texts_a_share_of_each_value() -> None:
    loans = pd.DataFrame(
        {
            "SK_ID_CURR": [1, 1, 1, 2],
            "SK_ID_PREV": [11, 12, 13, 21],
            "AMT": [1.0, 2.0, 6.0, 5.0],
            "STATUS": ["a", "b", None, "a"],
        }
    )
    expected = {
        "LOAN_AMT_MIN": [1.0, 5.0],
        "LOAN_AMT_MAX": [6.0, 5.0],
        "LOAN_AMT_MEAN": [3.0, 5.0],
        "LOAN_AMT_SUM": [9.0, 5.0],
        "LOAN_AMT_VAR": [7.0, None],  # (4 + 1 + 9) / 2; one value has none
        "LOAN_STATUS_A_MEAN": [1 / 3, 1.0],
        "LOAN_STATUS_B_MEAN": [1 / 3, 0.0],
    }
    found = summarise(loans, "SK_ID_CURR", "LOAN")
    pd.testing.assert_frame_equal(found, pd.DataFrame(expected, index=pd.Index([1, 2], name="SK_ID_CURR")))


def test_every_applicant_is_kept_and_months_reach_them_through_their_credits(tmp_path: Path) -> None:
    files = {
        "application_train": {"SK_ID_CURR": [1, 2], "TARGET": [0, 1], "SEX": ["F", "M"]},
        "application_test": {"SK_ID_CURR": [3], "SEX": ["F"]},
        "bureau": {"SK_ID_CURR": [1, 1, 2], "SK_ID_BUREAU": [11, 12, 21], "DEBT": [10, 30, 5]},
        "bureau_balance": {"SK_ID_BUREAU": [11, 11, 12], "MONTHS": [-1, -3, -6]},
    } | {name: {"SK_ID_CURR": [2], "DAYS": [number]} for number, name in enumerate(HISTORIES)}
    for name, columns in files.items():
        pd.DataFrame(columns).to_csv(tmp_path / f"{name}.csv", index=False)
    features = compute_features(tmp_path).set_index("SK_ID_CURR")
    assert features.index.tolist() == [1, 2, 3]
    assert features["SEX_F"].tolist() == [True, False, True]
    assert features["BUREAU_DEBT_SUM"].fillna(-1).tolist() == [40, 5, -1]
    assert features["BUREAU_BALANCE_MONTHS_MEAN_MEAN"].fillna(1).tolist() == [-4, 1, 1]  # of -2 and -6
    assert features["CREDIT_CARD_BALANCE_DAYS_MAX"].fillna(-1).tolist() == [-1, 3, -1]
    assert features["TARGET"].tolist() == pytest.approx([0, 1, float("nan")], nan_ok=True)
