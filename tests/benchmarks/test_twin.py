"""The comparison of the twin with the truth: what it measures, and that it finds what is unlike."""

import numpy as np
import pandas as pd
import pytest

from benchmarks import twin
from credit_scoring.schemas.raw import OFFICIAL_TABLES

FIGURES = {figure.name: figure for figure in twin.FIGURES}


def test_tolerance_is_four_standard_errors_of_the_difference() -> None:
    figure = twin.Figure("a share", 0.5, 0.03, 0.04, lambda _: 0.5)
    assert figure.tolerance(twin.APPLICANTS) == pytest.approx(0.2)
    assert figure.tolerance(4 * twin.APPLICANTS) == pytest.approx(4 * np.hypot(0.03, 0.02))


def test_gaps_and_likeness_are_those_of_each_client() -> None:
    """Gaps of client 1: 4 and 96 days; of client 2: 20. Client 3 has one credit, 9 is no train applicant."""
    tables = {
        "application_train": pd.DataFrame({"SK_ID_CURR": [1, 2, 3]}),
        "bureau": pd.DataFrame(
            {"SK_ID_CURR": [1, 1, 1, 2, 2, 3, 9, 9], "DAYS_CREDIT": [-100, -4, -8, -30, -50, -7, -1, -1]}
        ),
    }
    assert FIGURES["days between the two closest credits at other lenders, median"].measure(tables) == 12
    alike = tables | {
        "bureau": pd.DataFrame({"SK_ID_CURR": [1, 1, 2, 2, 3, 3], "DAYS_CREDIT": [-5, -5, -70, -70, -9, -9]})
    }
    likeness = FIGURES["likeness of the days of a client's credits (intraclass)"]
    assert likeness.measure(alike) == pytest.approx(1)
    assert likeness.measure(tables) < 0.5


def test_a_missed_minimum_is_a_payment_below_what_was_due() -> None:
    months = pd.DataFrame(
        {"AMT_INST_MIN_REGULARITY": [10.0, 10, 10, 0, np.nan, 10], "AMT_PAYMENT_CURRENT": [9.0, 10, 11, 0, 5, np.nan]}
    )
    tables = {"credit_card_balance": months}
    assert FIGURES["months with less than the minimum paid on a card"].measure(tables) == pytest.approx(1 / 3)
    assert FIGURES["months with just the minimum paid on a card"].measure(tables) == pytest.approx(1 / 3)


def test_columns_far_away_and_effects_reversed_are_found() -> None:
    rng = np.random.default_rng(0)
    frames = []
    for sign, shift in ((-1, 0.0), (1, 1.0)):
        bad = rng.random(3_000) < 0.2
        noise = rng.standard_normal((3_000, 3))
        frames.append(
            pd.DataFrame(
                {
                    "BUREAU_SAME": noise[:, 0] + bad,
                    "POS_CASH_MOVED": noise[:, 1] + shift,
                    "EXT_SOURCE_1": noise[:, 2] + sign * (bad - 0.2),
                    "NAME": "text",
                    "TARGET": bad.astype(int),
                }
            )
        )
    columns = twin.compare_columns(*frames).set_index("column")
    assert set(columns.index) == {"BUREAU_SAME", "POS_CASH_MOVED", "EXT_SOURCE_1"}
    assert columns["source"].to_dict() == {
        "BUREAU_SAME": "bureau",
        "POS_CASH_MOVED": "pos_cash",
        "EXT_SOURCE_1": "application",
    }
    assert columns.index[0] == "POS_CASH_MOVED"
    assert columns.loc["POS_CASH_MOVED", "gap"] == pytest.approx(0.383, abs=0.04)
    assert columns.loc["BUREAU_SAME", "gap"] < 0.05
    assert list(twin.reversed_effects(columns.reset_index())["column"]) == ["EXT_SOURCE_1"]


def test_thinning_keeps_shares_and_drops_rows_whose_parent_went(tmp_path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    for table in OFFICIAL_TABLES:
        rows = pd.DataFrame({"SK_ID_CURR": range(1_000), "SK_ID_PREV": range(1_000), "SK_ID_BUREAU": range(1_000)})
        rows.to_csv(raw / f"{table}.csv", index=False)
    folder = twin.thin(raw, tmp_path / "thinned", {"bureau": 0.7, "previous_application": 0.5, "POS_CASH_balance": 0.1})
    kept = {table: pd.read_csv(folder / f"{table}.csv") for table in OFFICIAL_TABLES}
    assert [len(kept[table]) for table in ("application_train", "bureau", "previous_application")] == [1_000, 700, 500]
    assert set(kept["bureau_balance"]["SK_ID_BUREAU"]) == set(kept["bureau"]["SK_ID_BUREAU"])
    assert set(kept["installments_payments"]["SK_ID_PREV"]) == set(kept["previous_application"]["SK_ID_PREV"])
    # A tenth of the months, where the application that they belong to was kept: the same rows are drawn here.
    assert len(kept["POS_CASH_balance"]) == 100
    assert set(kept["POS_CASH_balance"]["SK_ID_PREV"]) <= set(kept["previous_application"]["SK_ID_PREV"])


def test_the_table_says_how_far_a_figure_is_away() -> None:
    drawn = [{figure.name: figure.real for figure in twin.FIGURES} for _ in range(4)]
    for values, value in zip(drawn, (0.70, 0.71, 0.72, 0.73), strict=True):
        values["AUC of the mean of the external scores"] = value
    told = twin.describe_figures(drawn).splitlines()
    assert sum(line.startswith("| ") for line in told) == 1 + len(twin.FIGURES)
    (row,) = (line for line in told if "mean of the external scores" in line)
    # 0.715 - 0.708 over the hypotenuse of 0.008 and 0.010 / 2.
    assert row.endswith("| 0.7080 ± 0.0080 | 0.7150 | 0.0129 | 0.7 |")
