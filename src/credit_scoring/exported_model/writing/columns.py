"""What `input_columns.json` says of the columns of a request."""

from typing import Any

import pandas as pd

from credit_scoring.features.dictionary import describe_feature
from credit_scoring.features.documentation import FeatureEntry, document_features
from credit_scoring.models.base import text_columns

_FLAG, _NO_NUMBER = "1 for yes, 0 for no", "text"
_OF_AGGREGATE = {
    "COUNT": "count",
    "RATE": "share, 0 to 1",
    "RATIO": "ratio",
    "FLAG": _FLAG,
    "YEARS": "years",
}
_OF_VALUE = {"AMT": "currency of the data", "DAYS": "days, negative before the application", "CNT": "count"}
_KEEPS_UNIT = {"SUM", "MEAN", "MEDIAN", "MIN", "MAX", "STD", "RANGE", "DIFF", "LAST"}


def describe_columns(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Say what a server has to be sent.

    Args:
        rows: Rows that stand for what will be sent.

    Returns:
        Per column `name`, `description`, `unit` (empty where it has none of its own, see the formula in the dictionary
        of features), `null_when` (what a null or a missing column says), and for a text `categories`, those of `rows`.
    """
    entries = {feature.name: feature for source in document_features() for feature in source.features}
    texts = set(text_columns(rows))
    columns = []
    for name in rows.columns:
        entry = entries.get(name)
        column: dict[str, Any] = {"name": name}
        if entry is not None:
            column |= {
                "description": describe_feature(name),
                "unit": _NO_NUMBER if name in texts else _unit(entry),
                "null_when": [*(f"{flag} is 0" for flag in entry.histories), *entry.null_when],
            }
        if name in texts:
            column["categories"] = sorted(rows[name].dropna().unique())
        columns.append(column)
    return columns


def _unit(entry: FeatureEntry) -> str:
    """Read a unit off the name and off the raw columns that the values come from."""
    if entry.name.startswith(("HAS_", "FLAG_")):
        return _FLAG
    aggregate = next((part for part in reversed(entry.name.split("_")) if part in {*_OF_AGGREGATE, *_KEEPS_UNIT}), "")
    if aggregate in _OF_AGGREGATE:
        return _OF_AGGREGATE[aggregate]
    kinds = {column.split("_")[0] for columns in entry.lineage.values() for column in columns}
    of_raw_column = not entry.formula
    if len(kinds) == 1 and (aggregate in _KEEPS_UNIT or of_raw_column):
        return _OF_VALUE.get(kinds.pop(), "")
    return ""
