"""Where runs and models are kept: one rule for every command, in every environment and from every folder.

`MLFLOW_TRACKING_URI`, if it is set; else what conf/local/mlflow.yml names; else the configuration of the environment,
which is `mlflow.db` in the project's folder. A file is meant from the project's folder, its artefacts lie beside it in
`mlruns`; a server keeps artefacts itself.

    python -m credit_scoring.tracking_store                  # says which store it is
    python -m credit_scoring.tracking_store mlflow ui        # runs a command of MLflow's on it
    python -m credit_scoring.tracking_store --relocate       # after the project was moved or copied: make relocate
"""

import argparse
import os
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from click import ClickException
from omegaconf import OmegaConf

import credit_scoring.garbage  # noqa: F401 - this starts a process
from credit_scoring.errors import TrackingStoreError

VARIABLE = "MLFLOW_TRACKING_URI"
_SQLITE, _ARTEFACTS = "sqlite:///", "mlruns"
_SERVERS = ("http", "https", "databricks", "databricks-uc", "uc")
_TEXT_TYPES = ("VARCHAR", "TEXT")


@dataclass(frozen=True)
class TrackingStore:
    """What keeps runs and models.

    Attributes:
        uri: As MLflow understands it anywhere: a path in it is absolute.
        named_by: The variable or the file that says so.
        artefacts: URI of the folder for artefacts; none where a server keeps them.
    """

    uri: str
    named_by: str
    artefacts: str | None

    @property
    def database(self) -> Path | None:
        """The SQLite file; none for other stores."""
        return Path(self.uri.removeprefix(_SQLITE)) if self.uri.startswith(_SQLITE) else None

    @property
    def shown(self) -> str:
        """The URI without a password."""
        password = urlsplit(self.uri).password
        return self.uri.replace(f":{password}@", ":***@") if password else self.uri

    def __str__(self) -> str:
        return f"{self.shown} (named by {self.named_by})"

    def check_place(self) -> None:
        """Make sure that the artefacts of a SQLite file are those beside it.

        MLflow notes where they lie by absolute path.

        Raises:
            TrackingStoreError: If the file is a copy or was moved: a run would write into the folder of before.
        """
        if self.database is None or not self.database.is_file():
            return
        with closing(sqlite3.connect(self.database)) as connection:
            elsewhere = self._places_of_before(connection)
        if elsewhere:
            raise TrackingStoreError(
                f"The project was moved or copied: {self.database} has its artefacts in {', '.join(elsewhere)}, "
                f"not in {self.artefacts}",
                "make relocate (python -m credit_scoring.tracking_store --relocate) makes them those beside it.",
            )

    def relocate(self) -> int:
        """Let a SQLite file that was moved or copied find the artefacts beside it, in one transaction.

        Returns:
            Number of paths that were changed.

        Raises:
            TrackingStoreError: If there are no artefacts beside it.
        """
        if self.database is None or not self.database.is_file():
            return 0
        new = self.database.with_name(_ARTEFACTS)
        with closing(sqlite3.connect(self.database, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            before = [Path(unquote(urlsplit(place).path)) for place in self._places_of_before(connection)]
            if before and not new.is_dir():
                raise TrackingStoreError(
                    f"{self.database} has no artefacts beside it: there is no folder {new}",
                    f"move or copy {before[0]} there as well.",
                )
            changed = sum(_move_paths(connection, old.parent, new.parent) for old in before)
            connection.execute("COMMIT")
        return changed

    def _places_of_before(self, connection: sqlite3.Connection) -> list[str]:
        """Return the folders of experiments that a project made, without that of this one."""
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'experiments'").fetchone():
            return []
        query = "SELECT DISTINCT artifact_location FROM experiments WHERE artifact_location LIKE ?"
        found = [place for (place,) in connection.execute(query, (f"file:///%/{_ARTEFACTS}",))]
        return [place for place in found if place != self.artefacts]


def find_tracking_store(project: Path, conf_source: str, configured: Mapping[str, Any]) -> TrackingStore:
    """Say which store a command works on.

    Args:
        project: Folder of the project.
        conf_source: Folder of the configuration.
        configured: What the configuration of the environment says of MLflow.

    Raises:
        TrackingStoreError: If MLflow has no such store, or others could not find what it holds.
    """
    own = Path(conf_source, "local", "mlflow.yml")
    named = {
        VARIABLE: os.environ.get(VARIABLE),
        own.as_posix(): OmegaConf.select(OmegaConf.load(own), "server.mlflow_tracking_uri") if own.is_file() else None,
        "the configuration": (configured.get("server") or {}).get("mlflow_tracking_uri"),
    }
    named_by, uri = next(((by, str(uri)) for by, uri in named.items() if uri), ("", ""))
    kind = uri.partition(":")[0]
    location = _artefact_location(configured)
    if uri.startswith(_SQLITE):
        file = project / uri.removeprefix(_SQLITE)
        return TrackingStore(f"{_SQLITE}{file}", named_by, location or file.with_name(_ARTEFACTS).as_uri())
    if kind in _SERVERS:
        return TrackingStore(uri, named_by, location)
    if "://" in uri and kind != "file" and location:
        return TrackingStore(uri, named_by, location)
    raise TrackingStoreError(
        f"Runs and models cannot be kept in {TrackingStore(uri or 'no store', named_by or 'nothing', None)}",
        "name a file (sqlite:///mlflow.db) or an MLflow server (https://…). A database without a server needs "
        "`tracking.experiment.create_experiment_kwargs.artifact_location` in conf/local/mlflow.yml, the same for all.",
    )


def comparison_address(interface: str, experiment_id: str, run_id: str) -> str:
    """Return where MLflow's interface compares the candidates of a run, cheapest first."""
    query = {
        "workflowType": "machine_learning",  # else it opens as if for language models
        "searchFilter": f"tags.`mlflow.parentRunId` = '{run_id}' and metrics.`business_cost` > 0",
        "orderByKey": "metrics.`business_cost`",
        "orderByAsc": "true",
        "compareRunsMode": "TABLE",
    }
    return f"{interface.rstrip('/')}/#/experiments/{experiment_id}/runs?{urlencode(query, quote_via=quote)}"


def _artefact_location(configured: Mapping[str, Any]) -> str | None:
    experiment = (configured.get("tracking") or {}).get("experiment") or {}
    return (experiment.get("create_experiment_kwargs") or {}).get("artifact_location")


def configure(configured: Mapping[str, Any], store: TrackingStore) -> dict[str, Any]:
    """Return the configuration of MLflow with the store in it."""
    tracking = dict(configured.get("tracking") or {})
    experiment = dict(tracking.get("experiment") or {})
    options = {**(experiment.get("create_experiment_kwargs") or {}), "artifact_location": store.artefacts}
    server = {**(configured.get("server") or {}), "mlflow_tracking_uri": store.uri}
    experiment["create_experiment_kwargs"] = options
    return {**configured, "server": server, "tracking": {**tracking, "experiment": experiment}}


def _move_paths(connection: sqlite3.Connection, old: Path, new: Path) -> int:
    """Change every text that begins with the old folder, as a path, as a URI, or as a path in quotes (JSON)."""
    changed = 0
    for table, column in _text_columns(connection):
        for before, after in ((old.as_uri(), new.as_uri()), (old.as_posix(), new.as_posix())):
            changed += connection.execute(
                f'UPDATE "{table}" SET "{column}" = ? || substr("{column}", ?) WHERE substr("{column}", 1, ?) = ?',
                (f"{after}/", len(before) + 2, len(before) + 1, f"{before}/"),
            ).rowcount
    quoted = (f'"{old.as_posix()}/', f'"{new.as_posix()}/')
    changed += connection.execute(
        "UPDATE datasets SET dataset_source = replace(dataset_source, ?, ?) WHERE instr(dataset_source, ?)",
        (*quoted, quoted[0]),
    ).rowcount
    return changed


def _text_columns(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in tables:
        for _, column, kind, *_ in connection.execute(f'PRAGMA table_info("{table}")').fetchall():
            if kind.upper().startswith(_TEXT_TYPES):
                yield table, column


def main() -> None:
    """Say which store the project has, put it right after a move, or run a command on it."""
    from kedro.framework.project import settings  # noqa: PLC0415 - which import this module

    from credit_scoring.project import enter_project  # noqa: PLC0415 - as above

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", default="base", help="environment of the configuration, such as kaggle")
    parser.add_argument("--relocate", action="store_true", help="make the artefacts those beside the database")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="a command of MLflow's")
    arguments = parser.parse_args()
    try:
        project = enter_project()
        conf_source = str(project / settings.CONF_SOURCE)
        loader = settings.CONFIG_LOADER_CLASS(conf_source, env=arguments.env, **settings.CONFIG_LOADER_ARGS)
        store = find_tracking_store(project, conf_source, loader["mlflow"])
        sys.stderr.write(f"Runs and models: {store}\n")
        if arguments.relocate:
            sys.stderr.write(f"{store.relocate()} paths changed\n")
        store.check_place()
    except ClickException as error:
        sys.exit(str(error))
    if arguments.command[1:2] == ["ui"] and store.database is None:
        sys.exit("They are on a server, which shows them itself.")
    if arguments.command:
        # The first is for what asks the store, the second for what shows it
        stores = {VARIABLE: store.uri, "MLFLOW_BACKEND_STORE_URI": store.uri}
        os.execvpe(arguments.command[0], arguments.command, os.environ | stores)


if __name__ == "__main__":
    main()
