"""Tiny raw tables, and features read back by client."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from credit_scoring.features.join import join_features
from credit_scoring.features.sources import SOURCES
from credit_scoring.pipelines.synthetic_data.nodes import generate_twin
from credit_scoring.pipelines.synthetic_data.options import SyntheticDataOptions
from credit_scoring.schemas.raw import OFFICIAL_TABLES, RAW_TABLES, contract_of

ARROW_TYPES = {"int32": pa.int32(), "float64": pa.float64(), "string": pa.string()}

Row = Mapping[str, Any]
Tables = Mapping[str, pa.Table]


def arrow(name: str, rows: list[Row]) -> pa.Table:
    """Return rows with every column of a raw table; those not given are null."""
    columns = contract_of(name).columns
    unknown = {column for row in rows for column in row} - set(columns)
    assert not unknown, f"{name} has no column {unknown}"
    filled = [{column: row.get(column) for column in columns} for row in rows]
    return pa.Table.from_pylist(filled, pa.schema([(column, ARROW_TYPES[kind]) for column, kind in columns.items()]))


def read(table: ir.Table | pa.Table) -> pd.DataFrame:
    """Return features by client, in the order of the clients."""
    return table.to_pandas().set_index("SK_ID_CURR").sort_index()


class Raw:
    """Raw tables of a few rows, and the features of a source on them.

    Queries are compiled once for all engines, whose tables have the same names: compiling takes a hundred times as long
    as computing features on a few rows.
    """

    _queries: ClassVar[dict[str, str]] = {}

    def __init__(self) -> None:
        self._engine = ibis.duckdb.connect(threads=1)

    def __call__(self, name: str, *rows: Row) -> ir.Table:
        """Return a raw table: `raw("bureau", {"SK_ID_CURR": 1, ...}, ...)`."""
        return ibis.memtable(arrow(name, list(rows)))

    def features(self, source: str, **tables: Sequence[Row]) -> pd.DataFrame:
        """Return the features of a source by client; a table that is not given is empty."""
        return read(self.compute(source, {name: arrow(name, list(rows)) for name, rows in tables.items()}))

    def compute(self, source: str, tables: Tables) -> pa.Table:
        """Return the features of a source; a table that is not given is empty."""
        registered = next(item for item in SOURCES if item.name == source)
        for name in registered.clean:
            self._engine.con.register(name, tables.get(name, arrow(name, [])))
        if source not in self._queries:
            cleaned = (clean(self._engine.table(name)) for name, clean in registered.clean.items())
            self._queries[source] = self._engine.compile(registered.compute(*cleaned))
        return self._engine.raw_sql(self._queries[source]).to_arrow_table()

    def compute_all(self, tables: Tables) -> pa.Table:
        """Return the features of all sources as a run joins them, a row per applicant."""
        for source in SOURCES:
            self._engine.con.register(f"{source.name}_features", self.compute(source.name, tables))
        if "all" not in self._queries:
            joined = join_features(*(self._engine.table(f"{source.name}_features") for source in SOURCES))
            self._queries["all"] = self._engine.compile(joined)
        return self._engine.raw_sql(self._queries["all"]).to_arrow_table()


@pytest.fixture(scope="session")
def raw() -> Raw:
    return Raw()


@pytest.fixture(scope="session")
def random_tables() -> Mapping[str, pa.Table]:
    """Return random raw tables of some clients, with every quirk that cleaning is there for."""
    return {raw: random_table(raw, clients=12, seed=seed) for seed, raw in enumerate(raw_names())}


def make_twin_tables(**options: int) -> dict[str, pd.DataFrame]:
    """Return the raw tables of a twin; those of a source that it lacks are random, and of its applicants."""
    chunks = list(generate_twin(SyntheticDataOptions(**options)))
    tables = {name: pd.concat([c[i] for c in chunks], ignore_index=True) for i, name in enumerate(OFFICIAL_TABLES)}
    clients = pd.concat([tables["application_train"], tables["application_test"]])["SK_ID_CURR"].to_numpy()
    for seed, name in enumerate(name for name in RAW_TABLES if name not in OFFICIAL_TABLES):
        table = random_table(name, len(clients), seed).to_pandas()
        if "SK_ID_CURR" in table:
            table["SK_ID_CURR"] = clients[table["SK_ID_CURR"] - 1]
        tables[name] = table
    return tables


def typed(name: str, table: pd.DataFrame) -> pa.Table:
    """Return a raw table with the types of its contract."""
    return pa.Table.from_pandas(table, ibis.schema(contract_of(name).columns).to_pyarrow(), preserve_index=False)


def raw_names() -> list[str]:
    return [raw for source in SOURCES for raw in source.clean]


def random_table(name: str, clients: int, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    contract = contract_of(name)
    rows = clients if name == "application" else clients * 25
    table: dict[str, Any] = {}
    for column, kind in contract.columns.items():
        if kind == "string":
            values = pd.Series(rng.choice(_TEXTS.get(column, ("Yes", "No", "XNA", "XAP", None)), rows), dtype=object)
        else:
            values = pd.Series(_random_numbers(rng, column, rows))
            if kind == "float64":
                values = values.astype(float).mask(rng.random(rows) < 0.15)
        table[column] = values
    frame = pd.DataFrame(table)
    _set_keys(frame, name, clients, rng)
    return typed(name, frame)


def _random_numbers(rng: np.random.Generator, column: str, rows: int) -> np.ndarray:
    if column.startswith("DAYS"):
        return np.where(rng.random(rows) < 0.1, 365243, -rng.integers(0, 1500, rows))
    if column == "MONTHS_BALANCE":
        return -rng.integers(0, 30, rows)
    if column.startswith("AMT") and not column.startswith("AMT_REQ"):
        return np.where(rng.random(rows) < 0.1, -5, rng.integers(0, 50, rows) * 100)
    if column.startswith("EXT_SOURCE"):
        return rng.random(rows).round(3)
    return rng.integers(0, 4, rows)


def _set_keys(frame: pd.DataFrame, name: str, clients: int, rng: np.random.Generator) -> None:
    if name == "application":
        frame["SK_ID_CURR"] = np.arange(1, clients + 1)
        return
    loans = rng.integers(1, clients * 4 + 1, len(frame))
    for key in ("SK_ID_PREV", "SK_ID_BUREAU"):
        if key in frame and RAW_TABLES[name].key == (key,):
            frame[key] = rng.permutation(len(frame)) + 1
        elif key in frame:
            frame[key] = loans
    if "SK_ID_CURR" in frame:
        # One client has no history at all; a loan belongs to one client.
        frame["SK_ID_CURR"] = 2 + frame.get("SK_ID_PREV", loans) % (clients - 1)
    if "MONTHS_BALANCE" in frame:
        owner = next(key for key in ("SK_ID_PREV", "SK_ID_BUREAU", "SK_ID_CURR") if key in frame)
        frame["MONTHS_BALANCE"] = -frame.groupby(owner).cumcount() * 2


_TEXTS = {
    "STATUS": ("0", "0", "C", "X", "1", "2", "5"),
    "CREDIT_ACTIVE": ("Active", "Closed", "Sold", "Bad debt"),
    "CREDIT_TYPE": ("Consumer credit", "Credit card", "Car loan", "Mortgage", "Microloan", "Loan of another kind"),
    "NAME_CONTRACT_TYPE": ("Cash loans", "Consumer loans", "Revolving loans", "XNA"),
    "NAME_CONTRACT_STATUS": ("Approved", "Refused", "Canceled", "Active", "Completed", "Signed", "Demand"),
    "CODE_REJECT_REASON": ("XAP", "HC", "LIMIT", "SCO", "SCOFR"),
    "NAME_PRODUCT_TYPE": ("XNA", "x-sell", "walk-in"),
    "NAME_YIELD_GROUP": ("XNA", "high", "low_normal", "middle"),
}
