"""What a strategy against the rarity of defaults changes, and what it must leave alone."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from credit_scoring.models import FAMILIES, build_model, family_class, fit_model
from credit_scoring.models.base import TrainingRows
from credit_scoring.models.imbalance import STRATEGIES, _places, rebalance


@pytest.fixture(scope="module")
def rows() -> tuple[pd.DataFrame, np.ndarray]:
    """100 applicants, 20 of them defaulters, of every type of column that a model is given."""
    generator = np.random.default_rng(2)
    y = np.repeat([0, 1], [80, 20])
    frame = pd.DataFrame(
        {
            "AMOUNT": generator.normal(size=100) + y,
            "HALF_NULL": np.where(generator.random(100) < 0.5, np.nan, generator.normal(size=100)),
            "COUNT": generator.integers(0, 5, 100),
            "NULLABLE_COUNT": pd.array(np.where(np.arange(100) % 7 == 0, np.nan, np.arange(100) % 3), dtype="Int64"),
            "FLAG": generator.random(100) < 0.3,
            "EMPTY": np.full(100, np.nan),
            "KIND": np.where(y == 1, generator.choice(["a", "b", None], 100), "only of the repaid"),
            "CODED": pd.Categorical(generator.choice(["x", "y"], 100)),
        },
        index=np.arange(1000, 1100),
    )
    return frame, y


@pytest.mark.parametrize(
    ("strategy", "ratio", "repaid", "defaulted"),
    [
        ("none", 1.0, 80, 20),
        ("class_weight", 1.0, 80, 20),
        ("random_over", 1.0, 80, 80),
        ("random_over", 0.5, 80, 40),
        ("random_under", 1.0, 20, 20),
        ("random_under", 0.5, 40, 20),
        ("smote", 1.0, 80, 80),
        ("smote", 0.5, 80, 40),
        ("smote", 0.2, 80, 20),  # already there
        ("random_under", 0.2, 80, 20),
    ],
)
def test_counts(rows: tuple, strategy: str, ratio: float, repaid: int, defaulted: int) -> None:
    X, y, weight = rebalance(*rows, strategy, seed=1, ratio=ratio)
    assert np.bincount(y).tolist() == [repaid, defaulted]
    assert len(X) == repaid + defaulted
    assert (weight is not None) == (strategy == "class_weight")
    assert list(X.dtypes) == list(rows[0].dtypes)


def test_class_weights_by_hand(rows: tuple) -> None:
    y = rows[1]
    assert rebalance(*rows, "class_weight").sample_weight == pytest.approx(np.where(y == 1, 2.5, 0.625))
    half = rebalance(*rows, "class_weight", ratio=0.5).sample_weight  # a third of the weight for the defaulters
    assert half == pytest.approx(np.where(y == 1, 100 / 60, 100 / 120))


def test_original_rows_stay_as_they_are(rows: tuple) -> None:
    X, y = rows
    before = X.copy()
    for strategy in STRATEGIES:
        changed = rebalance(X, y, strategy)
        if strategy != "random_under":
            pd.testing.assert_frame_equal(changed.X.head(100).reset_index(drop=True), X.reset_index(drop=True))
            assert np.array_equal(changed.y[:100], y)
    pd.testing.assert_frame_equal(X, before)


def test_drawn_rows_are_rows_given(rows: tuple) -> None:
    X, y = rows
    amounts = dict(zip(X["AMOUNT"], y, strict=True))
    for strategy in ("random_over", "random_under"):
        drawn = rebalance(X, y, strategy)
        assert [amounts[amount] for amount in drawn.X["AMOUNT"]] == drawn.y.tolist()
    kept = rebalance(X, y, "random_under").X["AMOUNT"]
    assert kept.is_unique
    positions = [list(amounts).index(amount) for amount in kept]
    assert positions == sorted(positions)
    assert set(X["AMOUNT"][y == 1]) <= set(kept)


def test_synthetic_rows_lie_between_defaulters(rows: tuple) -> None:
    X, y = rows
    made = rebalance(X, y, "smote").X.iloc[100:]
    defaulted = X[y == 1]
    # Nulls come from the true rows: as many in proportion, neither none nor everywhere.
    assert made["AMOUNT"].notna().all()
    assert made["HALF_NULL"].isna().mean() == pytest.approx(defaulted["HALF_NULL"].isna().mean(), abs=0.25)
    for name in ("AMOUNT", "HALF_NULL", "COUNT", "NULLABLE_COUNT"):
        assert made[name].min() >= defaulted[name].min() - 1e-12
        assert made[name].max() <= defaulted[name].max() + 1e-12
    assert not set(made["AMOUNT"]) <= set(X["AMOUNT"])
    assert set(made["COUNT"]) <= {0, 1, 2, 3, 4}
    assert made["EMPTY"].isna().all()
    assert set(made["KIND"].dropna()) <= {"a", "b"}
    assert set(made["CODED"]) <= {"x", "y"}


def test_smote_by_hand() -> None:
    """Two defaulters: every new row lies on the one line between them."""
    X = pd.DataFrame({"A": [0.0, 2.0, 9, 9, 9, 9, 9], "B": [10.0, 30.0, 9, 9, 9, 9, 9]})
    made = rebalance(X, np.array([1, 1, 0, 0, 0, 0, 0]), "smote", ratio=0.8).X.iloc[7:]
    assert len(made) == 2
    assert set(made["A"]) <= {0, 1, 2}  # whole numbers stay whole
    assert set(made["B"]) <= set(range(10, 31))
    halves = rebalance(X + 0.5, np.array([1, 1, 0, 0, 0, 0, 0]), "smote").X.iloc[7:]
    assert halves["B"].to_numpy() == pytest.approx(10.5 + (halves["A"].to_numpy() - 0.5) * 10)
    assert halves["A"].between(0.5, 2.5).all()


def test_smote_lies_between_ranks_not_between_raw_amounts() -> None:
    """One defaulter earns 1, the other a million, nine others 2 to 10: halfway in ranks is 6, in amounts 500,000."""
    grid = np.linspace(0, 1, 11)
    order = [0, 10, *range(1, 10)]  # the two defaulters come first
    X = pd.DataFrame({"AMOUNT": [1.0, 1e6, *np.arange(2.0, 11.0)], "RANK": grid[order]})
    made = rebalance(X, np.array([1, 1, *[0] * 9]), "smote").X.iloc[11:]
    assert len(made) == 7
    amounts = np.quantile(X["AMOUNT"], made["RANK"])  # whole amounts stay whole
    assert made["AMOUNT"].to_numpy() == pytest.approx(np.round(amounts))
    assert made.loc[made["RANK"] < 0.9, "AMOUNT"].max() <= 10
    assert made["RANK"].between(0, 1).all()


def test_what_cannot_lie_between_two_rows_is_that_of_the_nearer_one() -> None:
    grid = np.linspace(0, 1, 41)
    X = pd.DataFrame(
        {
            "RANK": [0.0, 1.0, *grid[1:-1]],
            "NULL_IN_ONE": [np.nan, 5.0, *np.full(39, 7.0)],
            "NULL_IN_OTHER": [5.0, np.nan, *np.full(39, 7.0)],
            "KIND": ["a", "b", *["c"] * 39],
        }
    )
    made = rebalance(X, np.array([1, 1, *[0] * 39]), "smote").X.iloc[41:]
    nearer_to_one = (made["RANK"] < 0.5).to_numpy()
    assert 0 < nearer_to_one.sum() < len(made) == 37
    assert made["KIND"].tolist() == np.where(nearer_to_one, "a", "b").tolist()
    assert made["NULL_IN_ONE"].fillna(0).tolist() == np.where(nearer_to_one, 0, 5).tolist()
    assert made["NULL_IN_OTHER"].fillna(0).tolist() == np.where(nearer_to_one, 5, 0).tolist()


def test_how_far_rows_are_apart_by_hand() -> None:
    """A null beside a value, or another category, counts as one standard deviation of the ranks, 1/12 squared."""
    places = _places(np.array([[0.0], [np.nan], [0.5]]), pd.DataFrame({"KIND": ["a", "a", None]}))
    squared = ((places[:, None] - places[None]) ** 2).sum(axis=2)
    assert squared[0, 1] == pytest.approx(0.25 + 1 / 12)  # a null lies at the median
    assert squared[1, 2] == pytest.approx(1 / 12 + 1 / 12)
    assert squared[0, 2] == pytest.approx(0.25 + 1 / 12)


@pytest.mark.parametrize("columns", [["AMOUNT", "HALF_NULL"], ["KIND", "CODED"], ["KIND", "EMPTY"]])
def test_smote_of_numbers_or_of_categories_alone(rows: tuple, columns: list[str]) -> None:
    X, y = rows
    made = rebalance(X[columns], y, "smote").X.iloc[100:]
    for name in columns:
        assert set(made[name].dropna()) <= set(X[name][y == 1].dropna()) or made[name].dtype.kind == "f"


def test_blocks_of_neighbours_make_the_rows_asked_for(rows: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("credit_scoring.models.imbalance._BLOCK_ROWS", 7)
    X, y = rows
    made = rebalance(X, y, "smote", ratio=0.8)
    assert np.bincount(made.y).tolist() == [80, 64]
    assert made.X["AMOUNT"].iloc[100:].is_unique


def test_the_same_rows_and_seed_give_the_same_rows(rows: tuple) -> None:
    for strategy in STRATEGIES:
        pd.testing.assert_frame_equal(rebalance(*rows, strategy, 3).X, rebalance(*rows, strategy, 3).X)
    for strategy in ("smote", "random_over", "random_under"):
        one, two = (rebalance(*rows, strategy, seed).X["AMOUNT"].to_numpy() for seed in (3, 4))
        assert not np.array_equal(one, two)


def test_what_cannot_be_done_is_said(rows: tuple) -> None:
    X, y = rows
    with pytest.raises(ValueError, match="Unknown imbalance strategy 'adasyn', expected one of none, class_weight"):
        rebalance(X, y, "adasyn")
    with pytest.raises(ValueError, match=r"must be in \(0, 1\], not 2"):
        rebalance(X, y, "smote", ratio=2)
    with pytest.raises(ValueError, match="SMOTE needs two rows"):
        rebalance(X.head(81), y[:81], "smote")


@pytest.mark.parametrize("strategy", [name for name in STRATEGIES if name != "none"])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_learns_the_new_balance_and_scores_rows_as_they_are(
    family: str, strategy: str, rows: tuple
) -> None:
    params = family_class(family).test_params
    X, y = rows
    X, validation = X.drop(columns=["KIND", "EMPTY"]), X.drop(columns=["KIND", "EMPTY"]).sample(30, random_state=1)
    before = validation.copy()
    plain = fit_model(family, params, X, y).predict_proba(validation)[:, 1]
    balanced = fit_model(family, params, X, y, imbalance=strategy, seed=5).predict_proba(validation)[:, 1]
    assert balanced.shape == (30,)
    assert balanced.mean() > plain.mean() + 0.03
    pd.testing.assert_frame_equal(validation, before)
    by_hand = build_model(family, params).fit(X, y, lambda X, y: rebalance(X, y, strategy, 5))
    assert np.array_equal(by_hand.predict_proba(validation)[:, 1], balanced)


@pytest.mark.parametrize("strategy", ["random_over", "smote"])
def test_rows_made_from_others_never_judge_when_to_stop(rows: tuple, strategy: str) -> None:
    """Repeated rows on both sides of an inner split would reward a model that overfits."""
    X, y = rows
    sides: list[TrainingRows] = []
    model = build_model(
        "lightgbm", {"early_stopping_rounds": 3, "n_estimators": 5, "validation_share": 0.3, "n_jobs": 1}
    )
    fit = model._fit
    model._fit = lambda rows, validation: (sides.extend([rows, validation]), fit(rows, validation))[1]
    model.fit(X, y, lambda X, y: rebalance(X, y, strategy))
    learned, validation = sides
    assert validation.X.index.isin(X.index).all()
    assert len(validation.y) == 30
    assert np.bincount(learned.y).tolist() == [56, 56]
    assert not set(learned.X["AMOUNT"]) & set(validation.X["AMOUNT"])


def test_no_strategy_invents_skill_where_there_is_none() -> None:
    """On outcomes drawn by lot, validation rows are ranked by lot too, under any treatment of the training rows."""
    generator = np.random.default_rng(11)
    X = pd.DataFrame(generator.normal(size=(3000, 4)), columns=list("ABCD"))
    y = (generator.random(3000) < 0.2).astype(int)
    for strategy in ("random_over", "smote"):
        model = fit_model("lightgbm", {"n_estimators": 30, "n_jobs": 1}, X[:1500], y[:1500], imbalance=strategy)
        assert roc_auc_score(y[:1500], model.predict_proba(X[:1500])[:, 1]) > 0.75  # the rows that it was fitted to
        assert (
            abs(roc_auc_score(y[1500:], model.predict_proba(X[1500:])[:, 1]) - 0.5) < 3 * 0.0186
        )  # of n1=300, n0=1200
