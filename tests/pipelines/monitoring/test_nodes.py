"""Drift is found where it is known to be, and nothing is found where there is none."""

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from credit_scoring.datasets.history_rows import HistoryFiles
from credit_scoring.decision_log.settings import LogError
from credit_scoring.errors import DataContractError
from credit_scoring.exported_model.contract import Column, Contract
from credit_scoring.exported_model.folder import ModelFolder
from credit_scoring.exported_model.manifest import Manifest
from credit_scoring.features.application import CLEAN_APPLICATION, compute_application_features
from credit_scoring.figures import FigureOptions
from credit_scoring.metrics.cost import MisclassificationCosts
from credit_scoring.models import build_model
from credit_scoring.models.calibration import Calibration
from credit_scoring.pipelines.data_processing.nodes import stack_applications
from credit_scoring.pipelines.monitoring.nodes import (
    judge_drift,
    judge_variables,
    measure_drift,
    read_recorded_decisions,
    score_monitored,
    select_monitored,
)
from credit_scoring.pipelines.monitoring.options import MonitoringOptions
from credit_scoring.pipelines.monitoring.report import write_drift_report
from credit_scoring.pipelines.synthetic_data.nodes import generate_twin
from credit_scoring.pipelines.synthetic_data.options import SyntheticDataOptions
from credit_scoring.schemas.raw import RAW_TABLES
from credit_scoring.scorer import CreditScorer, digest_model

OPTIONS = MonitoringOptions()
NO_ROWS = HistoryFiles(Path("there/are/none"))
FOLDER = ModelFolder(
    Path("model"),
    Contract(tuple(Column(name, False, False) for name in ("EXT_SOURCE_1", "EXT_SOURCE_2", "AMT_CREDIT")), {}),
    {"model_id": "m-1"},
    Manifest(Path("model"), {}, "abc"),
)


@pytest.fixture(scope="module")
def twin() -> pd.DataFrame:
    """Return features of the application forms of a twin, with the sample of each applicant."""
    chunks = list(generate_twin(SyntheticDataOptions(n_train=4000, n_test=2000, seed=11)))
    train, test = (ibis.memtable(pd.concat([chunk[side] for chunk in chunks])) for side in (0, 1))
    typed = [
        table.cast({name: kind for name, kind in RAW_TABLES[side].columns.items() if name in table.columns})
        for table, side in ((train, "application_train"), (test, "application_test"))
    ]
    features = compute_application_features(CLEAN_APPLICATION.apply(stack_applications(*typed))).execute()
    rng = np.random.default_rng(0)
    known = np.where(rng.random(len(features)) < 0.2, "holdout", "train")
    return features.assign(SAMPLE=np.where(features["TARGET"].isna(), "new", known)).drop(columns="TARGET")


def with_scores(applicants: pd.DataFrame) -> pd.DataFrame:
    """Return scores that depend on nothing but the external score."""
    rows = applicants[applicants["SAMPLE"] != "train"]
    probability = (0.5 - 0.4 * rows["EXT_SOURCE_2"]).fillna(0.2)
    return rows[["SK_ID_CURR", "SAMPLE"]].assign(
        probability_default=probability, decision=np.where(probability >= 0.3, "refused", "granted"), gaps=""
    )


def judge(applicants: pd.DataFrame, options: MonitoringOptions = OPTIONS) -> pd.DataFrame:
    return judge_variables(measure_drift(applicants, with_scores(applicants), FOLDER, options), options)


def small(**columns: object) -> pd.DataFrame:
    """Return applicants of which only the named columns differ between training (first half) and new ones."""
    n = len(next(iter(columns.values())))  # type: ignore[arg-type]
    table = pd.DataFrame(columns).assign(SK_ID_CURR=range(n), SAMPLE=["train"] * (n // 2) + ["new"] * (n - n // 2))
    extra = table.head(n // 2).assign(SAMPLE="holdout", SK_ID_CURR=range(n, n + n // 2))
    return pd.concat([table, extra], ignore_index=True).assign(EXT_SOURCE_2=0.5)


@pytest.fixture(scope="module")
def few_columns(twin: pd.DataFrame) -> pd.DataFrame:
    """Return the twin with five variables: a report has a picture of each that has drifted, which take their time."""
    return twin[
        ["SK_ID_CURR", "SAMPLE", "EXT_SOURCE_1", "EXT_SOURCE_2", "AMT_CREDIT", "FLAG_EMAIL", "NAME_HOUSING_TYPE"]
    ]


@pytest.fixture(scope="module")
def odd(twin: pd.DataFrame) -> pd.DataFrame:
    """Return the twin, whose new applicants all live in what looks like a part of a page."""
    return twin.assign(NAME_HOUSING_TYPE=twin["NAME_HOUSING_TYPE"].where(twin["SAMPLE"] != "new", "<script>"))


@pytest.fixture(scope="module")
def judged_odd(odd: pd.DataFrame) -> pd.DataFrame:
    return judge(odd)


def test_the_published_drift_from_train_to_test_is_found(twin: pd.DataFrame) -> None:
    judged = judge(twin).set_index("variable")
    for variable, measure in (
        ("NAME_CONTRACT_TYPE", "psi"),  # revolving 9.5 % -> 0.9 %
        ("FLAG_EMAIL", "rate"),  # 5.7 % -> 16.3 %
        ("AMT_REQ_CREDIT_BUREAU_MON", "psi"),  # mean 0.27 -> 0.01
        ("AMT_REQ_CREDIT_BUREAU_QRT", "ks"),  # mean 0.27 -> 0.55
        ("EXT_SOURCE_1", "missing"),  # 56 % -> 42 %
    ):
        assert judged.loc[variable, "status"] != "stable", variable
        assert measure in judged.loc[variable, "why"], variable
    assert judged.loc["EXT_SOURCE_1", "missing"] == pytest.approx(-0.143, abs=0.03)
    for variable in ("CODE_GENDER", "EXT_SOURCE_2", "CNT_CHILDREN", "DAYS_BIRTH", "ORGANIZATION_TYPE"):
        assert judged.loc[variable, "status"] == "stable", variable
    verdict = judge_drift(judged.reset_index(), with_scores(twin), twin, FOLDER, OPTIONS, "synthetic")
    assert verdict["verdict"] == "drift"
    assert "EXT_SOURCE_1" in verdict["flags"][0]
    assert {reason["variable"] for reason in verdict["reasons"]} == set(judged.index[judged["status"] != "stable"])


@pytest.mark.parametrize(("n_known", "n_new"), [(2500, 1500), (400, 100), (60, 40)])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_random_split_of_training_is_silent(twin: pd.DataFrame, n_known: int, n_new: int, seed: int) -> None:
    training = twin[twin["SAMPLE"] != "new"].sample(n_known + n_new, random_state=seed)
    sides = ["train"] * (n_known - n_known // 4) + ["holdout"] * (n_known // 4) + ["new"] * n_new
    split = training.assign(SAMPLE=sides)
    judged, quiet = judge(split), "stable" if n_new >= OPTIONS.least_applicants else "too_few"
    assert judged.loc[judged["status"] != quiet, "variable"].tolist() == []
    verdict = judge_drift(judged, with_scores(split), split, FOLDER, OPTIONS, "synthetic")
    assert (verdict["verdict"], verdict["flags"], verdict["reasons"]) == (quiet, [], [])


def batch(variable: str, known: list, new: list) -> pd.DataFrame:
    """Return applicants of whom nothing but one variable is known: the same ones as training and as hold-out."""
    samples = {"train": known, "holdout": known, "new": new}
    values = [value for column in samples.values() for value in column]
    sides = [sample for sample, column in samples.items() for _ in column]
    return pd.DataFrame({variable: values, "SAMPLE": sides, "SK_ID_CURR": range(len(sides)), "EXT_SOURCE_2": 0.5})


@pytest.mark.parametrize("n_new", [1, 5, 30])
def test_few_applicants_who_stand_out_in_nothing_are_too_few_to_tell(n_new: int) -> None:
    applicants = batch("NAME_HOUSING_TYPE", ["rented", "own"] * 1000, (["rented", "own"] * n_new)[:n_new])
    judged, scores = judge(applicants), with_scores(applicants)
    assert set(judged["status"]) == {"too_few"}
    verdict = judge_drift(judged, scores, applicants, FOLDER, OPTIONS, "synthetic", "november")
    assert (verdict["verdict"], verdict["flags"], verdict["reasons"]) == ("too_few", [], [])
    assert verdict["variables"] == {"stable": 0, "too_few": len(judged), "watch": 0, "drift": 0}
    figures = FigureOptions(language="en", source="synthetic")
    page = _Page(write_drift_report(verdict, judged, applicants, scores, OPTIONS, figures))
    assert "Too few to tell" in page.words["header"][0]
    assert "batch: november" in page.words["header"][0]
    assert not any("Stable" in words for words in page.words["span"])


YES_NO, CODES = ["Y", "N", "N"] * 600, [1.0, 0.0, 0.0] * 600


@pytest.mark.parametrize("n_new", [50, 100, 150])
@pytest.mark.parametrize(
    ("variable", "known", "new", "why"),
    [
        ("AMT_CREDIT", [float(n) for n in range(1800)], [None], "missing"),
        ("NAME_HOUSING_TYPE", ["rented", "own", "other"] * 600, [None], "missing"),
        ("FLAG_OWN_CAR", YES_NO, [None], "missing"),
        ("FLAG_EMAIL", CODES, [None], "missing"),
        ("FLAG_OWN_CAR", YES_NO, ["1", "0", "0"], "new_categories"),
        ("FLAG_EMAIL", CODES, [2.0, 1.0], "new_categories"),
        ("FLAG_EMAIL", CODES, [-1.0], "new_categories"),
        ("NAME_HOUSING_TYPE", ["rented", "own", "other"] * 600, ["RENTED"], "new_categories"),
    ],
)
def test_an_emptied_or_recoded_column_of_a_small_batch_has_drifted(
    variable: str, known: list, new: list, why: str, n_new: int
) -> None:
    row = judge(batch(variable, known, (new * n_new)[:n_new])).set_index("variable").loc[variable]
    assert row["status"] == "drift"
    assert why in row["why"].split()
    assert row[f"{why}_p"] < 1e-6


def test_two_emptied_columns_of_a_hundred_applicants_are_both_named() -> None:
    applicants = batch("FLAG_OWN_CAR", YES_NO, [None] * 100).assign(
        AMT_CREDIT=[*range(1800), *range(1800), *[None] * 100]
    )
    judged, scores = judge(applicants), with_scores(applicants)
    verdict = judge_drift(judged, scores, applicants, FOLDER, OPTIONS, "synthetic")
    assert verdict["verdict"] == "drift"
    assert {reason["variable"] for reason in verdict["reasons"]} == {"FLAG_OWN_CAR", "AMT_CREDIT"}
    figures = FigureOptions(source="synthetic")
    page = _Page(write_drift_report(verdict, judged, applicants, scores, OPTIONS, figures))
    assert len(page.found["article"]) == 4


def test_a_difference_that_is_no_chance_but_too_small_to_matter_is_stable() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(size=100_000), rng.normal(0.05, size=100_000)])
    row = judge(small(AMT_CREDIT=values)).set_index("variable").loc["AMT_CREDIT"]
    assert row["psi_p"] < 1e-6
    assert row["status"] == "stable"


@pytest.mark.parametrize(("share", "status"), [(0.0005, "stable"), (0.005, "watch"), (0.05, "drift")])
def test_new_categories_count_by_the_share_of_applicants_in_them(share: float, status: str) -> None:
    n = 20_000
    new = np.where(np.arange(n) < share * n, "Barter loans", "Cash loans")
    judged = judge(small(NAME_CONTRACT_TYPE=np.concatenate([np.full(n, "Cash loans"), new]))).set_index("variable")
    row = judged.loc["NAME_CONTRACT_TYPE"]
    assert row["new_categories"] == pytest.approx(share)
    assert row["unseen"] == "Barter loans"
    assert row["status"] == status


@pytest.mark.parametrize(("points", "status"), [(2.5, "stable"), (3.5, "watch"), (-3.5, "watch"), (6.5, "drift")])
@pytest.mark.parametrize("codes", [(1, 0), ("Y", "N")])
def test_a_rate_counts_by_its_change_in_percentage_points(codes: tuple, points: float, status: str) -> None:
    n = 20_000

    def answers(share: float) -> np.ndarray:
        return np.where(np.arange(n) < round(share * n), *codes)

    applicants = small(FLAG_OWN_CAR=np.concatenate([answers(0.25), answers(0.25 + points / 100)]))
    row = judge(applicants).set_index("variable").loc["FLAG_OWN_CAR"]
    assert (row["reference_rate"], row["new_rate"]) == pytest.approx((0.25, 0.25 + points / 100))
    assert row["rate"] == pytest.approx(points / 100)
    assert row["rate_p"] < 1e-6
    assert row["psi"] < 0.1
    assert np.isnan([row["psi_p"], row["ks_p"]]).all()
    assert (row["status"], row["why"]) == (status, "" if status == "stable" else "rate")


def test_a_rate_is_that_of_the_known_answers() -> None:
    answers = np.array(["Y", "N", None, None, "Y", "Y", "N", None], dtype=object)
    row = measure_drift(small(FLAG_OWN_CAR=answers), with_scores(small(FLAG_OWN_CAR=answers)), FOLDER, OPTIONS)
    row = row.set_index("variable").loc["FLAG_OWN_CAR"]
    assert (row["reference_rate"], row["new_rate"]) == pytest.approx((1 / 2, 2 / 3))
    assert row["missing"] == pytest.approx(-1 / 4)


@pytest.mark.parametrize(("variable", "values"), [("OCCUPATION_TYPE", ("Drivers", "Cooks")), ("FLAG_OWN_CAR", "YN")])
@pytest.mark.parametrize("dtype", ["object", "string", "category", "str"])
@pytest.mark.parametrize("known_missing", [0, 0.25])
def test_a_text_column_that_the_new_batch_does_not_fill_in_has_drifted(
    variable: str, values: tuple[str, str], dtype: str, known_missing: float
) -> None:
    n = 2000
    filled = pd.Series(np.resize(np.array(values, dtype=object), n))
    filled[: int(known_missing * n)] = None
    column = pd.concat([filled, pd.Series([None] * n, dtype=object)], ignore_index=True).astype(dtype)
    row = judge(small(**{variable: column})).set_index("variable").loc[variable]
    assert (row["reference_missing"], row["new_missing"]) == (known_missing, 1)
    assert row["missing"] == 1 - known_missing
    assert row["missing_p"] < 1e-6
    assert row["psi"] > 1
    assert row["status"] == "drift"
    assert "missing" in row["why"].split()


def test_a_third_more_refusals_is_found_among_the_tests_of_all_columns_and_the_same_rate_is_not(
    twin: pd.DataFrame,
) -> None:
    """2,000 applicants on either side, as many as the demonstration has: 22.6 % declined, then 31.3 %."""
    split = twin[twin["SAMPLE"] != "new"].assign(SAMPLE=lambda rows: np.where(rows.index % 3 == 0, "new", "train"))
    columns = measure_drift(split, with_scores(split.replace({"SAMPLE": {"train": "holdout"}})), FOLDER, OPTIONS)
    columns = columns[columns["role"].isin(["model", "other"])]
    rng = np.random.default_rng(0)

    def status(share: float) -> pd.Series:
        scores = pd.DataFrame({"SK_ID_CURR": range(4000), "SAMPLE": np.repeat(["holdout", "new"], 2000)}).assign(
            probability_default=rng.beta(1, 11, 4000),
            decision=np.where(rng.random(4000) < np.repeat([0.226, share], 2000), "refused", "granted"),
        )
        judged = judge_variables(
            pd.concat([columns, measure_drift(scores[["SK_ID_CURR", "SAMPLE"]], scores, FOLDER, OPTIONS)]), OPTIONS
        )
        return judged.set_index("variable")["status"]

    moved, still = [status(0.313) for _ in range(20)], [status(0.226) for _ in range(20)]
    assert sum(found["decision"] != "stable" for found in moved) >= 19
    assert sum(found["decision"] == "drift" for found in moved) >= 17
    assert all((found.drop("decision") == "stable").all() for found in moved)
    assert all((found == "stable").all() for found in still)


def test_the_worst_status_of_the_model_is_the_verdict_and_other_columns_are_a_look_at_most() -> None:
    rng = np.random.default_rng(0)
    moved, still = np.concatenate([rng.normal(size=500), rng.normal(3, size=500)]), rng.normal(size=1000)
    for columns, verdict in (
        ({"AMT_CREDIT": moved, "OTHER": still}, "drift"),
        ({"AMT_CREDIT": still, "OTHER": moved}, "watch"),
        ({"AMT_CREDIT": still, "OTHER": still}, "stable"),
    ):
        applicants = small(**columns)
        judged = judge(applicants)
        told = judge_drift(judged, with_scores(applicants), applicants, FOLDER, OPTIONS, "synthetic")
        assert told["verdict"] == verdict
        assert told["variables"]["drift"] == (verdict != "stable")
        assert told["applicants"] == {"train": 500, "holdout": 500, "new": 500}


def test_scores_are_compared_with_the_holdout_not_with_rows_that_were_learnt_from() -> None:
    applicants = pd.DataFrame({"SK_ID_CURR": [1, 2, 3], "SAMPLE": ["train", "holdout", "new"], "X": [0.0, 1.0, 0.0]})
    model = build_model("logistic_regression", {}).fit(pd.DataFrame({"X": [0.0, 1.0] * 5}), [0, 1] * 5)
    policy = {"threshold": 0.5, "model_digest": digest_model(model, Calibration("none"))}
    scores = score_monitored(applicants, CreditScorer(model, Calibration("none"), policy), NO_ROWS, NO_ROWS)
    assert scores["SK_ID_CURR"].tolist() == [2, 3]
    assert scores["decision"].tolist() == ["refused", "granted"]
    assert scores["gaps"].tolist() == ["", ""]


def test_who_is_for_manual_review_is_told_by_sample_and_new_applicants_by_kind_of_gap() -> None:
    applicants = small(AMT_CREDIT=np.random.default_rng(0).normal(size=1000))
    scores = with_scores(applicants)
    new, known = (scores.index[scores["SAMPLE"] == sample] for sample in ("new", "holdout"))
    scores.loc[new[:10], ["decision", "gaps"]] = ["review", "out_of_range missing"]
    scores.loc[new[10:15], ["decision", "gaps"]] = ["review", "missing"]
    scores.loc[known[:1], ["decision", "gaps"]] = ["review", "too_little_known"]
    told = judge_drift(judge(applicants), scores, applicants, FOLDER, OPTIONS, "synthetic")
    assert told["review_share"] == {"reference": 1 / 500, "new": 15 / 500}
    assert told["gaps"] == {
        **dict.fromkeys(("unknown_name", "too_little_known", "unknown_category"), 0),
        "out_of_range": 10,
        "missing": 15,
    }


def test_without_new_applicants_nothing_can_be_said() -> None:
    applicants = pd.DataFrame({"SK_ID_CURR": [1], "SAMPLE": ["train"], "X": [0.0]})
    with pytest.raises(DataContractError, match="2 problems found") as error:
        score_monitored(applicants, None, NO_ROWS, NO_ROWS)  # type: ignore[arg-type]
    assert "expected new applicants; found none." in str(error.value)


def test_columns_of_the_model_and_of_the_form_are_compared_as_far_as_both_have_them() -> None:
    known = pd.DataFrame({"SK_ID_CURR": [2, 1], "SPLIT": ["holdout", "train"], "AMT_CREDIT": 1.0, "CNT_CHILDREN": 1})
    new = pd.DataFrame(
        {"SK_ID_CURR": [3, 4], "TARGET": [None, 1], "AMT_CREDIT": 2, "EXT_SOURCE_1": 0.5, "CNT_CHILDREN": 2}
    )
    table = select_monitored(ibis.memtable(known), ibis.memtable(new), FOLDER).execute()
    assert table.to_dict("list") == {
        "SK_ID_CURR": [1, 2, 3],
        "AMT_CREDIT": [1.0, 1.0, 2.0],
        "CNT_CHILDREN": [1, 1, 2],
        "SAMPLE": ["train", "holdout", "new"],
    }


def test_limits_must_be_in_order() -> None:
    with pytest.raises(ValidationError, match=r"watch .0\.3. must be less than drift .0\.25."):
        MonitoringOptions.model_validate({"psi": {"watch": 0.3, "drift": 0.25}})


class _Page(HTMLParser):
    """Reads what a page is made of, and sees to it that every element that is opened is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, list[dict[str, str | None]]] = {}
        self.words: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(page)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.setdefault(tag, []).append(dict(attrs))
        self.words.setdefault(tag, []).append("")
        if tag not in {"meta", "img"}:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in set(self._open):
            self.words[tag][-1] += data


@pytest.mark.parametrize(("language", "said"), [("fr", "Données synthétiques"), ("en", "Synthetic data")])
def test_the_report_needs_nothing_else_and_tells_what_changed(
    odd: pd.DataFrame, judged_odd: pd.DataFrame, language: str, said: str
) -> None:
    judged, scores = judged_odd, with_scores(odd)
    verdict = judge_drift(judged, scores, odd, FOLDER, OPTIONS, "synthetic")
    figures = FigureOptions(language=language, source="synthetic")
    written = write_drift_report(verdict, judged, odd, scores, OPTIONS, figures)
    page = _Page(written)
    assert page.found["html"] == [{"lang": language}]
    assert said in page.words["header"][0]
    assert not {"script", "link", "iframe", "a"} & set(page.found)
    assert all(str(picture["src"]).startswith("data:image/svg+xml;base64,") for picture in page.found["img"])
    assert "&lt;script&gt;" in written  # the name of a category is text
    assert len(page.found["article"]) == len(page.words["h3"]) == 2 + min(12, len(verdict["reasons"]))
    assert len(page.words["tr"]) == 1 + len(judged) - 2  # a row per column, none for score and decision
    assert [cell["scope"] for cell in page.found["th"]] == ["col"] * 7 + ["row"] * (len(judged) - 2)
    assert page.words["caption"][0]
    no_pictures = judged.assign(status="stable")
    real = write_drift_report({**verdict, "source": "home_credit"}, no_pictures, odd, scores, OPTIONS, figures)
    assert said not in real


def test_a_picture_of_the_report_says_in_words_what_it_shows(few_columns: pd.DataFrame) -> None:
    new = few_columns["SAMPLE"] == "new"
    odd = few_columns.assign(NAME_HOUSING_TYPE=np.where(new, "With parents", "House / apartment"))
    judged, scores = judge(odd), with_scores(odd)
    verdict = judge_drift(judged, scores, odd, FOLDER, OPTIONS, "synthetic")
    figures = FigureOptions(language="fr", source="synthetic")
    pictures = _Page(write_drift_report(verdict, judged, odd, scores, OPTIONS, figures)).found["img"]
    (told,) = [str(picture["alt"]) for picture in pictures if "chez ses parents" in str(picture["alt"])]
    assert "chez ses parents : 0,0\xa0% → 100,0\xa0%" in told


@pytest.mark.parametrize(
    ("language", "told", "drawn", "limits"),
    [
        ("en", "yes: 0.0% → 100.0% (+100.0 points)", "yes: 0.0% → 100.0%", "limits 3 and 6 points"),
        ("fr", "oui : 0,0\xa0% → 100,0\xa0% (+100,0 points)", "oui : 0,0\xa0% → 100,0\xa0%", "limites 3 et 6 points"),
    ],
)
def test_rates_are_told_in_percentage_points(
    few_columns: pd.DataFrame, language: str, told: str, drawn: str, limits: str
) -> None:
    odd = few_columns.assign(FLAG_EMAIL=np.where(few_columns["SAMPLE"] == "new", 1.0, 0.0))
    judged, scores = judge(odd), with_scores(odd)
    verdict = judge_drift(judged, scores, odd, FOLDER, OPTIONS, "synthetic")
    page = _Page(
        write_drift_report(verdict, judged, odd, scores, OPTIONS, FigureOptions(language=language, source="x"))
    )
    assert any(told in facts for facts in page.words["li"])
    assert any(drawn in str(picture["alt"]) for picture in page.found["img"])
    assert any(limits in " ".join(text.split()) for text in page.words["p"])
    refused = verdict["refused_share"]
    moved = FigureOptions(language=language, source="x").number(100 * (refused["new"] - refused["reference"]), "+.1f")
    assert any(f"{moved} points" in note for note in page.words["dd"])


def test_the_same_measures_give_the_same_report(few_columns: pd.DataFrame) -> None:
    judged, scores = judge(few_columns), with_scores(few_columns)
    assert {"EXT_SOURCE_1", "FLAG_EMAIL"} <= set(judged.loc[judged["status"] != "stable", "variable"])
    verdict = judge_drift(judged, scores, few_columns, FOLDER, OPTIONS, "synthetic")
    figures = FigureOptions(source="synthetic")
    once, again = (write_drift_report(verdict, judged, few_columns, scores, OPTIONS, figures) for _ in range(2))
    assert once == again


WEEK = {"model": "abc", "approval_rate": 0.8, "review_rate": 0.1, "override_rate": None, "waiting": 3}
RECORDED = {
    "weeks": [
        {"week": "2026-11-16", "n": 1200, **WEEK, "mean_probability": 0.08, "psi": None, "psi_p": None},
        {"week": "2026-11-23", "n": 300, **WEEK, "mean_probability": 0.12, "psi": 0.31, "psi_p": 0.0},
    ],
    "reasons": [
        {"week": "2026-11-16", "told": 100, "reason": "You <paid> … % late.", "share": 0.4},
        {"week": "2026-11-16", "told": 100, "reason": "You have … credits.", "share": 0.3},
        {"week": "2026-11-23", "told": 50, "reason": "You have … credits.", "share": 0.5},
    ],
    "challengers": [
        {"champion": "a" * 64, "challenger": "b" * 64, "n": 40, "agreement": 0.95, "gap": -0.01, "n_known": 0,
         "auc_champion": None, "auc_challenger": None, "cost_champion": 0.5, "cost_challenger": 0.25}
    ],
}  # fmt: skip


def test_what_the_decision_log_shows_is_a_section_of_the_report(few_columns: pd.DataFrame) -> None:
    judged, scores = judge(few_columns).assign(status="stable"), with_scores(few_columns)
    verdict = judge_drift(judged, scores, few_columns, FOLDER, OPTIONS, "synthetic")

    def written(recorded: dict) -> _Page:
        figures = FigureOptions(language="en", source="synthetic")
        return _Page(write_drift_report(verdict, judged, few_columns, scores, OPTIONS, figures, recorded))

    without, page = written({}), written(RECORDED)
    assert not any("Decisions on record" in words for words in without.words["h2"])
    assert any("Decisions on record" in words for words in page.words["h2"])
    assert page.words["h1"] == without.words["h1"]
    added = [" ".join(row.split()) for row in page.words["tr"] if row not in without.words["tr"]]
    assert added == [
        "WeekDecisionsApprovedFor manual reviewOverriddenWaitingMean PDPSIBy chance",
        "2026-11-23abc 30080.0%10.0% –312.00% 0.3100.000",
        "2026-11-16abc 1,20080.0%10.0% –38.00% ––",
        "Reason 2026-11-23 2026-11-16",
        "You have … credits.50.0%30.0%",
        "You <paid> … % late.–40.0%",
        "ModelsDecisionsSame decisionMean gap of PDWith outcomeAUCCost per decision",
        "aaaaaaaaaaaa → bbbbbbbbbbbb 4095.0%−0.01000 – 0.500 → 0.250",
    ]
    (caption,) = (words for words in page.words["caption"] if "reason against the applicant" in words)
    assert "the last 500 of each week" in caption
    assert "not among the five most frequent of that week, or was not given at all" in caption
    weeks = [f"2026-{month}-01" for month in range(10, 1, -1)]
    told = {"reasons": [{"week": week, "told": 9, "reason": "You have … credits.", "share": 0.5} for week in weeks]}
    (row,) = (row for row in written(RECORDED | told).words["tr"] if "You have … credits." in row)
    assert row.count("50.0%") == len(weeks)
    nothing = written({"weeks": [], "reasons": [], "challengers": []})
    assert any("No decision was recorded" in words for words in nothing.words["p"])
    assert len(nothing.found["table"]) == 1


def test_a_decision_log_that_is_not_asked_for_is_not_imported() -> None:
    code = (
        "import sys\n"
        "from credit_scoring.metrics.cost import MisclassificationCosts\n"
        "from credit_scoring.pipelines.monitoring import create_pipeline, nodes, options\n"
        "create_pipeline()\n"
        "told = nodes.read_recorded_decisions(options.MonitoringOptions(), MisclassificationCosts())\n"
        "assert told == {}\n"
        "print([name for name in sys.modules if 'decision_log' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_decision_log_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DECISION_LOG_URL", f"sqlite:///{tmp_path}/none.db")
    options = MonitoringOptions(decision_log_weeks=4)
    with pytest.raises(LogError, match=r"There is no decision log .*none\.db[^$]*Hint"):
        read_recorded_decisions(options, MisclassificationCosts())
