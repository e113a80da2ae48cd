"""What a reader calls a candidate: its family and what is done to it, its name only where that is not enough."""

from typing import Any

import pytest

from credit_scoring.models.labels import label_candidates


def described(family: str = "lightgbm", **more: Any) -> dict[str, Any]:
    return {"family": family, "imbalance": "none", "monotone": False, "row_models": False, **more}


@pytest.mark.parametrize(
    ("name", "candidate", "french", "english"),
    [
        ("lightgbm", described(), "LightGBM", "LightGBM"),
        ("deep_trees", described(), "LightGBM", "LightGBM"),
        ("average", described("blend"), "combinaison de modèles", "blend"),
        ("deep_trees_monotone", described(monotone=True), "LightGBM, monotone", "LightGBM, monotone"),
        ("careful", described(monotone=True), "LightGBM, monotone", "LightGBM, monotone"),
        ("lightgbm_monotone", described(), "LightGBM", "LightGBM"),
        ("deep_trees_smote", described(imbalance="smote"), "LightGBM, SMOTE", "LightGBM, SMOTE"),
        ("deep_trees_hand_set", described(), "LightGBM, réglage manuel", "LightGBM, hand-set values"),
        (
            "x_hand_set",
            described(monotone=True, row_models=True),
            "LightGBM, monotone, réglage manuel, avec modèles par ligne",
            "LightGBM, monotone, hand-set values, with row models",
        ),
    ],
)
def test_a_candidate_is_called_by_its_family_and_what_is_done_to_it(
    name: str, candidate: dict[str, Any], french: str, english: str
) -> None:
    assert label_candidates({name: candidate}) == {name: {"fr": french, "en": english}}


def test_candidates_that_would_be_called_the_same_have_their_names_beside_it() -> None:
    candidates = {"shallow": described(), "deep": described(), "careful": described(monotone=True)}
    labels = label_candidates({**candidates, "card": described("scorecard")})
    assert [label["en"] for label in labels.values()] == [
        "LightGBM (shallow)",
        "LightGBM (deep)",
        "LightGBM, monotone",
        "scorecard",
    ]
    assert labels["deep"]["fr"] == "LightGBM (deep)"
