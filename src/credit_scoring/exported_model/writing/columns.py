"""What `input_columns.json` says of the columns of a request."""

from typing import Any

import pandas as pd

from credit_scoring.features.catalogue import FEATURES
from credit_scoring.features.learnt import LEARNT_FEATURES
from credit_scoring.features.records import UNITS
from credit_scoring.models.base import text_columns


def describe_columns(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Say what a server has to be sent.

    Args:
        rows: Rows that stand for what will be sent.

    Returns:
        Per column `name`; for a feature `description`, `unit` and `null_when` (what a null or a missing column says);
        and for a text `categories`, those of `rows`.
    """
    texts = set(text_columns(rows))
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
        columns.append(column)
    return columns
