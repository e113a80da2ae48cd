"""No sentence on protection or groups is stronger than its interval."""

from typing import Any

import pandas as pd
import pytest

from credit_scoring.figures import FigureOptions
from credit_scoring.pipelines.reporting.protection import (
    describe_protection,
    report_protection,
    summarise_protection,
)
from tests.pipelines.reporting.artefacts import PROTECTION, UNPROTECTED, gaps, price

PROXIES = PROTECTION["protection_proxies_table"]
NO_PROXIES, NO_MITIGATIONS = PROXIES.iloc[:0], PROTECTION["fairness_mitigations_table"].iloc[:0]


def tell(
    price: dict[str, Any] = PROTECTION["protection_price"],
    proxies: pd.DataFrame = PROXIES,
    gaps: pd.DataFrame = PROTECTION["fairness_gaps_table"],
    language: str = "en",
) -> str:
    return " ".join(report_protection(price, proxies, gaps, FigureOptions(language=language, source="x"))["told"])


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.0111, 0.0222, "do not differ significantly"),
        (0.0, 0.0, "do not differ significantly"),  # no fold picked any of them: the same model
        (0.0012, 0.0222, "significantly higher without them"),
        (-0.0222, -0.0012, "significantly lower without them"),
    ],
)
def test_the_price_is_told_with_its_interval_and_no_stronger(low: float, high: float, verdict: str) -> None:
    told = tell(price(low, high))
    assert verdict in told
    assert f"average cost {(low + high) / 2:+.4f} [{low:+.4f}, {high:+.4f}]".replace("-", "−") in told
    assert "AUC −0.0011 [−0.0031, +0.0009]" in told
    claims = [
        word for word in ("do not differ significantly", "significantly higher", "significantly lower") if word in told
    ]
    assert claims == [verdict.removesuffix(" without them")]


def test_what_is_left_out_is_named_and_what_others_know_of_it() -> None:
    told = tell()
    assert "attributes gender and family status, nor any feature that derives from them (columns left out: 3)" in told
    assert "gender (at best female: AUC 0.81 [0.80, 0.82]) and family status (at best widow: AUC 0.90 [0.89" in told
    one = tell(price() | {"protected": ["CODE_GENDER"], "left_out": ["CODE_GENDER"]})
    assert "protected attribute gender, nor any feature that derives from it (columns left out: 1)" in one


def test_proxies_are_claimed_only_beyond_chance() -> None:
    assert "does not identify their groups better than chance" in tell(proxies=PROXIES.assign(low=0.49))
    assert "could not be measured" in tell(proxies=NO_PROXIES)
    assert "at best" not in tell(proxies=PROXIES.assign(low=0.49))


def test_a_gap_is_claimed_only_beyond_chance() -> None:
    told = tell()
    assert "groups of gender, the approval rate varies by 7.9 points [5.1, 10.7]: lowest male, highest female" in told
    assert (
        "groups of family status, the approval rate varies by at most 4.3 points [−1.2, 9.9], a difference that is not "
        "significant." in told
    )
    assert "of age" not in told  # it is not protected: the table has it
    by_age = price() | {"protected": ["DAYS_BIRTH"], "left_out": ["DAYS_BIRTH"]}
    assert "Of age, fewer than two groups are large enough" in tell(by_age)
    chance = tell(gaps=gaps(approval_low=-0.001))
    assert "groups of gender, the approval rate varies by at most" in chance
    assert "lowest male" not in chance


def test_nothing_protected_is_said_aloud() -> None:
    told = tell(UNPROTECTED, NO_PROXIES)
    assert told.startswith("No attribute is protected: the model may use every column, gender")
    assert "its reasons may name them" in told
    assert "AUC" not in told
    tables = (PROTECTION["protection_effect_table"].iloc[:0], PROTECTION["fairness_by_group_table"], gaps())
    card = describe_protection(UNPROTECTED, NO_PROXIES, *tables, NO_MITIGATIONS)
    assert "No attribute is protected" in card
    assert "| CODE_GENDER | F | 1,300 |" in card
    assert "Left out" not in card
    assert "thresholds" not in card
    assert "| policy |" not in summarise_protection(UNPROTECTED, NO_PROXIES, gaps(), NO_MITIGATIONS)


def test_the_report_tabulates_the_gaps_in_both_languages() -> None:
    for language, expected in (
        ("en", ["Gender", "7.9 [5.1, 10.7]", "8.9 [3.5, 14.3]", "–"]),
        ("fr", ["Sexe", "7,9 [5,1 ; 10,7]", "8,9 [3,5 ; 14,3]", "–"]),
    ):
        options = FigureOptions(language=language, source="x")
        table = report_protection(price(), PROXIES, gaps(), options)["gaps"]
        assert table["rows"][0] == expected
        assert table["rows"][2][1:] == ["–", "–", "–"]
        assert len(table["header"]) == 4
    assert "homme" in tell(language="fr")


def test_the_card_shows_numbers_and_where_they_are_too_few() -> None:
    card = describe_protection(
        *(PROTECTION[name] for name in ("protection_price", "protection_proxies_table", "protection_effect_table")),
        *(PROTECTION[f"fairness_{name}_table"] for name in ("by_group", "gaps", "mitigations")),
    )
    few = " | too few to tell (1)" * 5
    for said in (
        "Left out: `CODE_GENDER`, `NAME_FAMILY_STATUS`, `APPLICATION_FIELDS_NULL_COUNT`.",
        "would have picked `CODE_GENDER` in 4.",
        "| average cost | 0.5301 | 0.5356 | +0.0056 [−0.0111, +0.0222] |",
        "| CODE_GENDER | F | 5,200 | 0.812 [0.801, 0.823] |",
        "| CODE_GENDER | M | 2,800 | 70.1% | 72.3% | 2.2 [1.0, 3.5] |",
        "| CODE_GENDER | F | 1,300 | 80.0% [77.0%, 83.0%] | 15.0% [13.0%, 17.0%] of 1,205 | too few to tell (9) | "
        "0.0 [−2.0, 1.0] | 0.500 [0.450, 0.550] |",
        f"| CODE_GENDER | XNA | 1{few} |",
        "| CODE_GENDER | approval rate | 2 | M | F | 7.9 [5.1, 10.7] | yes |",
        "| NAME_FAMILY_STATUS | approval rate | 2 | Single / not married | Widow | 4.3 [−1.2, 9.9] | no |",
        "| CODE_GENDER | bad loans approved | 1 | – | – | too few to tell | – |",
        "| CODE_GENDER | as it is | 75.0% | 0.5050 | – | 12.3 [10.0, 15.0] | 5.0 [−1.0, 11.0] | too few to tell |",
        "| CODE_GENDER | each group's own threshold | 75.0% | 0.5050 | +0.0120 [−0.0030, +0.0270] |",
    ):
        assert said in card, said
