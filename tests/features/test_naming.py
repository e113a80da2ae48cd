"""Feature names, read back into parts and words."""

import pytest

from credit_scoring.features.dictionary import describe_feature
from credit_scoring.features.naming import FeatureName, parse_feature_name


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("INSTALLMENTS_LATE_RATE_365D", FeatureName("INSTALLMENTS", "LATE", "RATE", window="365D")),
        ("BUREAU_DEBT_TO_CREDIT_RATIO_ACTIVE", FeatureName("BUREAU", "DEBT_TO_CREDIT", "RATIO", "ACTIVE")),
        ("BUREAU_BALANCE_SEVERITY_MAX_12M", FeatureName("BUREAU_BALANCE", "SEVERITY", "MAX", window="12M")),
        ("PREVIOUS_REFUSED_RATE_LAST_3", FeatureName("PREVIOUS", "REFUSED", "RATE", window="LAST_3")),
        ("PREVIOUS_CONTRACT_STATUS_LAST", FeatureName("PREVIOUS", "CONTRACT_STATUS", "LAST")),
        ("BUREAU_MAX_OVERDUE_MAX_CAR", FeatureName("BUREAU", "MAX_OVERDUE", "MAX", "CAR")),
    ],
)
def test_a_name_is_read_into_its_parts_and_spelt_from_them(name: str, parts: FeatureName) -> None:
    assert parse_feature_name(name) == parts
    assert str(parts) == name


@pytest.mark.parametrize(
    "name", ["AMT_CREDIT", "BUREAU_DEBT", "bureau_debt_sum", "BUREAU_DEBT_SUM_9Y", "BUREAU DEBT SUM"]
)
def test_another_name_is_refused_with_the_grammar(name: str) -> None:
    with pytest.raises(ValueError, match="is not a feature name: expected <SOURCE>"):
        parse_feature_name(name)


def test_a_feature_in_words() -> None:
    name = "INSTALLMENTS_LATE_RATE_365D"
    assert describe_feature(name) == "Repayments: instalments paid late, share, last 365 days"
    assert describe_feature(name, "fr") == "Remboursements : échéances payées en retard, part, 365 derniers jours"
    assert describe_feature("HAS_BUREAU") == "Credits at other lenders: has a history"


def test_a_measure_without_words_is_an_error_that_says_where_to_add_them() -> None:
    with pytest.raises(ValueError, match=r"'SHOE_SIZE'.*has no words"):
        describe_feature("APPLICATION_SHOE_SIZE_MAX")
