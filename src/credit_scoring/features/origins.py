"""Which features are computed from given columns of the application form."""

import functools
from collections.abc import Collection, Mapping

import ibis

from credit_scoring.features import SOURCES, join_features
from credit_scoring.features.lineage import Lineage, column_lineage, compose_lineages
from credit_scoring.schemas.raw import RAW_TABLES


def columns_derived_from(names: Collection[str]) -> frozenset[str]:
    """Return the columns of `applicant_features` whose value depends on one of the columns, these included.

    Args:
        names: Columns of the application form.

    Raises:
        ValueError: If a name is not one of them.
    """
    form = RAW_TABLES["application_train"].columns
    if unknown := sorted(set(names) - set(form)):
        raise ValueError(
            f"No columns of the application form: {', '.join(unknown)}.\nHint: spell them as docs/data_dictionary.md."
        )
    wanted = set(names)
    return frozenset(column for column, lineage in _lineages().items() if wanted & set(lineage.get("application", ())))


@functools.cache
def _lineages() -> Mapping[str, Lineage]:
    lineages, tables = {}, []
    for source in SOURCES:
        raw = {name: RAW_TABLES["application_train" if name == "application" else name] for name in source.clean}
        clean = [make(ibis.table(dict(raw[name].columns), name=name)) for name, make in source.clean.items()]
        features = source.compute(*clean)
        lineages[source.name] = column_lineage(features)
        tables.append(ibis.table(features.schema(), name=source.name))
    return compose_lineages(column_lineage(join_features(*tables)), lineages)
