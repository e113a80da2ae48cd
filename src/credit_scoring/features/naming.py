"""Grammar of the feature names: `<SOURCE>_<MEASURE>_<AGGREGATE>[_<SUBSET>][_<WINDOW>]`.

A name is read back into its parts, and the parts into words, so that the feature dictionary and the reasons given to an
applicant are generated from the names and cannot fall behind the code.
"""

import re
from dataclasses import dataclass

PREFIXES = ("APPLICATION", "BUREAU_BALANCE", "BUREAU", "PREVIOUS", "POS_CASH", "INSTALLMENTS", "CREDIT_CARD")
AGGREGATES = (
    "COUNT",
    "SUM",
    "MEAN",
    "MIN",
    "MAX",
    "STD",
    "RATE",
    "RATIO",
    "SLOPE",
    "LAST",
    "MEDIAN",
    "RANGE",
    "DIFF",
    "PRODUCT",
    "FLAG",
    "LOG",
    "YEARS",
)
SUBSETS = (
    "ACTIVE",
    "CLOSED",
    "CONSUMER",
    "CARD",
    "CAR",
    "MORTGAGE",
    "MICROLOAN",
    "APPROVED",
    "REFUSED",
    "RUNNING",
    "CASH",
    "REVOLVING",
)

_NAME = re.compile(
    rf"(?P<source>{'|'.join(PREFIXES)})"
    r"_(?P<measure>[A-Z0-9]+(?:_[A-Z0-9]+)*)"
    rf"_(?P<aggregate>{'|'.join(AGGREGATES)})"
    rf"(?:_(?P<subset>{'|'.join(SUBSETS)}))?"
    r"(?:_(?P<window>LAST_\d+|\d+[DM]))?"
)


@dataclass(frozen=True)
class FeatureName:
    """The parts of a feature name; `subset` and `window` are empty where there is none."""

    source: str
    measure: str
    aggregate: str
    subset: str = ""
    window: str = ""

    def __str__(self) -> str:
        return "_".join(part for part in (self.source, self.measure, self.aggregate, self.subset, self.window) if part)


def parse_feature_name(name: str) -> FeatureName:
    """Read the name of an engineered feature.

    Args:
        name: Such as `INSTALLMENTS_LATE_RATE_365D`.

    Returns:
        Its parts: `FeatureName("INSTALLMENTS", "LATE", "RATE", window="365D")`.

    Raises:
        ValueError: If the name does not follow the grammar.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise ValueError(
            f"{name!r} is not a feature name: expected <SOURCE>_<MEASURE>_<AGGREGATE>[_<SUBSET>][_<WINDOW>].\n"
            f"Hint: sources are {', '.join(PREFIXES)}; aggregates are {', '.join(AGGREGATES)}."
        )
    return FeatureName(**{part: text or "" for part, text in match.groupdict().items()})
