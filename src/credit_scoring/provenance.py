"""What each file of the project was made of, so that none is combined with what has changed since.

Of every file that a node writes a note is kept, in `.runs/made_of`: its digest, and the digests of the files that the
node read. A file is out of date if one that it was made of has another content now, or is out of date itself. A file
without a note, or changed by hand since, is taken as it is: nothing is known of it.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import AbstractDataset, DataCatalog
from kedro.pipeline import Node, Pipeline

from credit_scoring.errors import RunRefusedError
from credit_scoring.mistakes import OWN_FOLDER

FREE = "stands_alone"
"""Key in a dataset's metadata: it may be combined with any other, as a released model with later applicants."""
_IN_ORDER = ("data_processing", "modelling", "threshold_tuning", "explainability", "reporting", "scoring", "monitoring")
_OF_A_BATCH = ("data_processing", "scoring")


class ProvenanceHooks:
    """Keep the notes, and refuse inputs that are not there or out of date, before anything is computed of them."""

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Look at all that the run reads and does not make.

        Raises:
            RunRefusedError: If an input is missing or out of date; says what to run.
        """
        self._project = Path(run_params["project_path"])
        self._catalog = catalog
        self._options = _as_options(run_params)
        self._batch = "batch" in run_params["runtime_params"]
        self._in_memory: dict[str, dict[str, Any]] = {}
        wanted = sorted(name for name in pipeline.inputs() if not _is_parameter(name))
        makers = {name: self._makers(name) for name in wanted if not self._is_there(name)}
        if missing := [name for name, nodes in makers.items() if nodes]:
            first = set().union(*(self._entries(name) for name in missing if self._path(name) is None))
            begin = f"begin where it is made: kedro run --from-nodes {','.join(sorted(first))}{self._options}."
            make = f"make it first: {self._advise(set().union(*makers.values()))}."
            raise RunRefusedError(
                f"What this run needs is not there: {', '.join(map(self._name, missing))}.", begin if first else make
            )
        self._refuse_outdated(wanted)

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Look at what the node reads, which a node of this run may have made anew."""
        self._refuse_outdated(node.inputs)
        self._read = {path: state for name in node.inputs for path, state in self._sources(name).items()}

    @hook_impl
    def after_dataset_saved(self, dataset_name: str) -> None:
        """Note what a file, or a table that is only computed when it is written, is made of."""
        path = self._path(dataset_name)
        if path is None:
            self._in_memory[dataset_name] = self._read
        elif self._read and (state := state_of(path)):
            note = self._note(path)
            note.parent.mkdir(parents=True, exist_ok=True)
            part = note.with_suffix(".part")
            part.write_text(json.dumps({**state, "made_of": self._read}, indent=1), encoding="utf-8")
            part.replace(note)

    def _sources(self, name: str) -> dict[str, Any]:
        """Return path -> state of the file that a dataset is, or of those that a table in memory was made of."""
        if (path := self._path(name)) is None:
            return self._in_memory.get(name, {})
        state = None if self._is_free(name) else state_of(path)
        return {self._relative(path): state} if state else {}

    def _refuse_outdated(self, names: Iterable[str]) -> None:
        told, makers = [], set()
        ways: dict[Path, list[Path]] = {}
        for name in names:
            path = self._path(name)
            if path is None or self._is_free(name) or not (chain := self._find_change(path, ways)):
                continue
            *outdated, changed = chain
            told.append(f"{self._relative(path)} was made of another {self._relative(changed)}")
            makers |= set().union(*(self._makers_of(made) for made in outdated))
        if told:
            raise RunRefusedError(
                f"Files of different runs do not belong together: {'; '.join(told)} than the one that is there now.",
                f"make them anew: {self._advise(makers)}.",
            )

    def _find_change(self, path: Path, ways: dict[Path, list[Path]]) -> list[Path]:
        """Return the way from a file, by what it was made of, to one that has changed since; nothing if none has.

        What is found of each file is kept in `ways`: a few files are joined by more ways than can be walked.
        """
        if path not in ways:
            ways[path] = self._look_for_change(path, ways)
        return ways[path]

    def _look_for_change(self, path: Path, ways: dict[Path, list[Path]]) -> list[Path]:
        note = self._note(path)
        known = json.loads(note.read_text(encoding="utf-8")) if note.is_file() else None
        if known is None or not _is_as_noted(path, known):
            return []
        sources = {self._project / source: noted for source, noted in known["made_of"].items()}
        for source, noted in sources.items():
            if source.exists() and not _is_as_noted(source, noted):
                return [path, source]
        return next(([path, *way] for source in sources if (way := self._find_change(source, ways))), [])

    def _path(self, name: str) -> Path | None:
        dataset = None if _is_parameter(name) else self._catalog.get(name)
        path = dataset._describe().get("filepath") if dataset is not None else None
        return self._project / str(path) if path else None

    def _is_there(self, name: str) -> bool:
        dataset = self._catalog.get(name)
        can_tell = dataset is not None and type(dataset)._exists is not AbstractDataset._exists
        return dataset.exists() if dataset is not None and can_tell else True

    def _is_free(self, name: str) -> bool:
        return bool((getattr(self._catalog.get(name), "metadata", None) or {}).get(FREE))

    def _name(self, name: str) -> str:
        path = self._path(name)
        return f"{name} (never stored)" if path is None else self._relative(path)

    def _relative(self, path: Path) -> str:
        return path.relative_to(self._project).as_posix() if path.is_relative_to(self._project) else path.as_posix()

    def _note(self, path: Path) -> Path:
        return self._project / OWN_FOLDER / "made_of" / f"{quote(self._relative(path), safe='')}.json"

    def _makers(self, name: str) -> set[str]:
        """Return the nodes that make a dataset; none for raw files, which are made on request only."""
        path = self._path(name)
        if path is not None:
            return self._makers_of(path)
        return {node.name for node in _making_nodes() if name in node.outputs}

    def _makers_of(self, path: Path) -> set[str]:
        return {node.name for node in _making_nodes() if path in map(self._path, node.outputs)}

    def _entries(self, name: str) -> set[str]:
        """Return the nodes to begin with so that a table is made that is never stored."""
        found: set[str] = set()
        for node in (node for node in _making_nodes() if name in node.outputs):
            read = [one for one in node.inputs if not _is_parameter(one) and self._path(one) is None]
            found |= set().union(*map(self._entries, read)) or {node.name}
        return found

    def _advise(self, makers: set[str]) -> str:
        """Return the commands that run the pipelines of some nodes, in order."""
        wanted = [name for name in _IN_ORDER if makers & {node.name for node in pipelines[name].nodes}]
        if self._batch:
            wanted = list(dict.fromkeys("batch_scoring" if name in _OF_A_BATCH else name for name in wanted))
        return " && ".join(f"kedro run --pipelines {name}{self._options}" for name in wanted)


def state_of(path: Path) -> dict[str, str] | None:
    """Return the digest of a file or of a folder's files, with what tells at a glance that nothing changed."""
    if not path.exists():
        return None
    return {"glance": _glance_at(path), "digest": _digest(path, _glance_at(path))}


def _is_as_noted(path: Path, noted: dict[str, Any]) -> bool:
    if not path.exists():
        return False
    glance = _glance_at(path)
    return glance == noted["glance"] or _digest(path, glance) == noted["digest"]


def _files(path: Path) -> list[Path]:
    return sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]


def _glance_at(path: Path) -> str:
    states = [one.stat() for one in _files(path)]
    return " ".join(f"{state.st_size}@{state.st_mtime_ns}" for state in states)


@cache
def _digest(path: Path, glance: str) -> str:  # noqa: ARG001 - with another glance it is another file
    whole = hashlib.blake2b(digest_size=16)
    for one in _files(path):
        with one.open("rb") as file:
            whole.update(hashlib.file_digest(file, hashlib.blake2b).digest())
    return whole.hexdigest()


def _is_parameter(name: str) -> bool:
    return name == "parameters" or name.startswith("params:")


def _making_nodes() -> list[Node]:
    return [node for name in _IN_ORDER for node in pipelines[name].nodes]


def _as_options(run_params: dict[str, Any]) -> str:
    """Return the environment and the parameters of a run as they are written behind a command."""

    def flatten(values: dict[str, Any], prefix: str = "") -> Iterator[str]:
        for name, value in values.items():
            if isinstance(value, dict):
                yield from flatten(value, f"{prefix}{name}.")
            else:
                yield f"{prefix}{name}={value}"

    env, given = run_params.get("env"), ",".join(flatten(run_params["runtime_params"]))
    return (f" --env {env}" if env else "") + (f" --params {given}" if given else "")
