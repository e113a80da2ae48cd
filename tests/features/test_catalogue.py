"""What is said of a feature, in one record, against the feature itself."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Literal

import ibis
import pandas as pd
import pyarrow as pa
import pytest
from ibis import _

from credit_scoring.features.catalogue import FEATURES, FEATURES_BY_MODULE, columns_derived_from, find_feature
from credit_scoring.features.categories import category_label
from credit_scoring.features.expressions import aggregate_by_client, null_if, safe_ratio, written
from credit_scoring.features.join import join_features
from credit_scoring.features.learnt import LEARNT_FEATURES
from credit_scoring.features.records import (
    THEMES,
    UNITS,
    Feature,
    Measure,
    Origin,
    Rows,
    Subset,
    make_feature,
    unite,
    values_of,
)
from credit_scoring.features.sources import SOURCES
from credit_scoring.models.row_models import HISTORY_NAMES, row_feature_names
from credit_scoring.models.target_features import TARGET_FEATURES
from tests.features.conftest import Raw

LANGUAGES = ("en", "fr")
LOANS = Rows(
    Origin("LOAN", "loans", ("Loans", "Prêts"), "previous", "LOAN_LOANS_COUNT"),
    "loan",
    measures=(
        Measure("LOANS", True, "yes_no", "loans", "prêts"),
        Measure("DEBT", _.AMOUNT - _.PAID, "amount", "debt", "dette"),
        Measure("DUE", _.DAYS, "date_days", "due date", "jour d'échéance", known=True),
    ),
)


@pytest.fixture(scope="module")
def computed(raw: Raw, random_tables: Mapping[str, pa.Table]) -> pd.DataFrame:
    """Return all columns of random applicants, joined."""
    tables = [raw.compute(source.name, random_tables) for source in SOURCES]
    return join_features(*map(ibis.memtable, tables)).to_pandas()


def test_every_computed_column_has_one_record_in_the_order_of_its_module(computed: pd.DataFrame) -> None:
    assert list(computed.columns.drop(["SK_ID_CURR", "TARGET"])) == list(FEATURES)
    assert sum(map(len, FEATURES_BY_MODULE.values())) == len(FEATURES)


def test_a_feature_is_null_without_its_history_and_never_where_it_is_said_never_to_be(computed: pd.DataFrame) -> None:
    def has_history(feature: Feature) -> pd.Series:
        return computed[feature.history] == 1 if feature.history else pd.Series(True, computed.index)

    null_despite = {
        name
        for name, feature in FEATURES.items()
        if not feature.null_when and computed.loc[has_history(feature), name].isna().any()
    }
    known_without = {
        name for name, feature in FEATURES.items() if computed.loc[~has_history(feature), name].notna().any()
    }
    assert (null_despite, known_without) == (set(), set())


def test_every_column_has_words_of_its_own_a_unit_and_a_theme() -> None:
    records = [*FEATURES.values(), *LEARNT_FEATURES.values()]
    for feature in records:
        assert feature.unit in UNITS
        assert feature.theme in THEMES
    for language in LANGUAGES:
        for say in (Feature.describe, Feature.client_label):
            # Age stands in the data twice, as days on the form and as years.
            said = [say(feature, language) for feature in records if feature.name != "APPLICATION_AGE_YEARS"]
            assert all(text == text.strip() and text[0].isupper() and "  " not in text for text in said)
            assert len(said) == len(set(said)), sorted({text for text in said if said.count(text) > 1})


def test_every_feature_learnt_from_outcomes_has_a_record() -> None:
    of_rows = [name for history in HISTORY_NAMES for name in row_feature_names(history)]
    assert set(LEARNT_FEATURES) == {*TARGET_FEATURES, *of_rows}


def test_an_unknown_name_is_an_error_that_says_where_features_are() -> None:
    with pytest.raises(ValueError, match=r"No feature is called 'SHOE_SIZE'.\nHint: docs/feature_dictionary"):
        find_feature("SHOE_SIZE")


def test_an_aggregate_follows_from_measure_aggregate_and_subset() -> None:
    late = Subset("90D", _.DUE >= -90, ("last 90 days", "90 derniers jours"))
    total, last, number = LOANS.features({"DEBT": ("SUM",), "DUE": ("MAX",), "LOANS": ("COUNT",)}, late)
    assert total.name == "LOAN_DEBT_SUM_90D"
    assert (total.unit, total.words) == (
        "amount",
        ("debt, total, last 90 days", "dette, total, 90 derniers jours"),
    )
    assert total.formula == "sum(DEBT) over loans where DUE >= -90"
    assert total.null_when == ("no such loan has a known value, though there are some",)
    assert (last.unit, last.words[0], last.words[1]) == (
        "date_days",
        "due date, most recent, last 90 days",
        "jour d'échéance, le plus récent, 90 derniers jours",
    )
    assert last.null_when == ("there is no such loan",)
    assert (number.unit, number.formula, number.null_when) == ("count", "count() over loans where DUE >= -90", ())
    assert (number.theme, number.history, number.measure) == ("previous", "HAS_LOAN", "LOAN_LOANS")


def test_a_record_computes_what_it_says() -> None:
    rows = ibis.memtable(
        pd.DataFrame(
            {"SK_ID_CURR": [1, 1, 2], "AMOUNT": [10.0, None, 5.0], "PAID": [4.0, 1.0, 5.0], "DAYS": [-5, -99, -1]}
        )
    )
    (total,) = LOANS.features({"DEBT": ("SUM",)})
    summed = LOANS.measure(rows).group_by("SK_ID_CURR").agg(X=total.value).order_by("SK_ID_CURR").to_pandas()
    assert summed["X"].tolist() == [6.0, 0.0]


def test_wanted_aggregates_are_united_in_order_and_none_twice() -> None:
    assert unite({"B": ("MEAN", "MAX"), "A": ("SUM",)}, {"C": ("MIN",), "B": ("MAX", "STD", "MEAN")}) == {
        "B": ("MEAN", "MAX", "STD"),
        "A": ("SUM",),
        "C": ("MIN",),
    }


def test_partials_of_a_window_need_not_be_wanted_overall() -> None:
    rows = ibis.memtable(
        pd.DataFrame(
            {
                "SK_ID_CURR": [1, 1, 1, 2],
                "AMOUNT": [10.0, 4.0, 90.0, 5.0],
                "PAID": [4.0, 1.0, 0.0, 5.0],
                "DAYS": [-5, -30, -99, -500],
            }
        )
    )
    overall, window = {"DEBT": ("SUM",)}, {"DEBT": ("MEAN",), "DUE": ("MIN",)}
    loans = dataclasses.replace(LOANS, from_partials=True)
    parts = loans.measure(rows).group_by("SK_ID_CURR", "DAYS").agg(**loans.partials(unite(overall, window)))
    late = Subset("90D", _.DAYS >= -90, ("last 90 days", "90 derniers jours"))
    found = aggregate_by_client(parts, values_of((*loans.features(overall), *loans.features(window, late))))
    found = found.to_pandas().set_index("SK_ID_CURR")
    assert found.loc[1].to_dict() == {"LOAN_DEBT_SUM": 99.0, "LOAN_DEBT_MEAN_90D": 4.5, "LOAN_DUE_MIN_90D": -30.0}
    assert found.loc[2, "LOAN_DEBT_SUM"] == 0.0
    assert found.loc[2, ["LOAN_DEBT_MEAN_90D", "LOAN_DUE_MIN_90D"]].isna().all()


def test_a_feature_without_a_theme_or_with_a_foreign_prefix_is_an_error() -> None:
    form = Origin("APPLICATION", "application_train", ("Application", "Demande"))
    with pytest.raises(ValueError, match="needs the prefix APPLICATION_ and a theme"):
        make_feature(form, "APPLICATION_X", _.X, "number", ("x", "x"))
    with pytest.raises(ValueError, match="needs the prefix LOAN_ and a theme"):
        make_feature(LOANS.origin, "BUREAU_X", _.X, "number", ("x", "x"))


@pytest.mark.parametrize(
    ("value", "formula"),
    [
        (safe_ratio(_.A, _.B - 1), "safe_ratio(A, B - 1)"),
        (null_if(_["A"], (_.A > 8e7) | (_.A <= 0)), "null_if(A, (A > 80000000.0) or (A <= 0))"),
        (-_.DAYS.cast("float64") / 365.25, "-DAYS / 365.25"),
        (_.A - (_.B - 1), "A - (B - 1)"),
        ((_.A - 1) * (_.B - 1), "(A - 1) * (B - 1)"),
        (_.KIND.isin(("a", "b")) & ~(_.A > 0), "KIND.isin('a', 'b') and not (A > 0)"),
        (_.A.clip(lower=0.0), "A.clip(lower=0.0)"),
    ],
)
def test_a_formula_is_the_expression_without_what_only_the_engine_needs(value: object, formula: str) -> None:
    assert written(value) == formula


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("BUREAU_DEBT_TO_CREDIT_MEAN_ACTIVE", "mean(DEBT_TO_CREDIT) over credits where ACTIVE"),
        ("INSTALLMENTS_LATE_RATE_365D", "share(LATE) over instalments where AGE <= 365"),
        ("PREVIOUS_CONTRACT_STATUS_LAST", "NAME_CONTRACT_STATUS.max(where=RANK == 1)"),
        ("POS_CASH_LATE_RATE_12M", "safe_ratio(total(LATE_12M), total(MONTHS_12M))"),
        ("CREDIT_CARD_UTILISATION_MAX", "max(UTILISATION) over months"),
        ("APPLICATION_CREDIT_TO_INCOME_RATIO", "safe_ratio(AMT_CREDIT, AMT_INCOME_TOTAL)"),
        ("HAS_BUREAU", "BUREAU_CREDITS_COUNT.notnull()"),
        ("AMT_CREDIT", ""),
    ],
)
def test_formula_of_a_feature(name: str, formula: str) -> None:
    assert FEATURES[name].formula == formula


def test_a_feature_in_words() -> None:
    feature = find_feature("INSTALLMENTS_LATE_RATE_365D")
    assert feature.describe() == "Repayments: instalments paid late, share, last 365 days"
    assert feature.describe("fr") == "Remboursements : échéances payées en retard, part, 365 derniers jours"
    assert feature.client_label() == "Share of instalments paid late over the last 365 days (repayments)"
    assert find_feature("HAS_BUREAU").describe() == "Credits at other lenders: has a history"
    assert find_feature("DAYS_BIRTH").client_label("fr") == "Âge"
    assert find_feature("TARGET_KNN_MEAN").title() == "Estimated default rate of similar applicants"


@pytest.mark.parametrize(
    ("name", "en", "fr"),
    [
        (
            "PREVIOUS_CROSS_SELL_RATE",
            "Share of applications proposed by the lender (earlier ones)",
            "Part des demandes proposées par le prêteur (antérieures)",
        ),
        (
            "BUREAU_CREDIT_MAX_ACTIVE",
            "Amount of credits still active, at the highest (at other lenders)",
            "Montant des crédits actifs, au plus haut (chez d'autres prêteurs)",
        ),
        (
            "BUREAU_CREDIT_MEAN_LAST_1",
            "Amount of credit, most recently (credits at other lenders)",
            "Montant du crédit, en dernier lieu (crédits chez d'autres prêteurs)",
        ),
        (
            "PREVIOUS_REFUSED_RATE_CASH",
            "Share of refused applications among cash loans (earlier ones)",
            "Part des demandes refusées parmi les prêts personnels (antérieures)",
        ),
        (
            "INSTALLMENTS_PAYMENT_MEAN_LAST_5",
            "Amount paid, on average over the 5 most recent (repayments)",
            "Montant payé, en moyenne sur les 5 échéances les plus récentes (remboursements)",
        ),
        (
            "APPLICATION_ANNUITY_TO_INCOME_RATIO",
            "Annuity relative to income",
            "Échéance par rapport au revenu",
        ),
        # The window is of the day of grant: what is owed is owed now
        (
            "BUREAU_DEBT_SUM_180D",
            "Debt of credits granted in the last 180 days, in total (at other lenders)",
            "Dette des crédits octroyés dans les 180 derniers jours, au total (chez d'autres prêteurs)",
        ),
        (
            "BUREAU_CREDITS_COUNT_30D",
            "Number of credits granted in the last 30 days (at other lenders)",
            "Nombre de crédits octroyés dans les 30 derniers jours (chez d'autres prêteurs)",
        ),
        (
            "INSTALLMENTS_PAYMENT_SUM_365D",
            "Amount paid of instalments due in the last 365 days, in total (repayments)",
            "Montant payé des échéances dues dans les 365 derniers jours, au total (remboursements)",
        ),
        (
            "INSTALLMENTS_LATE_RATE_1000D",
            "Share of instalments paid late over the last 1,000 days (repayments)",
            "Part des échéances payées en retard sur les 1\u202f000 derniers jours (remboursements)",
        ),
        (
            "PREVIOUS_REMAINING_MONTHS_SUM_RUNNING",
            "Months still planned of loans still running, estimated, in total (earlier applications)",
            "Mois restant prévus des prêts encore en cours, estimation, au total (demandes antérieures)",
        ),
        (
            "PREVIOUS_REFUSED_RATE_LAST_3",
            "Share of refused applications over the 3 most recent (earlier ones)",
            "Part des demandes refusées sur les 3 demandes les plus récentes (antérieures)",
        ),
        (
            "BUREAU_CREDIT_MEAN_LAST_3",
            "Amount of credit, on average over the 3 most recent (credits at other lenders)",
            "Montant du crédit, en moyenne sur les 3 plus récents (crédits chez d'autres prêteurs)",
        ),
        (
            "BUREAU_CREDITS_COUNT_CARD",
            "Number of credit cards (credits at other lenders)",
            "Nombre de cartes de crédit (crédits chez d'autres prêteurs)",
        ),
        (
            "PREVIOUS_APPLICATIONS_COUNT_CASH",
            "Number of applications for cash loans (earlier ones)",
            "Nombre de demandes de prêts personnels (antérieures)",
        ),
        ("PREVIOUS_APPLICATIONS_COUNT", "Number of earlier applications", "Nombre de demandes antérieures"),
        (
            "BUREAU_BALANCE_CREDITS_COUNT",
            "Number of credits with a monthly history at other lenders",
            "Nombre de crédits avec historique mensuel chez d'autres prêteurs",
        ),
        ("PREVIOUS_APPROVED_RATE_LAST_1", "Latest application approved", "Dernière demande acceptée"),
        ("PREVIOUS_REFUSED_RATE_LAST_1", "Latest application refused", "Dernière demande refusée"),
        ("POS_CASH_COMPLETED_RATE_LAST_1", "Latest loan completed", "Dernier prêt terminé"),
        (
            "PREVIOUS_CANCELED_RATE",
            "Share of cancelled earlier applications",
            "Part des demandes annulées (antérieures)",
        ),
        (
            "APPLICATION_GOODS_CREDIT_DIFF_TO_INCOME_RATIO",
            "Price of the goods less credit, relative to income",
            "Écart entre prix du bien et crédit, par rapport au revenu",
        ),
        ("HAS_INSTALLMENTS", "Repayments on record", "Remboursements au dossier"),
    ],
)
def test_a_customer_reads_a_feature_as_people_say_it(name: str, en: str, fr: str) -> None:
    feature = find_feature(name)
    assert (feature.client_label("en"), feature.client_label("fr")) == (en, fr)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_label_of_a_customer_keeps_the_words_of_the_dictionary(language: Literal["en", "fr"]) -> None:
    """An aggregate that follows its measure after a comma is how a dictionary says it, and nobody else."""
    stored = {"en": r", (share|number|total|mean|minimum|maximum|last \d+.*)( \(|,|$)"}
    stored["fr"] = r", (part|nombre|total|moyenne|minimum|maximum|écart-type|\d+ derniers.*)( \(|,|$)"
    # Rows that follow the second part of a measure, not its first ("estimated of loans")
    glued = {"en": r", [\w ]+ of (loans still|approved)"}
    glued["fr"] = r", [\w ]+ des (prêts encore|demandes)"
    counted_twice = {"en": r"^Number of \w+ among ", "fr": r"^Nombre (de |d')\w+ parmi "}
    riddles = {
        "en": r"\bagainst (\d|all)|over \d+ (days|months)\b(?! (late|past))",
        "fr": r"rapportée?s? (à \d|au total)",
    }
    foreign = {"en": r"canceled|\d{4}", "fr": r"[Aa]nnuité|\d{4}|[Dd]emandes.* plus récents"}
    wrong = "|".join(words[language] for words in (stored, glued, counted_twice, riddles, foreign))
    labels = [feature.client_label(language) for feature in FEATURES.values()]
    assert [label for label in labels if re.search(wrong, label)] == []


def test_the_latest_rows_have_the_gender_of_their_french_noun() -> None:
    of_several = [feature for feature in FEATURES.values() if re.fullmatch(r"LAST_(3|5|10)", feature.window)]
    feminine = {feature.name for feature in of_several if "les plus récentes" in feature.client_label("fr")}
    assert feminine == {feature.name for feature in of_several if feature.origin.prefix in ("PREVIOUS", "INSTALLMENTS")}
    assert {name.split("_")[0] for name in {feature.name for feature in of_several} - feminine} == {
        "BUREAU", "POS", "CREDIT",
    }  # fmt: skip


def test_categories_of_the_form_have_french_words() -> None:
    assert category_label("Industry: type 3", "fr") == "industrie, type 3"
    assert category_label("Cash Street: high", "fr") == "prêt personnel, à la demande du client, taux élevé"
    assert (category_label("MONDAY", "en"), category_label("MONDAY", "fr")) == ("Monday", "lundi")
    assert category_label("Cash X-Sell: middle", "en") == "cash loan, offered by the lender, interest rate medium"
    assert category_label("Business Entity Type 3", "en") == "business, type 3"
    assert category_label("something new", "fr") == "something new"
    # Where English says what the data say, in the middle of a sentence
    assert (category_label("Bank", "en"), category_label("Bank", "fr")) == ("bank", "banque")
    assert category_label("IT staff", "en") == "IT staff"
    assert category_label("Legal Services", "en") == "legal services"
    assert category_label("Clothing and Accessories", "en") == "clothing and accessories"
    assert category_label("Medicine staff", "en") == "medical staff"
    assert category_label("Canceled", "en") == "cancelled"


def test_what_is_derived_from_a_column_is_found_through_the_code() -> None:
    derived = columns_derived_from(["DAYS_BIRTH"])
    assert {"DAYS_BIRTH", "APPLICATION_AGE_YEARS", "BUREAU_DAYS_CREDIT_TO_AGE_RATIO"} <= derived
    assert "APPLICATION_CREDIT_TO_INCOME_RATIO" not in derived
    assert "CODE_GENDER" in columns_derived_from(["CODE_GENDER"])
    with pytest.raises(ValueError, match="No columns of the application form: SHOE_SIZE"):
        columns_derived_from(["SHOE_SIZE"])
