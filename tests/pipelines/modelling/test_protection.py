"""No candidate sees what is protected; what that costs is measured on the folds of the comparison."""

import logging
from typing import Any

import numpy as np
import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from optuna.storages import InMemoryStorage
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold

from credit_scoring.metrics.cost import business_cost_loss
from credit_scoring.models import FAMILIES, family_class
from credit_scoring.models.row_options import OFF
from credit_scoring.pipeline_registry import register_pipelines
from credit_scoring.pipelines.modelling import create_pipeline
from credit_scoring.pipelines.modelling.comparison import cross_validate_candidates, select_champion
from credit_scoring.pipelines.modelling.nodes import fit_champion
from credit_scoring.pipelines.modelling.options import (
    ChampionOptions,
    CrossValidationOptions,
    DiagnosisOptions,
    TuningOptions,
)
from credit_scoring.pipelines.modelling.protection import leave_out_protected, measure_proxies, price_protection
from credit_scoring.protected import ProtectedOptions
from tests.pipelines.modelling.conftest import CANDIDATES, COSTS, FOLDS, SELECTION, draw_applicants

GENDER, NOTHING = ProtectedOptions(columns=("CODE_GENDER",)), ProtectedOptions(columns=())


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """The outcome hangs on a score and on gender, which the years in a job tell to some extent."""
    generator = np.random.default_rng(11)
    drawn = draw_applicants(generator)
    n = len(drawn)
    return drawn.assign(
        NAME_FAMILY_STATUS=generator.choice(["Married", "Widow"], n),
        DAYS_EMPLOYED=generator.normal(size=n) + (drawn["CODE_GENDER"] == "F"),
        APPLICATION_FIELDS_NULL_COUNT=generator.integers(0, 9, n),
    )


def compare(rows: pd.DataFrame, protected: ProtectedOptions) -> tuple[pd.DataFrame, dict[str, Any]]:
    predictions, results = cross_validate_candidates(
        leave_out_protected(rows, protected), CANDIDATES, SELECTION, FOLDS, COSTS
    )
    return predictions, select_champion(results, ChampionOptions(), FOLDS)


@pytest.fixture(scope="module")
def priced(rows: pd.DataFrame) -> tuple[dict[str, Any], pd.DataFrame, pd.DataFrame]:
    predictions, champion = compare(rows, GENDER)
    price, both = price_protection(rows, predictions, champion, GENDER, SELECTION, FOLDS, COSTS)
    return price, both, predictions


def test_protected_columns_and_what_derives_from_them_are_left_out(rows: pd.DataFrame) -> None:
    left = leave_out_protected(rows, ProtectedOptions())
    assert list(left.columns) == ["SK_ID_CURR", "TARGET", "EXT_SOURCE_2", "DAYS_EMPLOYED"]
    assert "CODE_GENDER" in rows.columns
    assert leave_out_protected(rows, NOTHING).equals(rows)


def test_no_fitted_candidate_learns_from_a_protected_column(
    rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every model of every family that the modelling pipeline fits, in search, folds, champion and other seeds."""
    fitted: list[tuple[str, list[str]]] = []
    original = {name: family_class(name).fit for name in FAMILIES}

    def spy(self: Any, X: pd.DataFrame, *arguments: Any, **named: Any) -> Any:
        fitted.append((type(self).__module__.rpartition(".")[2], list(X.columns)))
        return original[fitted[-1][0]](self, X, *arguments, **named)

    for name in FAMILIES:
        monkeypatch.setattr(family_class(name), "fit", spy)
    candidates = {name: {"family": name, "params": dict(family_class(name).test_params)} for name in FAMILIES}
    candidates["logistic_regression"]["tuned"] = True
    part = rows.assign(SPLIT=np.where(np.arange(len(rows)) % 5 == 0, "holdout", "train")).head(400)
    given = {
        "applicant_features@model_input": part,
        "applicant_features@outcomes": part,
        "history_rows": None,
        "params:row_models": OFF,
        "params:n_jobs": 1,
        "tuning_storage": InMemoryStorage(),
        "params:candidates": candidates,
        "params:selection": SELECTION,
        "params:tuning": TuningOptions(n_trials=2, n_folds=2),
        "params:cross_validation": FOLDS,
        "params:costs": COSTS,
        "params:protected": ProtectedOptions(),
        "params:champion": ChampionOptions(),
        "params:diagnosis": DiagnosisOptions(n_resamples=10),
    }
    catalog = DataCatalog({name: MemoryDataset(value, copy_mode="assign") for name, value in given.items()})
    served = create_pipeline().to_nodes("diagnose_champion", "measure_stability", "predict_holdout")
    SequentialRunner().run(served, catalog)
    assert {family for family, _ in fitted} == set(FAMILIES)
    assert {column for _, columns in fitted for column in columns} == {"EXT_SOURCE_2", "DAYS_EMPLOYED"}


def test_only_what_measures_groups_is_given_rows_with_protected_columns() -> None:
    """A node added to the pipelines gets no rows with all columns unless it is listed here."""
    nodes = [node for pipeline in register_pipelines().values() for node in pipeline.nodes]
    assert {node.name for node in nodes if "training_rows" in node.inputs} == {
        "leave_out_protected",
        "price_protection",  # fits with them, to compare; its models are kept nowhere
        "measure_proxies",
        "evaluate_amounts",
        "write_reason_book",
        "release_scorer",
        "measure_fairness",
        "compare_mitigations",
        "measure_protection_effect",
    }


def test_the_price_is_the_difference_on_the_folds_of_the_comparison(priced: Any, rows: pd.DataFrame) -> None:
    price, both, predictions = priced
    assert both["WITHOUT"].tolist() == predictions["logistic_regression"].tolist()
    target, fold = rows["TARGET"].to_numpy(), np.empty(len(rows), dtype=int)
    for number, (_, validation) in enumerate(StratifiedKFold(3, shuffle=True, random_state=0).split(rows, target)):
        fold[validation] = number
    assert (fold == predictions["FOLD"]).all()
    for metric, measure in (("roc_auc", roc_auc_score), ("log_loss", log_loss)):
        by_fold = {
            name: np.array([measure(target[fold == k], both.loc[fold == k, name]) for k in range(3)])
            for name in ("WITH", "WITHOUT")
        }
        assert price["with"][metric] == pytest.approx(by_fold["WITH"].mean())
        difference = by_fold["WITHOUT"] - by_fold["WITH"]
        assert price["difference"][metric]["estimate"] == pytest.approx(difference.mean())
        # Nadeau & Bengio for three folds; 4.302653 is Student's 0.975 quantile with two degrees of freedom
        half = 4.302653 * np.sqrt((1 / 3 + 1 / 2) * difference.var(ddof=1))
        assert price["difference"][metric]["high"] == pytest.approx(difference.mean() + half, abs=1e-6)
    for name in ("with", "without"):
        refused = both[f"REFUSED_{name.upper()}"].to_numpy()
        cost = np.mean([business_cost_loss(target[fold == k], refused[fold == k], COSTS) for k in range(3)])
        assert price[name]["business_cost"] == pytest.approx(cost)


def test_leaving_out_what_matters_has_a_price(priced: Any) -> None:
    price, both, _ = priced
    assert price["left_out"] == ["CODE_GENDER", "APPLICATION_FIELDS_NULL_COUNT"]
    assert price["picked"] == {"CODE_GENDER": 3, "APPLICATION_FIELDS_NULL_COUNT": 3}
    assert price["difference"]["roc_auc"]["high"] < 0
    assert price["difference"]["log_loss"]["low"] > 0
    assert len(both) == 1500


def test_the_model_without_does_not_know_the_attribute(priced: Any, rows: pd.DataFrame) -> None:
    swapped = rows.assign(CODE_GENDER=rows["CODE_GENDER"].map({"F": "M", "M": "F"}))
    predictions, champion = compare(swapped, GENDER)
    _, both = price_protection(swapped, predictions, champion, GENDER, SELECTION, FOLDS, COSTS)
    assert both["WITHOUT"].tolist() == priced[1]["WITHOUT"].tolist()


def test_where_nothing_is_protected_nothing_is_priced(rows: pd.DataFrame) -> None:
    predictions, champion = compare(rows, NOTHING)
    price, both = price_protection(rows, predictions, champion, NOTHING, SELECTION, FOLDS, COSTS)
    assert (price["protected"], price["left_out"], price["difference"]) == ([], [], {})
    assert len(both) == 0
    model, _ = fit_champion(rows, champion, [], SELECTION, FOLDS)
    assert "CODE_GENDER" in model.feature_names_in_
    assert measure_proxies(rows, model, NOTHING, FOLDS).empty


def test_other_folds_than_those_of_the_comparison_are_an_error(rows: pd.DataFrame) -> None:
    predictions, champion = compare(rows, GENDER)
    with pytest.raises(ValueError, match=r"(?s)folds of the comparison.*Hint: `kedro run --pipelines modelling`"):
        price_protection(
            rows, predictions, champion, GENDER, SELECTION, CrossValidationOptions(n_folds=4, seed=0), COSTS
        )


def test_what_other_columns_know_of_an_attribute_is_measured(rows: pd.DataFrame) -> None:
    protected = ProtectedOptions()
    _, champion = compare(rows, protected)
    model, _ = fit_champion(leave_out_protected(rows, protected), champion, [], SELECTION, FOLDS)
    table = measure_proxies(rows, model, protected, FOLDS).set_index("attribute")
    gender, family = table.loc["CODE_GENDER"], table.loc["NAME_FAMILY_STATUS"]
    # One of two groups is told. A normal shifted by its standard deviation has an AUC of Phi(1 / sqrt 2) = 0.760.
    assert (gender["group"], gender["applicants"]) == ("F", (rows["CODE_GENDER"] == "F").sum())
    assert 0.70 < gender["roc_auc"] < 0.80
    assert gender["low"] < gender["roc_auc"] < gender["high"]
    assert family["low"] < 0.5 < family["high"]  # of a coin, columns know nothing


def test_of_a_handful_no_proxy_is_measured(rows: pd.DataFrame) -> None:
    protected = ProtectedOptions(columns=("NAME_FAMILY_STATUS",), min_group=1000)
    _, champion = compare(rows, protected)
    model, _ = fit_champion(leave_out_protected(rows, protected), champion, [], SELECTION, FOLDS)
    assert measure_proxies(rows, model, protected, FOLDS).empty


def test_a_group_is_as_large_as_the_sample_has_of_it(rows: pd.DataFrame) -> None:
    statuses = np.where(np.arange(len(rows)) % 25 == 0, "Widow", rows["NAME_FAMILY_STATUS"].replace("Widow", "Single"))
    rows = rows.assign(NAME_FAMILY_STATUS=statuses)  # of 60 widows, some 20 among 500 rows

    protected = ProtectedOptions(columns=("NAME_FAMILY_STATUS",), min_group=50, max_rows=500)
    _, champion = compare(rows, protected)
    model, _ = fit_champion(leave_out_protected(rows, protected), champion, [], SELECTION, FOLDS)
    table = measure_proxies(rows, model, protected, FOLDS)
    assert table["group"].tolist() == ["Married"]  # of two that are left, one is told
    assert 200 < table["applicants"].item() < 300
    whole = measure_proxies(rows, model, protected.model_copy(update={"max_rows": 1500}), FOLDS)
    assert whole.set_index("group").loc["Widow", "applicants"] == 60


def test_target_features_of_a_protected_column_are_told_and_left_out(
    rows: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    candidates = {**CANDIDATES, "similar": {**CANDIDATES["logistic_regression"], "target_features": True}}
    with caplog.at_level(logging.ERROR):
        _, results = cross_validate_candidates(leave_out_protected(rows, GENDER), candidates, SELECTION, FOLDS, COSTS)
    assert [result["name"] for result in results if result["error"]] == ["similar"]
    assert "if one is protected, leave out `target_features`" in caplog.text


def test_two_processes_measure_what_one_does(
    rows: pd.DataFrame, priced: tuple[dict[str, Any], pd.DataFrame, pd.DataFrame]
) -> None:
    price, both, predictions = priced
    _, champion = compare(rows, GENDER)
    again = price_protection(rows, predictions, champion, GENDER, SELECTION, FOLDS, COSTS, n_jobs=2)
    assert again[0] == price
    pd.testing.assert_frame_equal(again[1], both, check_exact=True)
    model, _ = fit_champion(leave_out_protected(rows, GENDER), champion, [], SELECTION, FOLDS)
    one, two = (measure_proxies(rows, model, GENDER, FOLDS, n_jobs) for n_jobs in (1, 2))
    pd.testing.assert_frame_equal(one, two, check_exact=True)
