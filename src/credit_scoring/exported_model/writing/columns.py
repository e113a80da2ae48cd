"""What `input_columns.json` says of the columns of a request, and which further names `known_names.json` knows."""

from math import isfinite
from typing import Any

import pandas as pd

from credit_scoring.features.catalogue import FEATURES
from credit_scoring.features.learnt import LEARNT_FEATURES
from credit_scoring.features.records import UNITS
from credit_scoring.gaps import GapRules
from credit_scoring.models.base import text_columns
from credit_scoring.schemas.raw import RAW_TABLES


def describe_columns(rows: pd.DataFrame, gap_rules: GapRules | None = None) -> list[dict[str, Any]]:
    """Say what a server has to be sent.

    Args:
        rows: Rows that stand for what will be sent.
        gap_rules: What their columns may hold.

    Returns:
        Per column `name`; for a feature `description`, `unit` and `null_when` (what a null or a missing column says);
        for a text `categories`, those of `rows`; and for a number with bounds `plausible`, the least and the greatest
        value, null on a side without one.
    """
    texts = set(text_columns(rows))
    ranges = {} if gap_rules is None else gap_rules.ranges
    columns = []
    for name in rows.columns:
        column: dict[str, Any] = {"name": name}
        if feature := FEATURES.get(name) or LEARNT_FEATURES.get(name):
            column |= {
                "description": feature.describe(),
                "unit": "text" if name in texts else UNITS[feature.unit],
                "null_when": [*([f"{feature.history} is 0"] if feature.history else []), *feature.null_when],
            }
        if name in texts:
            column["categories"] = sorted(rows[name].dropna().unique())
        if any(map(isfinite, ranges.get(name, ()))):
            column["plausible"] = [end if isfinite(end) else None for end in ranges[name]]
        columns.append(column)
    return columns


def known_names() -> list[str]:
    """Return every name that a client may send in good faith: fields of the application form and features."""
    fields = {name for table in ("application_train", "application_test") for name in RAW_TABLES[table].columns}
    return sorted(fields | set(FEATURES) | set(LEARNT_FEATURES))
