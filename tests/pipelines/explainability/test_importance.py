"""The pictures show the features they name, dates as durations; the ranking is as steady as it is over samples."""

import numpy as np
import pandas as pd
import pytest

from credit_scoring.figures import FigureOptions
from credit_scoring.models import build_model
from credit_scoring.models.calibration import Calibration
from credit_scoring.pipelines.explainability.importance import (
    measure_ranking_stability,
    plot_dependence,
    plot_importance,
    tell_values,
)
from credit_scoring.pipelines.explainability.nodes import explain_holdout, plot_global_importance, rank_features
from credit_scoring.pipelines.explainability.options import ExplanationOptions
from credit_scoring.scorer import CreditScorer, digest_model

OPTIONS = ExplanationOptions(n_applicants=400)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    generator = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "SK_ID_CURR": np.arange(600),
            "EXT_SOURCE_2": generator.random(600),
            "DAYS_BIRTH": -365.25 * generator.integers(21, 69, 600),
            "EXT_SOURCE_3": generator.random(600),
        }
    )
    return frame.assign(TARGET=(frame["EXT_SOURCE_2"] + generator.normal(0, 0.1, 600) < 0.2).astype(int))


@pytest.fixture(scope="module")
def scorer(rows: pd.DataFrame) -> CreditScorer:
    features = rows[["EXT_SOURCE_2", "DAYS_BIRTH", "EXT_SOURCE_3"]]
    model = build_model("lightgbm", {"n_estimators": 40, "n_jobs": 1}).fit(features, rows["TARGET"])
    calibration = Calibration("none")
    return CreditScorer(model, calibration, {"threshold": 0.1, "model_digest": digest_model(model, calibration)})


@pytest.mark.parametrize(("language", "age"), [("fr", "Âge, en années"), ("en", "Age, in years")])
def test_pictures_name_features_and_tell_age_in_years(
    scorer: CreditScorer, rows: pd.DataFrame, language: str, age: str
) -> None:
    figures = FigureOptions(language=language, source="synthetic")
    values, explained = explain_holdout(scorer, rows, OPTIONS)
    ranked = rank_features(values)
    drawn = plot_dependence(values, explained, ranked, figures)
    panel = next(axes for axes in drawn.axes if axes.get_xlabel() == age)
    shown = panel.collections[0].get_offsets()
    assert np.asarray(shown[:, 0]).tolist() == pytest.approx((-explained["DAYS_BIRTH"] / 365.25).tolist())
    assert np.asarray(shown[:, 1]).tolist() == pytest.approx(values["DAYS_BIRTH"].tolist())
    assert panel.collections[0].get_clim() == (0, 1)  # the bar then has room for "low" and "high", with any ties
    bars = plot_importance(ranked, BY_FOLD, OPTIONS, figures)
    assert len(bars.axes[0].get_yticklabels()) == 3
    spans = bars.axes[0].collections[0].get_segments()  # from the bottom: the lightest feature first
    assert [span[:, 0].tolist() for span in spans][-1] == [0.6, 0.7]


def test_the_beeswarm_colours_a_long_time_in_the_job_as_high(scorer: CreditScorer, rows: pd.DataFrame) -> None:
    figures = FigureOptions(language="fr", source="home_credit")
    values, explained = explain_holdout(scorer, rows, OPTIONS)
    axes = plot_global_importance(values, explained, OPTIONS, figures).axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert sorted(names) == ["Score externe 2", "Score externe 3", "Âge"]
    swarm = next(
        points
        for points in axes.collections
        if len(points.get_offsets()) == len(values)
        and round(float(np.mean(points.get_offsets()[:, 1]))) == names.index("Âge")
    )
    drawn = np.asarray(swarm.get_offsets()[:, 0], dtype=float)
    ages = pd.Series((-explained["DAYS_BIRTH"] / 365.25).to_numpy())
    by_contribution = ages.groupby(values["DAYS_BIRTH"].to_numpy()).mean()
    coloured = pd.Series(np.asarray(swarm.get_array(), dtype=float)).groupby(drawn).mean()
    usual = by_contribution.between(*by_contribution.quantile([0.1, 0.9])).to_numpy()  # the ends have one colour each
    assert coloured.to_numpy()[usual] == pytest.approx(by_contribution.to_numpy()[usual])


@pytest.mark.parametrize(
    ("name", "stored", "told"),
    [
        ("DAYS_EMPLOYED", -730.5, 2.0),
        ("BUREAU_DAYS_CREDIT_MIN", -365.25, 1.0),
        ("EXT_SOURCE_2", 0.4, 0.4),
        ("AMT_CREDIT", 1000.0, 1000.0),
    ],
)
def test_a_date_is_told_as_the_years_since(name: str, stored: float, told: float) -> None:
    assert tell_values(pd.Series([stored, None], name=name))[0] == pytest.approx(told)


BY_FOLD = pd.DataFrame(
    [
        (1, 1, "EXT_SOURCE_2", 0.7),
        (1, 1, "DAYS_BIRTH", 0.2),
        (1, 1, "EXT_SOURCE_3", 0.1),
        (1, 2, "EXT_SOURCE_2", 0.6),
        (1, 2, "AMT_CREDIT", 0.4),
    ],
    columns=["seed", "fold", "feature", "share"],
)


def test_stability_of_the_ranking_by_hand() -> None:
    ranking = pd.DataFrame(
        {"feature": ["EXT_SOURCE_2", "DAYS_BIRTH", "EXT_SOURCE_3"], "share": [0.6, 0.3, 0.1]},
    )
    two = measure_ranking_stability(ranking, BY_FOLD, ExplanationOptions(n_top_features=2))
    # The first model has both of the two heaviest, the second one of them; both put them in the champion's order
    assert two == {"models": 2, "top": 2, "overlap": pytest.approx(0.75), "rank_correlation": None}
    three = measure_ranking_stability(ranking, BY_FOLD, ExplanationOptions(n_top_features=20))
    # Ranks 3, 2, 1 against 3, 2, 1 and against 3, 1.5, 1.5: 1 and sqrt(3)/2
    assert three["rank_correlation"] == pytest.approx((1 + 3**0.5 / 2) / 2)
    assert three["overlap"] == pytest.approx((1 + 1 / 3) / 2)
    assert measure_ranking_stability(ranking, BY_FOLD.head(0), ExplanationOptions()) == {
        "models": 0,
        "top": 3,
        "overlap": None,
        "rank_correlation": None,
    }
