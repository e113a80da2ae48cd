"""The source tables of a run, applicant by applicant."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
from ibis import _

from credit_scoring.datasets.raw_csv import RawCsvDataset
from credit_scoring.desk.source_rows import FORMS, HISTORIES, SourceFileError

_CLIENT = "SK_ID_CURR"


class SourceTables:
    """The files of a folder, as a run reads them.

    Args:
        folder: The folder.
        spill: Folder for what does not fit into memory.

    Attributes:
        n_applicants: How many applicants there are.
    """

    def __init__(self, folder: Path, spill: Path) -> None:
        connection = {"backend": "duckdb", "database": ":memory:", "threads": 1, "memory_limit": "3GB"}
        self._connection: Mapping[str, Any] = {**connection, "temp_directory": spill.absolute().as_posix()}
        self._folder = folder
        forms = [self._load(name).mutate(is_new=name == FORMS[1]) for name in FORMS]
        columns = list(forms[1].columns)
        self._forms = forms[0].select(columns).union(forms[1])
        tables = {name.lower(): self._load(name) for name in HISTORIES}
        owners = tables["bureau"].select("SK_ID_BUREAU", _owner=_[_CLIENT])
        tables["bureau_balance"] = tables["bureau_balance"].join(owners, "SK_ID_BUREAU")
        self._histories = {
            name: table if name == "bureau_balance" else table.mutate(_owner=_[_CLIENT])
            for name, table in tables.items()
        }
        self._engine = self._forms.get_backend()
        self.n_applicants = int(self._forms.count().execute())

    def read(self, n: int) -> Iterator[list[tuple[int, bool, bytes]]]:
        """Yield so many applicants at a time, by key: key, whether the outcome is unknown, raw tables as JSON."""
        clients = self._forms.order_by(_CLIENT)[_CLIENT].execute().tolist()
        for start in range(0, len(clients), n):
            low, high = clients[start], clients[min(start + n, len(clients)) - 1]
            forms = self._forms.filter(_[_CLIENT].between(low, high))
            is_new = dict(forms.select(_CLIENT, "is_new").execute().itertuples(index=False))
            written = self._write(forms.drop("is_new").mutate(_owner=_[_CLIENT]))
            parts = {client: [f'{{"application":{rows[1:-1]}'] for client, rows in written.items()}
            for name, table in self._histories.items():
                for client, rows in self._write(table.filter(_._owner.between(low, high))).items():
                    if client in parts:
                        parts[client].append(f'"{name}":{rows}')
            yield [(client, bool(is_new[client]), (",".join(told) + "}").encode()) for client, told in parts.items()]

    def _load(self, name: str) -> ir.Table:
        """Return the rows of a file; what is wrong with single ones is told of the applicants whose they are."""
        path = self._folder / f"{name}.csv"
        read = RawCsvDataset(table=name, filepath=path.as_posix(), connection=dict(self._connection)).load()
        if not read.n_rows and (faults := [one for one in read.findings if one.severity == "error"]):
            raise SourceFileError(
                f"{read.path} cannot be used: {faults[0].expected} was expected, {faults[0].found} found"
            )
        return read.table

    def _write(self, table: ir.Table) -> dict[int, str]:
        """Return the rows of each applicant as a list of JSON objects."""
        query = ibis.to_sql(table, dialect="duckdb")
        columns = ", ".join(f'"{name}" := t."{name}"' for name in table.columns if name != "_owner")
        told = self._engine.con.execute(
            f"SELECT _owner, to_json(list(struct_pack({columns}))) FROM ({query}) t GROUP BY _owner"
        )
        return dict(told.fetchall())
