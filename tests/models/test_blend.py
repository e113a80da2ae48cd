"""A blend is the average of its members, whoever of them is there."""

import logging
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit

from credit_scoring.models import ScoringModel, build_model, fit_model
from credit_scoring.models.base import CodedModel
from credit_scoring.models.imbalance import rebalance
from credit_scoring.models.target_features import TARGET_FEATURE_SOURCES
from credit_scoring.pipelines.modelling.options import read_candidates

LIGHTGBM = {"n_estimators": 15, "min_child_samples": 5, "subsample": 0.7, "subsample_freq": 1, "n_jobs": 1}
XGBOOST = {"n_estimators": 15, "max_depth": 2, "n_jobs": 1}
MEMBERS: dict[str, dict[str, Any]] = {
    "lgb": {"family": "lightgbm", "params": LIGHTGBM},
    "xgb": {"family": "xgboost", "params": XGBOOST},
    "lr": {"family": "logistic_regression", "params": {"C": 0.1}},
}


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    generator = np.random.default_rng(4)
    n = 400
    frame = pd.DataFrame(generator.normal(size=(n, 4)), columns=["A", "B", "C", "D"])
    frame.loc[generator.random(n) < 0.3, "B"] = np.nan
    frame["KIND"] = generator.choice(["x", "y", None], n)
    frame["ONCE"] = np.where(np.arange(n) == 0, "alone", "shared")
    target = (2 * frame["A"] + (frame["KIND"] == "x") + generator.normal(size=n) > 1.5).astype(int)
    return frame.assign(TARGET=target)


@pytest.fixture(scope="module")
def X(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.drop(columns="TARGET")


@pytest.fixture(scope="module")
def y(rows: pd.DataFrame) -> pd.Series:
    return rows["TARGET"]


def blend(X: pd.DataFrame, y: pd.Series, members: dict[str, Any] = MEMBERS, **options: Any) -> ScoringModel:
    return fit_model("blend", {"members": members}, X, y, **options)


def log_odds(model: ScoringModel, X: pd.DataFrame) -> np.ndarray:
    return logit(model.predict_proba(X)[:, 1])


def test_log_odds_and_contributions_are_the_mean_of_the_members(X: pd.DataFrame, y: pd.Series) -> None:
    model = blend(X, y)
    alone = [build_model(member["family"], member["params"]).fit(X, y) for member in MEMBERS.values()]
    expected = np.mean([log_odds(member, X) for member in alone], axis=0)
    np.testing.assert_allclose(log_odds(model, X), expected, rtol=1e-12)
    values, bases = zip(*(member.contributions(X) for member in alone), strict=True)
    contributions, base = model.contributions(X)
    np.testing.assert_allclose(contributions, np.mean([value.to_numpy() for value in values], axis=0), atol=1e-12)
    assert base == pytest.approx(np.mean(bases), rel=1e-12)
    np.testing.assert_allclose(base + contributions.sum(axis=1), log_odds(model, X), rtol=1e-9)


def test_members_fitted_at_once_are_the_same_to_the_last_bit(X: pd.DataFrame, y: pd.Series) -> None:
    members = {**MEMBERS, "lgb": {**MEMBERS["lgb"], "n_seeds": 2}}
    one, *others = (fit_model("blend", {"members": members, "n_jobs": n}, X, y) for n in (1, 3, 0, -1))
    for other in others:
        assert list(other.fits_) == list(one.fits_) == list(MEMBERS)
        np.testing.assert_array_equal(other.predict_proba(X), one.predict_proba(X))


def test_each_member_counts_alike_however_many_seeds_stand_for_it(X: pd.DataFrame, y: pd.Series) -> None:
    model = blend(X, y, {**MEMBERS, "lgb": {**MEMBERS["lgb"], "n_seeds": 3}})
    seeds = [build_model("lightgbm", {**LIGHTGBM, "random_state": seed}).fit(X, y) for seed in range(3)]
    assert not np.array_equal(log_odds(seeds[0], X), log_odds(seeds[1], X))
    others = [build_model(MEMBERS[name]["family"], MEMBERS[name]["params"]).fit(X, y) for name in ("xgb", "lr")]
    averaged = np.mean([log_odds(seed, X) for seed in seeds], axis=0)
    expected = (averaged + log_odds(others[0], X) + log_odds(others[1], X)) / 3
    np.testing.assert_allclose(log_odds(model, X), expected, rtol=1e-12)


def test_seeds_go_on_from_the_one_that_is_set(X: pd.DataFrame, y: pd.Series) -> None:
    model = blend(X, y, {**MEMBERS, "lgb": {**MEMBERS["lgb"], "params": {**LIGHTGBM, "random_state": 7}, "n_seeds": 2}})
    assert [fit.get_params()["random_state"] for fit in model.fits_["lgb"]] == [7, 8]


def test_a_member_is_given_the_columns_that_help_most_and_no_others(X: pd.DataFrame, y: pd.Series) -> None:
    model = blend(X, y, {**MEMBERS, "lr": {**MEMBERS["lr"], "max_features": 2}})
    (member,) = model.fits_["lr"]
    assert list(member.feature_names_in_) == ["A", "KIND"]
    assert list(model.fits_["xgb"][0].feature_names_in_) == list(X.columns)
    contributions, base = model.contributions(X)
    np.testing.assert_allclose(base + contributions.sum(axis=1), log_odds(model, X), rtol=1e-9)


def test_a_blend_asks_for_the_columns_of_its_members_and_no_others(X: pd.DataFrame, y: pd.Series) -> None:
    model = blend(X, y, {name: {**MEMBERS[name], "max_features": 2} for name in ("xgb", "lr")})
    assert list(model.feature_names_in_) == ["A", "KIND"]
    known = X[["A", "KIND"]]
    assert np.array_equal(model.predict_proba(known), model.predict_proba(X))
    assert np.array_equal(model.predict_coded(model.codes_.transform(known)), model.predict_proba(X)[:, 1])
    assert list(model.contributions(X)[0].columns) == ["A", "KIND"]


def test_a_scorecard_is_a_member_with_the_few_columns_of_its_card(X: pd.DataFrame, y: pd.Series) -> None:
    card = {"family": "scorecard", "params": {"C": 1.0}}
    model = blend(X, y, {"card": card, "lr": {**MEMBERS["lr"], "max_features": 2}})
    (member,) = model.fits_["card"]
    assert set(model.feature_names_in_) == {*member.feature_names_in_, "A", "KIND"}
    seen = X.head(3).assign(KIND=["new", None, "x"])
    contributions, base = model.contributions(seen)
    np.testing.assert_allclose(base + contributions.sum(axis=1), log_odds(model, seen), rtol=1e-9)
    expected = np.mean([log_odds(fit, seen) for fits in model.fits_.values() for fit in fits], axis=0)
    np.testing.assert_allclose(log_odds(model, seen), expected, rtol=1e-9)
    assert np.array_equal(
        model.predict_coded(model.codes_.transform(model.explained_features(seen))), model.predict_proba(seen)[:, 1]
    )


@pytest.mark.parametrize("imbalance", ["none", "class_weight", "smote", "random_over", "random_under"])
@pytest.mark.parametrize("stopping", [None, 5])
def test_coded_rows_score_as_tables_do_even_where_members_saw_other_categories(
    X: pd.DataFrame, y: pd.Series, imbalance: str, stopping: int | None
) -> None:
    """One category stands in a single row, which under-sampling or a member's validation may take away."""
    members = {
        "lgb": {**MEMBERS["lgb"], "n_seeds": 2},
        "xgb": {"family": "xgboost", "params": {**XGBOOST, "early_stopping_rounds": stopping}, "n_seeds": 3},
        "lr": {**MEMBERS["lr"], "max_features": 3},
    }
    model = blend(X, y, members, imbalance=imbalance)
    assert isinstance(model, CodedModel)
    strange = X.head(3).assign(KIND=["never seen", None, "x"], ONCE=[None, "never seen", "alone"])
    asked = pd.concat([X, strange], ignore_index=True)
    encoded = model.codes_.transform(asked)
    assert np.array_equal(model.predict_coded(encoded), model.predict_proba(asked)[:, 1])
    assert np.array_equal(
        np.concatenate([model.predict_coded(encoded[[i]]) for i in range(len(asked))]), model.predict_coded(encoded)
    )
    values, base = model.contributions_coded(encoded)
    expected, expected_base = model.contributions(asked)
    assert np.array_equal(values, expected.to_numpy())
    assert base == expected_base
    np.testing.assert_allclose(base + values.sum(axis=1), logit(model.predict_coded(encoded)), rtol=1e-9, atol=1e-9)


def test_rows_are_rebalanced_once_and_anew_for_a_member_that_stops_early(X: pd.DataFrame, y: pd.Series) -> None:
    asked: list[int] = []

    def note(part: pd.DataFrame, outcomes: np.ndarray) -> Any:
        asked.append(len(part))
        return rebalance(part, outcomes, "random_over")

    early = {"family": "xgboost", "params": {**XGBOOST, "early_stopping_rounds": 5, "validation_share": 0.2}}
    model = build_model("blend", {"members": {**MEMBERS, "early": early}}).fit(X, y, note)
    assert asked == [400, 320]
    alone = build_model("lightgbm", LIGHTGBM).fit(X, y, lambda part, outcomes: rebalance(part, outcomes, "random_over"))
    assert np.array_equal(model.fits_["lgb"][0].predict_proba(X), alone.predict_proba(X))


def test_the_fingerprint_names_members_parameters_and_seeds(X: pd.DataFrame, y: pd.Series) -> None:
    prints = {
        blend(X, y, members).fingerprint_
        for members in (
            MEMBERS,
            {**MEMBERS, "lr": {**MEMBERS["lr"], "params": {"C": 0.2}}},
            {**MEMBERS, "lr": {**MEMBERS["lr"], "max_features": 2}},
            {**MEMBERS, "lgb": {**MEMBERS["lgb"], "n_seeds": 2}},
        )
    }
    assert len(prints) == 4
    assert blend(X, y).fingerprint_ in prints


def test_a_member_that_cannot_be_imported_is_named_and_the_others_go_on(
    X: pd.DataFrame, y: pd.Series, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "xgboost", None)
    with caplog.at_level(logging.WARNING):
        model = blend(X, y)
    assert "Member xgb of the blend cannot be fitted and is left out: Model family 'xgboost' needs" in caplog.text
    assert list(model.left_out_) == ["xgb"]
    assert model.left_out_["xgb"].startswith("FamilyUnavailableError: Model family 'xgboost' needs xgboost")
    assert model.libraries == ("lightgbm",)
    two = [build_model(MEMBERS[name]["family"], MEMBERS[name]["params"]).fit(X, y) for name in ("lgb", "lr")]
    np.testing.assert_allclose(log_odds(model, X), np.mean([log_odds(m, X) for m in two], axis=0), rtol=1e-12)


def test_one_member_is_no_blend(X: pd.DataFrame, y: pd.Series, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = {"family": "lightgbm", "params": {"num_leaves": -1}}
    monkeypatch.setitem(sys.modules, "xgboost", None)
    with pytest.raises(ValueError, match="A blend needs two members, 1 of 3 could be fitted") as caught:
        blend(X, y, {"broken": broken, "xgb": MEMBERS["xgb"], "lr": MEMBERS["lr"]})
    assert "- broken: LightGBMError" in str(caught.value)
    assert "- xgb: FamilyUnavailableError" in str(caught.value)


def test_libraries_are_those_of_the_members_target_features_included(X: pd.DataFrame, y: pd.Series) -> None:
    assert blend(X, y).libraries == ("lightgbm", "xgboost")
    assert blend(X, y, {name: MEMBERS[name] for name in ("xgb", "lr")}).libraries == ("xgboost",)
    sources = X.assign(
        **dict.fromkeys(TARGET_FEATURE_SOURCES[:4], 0.5), **dict.fromkeys(TARGET_FEATURE_SOURCES[4:], "a")
    )
    assert blend(sources, y, target_features=True).libraries == ("lightgbm", "xgboost")


FEW = {"lr": MEMBERS["lr"]}


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({}, "members: a blend needs two at least, found none"),
        (FEW, "members: a blend needs two at least, found lr"),
        ({**FEW, "b": {"family": "blend"}}, r"members\.b\.family: blend, expected one of dummy, "),
        ({**FEW, "b": {"family": "oracle"}}, r"members\.b\.family: oracle, expected one of dummy, "),
        ({**FEW, "b": {"params": {}}}, r"members\.b\.family: None, expected one of"),
        ({**FEW, "b": {"family": "dummy", "weight": 2}}, r"members\.b: weight is not known, expected family, params"),
        (
            {**FEW, "b": {"family": "xgboost", "params": {"depth": 3}}},
            r"members\.b\.params: .*depth is not known",
        ),
        ({**FEW, "b": {"family": "xgboost", "n_seeds": 0}}, r"members\.b\.n_seeds: 0, expected a whole number above 0"),
        ({**FEW, "b": {"family": "xgboost", "max_features": 0.5}}, r"members\.b\.max_features: 0.5, expected a whole"),
        (
            {"lr": {**FEW["lr"], "n_seeds": 2}},
            r"lr\.n_seeds: 2, expected 1, since logistic_regression has no",
        ),
        ({"a": {"family": "dummy", "n_seeds": 2}, "b": {"candidate": "dummy"}}, r"b: candidate is not known"),
    ],
)
def test_what_no_blend_can_be_made_of_is_refused_when_it_is_built(members: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=f"Model family 'blend' does not take these parameters: .*{said}"):
        build_model("blend", {"members": members})


CANDIDATES: dict[str, Any] = {
    "lr": {"family": "logistic_regression", "params": {"C": 0.1}, "imbalance": ["none", "smote"], "tuned": True},
    "bare": {"family": "random_forest"},
    "kept": {"family": "lightgbm", "monotone": True},
    "only": {"family": "lightgbm", "monotone": [True]},
}


def read_blend(members: Any, **options: Any) -> dict[str, Any]:
    candidates = {**CANDIDATES, "blend": {"family": "blend", "params": {"members": members}, **options}}
    return {name: candidate.params for name, candidate in read_candidates(candidates).items()}


def test_a_member_that_names_a_candidate_has_its_family_and_parameters() -> None:
    named = {"a": {"candidate": "lr", "max_features": 9}, "b": {"candidate": "bare", "n_seeds": 2}}
    read = read_blend({**named, "c": MEMBERS["lgb"]}, imbalance=["none", "class_weight"])
    assert (
        read["blend"]
        == read["blend_class_weight"]
        == {
            "members": {
                "a": {"family": "logistic_regression", "params": {"C": 0.1}, "max_features": 9},
                "b": {"family": "random_forest", "params": {}, "n_seeds": 2},
                "c": MEMBERS["lgb"],
            }
        }
    )
    assert read["lr"] == {"C": 0.1}


@pytest.mark.parametrize(
    ("members", "said"),
    [
        (None, "members: None, expected each by its name"),
        (["lr", "bare"], r"members: \['lr', 'bare'\], expected each by its name"),
        (
            {"a": {"candidate": "lgb"}, "b": {"candidate": "lr"}},
            r"members\.a\.candidate: lgb, expected one of lr, bare, kept, only",
        ),
        ({"a": {"candidate": "lr", "params": {"C": 1}}, "b": {"candidate": "bare"}}, "without `family` or `params`"),
        ({"a": {"candidate": "lr"}, "b": {"candidate": "kept"}}, r"members\.b\.candidate: kept is monotone, which"),
        ({"a": {"candidate": "lr"}, "b": {"candidate": "only"}}, r"members\.b\.candidate: only is monotone, which"),
        ({"a": {"candidate": "lr"}}, "a blend needs two at least, found a"),
        ({"a": {"candidate": "lr"}, "b": {"candidate": "blend"}}, r"members\.b\.family: blend, expected one of"),
        (
            {"a": {"candidate": "lr"}, "b": {"family": "mlp", "params": {"units": 3}}},
            r"members\.b\.params: .*units is not known",
        ),
    ],
)
def test_members_that_cannot_be_read_are_an_error_at_the_start(members: Any, said: str) -> None:
    with pytest.raises(ValueError, match=rf"Candidates that cannot be read:\n  - candidates\.blend\.params: .*{said}"):
        read_blend(members)
