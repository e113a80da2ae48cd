"""Every family keeps the promises of `ScoringModel`."""

import subprocess
import sys
from importlib import import_module

import cloudpickle
import numpy as np
import pandas as pd
import pytest
from scipy.special import logit
from sklearn.base import clone
from sklearn.model_selection import ParameterGrid
from sklearn.neural_network import MLPClassifier
from xgboost import XGBClassifier

from credit_scoring import models
from credit_scoring.models import FAMILIES, FamilyUnavailableError, ScoringModel, build_model, family_class, fit_model
from credit_scoring.models.base import BoostedTrees, LibraryModel, TrainingRows
from credit_scoring.models.families.mlp import MLPModel
from credit_scoring.models.permutation import PermutationContributions
from credit_scoring.texts import LANGUAGES, texts_in


@pytest.fixture(scope="module")
def applicants() -> pd.DataFrame:
    """300 applicants: a useful number, a useful category, a number that is null half of the time, an empty column."""
    generator = np.random.default_rng(1)
    n = 300
    frame = pd.DataFrame(
        {
            "EXT_SOURCE_2": generator.random(n),
            "AMT_CREDIT": generator.lognormal(12, 1, n),
            "HALF_NULL": np.where(generator.random(n) < 0.5, np.nan, generator.normal(size=n)),
            "ALL_NULL": np.full(n, np.nan),
            "OCCUPATION_TYPE": generator.choice(["Drivers", "Managers", None], n),
        }
    )
    risk = -2 * frame["EXT_SOURCE_2"] + (frame["OCCUPATION_TYPE"] == "Drivers")
    return frame.assign(TARGET=(risk + generator.normal(0, 0.7, n) > -0.3).astype(int))


@pytest.fixture(scope="module", params=FAMILIES)
def fitted(request: pytest.FixtureRequest, applicants: pd.DataFrame) -> ScoringModel:
    """Return each family in turn, fitted."""
    return build_model(request.param, family_class(request.param).test_params).fit(
        applicants.drop(columns="TARGET"), applicants["TARGET"]
    )


@pytest.fixture(scope="module")
def X(applicants: pd.DataFrame) -> pd.DataFrame:
    return applicants.drop(columns="TARGET")


def test_probabilities_sum_to_one_and_learn(fitted: ScoringModel, X: pd.DataFrame, applicants: pd.DataFrame) -> None:
    probability = fitted.predict_proba(X)
    assert probability.shape == (300, 2)
    assert probability.sum(axis=1) == pytest.approx(1)
    bad, good = (probability[applicants["TARGET"] == outcome, 1].mean() for outcome in (1, 0))
    assert bad >= good


def test_row_order_and_batch_do_not_change_a_score(fitted: ScoringModel, X: pd.DataFrame) -> None:
    together = fitted.predict_proba(X)[:, 1]
    shuffled = X.sample(frac=1, random_state=3)
    assert np.array_equal(fitted.predict_proba(shuffled)[:, 1], together[shuffled.index])
    alone = np.concatenate([fitted.predict_proba(X.iloc[[i]])[:, 1] for i in range(20)])
    assert np.array_equal(alone, together[:20])


def test_columns_in_any_order_unknown_ignored_missing_null(fitted: ScoringModel, X: pd.DataFrame) -> None:
    expected = fitted.predict_proba(X.assign(HALF_NULL=np.nan, OCCUPATION_TYPE=None))
    reordered = X[X.columns[::-1]].drop(columns=["HALF_NULL", "OCCUPATION_TYPE"]).assign(EXTRA="x")
    assert np.array_equal(fitted.predict_proba(reordered), expected)


def test_unseen_category_scores_like_some_category_and_never_fails(fitted: ScoringModel, X: pd.DataFrame) -> None:
    probability = fitted.predict_proba(X.assign(OCCUPATION_TYPE="Astronaut"))[:, 1]
    assert np.isfinite(probability).all()


def test_an_applicant_of_whom_nothing_is_known_has_a_score(fitted: ScoringModel, X: pd.DataFrame) -> None:
    probability = fitted.predict_proba(pd.DataFrame(index=[7]))[:, 1]
    assert probability.shape == (1,)
    assert 0 < probability[0] < 1
    nobody = fitted.predict_proba(X.head(0))
    assert nobody.shape == (0, 2)


def test_contributions_add_up_to_the_log_odds(fitted: ScoringModel, X: pd.DataFrame) -> None:
    X = X.tail(25)
    contributions, base = fitted.contributions(X)
    probability = fitted.predict_proba(X)[:, 1]
    assert list(contributions.columns) == list(fitted.feature_names_in_)
    assert base + contributions.sum(axis=1).to_numpy() == pytest.approx(np.log(probability / (1 - probability)))


def test_numbers_of_any_size_are_scored_and_explained(fitted: ScoringModel, X: pd.DataFrame) -> None:
    """Beyond single precision, in which some trees compare, as at its end."""
    beyond, end = ([value, -value] * 20 for value in (np.inf, float(np.finfo(np.float32).max)))
    rows, at_end = (X.head(40).assign(AMT_CREDIT=values, EXT_SOURCE_2=values) for values in (beyond, end))
    probability = fitted.predict_proba(rows)[:, 1]
    assert probability.tolist() == fitted.predict_proba(at_end)[:, 1].tolist()
    values, base = fitted.contributions(rows)
    assert values.sum(axis=1).to_numpy() + base == pytest.approx(logit(probability))


def test_a_pickle_gives_the_same_scores(fitted: ScoringModel, X: pd.DataFrame) -> None:
    assert np.array_equal(cloudpickle.loads(cloudpickle.dumps(fitted)).predict_proba(X), fitted.predict_proba(X))


def test_a_clone_has_the_parameters_and_is_unfitted(fitted: ScoringModel) -> None:
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    assert not hasattr(copy, "feature_names_in_")


def test_same_rows_same_model(fitted: ScoringModel, X: pd.DataFrame, applicants: pd.DataFrame) -> None:
    again = clone(fitted).fit(X, applicants["TARGET"])
    assert np.array_equal(again.predict_proba(X), fitted.predict_proba(X))


def test_contributions_do_not_depend_on_the_other_rows(fitted: ScoringModel, X: pd.DataFrame) -> None:
    together, base = fitted.contributions(X.head(5))
    alone, base_alone = fitted.contributions(X.iloc[[3]])
    assert base == base_alone
    np.testing.assert_allclose(alone.iloc[0], together.iloc[3], atol=1e-12)
    assert list(alone.index) == [3]


def test_what_says_nothing_contributes_nothing(fitted: ScoringModel, X: pd.DataFrame) -> None:
    contributions, _ = fitted.contributions(X.head(3))
    assert (contributions.reindex(columns=X.columns, fill_value=0)["ALL_NULL"] == 0).all()  # or is not read at all


def test_explaining_leaves_the_global_generator_alone(fitted: ScoringModel, X: pd.DataFrame) -> None:
    np.random.seed(5)
    expected = np.random.random()
    np.random.seed(5)
    fitted.contributions(X.head(1))
    assert np.random.random() == expected


def test_permutation_values_are_exact_where_features_do_not_interact(X: pd.DataFrame, applicants: pd.DataFrame) -> None:
    """A network whose units are all active is linear: its Shapley values against the background are known."""
    model = build_model("mlp", MLPModel.test_params).fit(X, applicants["TARGET"])
    assert isinstance(model, MLPModel)
    model.weights_[0][:] = 0.1
    model.biases_[0][:] = 100.0
    slope = 0.1 * model.weights_[1].sum()
    model.biases_[1] = -100.0 * model.weights_[1].sum(axis=0)
    contributions, _ = model.contributions(X.head(4))

    def by_feature(rows: pd.DataFrame) -> np.ndarray:
        terms = model.terms_.transform(rows)
        return np.stack([terms[:, model.terms_.sources_ == i].sum(axis=1) for i in range(X.shape[1])], axis=1)

    expected = slope * (by_feature(X.head(4)) - by_feature(model.background_).mean(axis=0))
    np.testing.assert_allclose(contributions.to_numpy(), expected, atol=1e-9)


def test_the_network_says_what_scikit_learn_would(X: pd.DataFrame, applicants: pd.DataFrame) -> None:
    model = build_model("mlp", {"early_stopping_rounds": None, "max_iter": 7, "n_layers": 2, "hidden_units": 5})
    model.fit(X, applicants["TARGET"])
    terms = model.terms_.transform(X)
    peer = MLPClassifier((5, 5), alpha=0.01, batch_size=256, random_state=0)
    for _ in range(7):
        peer.partial_fit(terms, applicants["TARGET"], classes=[0, 1])
    np.testing.assert_allclose(model.predict_proba(X), peer.predict_proba(terms), rtol=1e-10)


def test_forests_keep_away_from_certainty(X: pd.DataFrame, applicants: pd.DataFrame) -> None:
    forest = build_model("random_forest", {"n_estimators": 3, "bootstrap": False})  # overfits
    probability = forest.fit(X, applicants["TARGET"]).predict_proba(X)[:, 1]
    assert probability.min() == pytest.approx(1 / 302)
    assert probability.max() == pytest.approx(301 / 302)
    contributions, base = forest.contributions(X.head(2))
    odds = probability[:2] / (1 - probability[:2])
    assert base + contributions.sum(axis=1).to_numpy() == pytest.approx(np.log(odds))


def test_lightgbm_learns_the_same_trees_with_any_number_of_threads() -> None:
    generator = np.random.default_rng(0)
    rows = pd.DataFrame(generator.normal(size=(5000, 12))).add_prefix("COLUMN_")
    outcomes = (rows["COLUMN_0"] + generator.normal(size=5000) > 1.5).astype(int)
    params = {"n_estimators": 8, "subsample": 0.8, "subsample_freq": 1, "colsample_bytree": 0.5, "random_state": 0}
    one, two = (build_model("lightgbm", {**params, "n_jobs": n}).fit(rows, outcomes) for n in (1, 2))
    np.testing.assert_array_equal(one.predict_proba(rows), two.predict_proba(rows))


def test_extra_trees_are_a_kind_of_forest(X: pd.DataFrame, applicants: pd.DataFrame) -> None:
    params = {"n_estimators": 5, "min_samples_leaf": 5}
    random, extra = (
        build_model("random_forest", {"kind": kind, **params}).fit(X, applicants["TARGET"])
        for kind in ("random_forest", "extra_trees")
    )
    assert type(extra.estimator_).__name__ == "ExtraTreesClassifier"
    assert not np.array_equal(random.predict_proba(X), extra.predict_proba(X))


STOPPING = {
    "lightgbm": {"n_estimators": 400, "learning_rate": 0.3, "min_child_samples": 5, "random_state": 1, "n_jobs": 1},
    "xgboost": {"n_estimators": 400, "learning_rate": 0.3, "random_state": 1, "n_jobs": 1},
    "mlp": {"max_iter": 150, "learning_rate_init": 0.03, "batch_size": 32, "random_state": 1},
}


@pytest.mark.parametrize("family", sorted(STOPPING))
def test_early_stopping_keeps_the_best_round_on_rows_set_aside(
    family: str, X: pd.DataFrame, applicants: pd.DataFrame
) -> None:
    y = applicants["TARGET"].to_numpy()
    seen: list[pd.Index] = []

    def note(rows: pd.DataFrame, outcomes: np.ndarray) -> TrainingRows:
        seen.append(rows.index)
        return TrainingRows(rows, outcomes)

    stopping = {"early_stopping_rounds": 10, "validation_share": 0.2}
    model = build_model(family, {**STOPPING[family], **stopping}).fit(X, y, note)
    assert len(seen[0]) == 240
    assert y[seen[0]].mean() == pytest.approx(y.mean(), abs=0.01)  # stratified
    validation = X.drop(index=seen[0])

    def loss(rounds: int) -> float:
        """Loss on the rows kept for validation of a model that is fitted on the others, for so many rounds."""
        size = "max_iter" if family == "mlp" else "n_estimators"
        peer = build_model(family, {**STOPPING[family], size: rounds, "early_stopping_rounds": None})
        p = peer.fit(X.loc[seen[0]], y[seen[0]]).predict_proba(validation)[:, 1]
        return float(-np.where(y[validation.index] == 1, np.log(p), np.log(1 - p)).mean())

    best = model.n_iterations_
    assert 1 < best < 140
    assert loss(best) <= min(loss(best - 1), loss(best + 1), loss(best + 9)) + 1e-6
    peer = build_model(family, {**STOPPING[family], "max_iter" if family == "mlp" else "n_estimators": best})
    peer.set_params(early_stopping_rounds=None)
    np.testing.assert_allclose(peer.fit(X.loc[seen[0]], y[seen[0]]).predict_proba(X), model.predict_proba(X), rtol=1e-5)


def test_xgboost_is_the_model_of_its_estimator_to_the_last_bit(X: pd.DataFrame, applicants: pd.DataFrame) -> None:
    params = {"n_estimators": 40, "subsample": 0.7, "colsample_bytree": 0.5, "max_bin": 64, "n_jobs": 1}
    weight = np.linspace(0.5, 2.0, len(X))
    model = build_model("xgboost", params).fit(
        X, applicants["TARGET"], lambda rows, outcomes: TrainingRows(rows, outcomes, weight)
    )
    types = ["c" if name == "OCCUPATION_TYPE" else "q" for name in X]
    peer = XGBClassifier(**params, random_state=0, tree_method="hist", enable_categorical=True, feature_types=types)
    peer.fit(model.codes_.transform(X), applicants["TARGET"], sample_weight=weight)
    margin = peer.get_booster().inplace_predict(model.codes_.transform(X), predict_type="margin")
    assert np.array_equal(logit(model.predict_proba(X)[:, 1]).astype(np.float32), margin.astype(np.float32))


def test_rows_set_aside_weigh_as_the_rows_learned_from(X: pd.DataFrame, applicants: pd.DataFrame) -> None:
    """Three defaults for one repaid: the loss on the rows kept for validation has to see that balance too."""
    captured: list[TrainingRows] = []

    class Capture(type(build_model("dummy", {}))):  # type: ignore[misc]
        early_stopping_rounds = 1

        def _fit(self, rows: TrainingRows, validation: TrainingRows | None) -> None:
            captured.extend([rows, validation])

    def triple(rows: pd.DataFrame, outcomes: np.ndarray) -> TrainingRows:
        share = outcomes.mean()
        return TrainingRows(rows, outcomes, np.where(outcomes == 1, 0.75 / share, 0.25 / (1 - share)))

    Capture().fit(X, applicants["TARGET"], triple)
    rows, validation = captured
    assert len(rows.y) == 270
    assert len(validation.y) == 30
    assert np.average(validation.y, weights=validation.sample_weight) == pytest.approx(0.75)
    assert validation.sample_weight.sum() == pytest.approx(30)


def test_too_few_rows_to_set_aside_is_said(X: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match=r"MLPModel cannot keep 0.1 of 6 rows with 1 defaults for validation"):
        build_model("mlp", {}).fit(X.head(6), [0, 0, 0, 0, 0, 1])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_one_record(family: str) -> None:
    module = import_module(f"credit_scoring.models.families.{family}")
    defined = [found for found in vars(module).values() if getattr(found, "__module__", "") == module.__name__]
    classes = [found for found in defined if isinstance(found, type)]
    assert classes == [family_class(family)]
    assert set(family_class(family).labels) == {"fr", "en"}


class MiddleTrial:
    """Suggests the middle of each range and the first of the choices."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        assert low < high
        return float(np.sqrt(low * high)) if log else (low + high) / 2

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        return round(self.suggest_float(name, low, high, log=log))

    def suggest_categorical(self, name: str, choices: list[object]) -> object:
        return choices[0]


@pytest.mark.parametrize("family", FAMILIES)
def test_what_a_search_suggests_can_be_built_and_learns(family: str, X: pd.DataFrame, applicants: pd.DataFrame) -> None:
    set_by_hand = family_class(family).test_params
    space = family_class(family).search_space(MiddleTrial(), set_by_hand)
    small = {"n_estimators": 20, "n_jobs": 1} if "n_estimators" in space else {}
    model = build_model(family, {**set_by_hand, **space, **small})
    probability = model.fit(X, applicants["TARGET"]).predict_proba(X)[:, 1]
    assert ((probability > 0) & (probability < 1)).all()
    combinations = list(ParameterGrid(family_class(family).grid()))
    assert 2 <= len(combinations) <= 8 if space else combinations == [{}]
    for texts in map(texts_in, LANGUAGES):  # the report names what the search changed
        assert all(texts.say(f"report.hyperparameter.{name}") for name in space.keys() | combinations[0].keys())
    for params in combinations:
        assert build_model(family, {**set_by_hand, **params}).get_params().items() >= params.items()


@pytest.mark.parametrize("family", ["xgboost", "lightgbm"])
def test_trees_are_counted_by_the_search_unless_training_stops_early(family: str) -> None:
    by_hand, early = (
        family_class(family).search_space(MiddleTrial(), {"early_stopping_rounds": rounds}) for rounds in (None, 100)
    )
    assert by_hand.keys() - early.keys() == {"n_estimators"}
    assert 100 <= by_hand["n_estimators"] <= 1000


def test_a_library_that_cannot_be_imported_takes_its_own_family_down_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xgboost", None)
    with pytest.raises(FamilyUnavailableError, match="'xgboost' needs xgboost, which cannot be imported") as caught:
        build_model("xgboost", {})
    assert (caught.value.family, caught.value.library) == ("xgboost", "xgboost")
    assert build_model("lightgbm", {}) is not None
    assert family_class("xgboost").labels["fr"] == "XGBoost"  # named all the same


def test_a_served_model_needs_the_library_of_its_own_family_alone(
    X: pd.DataFrame, applicants: pd.DataFrame, tmp_path
) -> None:
    model = fit_model("logistic_regression", {}, X, applicants["TARGET"], imbalance="class_weight")
    (tmp_path / "model.pkl").write_bytes(cloudpickle.dumps(model))
    script = (
        "import sys, pickle, pandas\n"
        "for name in ('lightgbm', 'xgboost', 'imblearn', 'shap', 'optuna', 'pydantic'): sys.modules[name] = None\n"
        f"model = pickle.load(open({str(tmp_path / 'model.pkl')!r}, 'rb'))\n"
        "print(repr(float(model.predict_proba(pandas.DataFrame({'EXT_SOURCE_2': [0.5]}))[0, 1])))\n"
        "from credit_scoring.models.calibration import Calibration\n"
        "assert Calibration.from_dict({'method': 'sigmoid', 'slope': 1, 'intercept': 0}).apply([0.5])[0] == 0.5\n"
    )
    answer = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert float(answer) == model.predict_proba(pd.DataFrame({"EXT_SOURCE_2": [0.5]}))[0, 1]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("target", [[0] * 300, [1] * 300, [0, 1, 2] * 100, [np.nan, 1.0, 0.0] * 100])
def test_a_target_that_is_not_both_0_and_1_is_refused(family: str, target: list[float], X: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="TARGET must hold both 0 and 1"):
        build_model(family, family_class(family).test_params).fit(X, target)


def test_an_unknown_family_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=f"expected one of {', '.join(FAMILIES)}"):
        build_model("lightgmb", {})


@pytest.mark.parametrize("family", FAMILIES)
def test_a_wrong_parameter_names_the_family(family: str) -> None:
    with pytest.raises(ValueError, match=f"'{family}' does not take"):
        build_model(family, {"no_such_parameter": 3})


@pytest.mark.parametrize(
    ("family", "wrong", "right"),
    [
        ("lightgbm", "num_leafs", "num_leaf"),
        ("xgboost", "max_dept", "max_depth"),
        ("random_forest", "n_estimator", "n_estimators"),
        ("logistic_regression", "maxiter", "max_iter"),
        ("mlp", "hidden_unit", "hidden_units"),
        ("scorecard", "max_variable", "max_variables"),
    ],
)
def test_a_misspelt_parameter_is_told_the_right_one(family: str, wrong: str, right: str) -> None:
    with pytest.raises(ValueError, match=f"{wrong} is not known, did you mean {right}?"):
        build_model(family, {wrong: 3})


def test_lightgbm_takes_the_names_that_the_library_calls_aliases() -> None:
    assert build_model("lightgbm", {"eta": 0.1, "max_leaves": 4, "path_smooth": 1.0}).get_params()["eta"] == 0.1


@pytest.mark.parametrize(
    ("base", "missing"),
    [
        (LibraryModel, "_contributions, _predict_default"),
        (PermutationContributions, "_predict_default"),
        (BoostedTrees, "contributions_coded, predict_coded"),
    ],
)
def test_a_family_that_is_not_finished_is_told_what_it_lacks(
    base: type[ScoringModel], missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfinished = type("UnfinishedModel", (base,), {})
    monkeypatch.setattr(models, "family_class", lambda _: unfinished)
    with pytest.raises(TypeError, match=rf"'unfinished': UnfinishedModel must define {missing}\.\nHint: add them"):
        build_model("unfinished", {})
