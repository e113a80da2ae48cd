"""Values behind the figures of the prepared data, and the figures in both languages."""

import ibis
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from credit_scoring.features.catalogue import find_feature
from credit_scoring.figures import FigureOptions
from credit_scoring.pipelines.data_processing.figures import (
    _GROUPS,
    COMPARED,
    category_shares,
    count_outcomes,
    measure_missing,
    measure_shift,
    plot_class_balance,
    plot_distributions_by_outcome,
    plot_missing_values,
    plot_population_shift,
    select_figure_columns,
)

PLOTS = (plot_class_balance, plot_missing_values, plot_distributions_by_outcome, plot_population_shift)
TEXTS = ("NAME_CONTRACT_TYPE", "CODE_GENDER", "NAME_INCOME_TYPE", "NAME_EDUCATION_TYPE")


@pytest.fixture
def figure_columns() -> pd.DataFrame:
    """Return 80 training applications with 8 defaults, 20 held out and 40 to score."""
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({name: rng.normal(100, 20, 140) for name in COMPARED})
    for name in TEXTS:
        rows[name] = rng.choice(["a", "b", "c"], 140)
    rows["SK_ID_CURR"] = np.arange(140)
    rows["SPLIT"] = ["train"] * 80 + ["holdout"] * 20 + ["to score"] * 40
    rows["TARGET"] = np.where(rows["SPLIT"] == "train", rows["SK_ID_CURR"] % 10 == 0, np.nan)
    for name in _GROUPS:
        rows[name] = rows["SK_ID_CURR"] % 2 == 0
    return rows


def words(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.findobj(plt.Text))


def test_columns_hide_the_outcome_of_the_holdout_and_mark_applicants_to_score() -> None:
    features = pd.DataFrame({"SK_ID_CURR": [4, 3, 2, 1], "TARGET": [None, 1, 0, 0]}, dtype="Int64")
    numbers = {name: [0.5, None, 0.5, None] for name in COMPARED if name not in TEXTS}
    rows = features.assign(
        **numbers,
        **dict.fromkeys(TEXTS, "a"),
        **{name: [1, 0, 1, 0] for name in _GROUPS if name.startswith("HAS_")},
        OCCUPATION_TYPE=["x", None, "x", "x"],
        OWN_CAR_AGE=1.0,
        APARTMENTS_AVG=[None, None, 0.1, None],
        WALLSMATERIAL_MODE=["stone", None, None, None],
        DEF_30_CNT_SOCIAL_CIRCLE=0.0,
    )
    table = ibis.memtable(rows.assign(SPLIT=[None, "train", "holdout", "train"])).cast({"TARGET": "int32"})
    selected = select_figure_columns(table).to_pandas().set_index("SK_ID_CURR")
    assert selected.index.tolist() == [1, 2, 3, 4]
    assert selected["SPLIT"].tolist() == ["train", "holdout", "train", "to score"]
    assert selected["TARGET"].fillna(-1).tolist() == [0, -1, 1, -1]
    assert selected["KNOWN_BUILDING"].tolist() == [False, True, False, True]  # any of its columns
    assert selected["KNOWN_OCCUPATION"].tolist() == [True, True, False, True]
    assert selected["HAS_BUREAU"].tolist() == [False, True, False, True]


def test_outcomes_are_counted_on_the_training_side_only(figure_columns: pd.DataFrame) -> None:
    assert count_outcomes(figure_columns).to_dict() == {0: 72, 1: 8}


def test_missing_values_and_their_default_rate(figure_columns: pd.DataFrame) -> None:
    figure_columns["KNOWN_CAR"] = figure_columns["SK_ID_CURR"] % 10 != 0  # missing just for the defaulters
    figure_columns["KNOWN_PHONE"] = figure_columns["SK_ID_CURR"] >= 40
    measured = measure_missing(figure_columns)
    assert measured.index.tolist() == list(_GROUPS)
    assert measured.loc["KNOWN_PHONE"].tolist() == pytest.approx([0.5, 0.1, 0.1])
    # Eight applications are too few for a rate.
    assert measured.loc["KNOWN_CAR"].tolist() == pytest.approx([0.1, np.nan, 0.0], nan_ok=True)


def test_the_largest_shift_comes_first_and_categories_have_no_gap(figure_columns: pd.DataFrame) -> None:
    to_score = figure_columns["SPLIT"] == "to score"
    figure_columns.loc[to_score, "AMT_CREDIT"] += 1000
    figure_columns.loc[to_score, "CODE_GENDER"] = "a"
    shift = measure_shift(figure_columns)
    assert shift["variable"].head(2).tolist() == ["AMT_CREDIT", "CODE_GENDER"]
    assert sorted(shift["variable"]) == sorted(COMPARED)
    assert shift["ks"].iloc[0] == 1
    assert set(shift.loc[shift["ks"].isna(), "variable"]) == set(TEXTS)


def test_the_holdout_takes_no_part(figure_columns: pd.DataFrame) -> None:
    changed = figure_columns.copy()
    held_out = changed["SPLIT"] == "holdout"
    changed.loc[held_out, [name for name in COMPARED if name not in TEXTS]] = 1e9
    changed.loc[held_out, list(_GROUPS)] = False
    pd.testing.assert_frame_equal(measure_shift(changed), measure_shift(figure_columns))
    pd.testing.assert_frame_equal(measure_missing(changed), measure_missing(figure_columns))


def test_shares_of_categories_add_up() -> None:
    shares = category_shares(pd.Series(["a", "a", "b", "z", None]), ["a", "b"], "missing", "others")
    assert shares.to_dict() == {"a": 0.4, "b": 0.2, "others": 0.2, "missing": 0.2}


@pytest.mark.parametrize("plot", PLOTS)
def test_a_figure_speaks_the_language_asked_for_and_owns_up_to_synthetic_data(
    plot: type[Figure], figure_columns: pd.DataFrame
) -> None:
    french = words(plot(figure_columns, FigureOptions(language="fr", source="synthetic")))
    english = words(plot(figure_columns, FigureOptions(language="en", source="home_credit")))
    assert "Données synthétiques" in french
    assert "Synthetic" not in english
    told = {
        plot_class_balance: ("remboursé", "repaid", "72 (90,0\xa0%)", "72 (90.0%)"),
        plot_missing_values: ("Carte de crédit", "Credit card", "50\xa0%", "50%"),
        plot_distributions_by_outcome: ("Revenu déclaré", "Declared income", "KS\u00a00,", "KS\u00a00."),
        plot_population_shift: ("Niveau d'études", "Highest education", "KS 0,", "KS 0."),
    }[plot]
    assert all(word in french for word in told[::2])
    assert all(word in english for word in told[1::2])


@pytest.mark.parametrize("plot", PLOTS)
def test_figures_do_without_histories_and_without_applicants_to_score(
    plot: type[Figure], figure_columns: pd.DataFrame
) -> None:
    rows = figure_columns[figure_columns["SPLIT"] != "to score"].copy()
    for name in [name for name in COMPARED if find_feature(name).origin.presence]:
        rows[name] = np.nan
    for name in _GROUPS:
        rows[name] = False
    told = words(plot(rows, FigureOptions(language="en", source="home_credit")))
    if plot is plot_population_shift:
        assert "No application to score" in told
    if plot is plot_distributions_by_outcome:
        assert "no value" in told
