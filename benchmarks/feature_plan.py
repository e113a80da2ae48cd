"""Measure the feature plan beside DuckDB in process: one applicant, a hundred, and a history at full size.

Both compute the columns that the exported model reads, from the same raw rows. Run by `make bench`.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import duckdb
import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from benchmarks.harness import DEFAULT_FOLDER, ROOT, TEST_APPLICANTS, TRAIN_APPLICANTS, make_twin, write_section
from benchmarks.parity import compare_tables
from credit_scoring.datasets.raw_csv import RawCsvDataset
from credit_scoring.feature_plan import FeaturePlan, Plan
from credit_scoring.features.installments import SOURCE as INSTALLMENTS
from credit_scoring.features.plan import compile_plan, join_sources
from credit_scoring.features.sources import SOURCES
from credit_scoring.pipelines.synthetic_data.nodes import generate_twin
from credit_scoring.pipelines.synthetic_data.options import SyntheticDataOptions
from credit_scoring.schemas.raw import OFFICIAL_TABLES, contract_of

TABLES = tuple(dict.fromkeys(cleaning.table for source in SOURCES for cleaning in source.cleaning))
CHUNK = 1_000

Request = Mapping[str, Any]


def make_requests(n_applicants: int) -> list[Request]:
    """Return the raw tables of each applicant of a twin, smallest first."""
    chunks = list(generate_twin(SyntheticDataOptions(n_train=n_applicants, n_test=0)))
    tables = {name: pd.concat([chunk[i] for chunk in chunks]) for i, name in enumerate(OFFICIAL_TABLES)}
    tables["application"] = tables.pop("application_train").drop(columns="TARGET")
    return sorted(as_requests({name: tables[name] for name in TABLES}), key=count_rows)


def as_requests(tables: Mapping[str, pd.DataFrame]) -> list[Request]:
    """Return raw tables as requests have them: those of each applicant, in the order of the table `application`."""
    owners = tables["bureau"].set_index("SK_ID_BUREAU")["SK_ID_CURR"]
    rows: dict[int, dict[str, Any]] = {client: {} for client in tables["application"]["SK_ID_CURR"]}
    for name, table in tables.items():
        clients = table["SK_ID_CURR"] if "SK_ID_CURR" in table else table["SK_ID_BUREAU"].map(owners)
        plain = table.astype(object).where(table.notna(), None)
        for client, record in zip(clients.tolist(), plain.to_dict("records"), strict=True):
            if client not in rows:
                continue
            if name == "application":
                rows[client][name] = record
            else:
                rows[client].setdefault(name.lower(), []).append(record)
    return list(rows.values())


def count_rows(request: Request) -> int:
    """Count the rows of all tables."""
    return 1 + sum(len(rows) for name, rows in request.items() if name != "application")


class Engine:
    """DuckDB in process, on one thread: rows into tables, then one query compiled beforehand."""

    def __init__(self, columns: list[str]) -> None:
        self._connection = duckdb.connect()
        self._connection.execute("SET threads = 1")
        joined, _ = join_sources()
        self._query = ibis.duckdb.connect().compile(joined.select("SK_ID_CURR", *columns))

    def evaluate(self, requests: list[Request]) -> pa.Table:
        """Compute the features of applicants."""
        for name in TABLES:
            schema = ibis.schema(contract_of(name).columns).to_pyarrow()
            given = [one.get(name.lower(), []) for one in requests]
            rows = pa.Table.from_pylist(given if name == "application" else list(chain.from_iterable(given)), schema)
            self._connection.register("rows", rows)
            self._connection.execute(f'CREATE OR REPLACE TABLE "{name.lower()}" AS SELECT * FROM rows')
        return self._connection.execute(self._query).to_arrow_table()


def measure_calls(call: Callable[[], Any], repeats: int) -> np.ndarray:
    """Return wall times and processor times, in seconds, two rows."""
    call()
    times = []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.thread_time()
        call()
        times.append((time.perf_counter() - wall, time.thread_time() - cpu))
    return np.array(times).T


def compare_values(plan: FeaturePlan, engine: Engine, requests: list[Request]) -> tuple[int, int]:
    """Return how many values were compared with the engine's, and how many differ."""
    found, expected = plan.evaluate(requests), engine.evaluate(requests).to_pandas()
    frame = pd.DataFrame(found.numbers, columns=found.names).assign(SK_ID_CURR=found.applicants, **found.texts)
    differing = compare_tables(frame.astype(expected.dtypes.to_dict())[expected.columns], expected, "SK_ID_CURR")
    return found.numbers.size, sum(column.nulls + column.values + bool(column.note) for column in differing)


def describe_latency(n_applicants: int, repeats: int) -> Iterator[str]:
    """Write the table of single requests."""
    columns = [column["name"] for column in json.loads((ROOT / "model" / "input_columns.json").read_text())]
    started = time.perf_counter()
    written = compile_plan(columns).to_json()
    compiled = time.perf_counter() - started
    started = time.perf_counter()
    plan = FeaturePlan(Plan.from_json(written))
    loaded = time.perf_counter() - started
    engine = Engine(columns)
    requests = make_requests(n_applicants)
    compared, differing = compare_values(plan, engine, requests)
    some = np.random.default_rng(0).choice(len(requests), 100, replace=False)
    yield (
        f"{len(columns)} columns of the exported model: {len(plan.plan.steps)} steps on {len(plan.plan.frames)} sets "
        f"of rows, compiled in {compiled:.1f} s at export, read in {loaded:.2f} s at start. Rows come as records and "
        f"are checked. {n_applicants:,} applicants of a twin; of {compared:,} values {differing:,} differ from "
        "DuckDB's. One thread; processor time is what a call takes of it, however busy the machine is."
    )
    yield ""
    yield "| request | rows | what computes | p50, ms | p99, ms | processor, ms | applicants per second of it |"
    yield "|---|---:|---|---:|---:|---:|---:|"
    cases = {
        "median history": [requests[len(requests) // 2]],
        "longest history": requests[-1:],
        "100 applicants": [requests[i] for i in some],
    }
    for name, asked in cases.items():
        for contestant, compute, often in (
            ("plan", plan.evaluate, repeats),
            ("DuckDB", engine.evaluate, repeats // 20),
        ):
            walls, cpus = 1_000 * measure_calls(lambda compute=compute, asked=asked: compute(asked), often)
            (p50, p99), cpu = np.percentile(walls, [50, 99]), np.median(cpus)
            rate, n_rows = len(asked) / cpu * 1_000, sum(map(count_rows, asked))
            yield (f"| {name} | {n_rows:,} | {contestant} | {p50:.2f} | {p99:.2f} | {cpu:.2f} | {rate:,.0f} |")


def describe_bulk(raw: Path) -> Iterator[str]:
    """Write what the instalments of all clients cost either way: the longest history of those with a key of five."""
    engine = ibis.duckdb.connect()
    engine.raw_sql("SET threads = 1")
    connection = {"backend": "duckdb"}
    with tempfile.TemporaryDirectory() as folder:
        tables = {}
        for cleaning in INSTALLMENTS.cleaning:
            typed = RawCsvDataset(
                table=cleaning.table, filepath=str(raw / f"{cleaning.table}.csv"), connection=connection
            )
            path = Path(folder) / f"{cleaning.table}.parquet"
            typed.load().table.to_parquet(path)
            tables[cleaning.table] = engine.read_parquet(path, table_name=cleaning.table)
        clean = [one.apply(tables[one.table]) for one in INSTALLMENTS.cleaning]
        started = time.process_time()
        expected = engine.to_pyarrow(INSTALLMENTS.compute(*clean)).to_pandas()
        by_engine = time.process_time() - started
        plan = FeaturePlan(compile_plan([name for name in expected.columns if name != "SK_ID_CURR"]))
        wanted = {(step.frame, step.name) for step in plan.plan.steps if step.operation == "raw"}
        started = time.process_time()
        columns = {
            name: as_columns(
                table.select(*(one for one in table.columns if (name, one) in wanted))
                .order_by("SK_ID_CURR")
                .to_pyarrow()
            )
            for name, table in tables.items()
        }
        sorting = time.process_time() - started
        started = time.process_time()
        clients = np.sort(expected["SK_ID_CURR"].to_numpy())
        parts = [plan.evaluate_typed(part).numbers for part in take_parts(columns, clients)]
        by_plan = time.process_time() - started
    found = pd.DataFrame(np.concatenate(parts), columns=list(plan.plan.outputs)).assign(SK_ID_CURR=clients)
    differing = compare_tables(found[expected.columns], expected.astype({"SK_ID_CURR": "int64"}), "SK_ID_CURR")
    n_rows = len(columns["installments_payments"]["SK_ID_CURR"])
    yield (
        f"In bulk: the features of {n_rows:,} instalments of {len(clients):,} clients, typed Parquet, one thread. "
        f"DuckDB takes {by_engine:.1f} s of processor time; the plan {by_plan:.1f} s, {CHUNK:,} clients at once, when "
        f"DuckDB has read rows by client in {sorting:.1f} s: {by_engine / (by_plan + sorting):.2f} times as fast. "
        f"{found.size - len(found):,} values, {sum(one.nulls + one.values for one in differing):,} differ."
    )


def as_columns(rows: pa.Table) -> dict[str, Any]:
    """Return the columns of a table as a plan takes them typed."""
    columns: dict[str, Any] = {}
    for name in rows.column_names:
        if pa.types.is_string(rows[name].type):
            encoded = rows[name].combine_chunks().dictionary_encode()
            places = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
            columns[name] = (places, encoded.dictionary.to_pylist())
        else:
            columns[name] = rows[name].cast(pa.float64()).to_numpy()
    return columns


def take_parts(columns: Mapping[str, Mapping[str, Any]], clients: np.ndarray) -> Iterator[dict[str, Any]]:
    """Yield the rows of some clients after another."""
    bounds = [*range(0, len(clients), CHUNK), len(clients)]
    for first, last in pairwise(bounds):
        part: dict[str, Any] = {"application": {"SK_ID_CURR": clients[first:last].astype(float)}}
        for name, table in columns.items():
            at = slice(*np.searchsorted(table["SK_ID_CURR"], (clients[first], clients[last - 1] + 0.5)))
            part[name] = {
                column: (values[0][at], values[1]) if isinstance(values, tuple) else values[at]
                for column, values in table.items()
            }
        yield part


def main() -> None:
    """Write the section."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--applicants", type=int, default=2_000, help="applicants of the twin that requests are made of"
    )
    parser.add_argument("--repeats", type=int, default=400, help="calls of the plan; the engine gets a twentieth")
    bulk = parser.add_mutually_exclusive_group()
    bulk.add_argument("--raw", type=Path, help="folder of raw CSV files for the comparison in bulk; left out without")
    bulk.add_argument("--size", type=float, help="the same on the twin of `benchmarks.features --size`")
    arguments = parser.parse_args()
    if size := arguments.size:
        arguments.raw = make_twin(DEFAULT_FOLDER, round(TRAIN_APPLICANTS * size), round(TEST_APPLICANTS * size))
    lines = list(describe_latency(arguments.applicants, arguments.repeats))
    if arguments.raw:
        lines += ["", *describe_bulk(arguments.raw)]
    write_section("feature_plan", "From raw tables to features in a request", "\n".join(lines))


if __name__ == "__main__":
    main()
