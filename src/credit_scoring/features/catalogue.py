"""Every column of `applicant_features` by name: its record, the module that makes it, the raw columns that it reads."""

import functools
from collections.abc import Collection, Mapping
from types import MappingProxyType

import ibis

from credit_scoring.features.join import PRESENCE, RATIOS, join_features
from credit_scoring.features.learnt import LEARNT_FEATURES
from credit_scoring.features.lineage import Lineage, column_lineage, compose_lineages
from credit_scoring.features.records import Feature
from credit_scoring.features.sources import SOURCES
from credit_scoring.schemas.raw import contract_of

FEATURES_BY_MODULE: Mapping[str, tuple[Feature, ...]] = MappingProxyType(
    {source.name: source.features for source in SOURCES} | {"join": (*PRESENCE, *RATIOS)}
)
"""Module of this package -> the columns of `applicant_features` that it makes, in their order."""

FEATURES: Mapping[str, Feature] = MappingProxyType(
    {feature.name: feature for features in FEATURES_BY_MODULE.values() for feature in features}
)
"""Every column of `applicant_features` beside SK_ID_CURR and TARGET."""


def find_feature(name: str) -> Feature:
    """Return the record of a column of `applicant_features`, or of a feature that a model learns from outcomes.

    Raises:
        ValueError: If there is none.
    """
    feature = FEATURES.get(name) or LEARNT_FEATURES.get(name)
    if feature is None:
        raise ValueError(
            f"No feature is called {name!r}.\nHint: docs/feature_dictionary.md lists them; a new one is a record in "
            "the module of its source, in credit_scoring/features/."
        )
    return feature


def columns_derived_from(names: Collection[str]) -> frozenset[str]:
    """Return the columns of `applicant_features` whose value depends on one of the columns, these included.

    Args:
        names: Columns of the application form.

    Raises:
        ValueError: If a name is not one of them.
    """
    form = contract_of("application").columns
    if unknown := sorted(set(names) - set(form)):
        raise ValueError(
            f"No columns of the application form: {', '.join(unknown)}.\nHint: spell them as docs/data_dictionary.md."
        )
    wanted = set(names)
    return frozenset(
        name for name, lineage in feature_lineages().items() if wanted & set(lineage.get("application", ()))
    )


@functools.cache
def feature_lineages() -> Mapping[str, Lineage]:
    """Trace every column of `applicant_features` to the raw columns that its value depends on.

    Read off the expressions that are run, through cleaning, features and join, as what is left out on purpose (a
    protected attribute and what derives from it) must not depend on what somebody remembered to write down.
    """
    lineages, tables = {}, []
    for source in SOURCES:
        raw = {name: contract_of(name) for name in source.clean}
        clean = {name: apply(ibis.table(dict(raw[name].columns), name=name)) for name, apply in source.clean.items()}
        features = source.compute(*(ibis.table(table.schema(), name=name) for name, table in clean.items()))
        cleaned = {name: column_lineage(table) for name, table in clean.items()}
        lineages[source.name] = compose_lineages(column_lineage(features), cleaned)
        tables.append(ibis.table(features.schema(), name=source.name))
    return MappingProxyType(compose_lineages(column_lineage(join_features(*tables)), lineages))
