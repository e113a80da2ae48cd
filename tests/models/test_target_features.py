"""Features made of outcomes: right by hand, and blind to a row's own outcome."""

import cloudpickle
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold

from credit_scoring.models import ScoringModel, build_model, family_class, fit_model
from credit_scoring.models.base import TrainingRows
from credit_scoring.models.imbalance import rebalance
from credit_scoring.models.target_features import (
    TARGET_FEATURE_SOURCES,
    TARGET_FEATURES,
    TargetFeatureModel,
)


def applicants(n: int, seed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame(generator.random((n, 3)), columns=["EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3"])
    frame = frame.mask(generator.random((n, 3)) < [0.5, 0.01, 0.2])
    return frame.assign(
        APPLICATION_CREDIT_TO_ANNUITY_RATIO=generator.uniform(8, 36, n),
        OCCUPATION_TYPE=generator.choice(["Drivers", "Managers", "Cooks", None], n),
        ORGANIZATION_TYPE=generator.choice([f"Type {i}" for i in range(20)], n),
        AMT_CREDIT=generator.lognormal(12, 1, n),
    )


class Recorder(ScoringModel):
    """Keeps what it is given to learn from."""

    def _fit(self, rows: TrainingRows, validation: TrainingRows | None) -> None:
        self.rows_ = rows

    def _predict_default(self, X: pd.DataFrame) -> np.ndarray:
        return np.full(len(X), 0.5)

    def _contributions(self, X: pd.DataFrame) -> tuple[np.ndarray, float]:
        return np.zeros(X.shape), 0.0


def training_features(X: pd.DataFrame, y: np.ndarray, **options: float) -> pd.DataFrame:
    return TargetFeatureModel(Recorder(), **options).fit(X, y).inner_.rows_.X


@pytest.fixture(scope="module")
def X() -> pd.DataFrame:
    return applicants(600)


@pytest.fixture(scope="module")
def y(X: pd.DataFrame) -> np.ndarray:
    risk = 1.5 - 2 * X["EXT_SOURCE_2"].fillna(0.5) + (X["OCCUPATION_TYPE"] == "Drivers")
    return (risk + np.random.default_rng(1).normal(0, 0.7, len(X)) > 1.5).astype(int).to_numpy()


@pytest.fixture(scope="module")
def fitted(X: pd.DataFrame, y: np.ndarray) -> ScoringModel:
    params = {"n_estimators": 20, "min_child_samples": 10, "n_jobs": 1}
    return fit_model("lightgbm", params, X, y, target_features=True)


def test_category_rates_by_hand() -> None:
    """Two drivers who defaulted, one cook who did not, each alone in a fold."""
    X = applicants(3).assign(OCCUPATION_TYPE=["Drivers", "Cooks", "Drivers"])
    rates = training_features(X, np.array([1, 0, 1]), n_folds=3, smoothing=3)["OCCUPATION_TYPE_TARGET_RATE"]
    assert rates.to_numpy() == pytest.approx([(1 + 3 * 2 / 3) / 4, 2 / 3, (1 + 3 * 2 / 3) / 4])


def test_neighbours_by_hand(X: pd.DataFrame, y: np.ndarray) -> None:
    """Nearest by brute force among the rows of other folds that miss the same scores."""
    features = training_features(X, y, n_neighbors=4, n_folds=3, smoothing=10, random_state=7)
    axes = X[list(TARGET_FEATURE_SOURCES[:4])]
    scaled = (axes / axes.std(ddof=0)).to_numpy()
    known = ~np.isnan(scaled)
    for others, here in KFold(3, shuffle=True, random_state=7).split(X):
        for i in here[:50]:
            alike = others[(known[others] == known[i]).all(axis=1)]
            distance = np.nansum((scaled[alike] - scaled[i]) ** 2, axis=1)
            nearest = alike[np.argsort(distance)[: min(4, -(-len(alike) // 10))]]
            expected = (y[nearest].sum() + 10 * y.mean()) / (len(nearest) + 10)
            assert features["TARGET_KNN_MEAN"].iloc[i] == pytest.approx(expected)


def test_rows_scored_later_query_all_training_rows(X: pd.DataFrame, y: np.ndarray, fitted: ScoringModel) -> None:
    served = fitted.explained_features(X.head(3).assign(OCCUPATION_TYPE=["Drivers", "Astronaut", None]))
    drivers, unknown = y[X["OCCUPATION_TYPE"] == "Drivers"], y[X["OCCUPATION_TYPE"].isna()]
    expected = [(drivers.sum() + 50 * y.mean()) / (len(drivers) + 50), y.mean()]
    expected.append((unknown.sum() + 50 * y.mean()) / (len(unknown) + 50))
    assert served["OCCUPATION_TYPE_TARGET_RATE"].to_numpy() == pytest.approx(expected)


def test_outcomes_of_a_fold_are_in_no_feature_of_its_rows(X: pd.DataFrame, y: np.ndarray) -> None:
    features = training_features(X, y, random_state=7)[list(TARGET_FEATURES)].to_numpy()
    for others, here in KFold(5, shuffle=True, random_state=7).split(X):
        exchanged = y.copy()
        exchanged[here] = np.sort(y[here])
        changed = training_features(X, exchanged, random_state=7)[list(TARGET_FEATURES)].to_numpy()
        assert np.array_equal(changed[here], features[here])
        assert not np.array_equal(changed[others], features[others])


def test_outcomes_drawn_by_lot_are_not_told_by_the_features() -> None:
    """Among rows told by the same others, mean AUC over 40 draws is within three standard errors of 0.5, either way."""
    rows = applicants(600, seed=5)
    folds = [here for _, here in KFold(5, shuffle=True, random_state=42).split(rows)]
    generator = np.random.default_rng(6)
    areas: dict[str, list[float]] = {name: [] for name in TARGET_FEATURES}
    for _ in range(40):
        y = (generator.random(600) < 0.3).astype(int)
        features = training_features(rows, y, n_neighbors=20)
        for name in TARGET_FEATURES:
            areas[name].append(np.mean([roc_auc_score(y[here], features[name].iloc[here]) for here in folds]))
    for name, values in areas.items():
        assert np.std(values) < 0.04, name
        assert abs(np.mean(values) - 0.5) < 3 * np.std(values, ddof=1) / np.sqrt(40), name


def test_many_applicants_of_outcomes_drawn_by_lot_are_not_told_by_the_features_at_all() -> None:
    """Across folds too: the AUC over all rows is within its interval of 0.5."""
    rows = applicants(6000, seed=3)
    y = (np.random.default_rng(4).random(6000) < 0.5).astype(int)
    features = training_features(rows, y, n_neighbors=50)
    for name in ("TARGET_KNN_MEAN", "ORGANIZATION_TYPE_TARGET_RATE"):
        assert abs(roc_auc_score(y, features[name]) - 0.5) < 3 * 0.0075, name  # of 3000 and 3000


def test_features_are_made_before_rows_are_repeated(X: pd.DataFrame, y: np.ndarray) -> None:
    """A row and its repetition in another fold would tell each other's outcome."""
    plain = training_features(X, y)
    model = TargetFeatureModel(Recorder()).fit(X, y, lambda X, y: rebalance(X, y, "random_over"))
    repeated = model.inner_.rows_
    assert len(repeated.y) > len(y)
    pd.testing.assert_frame_equal(repeated.X.head(len(y)), plain.reset_index(drop=True))
    assert repeated.X[list(TARGET_FEATURES)].drop_duplicates().shape[0] <= len(y)


def test_the_features_find_what_the_scores_hide() -> None:
    """A ring of risk around the centre: the neighbours' mean orders it."""
    rows = applicants(3000, seed=8).assign(
        EXT_SOURCE_1=np.nan, EXT_SOURCE_3=np.nan, APPLICATION_CREDIT_TO_ANNUITY_RATIO=12.0
    )
    risky = (rows["EXT_SOURCE_2"] - 0.5).abs() < 0.15
    y = (np.random.default_rng(9).random(3000) < np.where(risky, 0.6, 0.1)).astype(int)
    features = training_features(rows, y, n_neighbors=100)
    assert roc_auc_score(y, features["TARGET_KNN_MEAN"]) > 0.7
    assert abs(roc_auc_score(y, features["EXT_SOURCE_2"].fillna(0.5)) - 0.5) < 0.05


def test_a_row_scores_alike_alone_and_among_others(fitted: ScoringModel, X: pd.DataFrame) -> None:
    together = fitted.predict_proba(X)[:, 1]
    assert np.array_equal(np.concatenate([fitted.predict_proba(X.iloc[[i]])[:, 1] for i in range(30)]), together[:30])
    shuffled = X.sample(frac=1, random_state=3)
    assert np.array_equal(fitted.predict_proba(shuffled)[:, 1], together[shuffled.index])
    again = cloudpickle.loads(cloudpickle.dumps(fitted))
    assert np.array_equal(again.predict_proba(X)[:, 1], together)


def test_any_row_has_a_score(fitted: ScoringModel, X: pd.DataFrame) -> None:
    assert 0 < fitted.predict_proba(pd.DataFrame(index=[0]))[0, 1] < 1
    assert fitted.predict_proba(X.head(0)).shape == (0, 2)


def test_contributions_name_the_features_and_add_up(fitted: ScoringModel, X: pd.DataFrame) -> None:
    contributions, base = fitted.contributions(X.head(20))
    assert list(contributions.columns) == [*X.columns, *TARGET_FEATURES]
    assert list(fitted.feature_names_in_) == list(X.columns)
    assert list(fitted.explained_features(X).columns) == list(contributions.columns)
    probability = fitted.predict_proba(X.head(20))[:, 1]
    assert base + contributions.sum(axis=1).to_numpy() == pytest.approx(np.log(probability / (1 - probability)))


def test_a_clone_is_unfitted_and_fits_alike(fitted: ScoringModel, X: pd.DataFrame, y: np.ndarray) -> None:
    copy = clone(fitted)
    assert not hasattr(copy, "inner_")
    assert np.array_equal(copy.fit(X, y).predict_proba(X), fitted.predict_proba(X))


def test_missing_columns_are_named(X: pd.DataFrame, y: np.ndarray) -> None:
    with pytest.raises(ValueError, match="not there: EXT_SOURCE_1, OCCUPATION_TYPE"):
        fit_model("dummy", {}, X.drop(columns=["EXT_SOURCE_1", "OCCUPATION_TYPE"]), y, target_features=True)


def test_switched_off_the_model_is_the_family_itself(X: pd.DataFrame, y: np.ndarray) -> None:
    plain = fit_model("logistic_regression", {}, X, y)
    assert np.array_equal(plain.predict_proba(X), build_model("logistic_regression", {}).fit(X, y).predict_proba(X))


def test_a_card_asks_only_for_what_its_variables_need() -> None:
    """Outcomes follow one job: the card reads that job's default rate, which is made of the job alone."""
    X = applicants(1500).drop(columns="AMT_CREDIT")
    y = (np.random.default_rng(2).random(1500) < np.where(X["OCCUPATION_TYPE"] == "Drivers", 0.6, 0.1)).astype(int)
    card = fit_model("scorecard", {"max_variables": 1, "C": 1.0}, X, y, target_features=True)
    read = {"OCCUPATION_TYPE", "OCCUPATION_TYPE_TARGET_RATE"}
    assert set(card.inner_.feature_names_in_) < read
    assert list(card.feature_names_in_) == ["OCCUPATION_TYPE"]
    assert card.columns_given_.tolist() == list(X.columns)
    assert set(card.explained_features(X).columns) <= read
    assert np.array_equal(card.predict_proba(X[["OCCUPATION_TYPE"]]), card.predict_proba(X))
    values, base = card.contributions(X)
    expected = np.log(card.predict_proba(X)[:, 1] / card.predict_proba(X)[:, 0])
    np.testing.assert_allclose(values.sum(axis=1) + base, expected)


@pytest.mark.parametrize("family", ["lightgbm", "blend"])
def test_a_target_feature_that_is_read_asks_for_its_sources(family: str, X: pd.DataFrame, y: np.ndarray) -> None:
    model = fit_model(family, family_class(family).test_params, X, y, target_features=True)
    needed = set(model.inner_.feature_names_in_) & set(X.columns)
    for name in set(model.inner_.feature_names_in_) - set(X.columns):
        needed |= set(TARGET_FEATURE_SOURCES[:4]) if name == "TARGET_KNN_MEAN" else {name.removesuffix("_TARGET_RATE")}
    assert set(model.feature_names_in_) == needed
    assert np.array_equal(model.predict_proba(X[list(model.feature_names_in_)]), model.predict_proba(X))
