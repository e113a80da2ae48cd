"""Features from row models know neither an applicant's own outcome nor that of a row they are validated on."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from credit_scoring.metrics.cost import MisclassificationCosts
from credit_scoring.models.calibration import Calibration
from credit_scoring.models.row_models import NO_ROW_MODELS, RowModels, row_features_among
from credit_scoring.models.row_options import RowModelOptions
from credit_scoring.models.selection import SelectionOptions
from credit_scoring.pipelines.modelling.comparison import cross_validate_candidates
from credit_scoring.pipelines.modelling.diagnostics import measure_stability
from credit_scoring.pipelines.modelling.folds import ALL_FOLDS, deal_rows, make_folds
from credit_scoring.pipelines.modelling.nodes import (
    fit_champion,
    predict_holdout,
    select_holdout_rows,
    select_training_rows,
)
from credit_scoring.pipelines.modelling.options import CrossValidationOptions, DiagnosisOptions, read_candidates
from credit_scoring.pipelines.modelling.row_features import cross_fit_row_features, learn_row_features
from credit_scoring.pipelines.threshold_tuning.nodes import build_scorer
from credit_scoring.protected import ProtectedOptions
from credit_scoring.scorer import digest_model
from tests.models.test_row_models import Tables

N, N_FOLDS = 1200, 4
FOLDS = CrossValidationOptions(n_folds=N_FOLDS, seed=1)
SELECTION, COSTS = SelectionOptions(threads=1), MisclassificationCosts()
CANDIDATES = {"logistic_regression": {"family": "logistic_regression", "params": {"C": 0.1}}}
ROW_MODELS = RowModelOptions(
    candidates=("logistic_regression",),
    histories=("previous", "bureau"),
    params={"n_estimators": 15, "num_leaves": 4, "min_child_samples": 10, "n_jobs": 1},
    max_rows=None,
    seed=0,
)
OPTIONS = [CANDIDATES, FOLDS]


def draw(signal: float, seed: int = 5) -> tuple[pd.DataFrame, Tables]:
    """Return applicants, a fifth of them held out, and the rows of two histories; rows tell the outcome by `signal`."""
    generator = np.random.default_rng(seed)
    applicants = pd.DataFrame(
        {
            "SK_ID_CURR": np.arange(N) + 100_000,
            "TARGET": generator.permutation(np.arange(N) % 6 == 0) * 1,
            "SPLIT": np.where(np.arange(N) % 5 == 0, "holdout", "train"),
            "EXT_SOURCE_2": generator.random(N),
        }
    )

    def rows(most: int) -> pd.DataFrame:
        owner = np.repeat(np.arange(N), generator.integers(0, most + 1, N))
        frame = pd.DataFrame({"SK_ID_CURR": owner + 100_000})
        frame["RANK"] = frame.groupby("SK_ID_CURR").cumcount() + 1.0
        told = signal * applicants["TARGET"].to_numpy()[owner]
        return frame.assign(DELAY=told + generator.normal(size=len(frame)), NOISE=generator.normal(size=len(frame)))

    return applicants, Tables({"previous": rows(4), "bureau": rows(8)})


@pytest.fixture(scope="module")
def training() -> pd.DataFrame:
    applicants, _ = draw(1.0)
    return applicants[applicants["SPLIT"] == "train"].reset_index(drop=True)


@pytest.fixture(scope="module")
def histories() -> Tables:
    return draw(1.0)[1]


@pytest.fixture(scope="module")
def fold_of_row(training: pd.DataFrame) -> np.ndarray:
    return deal_rows(training["TARGET"], N_FOLDS, FOLDS.seed)


@pytest.fixture(scope="module")
def features(training: pd.DataFrame, fold_of_row: np.ndarray, histories: Tables) -> pd.DataFrame:
    return cross_fit_row_features(training, fold_of_row, histories, ROW_MODELS)


def with_other_outcomes(training: pd.DataFrame, changed: np.ndarray) -> pd.DataFrame:
    return training.assign(TARGET=np.where(changed, 1 - training["TARGET"], training["TARGET"]))


def values(features: pd.DataFrame, left_out: int) -> np.ndarray:
    rows = features[features["LEFT_OUT"] == left_out]
    return rows[row_features_among(rows.columns)].to_numpy()


def differs(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return ~((one == other) | (np.isnan(one) & np.isnan(other))).all(axis=1)


@pytest.mark.parametrize("fold", range(N_FOLDS))
def test_an_applicants_own_outcome_never_changes_their_own_features(
    training: pd.DataFrame, fold_of_row: np.ndarray, histories: Tables, features: pd.DataFrame, fold: int
) -> None:
    """Here of all applicants of a fold at once, for every fold that is validated, and none."""
    own = fold_of_row == fold
    again = cross_fit_row_features(with_other_outcomes(training, own), fold_of_row, histories, ROW_MODELS)
    for left_out in (*range(N_FOLDS), ALL_FOLDS):
        changed = differs(values(features, left_out), values(again, left_out))
        assert not changed[own].any()
        # Their outcomes are learnt from where they may be: for the others, unless the fold is the one validated.
        assert changed[~own].any() == (left_out != fold)


def test_what_validates_a_fold_is_what_learns_from_the_others(features: pd.DataFrame, fold_of_row: np.ndarray) -> None:
    """Applicants of the fold left out get the features of the final model: those of the model of all other folds."""
    for fold in range(N_FOLDS):
        inside = fold_of_row == fold
        np.testing.assert_array_equal(values(features, fold)[inside], values(features, ALL_FOLDS)[inside])
    assert differs(values(features, 0), values(features, 1)).any()


def test_features_are_the_aggregates_of_a_model_that_saw_none_of_the_two_folds(
    training: pd.DataFrame, fold_of_row: np.ndarray, histories: Tables, features: pd.DataFrame
) -> None:
    """By hand: fit on the folds but 0 and 1, score an applicant of fold 1."""
    client = training.loc[
        (fold_of_row == 1) & training["SK_ID_CURR"].isin(histories.read("bureau")["SK_ID_CURR"])
    ].iloc[0]
    rows = histories.read("bureau")
    rows = rows[rows["SK_ID_CURR"].isin(training["SK_ID_CURR"])]
    place = pd.Index(training["SK_ID_CURR"]).get_indexer(rows["SK_ID_CURR"])
    learnt = ~np.isin(fold_of_row[place], (0, 1))
    from lightgbm import LGBMClassifier  # noqa: PLC0415

    X, y = rows.drop(columns="SK_ID_CURR"), training["TARGET"].to_numpy()[place]
    model = LGBMClassifier(**ROW_MODELS.params, verbosity=-1).fit(X[learnt].to_numpy(), y[learnt])
    risk = model.predict_proba(X[rows["SK_ID_CURR"] == client["SK_ID_CURR"]].to_numpy())[:, 1]
    (made,) = features[(features["SK_ID_CURR"] == client["SK_ID_CURR"]) & (features["LEFT_OUT"] == 0)].to_dict(
        "records"
    )
    assert made["FOLD"] == 1
    assert made["BUREAU_ROW_RISK_MEAN"] == pytest.approx(risk.mean(), rel=1e-12)
    assert made["BUREAU_ROW_RISK_MAX"] == pytest.approx(risk.max(), rel=1e-12)
    assert made["BUREAU_ROW_RISK_LAST"] == pytest.approx(risk[0], rel=1e-12)


def compare(signal: float, candidates: dict[str, Any] = CANDIDATES, seed: int = 5) -> tuple[pd.DataFrame, list[dict]]:
    applicants, histories = draw(signal, seed)
    _, made = learn_row_features(applicants, histories, ROW_MODELS, candidates, FOLDS)
    rows = select_training_rows(applicants, made)
    return cross_validate_candidates(rows, candidates, SELECTION, FOLDS, COSTS, made, ROW_MODELS)


@pytest.mark.parametrize("seed", [5, 6, 7])
def test_an_outcome_of_chance_cannot_be_predicted(seed: int) -> None:
    """Rows of an applicant share the outcome, so that a model that had seen one of them would know the others."""
    out_of_fold, _ = compare(0.0, seed=seed)
    target = out_of_fold["TARGET"]
    auc = roc_auc_score(target, out_of_fold["logistic_regression_row_models"])
    defaults, others = target.sum(), (target == 0).sum()
    assert abs(auc - 0.5) < 3 * np.sqrt((len(target) + 1) / (12 * defaults * others))


def test_a_candidate_competes_with_row_models_beside_its_plain_self() -> None:
    out_of_fold, results = compare(1.5)
    by_name = {result["name"]: result for result in results}
    assert set(by_name) == {"logistic_regression", "logistic_regression_row_models"}
    assert [by_name[name]["row_models"] for name in by_name] == [name.endswith("row_models") for name in by_name]
    with_them, without = (
        roc_auc_score(out_of_fold["TARGET"], out_of_fold[name])
        for name in ("logistic_regression_row_models", "logistic_regression")
    )
    assert with_them > 0.75 > 0.6 > without  # all that is to be known stands in single rows
    plain = compare(1.5, {"logistic_regression": CANDIDATES["logistic_regression"]})[0]["logistic_regression"]
    np.testing.assert_array_equal(plain, out_of_fold["logistic_regression"])


def test_columns_for_all_candidates_are_picked_without_those_of_row_models() -> None:
    applicants, histories = draw(1.0)
    _, made = learn_row_features(applicants, histories, ROW_MODELS, *OPTIONS)
    rows = select_training_rows(applicants, made)
    assert len(row_features_among(rows.columns)) == 8
    folds = make_folds(rows, N_FOLDS, FOLDS.seed, SELECTION, made)
    assert set(folds.columns) == {("EXT_SOURCE_2",)}
    for fold, (features, *_) in enumerate(folds):
        np.testing.assert_array_equal(
            features[row_features_among(rows.columns)].to_numpy(), values(made, fold)[: len(rows)]
        )


def test_later_applicants_get_the_features_of_the_served_models() -> None:
    """From the training applicants to a scorer: hold-out, batch and API see the same columns."""
    applicants, histories = draw(1.0)
    row_models, made = learn_row_features(applicants, histories, ROW_MODELS, *OPTIONS)
    training, holdout = select_training_rows(applicants, made), select_holdout_rows(applicants, made)
    candidate = read_candidates(CANDIDATES)["logistic_regression"].model_copy(update={"row_models": True})
    champion = {"name": "logistic_regression_row_models", **candidate.model_dump()}
    model, _ = fit_champion(training, champion, [], SELECTION, FOLDS)
    assert set(model.feature_names_in_) == {"EXT_SOURCE_2", *row_models.feature_names}
    calibration = Calibration("none").to_dict()
    policy = {"threshold": 0.2, "model_digest": digest_model(model, Calibration("none"))}
    scorer = build_scorer(model, calibration, policy, None, None, ProtectedOptions(), row_models)  # type: ignore[arg-type]
    expected = predict_holdout(model, calibration, holdout)["PROBABILITY"].to_numpy()
    later = applicants.loc[applicants["SPLIT"] == "holdout", ["SK_ID_CURR", "EXT_SOURCE_2"]]
    completed = scorer.row_models.complete(later, histories)
    np.testing.assert_array_equal(scorer.predict(completed)["probability_default"], expected)
    # Without them, as a flat request that leaves them out, they count as null: of an applicant without history
    flat = scorer.predict(later)["probability_default"].to_numpy()
    stranger = completed[row_models.feature_names].isna().all(axis=1).to_numpy()
    assert stranger.any()
    np.testing.assert_array_equal(flat[stranger], expected[stranger])
    assert not np.array_equal(flat, expected)


def test_a_champion_without_such_features_is_served_without_row_models() -> None:
    applicants, histories = draw(1.0)
    row_models, made = learn_row_features(applicants, histories, ROW_MODELS, *OPTIONS)
    champion = {"name": "plain", **read_candidates(CANDIDATES)["logistic_regression"].model_dump()}
    model, _ = fit_champion(select_training_rows(applicants, made), champion, [], SELECTION, FOLDS)
    policy = {"threshold": 0.2, "model_digest": digest_model(model, Calibration("none"))}
    scorer = build_scorer(model, Calibration("none").to_dict(), policy, None, None, ProtectedOptions(), row_models)  # type: ignore[arg-type]
    assert list(model.feature_names_in_) == ["EXT_SOURCE_2"]
    assert scorer.row_models is NO_ROW_MODELS


def test_other_seeds_of_the_champion_have_features_of_their_own_folds() -> None:
    applicants, histories = draw(1.0)
    _, made = learn_row_features(applicants, histories, ROW_MODELS, *OPTIONS)
    rows = select_training_rows(applicants, made)
    _, results = cross_validate_candidates(rows, CANDIDATES, SELECTION, FOLDS, COSTS, made, ROW_MODELS)
    champion = next(result for result in results if result["row_models"])
    diagnosis = DiagnosisOptions(n_seeds=1, n_explained=50)
    stability, weights = measure_stability(
        rows, champion, results, SELECTION, FOLDS, diagnosis, COSTS, histories, ROW_MODELS
    )
    first, other = stability["roc_auc"]
    assert first != other
    assert abs(first - other) < 0.05
    assert set(row_features_among(weights["feature"])) == set(row_features_among(rows.columns))


def test_nothing_is_made_where_no_candidate_asks() -> None:
    applicants, _ = draw(0.0)
    models, made = learn_row_features(applicants, Tables({}), RowModelOptions(histories=("bureau",)), *OPTIONS)
    assert models is NO_ROW_MODELS
    assert made.empty
    assert select_training_rows(applicants, made).columns.tolist() == ["SK_ID_CURR", "TARGET", "EXT_SOURCE_2"]


def test_rows_beyond_the_most_are_not_learnt_from(training: pd.DataFrame, histories: Tables) -> None:
    few = ROW_MODELS.model_copy(update={"max_rows": 300})
    fold_of_row = deal_rows(training["TARGET"], N_FOLDS, 1)
    one, again = (cross_fit_row_features(training, fold_of_row, histories, few) for _ in range(2))
    pd.testing.assert_frame_equal(one, again)
    assert not one.equals(cross_fit_row_features(training, fold_of_row, histories, ROW_MODELS))


def learn(histories: Tables | None = None, n_folds: int = N_FOLDS, **changes: Any) -> tuple[RowModels, pd.DataFrame]:
    applicants, drawn = draw(1.0)
    options = ROW_MODELS.model_copy(update=changes)
    folds = CrossValidationOptions(n_folds=n_folds, seed=1)
    return learn_row_features(applicants, histories or drawn, options, CANDIDATES, folds)


def test_what_cannot_be_done_is_said_before_anything_is_fitted(histories: Tables) -> None:
    with pytest.raises(ValueError, match=r"(?s)found xgbost.*Hint: correct"):
        learn(candidates=("logistic_regression", "xgbost"))
    with pytest.raises(ValueError, match=r"(?s)three folds or more.*found 2.*Hint: raise cross_validation.n_folds"):
        learn(n_folds=2)
    strangers = histories.tables | {"bureau": histories.tables["bureau"].assign(SK_ID_CURR=5)}
    with pytest.raises(ValueError, match=r"(?s)`bureau`: expected single rows .* found none.*Hint: data_processing"):
        learn(Tables(strangers))
    with pytest.raises(ValueError, match=r"row_models: not set here, but in row_models\.candidates"):
        read_candidates({"lightgbm": {"family": "lightgbm", "row_models": True}})


def test_features_of_other_folds_are_refused() -> None:
    applicants, histories = draw(1.0)
    _, made = learn_row_features(applicants, histories, ROW_MODELS, *OPTIONS)
    other = CrossValidationOptions(n_folds=N_FOLDS, seed=2)
    with pytest.raises(
        ValueError, match=r"(?s)other folds than those that models.*Hint: `kedro run --pipelines modelling`"
    ):
        cross_validate_candidates(
            select_training_rows(applicants, made), CANDIDATES, SELECTION, other, COSTS, made, ROW_MODELS
        )
