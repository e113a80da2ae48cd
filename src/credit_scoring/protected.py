"""Protected attributes: what no model may learn from, and whose groups decisions are measured for."""

from collections.abc import Iterable
from difflib import get_close_matches

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, field_validator

from credit_scoring.features.catalogue import FEATURES, columns_derived_from, find_feature
from credit_scoring.features.categories import category_label
from credit_scoring.schemas.raw import contract_of
from credit_scoring.texts import Texts

AGE_BAND, UNKNOWN = "AGE_BAND", "?"

_MOST_VALUES = 10
"""Distinct values of a number up to which each is a group of its own."""


class ProtectedOptions(BaseModel):
    """Attributes that no candidate may learn from, with every feature that derives from them.

    Attributes:
        columns: Columns of the application form; none is allowed, and the report then says so.
        min_group: Applicants of a group from which on it is looked for among the model's other columns.
        max_rows: Training rows that this is measured on, at most.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: tuple[str, ...] = ("CODE_GENDER", "NAME_FAMILY_STATUS")
    min_group: int = Field(50, ge=10)
    max_rows: int = Field(20_000, ge=100)

    @field_validator("columns")
    @classmethod
    def _are_known(cls, columns: tuple[str, ...]) -> tuple[str, ...]:
        known = sorted(set(contract_of("application").columns) & set(FEATURES))
        unknown = [name for name in columns if name not in known]
        if unknown:
            meant = [match for name in unknown for match in get_close_matches(name, known, n=1)]
            suggestion = f"did you mean {', '.join(meant)}? " if meant else ""
            raise ValueError(
                f"protected attributes must be columns of the application form that are features as well, found "
                f"{', '.join(unknown)}.\nHint: {suggestion}docs/data_dictionary.md lists the columns; the parameter is "
                "`protected` in conf/*/globals.yml."
            )
        return tuple(dict.fromkeys(columns))

    def found_in(self, names: Iterable[str]) -> list[str]:
        """Return those of the names whose value depends on a protected column, by lineage; these columns included."""
        derived = columns_derived_from(self.columns)
        return [str(name) for name in names if name in derived]


def grouped_by(column: str) -> str:
    """Return the attribute by which the clients of a protected column are grouped: its values, but age in bands."""
    return AGE_BAND if column == "DAYS_BIRTH" else column


def group_values(values: pd.Series, reference: pd.Series) -> pd.Series:
    """Return the group of each applicant by an attribute, same index, as text; null where the attribute is unknown.

    A category is a group. So is each value of a number that has few values in the reference; other numbers fall into
    two groups, up to the median of the reference and above it.

    Args:
        values: The attribute of the applicants who are grouped.
        reference: The attribute of the training applicants: samples grouped by one reference have the same groups.
    """
    groups = pd.Series(None, index=values.index, dtype=object, name=values.name)
    known = values.notna()
    if not pd.api.types.is_numeric_dtype(reference):
        groups[known] = values[known].astype(str)
        return groups
    numbers = values[known].astype(float)
    if reference.nunique() <= _MOST_VALUES:
        groups[known] = [f"{number:g}" for number in numbers]
    else:
        median = float(reference.median())
        groups[known] = np.where(numbers <= median, f"≤ {median:g}", f"> {median:g}")
    return groups


def name_attribute(attribute: str, texts: Texts) -> str:
    """Say in words by which attribute clients are grouped: a feature, or `AGE_BAND`."""
    if attribute == AGE_BAND:
        return texts.say("fairness.age")
    return find_feature(attribute).client_label(texts.language)


def name_group(group: str, texts: Texts) -> str:
    """Say a group of `group_values` in words."""
    return texts.say("common.missing") if group == UNKNOWN else category_label(str(group), texts.language)
