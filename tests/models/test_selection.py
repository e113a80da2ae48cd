"""Columns are picked for what they say, on the rows given and nothing else."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from credit_scoring.models.selection import SelectionOptions, rank_correlation, select_features


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    generator = np.random.default_rng(3)
    n = 1500
    frame = pd.DataFrame({f"NOISE_{i}": generator.normal(size=n) for i in range(20)})
    frame.insert(0, "SIGNAL", generator.normal(size=n))
    frame["SIGNAL_CUBED"] = frame["SIGNAL"] ** 3  # the same ranks
    frame["SIGNAL_HALF_KNOWN"] = frame["SIGNAL"].where(generator.random(n) < 0.5)  # other nulls: says something else
    frame["CONSTANT"] = 1.0
    frame["EMPTY"] = np.nan
    frame["KIND"] = generator.choice(["a", "b", None], n)
    frame["ONE_KIND"] = "a"
    frame["TARGET"] = (frame["SIGNAL"] + (frame["KIND"] == "a") + generator.normal(size=n) > 1.5).astype(int)
    return frame


def selected(rows: pd.DataFrame, **options: float) -> list[str]:
    return select_features(rows.drop(columns="TARGET"), rows["TARGET"], SelectionOptions(threads=1, **options))


def test_what_is_constant_or_repeats_an_earlier_column_goes_without_a_look_at_the_outcome(rows: pd.DataFrame) -> None:
    expected = [name for name in rows if name not in {"SIGNAL_CUBED", "CONSTANT", "EMPTY", "ONE_KIND", "TARGET"}]
    assert selected(rows) == expected
    assert selected(rows.assign(TARGET=rows["TARGET"].sample(frac=1, random_state=0).to_numpy())) == expected


def test_correlations_are_spearman_s_with_nulls_in_the_middle(rows: pd.DataFrame) -> None:
    numbers = rows[["SIGNAL", "NOISE_0", "SIGNAL_HALF_KNOWN", "TARGET"]]
    found = rank_correlation(numbers)
    ranks = numbers.rank()
    np.testing.assert_allclose(found, ranks.fillna(ranks.mean()).corr(), atol=1e-12)
    assert found[0, 1] == pytest.approx(spearmanr(rows["SIGNAL"], rows["NOISE_0"]).statistic)
    assert not rank_correlation(rows[["EMPTY", "CONSTANT", "SIGNAL"]])[:2].any()


def test_the_most_useful_columns_stay(rows: pd.DataFrame) -> None:
    names = selected(rows, max_features=3)
    assert len(names) == 3
    assert {"SIGNAL", "KIND"} <= set(names)
    assert names == [name for name in rows if name in names]


def test_the_same_rows_give_the_same_columns(rows: pd.DataFrame) -> None:
    assert selected(rows, max_features=10) == selected(rows.copy(), max_features=10)


def test_columns_repeat_each_other_only_if_nine_rows_in_ten_miss_both_or_neither() -> None:
    generator = np.random.default_rng(0)
    first = pd.Series(generator.normal(size=1000))
    twin = first.where(np.arange(1000) >= 90)  # 91 % alike
    stranger = first.where(np.arange(1000) >= 110)  # 89 % alike
    rows = pd.DataFrame({"FIRST": first, "TWIN": twin, "STRANGER": stranger})
    options = SelectionOptions(threads=1, max_correlation=0.9)
    names = select_features(rows, pd.Series(generator.integers(0, 2, 1000)), options)
    assert names == ["FIRST", "STRANGER"]
