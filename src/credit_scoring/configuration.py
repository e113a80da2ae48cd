"""Names in the configuration and on the command line: one that nothing reads is an error, never a default kept."""

import re
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from inspect import signature
from pathlib import Path
from typing import Any

import duckdb
import yaml
from kedro.config import OmegaConfigLoader
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.validation.type_extractor import TypeExtractor
from kedro_mlflow.config.kedro_mlflow_config import KedroMlflowConfig
from pydantic import TypeAdapter, ValidationError

from credit_scoring.errors import ConfigurationError
from credit_scoring.hooks import start_spark
from credit_scoring.mistakes import HINT
from credit_scoring.nearest import nearest

LOCAL = "local"
"""The environment of the user, on top of any other."""
_ABOUT_THE_RUN = ("source", "figures", "places")
"""Parameters that repeat what globals say: on the command line, files would not follow them."""
_RUNTIME = re.compile(r"\$\{runtime_params:\s*(\w+)")
_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
"""Pydantic's types of an error about a name, of models and of data classes."""


class ProjectConfigLoader(OmegaConfigLoader):
    """Kedro's loader, with `conf/local` on top of every environment and not in place of the one that is named.

    A kind of configuration is read once, however many ask for it.
    """

    def __getitem__(self, key: str) -> dict[str, Any]:
        """Return the configuration of a kind: of the base, the environment, then the user."""
        if key not in self:
            self[key] = self._load(key)
        return deepcopy(self.data[key])

    def _load(self, key: str) -> dict[str, Any]:
        config, folder = super().__getitem__(key), self._get_conf_env_path(LOCAL)
        if self.env in (None, LOCAL) or not Path(folder).is_dir():
            return config
        own = self._read_dir_configs(folder, self.config_patterns[key], key, set(), key == "credentials")
        return self._merge_configs(config, self._merge_and_resolve(key, own), key, folder)


class ConfigurationHooks:
    """Look at all names before anything is read or computed."""

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: Any) -> None:
        """Raise if a name is unknown or a value is none that its parameter takes.

        Raises:
            ConfigurationError: Names every problem, where it stands, and the nearest right name.
        """
        loader = context.config_loader
        if not Path(loader.conf_source).is_dir():
            return  # an archive or an address, as a packaged project may have: only Kedro reads these
        if not Path(loader.conf_source, loader.env or LOCAL).is_dir():
            environments = sorted(path.name for path in Path(loader.conf_source).iterdir() if path.is_dir())
            hint = f"environments are the folders of conf/: {', '.join(environments)}."
            raise ConfigurationError([_unknown(loader.env or LOCAL, environments, "--env")], hint)
        problems = [*_unread_files(loader), *_unknown_globals(loader), *_unknown_parameters(loader)]
        problems += _wrong_values(loader, (), KedroMlflowConfig, loader["mlflow"])
        engine = loader["globals"]["relational"]
        if engine["backend"] == "pyspark":
            known = {*signature(start_spark).parameters}
            problems += [_unknown(name, known, "spark.yml") for name in loader["spark"] if name not in known]
        elif engine["backend"] == "duckdb":
            known = {"backend", "database", "read_only", "extensions", *_settings_of_duckdb()}
            problems += [
                _unknown(f"relational.{name}", (f"relational.{one}" for one in known), "globals.yml")
                for name in engine
                if name not in known
            ]
        if problems:
            raise ConfigurationError(
                problems,
                "parameters are listed in conf/base/parameters/, names of places and sources in conf/base/globals.yml; "
                "your own values belong into the same files in conf/local/.",
            )


def check_asked(pipeline_names: Iterable[str], filters: Mapping[str, Any]) -> None:
    """Make sure that what the command line names is there.

    Args:
        pipeline_names: Pipelines that are to run; the default one if there is none.
        filters: Options of `KedroSession.run` that pick nodes of them, by name.

    Raises:
        ConfigurationError: Names every unknown pipeline, node, tag and dataset, with the nearest right one.
    """
    names = list(pipeline_names) or ["__default__"]
    hint = "`kedro registry list` lists the pipelines, `kedro registry describe <pipeline>` its nodes."
    if problems := [_unknown(name, pipelines, "--pipelines") for name in names if name not in pipelines]:
        raise ConfigurationError(problems, hint)
    nodes = [node for name in names for node in pipelines[name].nodes]
    known = {
        "node": {node.name for node in nodes},
        "tag": {tag for node in nodes for tag in node.tags},
        "dataset": {name for node in nodes for name in (*node.inputs, *node.outputs)},
    }
    kinds = {"tags": "tag", "from_inputs": "dataset", "to_outputs": "dataset"}
    kinds |= dict.fromkeys(("node_names", "from_nodes", "to_nodes"), "node")
    problems = [
        _unknown(name, known[kind], f"{kind} of the pipeline{'s' * (len(names) > 1)} {', '.join(names)}")
        for option, kind in kinds.items()
        for name in filters.get(option) or ()
        if name not in known[kind]
    ]
    if problems:
        raise ConfigurationError(problems, hint)


def _unknown(name: str, known: Iterable[str], place: str) -> str:
    return f"{name} ({place}): nothing is called so{nearest(name, known)}"


def _settings_of_duckdb() -> list[str]:
    with duckdb.connect() as connection:
        return [name for (name,) in connection.execute("SELECT name FROM duckdb_settings()").fetchall()]


def _folders(loader: OmegaConfigLoader) -> list[Path]:
    """Return the folders that configuration is read from, the last one winning."""
    named = dict.fromkeys([loader.base_env, loader.env or LOCAL, LOCAL])
    return [folder for name in named if (folder := Path(loader.conf_source, name)).is_dir()]


def _unread_files(loader: OmegaConfigLoader) -> Iterator[str]:
    patterns = [pattern for kind in loader.config_patterns.values() for pattern in kind]
    expected = [f"{kind}.yml" for kind in loader.config_patterns]
    for folder in _folders(loader):
        read = {path for pattern in patterns for path in folder.glob(pattern)}
        for path in sorted(folder.rglob("*.y*ml")):
            if not {path, *path.parents} & read:
                yield _unknown(path.name, expected, path.parent.as_posix())


def _unknown_globals(loader: OmegaConfigLoader) -> Iterator[str]:
    base, *others = [(folder / "globals.yml", _read(folder / "globals.yml")) for folder in _folders(loader)]
    for path, found in others:
        yield from (_unknown(name, base[1], path.as_posix()) for name in found if name not in base[1])


def _unknown_parameters(loader: OmegaConfigLoader) -> Iterator[str]:
    given, parameters = loader.runtime_params, loader["parameters"]
    asked = {name for pipeline in pipelines.values() for name in pipeline.inputs() if name.startswith("params:")}
    known = {name.removeprefix("params:").split(".")[0] for name in asked}
    # What only the command line sets: the files of the configuration name it where they use it
    only_given = {name for path in _files(loader) for name in _RUNTIME.findall(path.read_text(encoding="utf-8"))}
    for name in parameters.keys() - known:
        if name not in only_given or name not in given:
            yield _unknown(name, known | only_given, _place_of(loader, (name,))) + _advice(loader, name)
    for name in given.keys() & set(_ABOUT_THE_RUN):
        yield f"{name} (--params): files would not follow it{_advice(loader, name)}"
    types = TypeExtractor(dict(pipelines)).extract_types_from_pipelines()
    for name, kind in types.items():
        if name in parameters:
            yield from _wrong_values(loader, (name,), kind, parameters[name])


def _wrong_values(loader: OmegaConfigLoader, above: tuple[str, ...], kind: type, value: Any) -> Iterator[str]:
    """Say what is wrong with a value that has a type, names within it included."""
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    try:
        adapter.validate_python(value)
    except ValidationError as error:
        for issue in error.errors():
            path = (*above, *map(str, issue["loc"]))
            place = _place_of(loader, path)
            if issue["type"] in _UNKNOWN:
                yield _unknown(".".join(path), _paths_of(above, adapter.json_schema()), place)
            else:
                found = "" if isinstance(issue["input"], Mapping) else f", found {issue['input']!r}"
                told = issue["msg"].removeprefix("Value error, ").replace(HINT, " ")
                yield f"{'.'.join(path)} ({place}): {told}{found}"


def _paths_of(above: tuple[str, ...], schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield the full names of the values that something with a type may hold."""
    definitions = schema.get("$defs", {})
    for own, described in schema.get("properties", {}).items():
        yield ".".join((*above, own))
        nested = definitions.get(described.get("$ref", "").rpartition("/")[2], {})
        yield from _paths_of((*above, own), {**nested, "$defs": definitions})


def _place_of(loader: OmegaConfigLoader, path: Iterable[str]) -> str:
    """Return where a value was set last: on the command line or in a file."""
    steps = tuple(path)
    if _holds(loader.runtime_params, steps):
        return "--params"
    return next((file.as_posix() for file in reversed(_files(loader)) if _holds(_read(file), steps)), "conf/")


def _advice(loader: OmegaConfigLoader, name: str) -> str:
    if name in (*loader["globals"], *_ABOUT_THE_RUN):
        return "; it follows from globals.yml: set it in conf/local/globals.yml, or choose an environment (--env)"
    return ""


def _files(loader: OmegaConfigLoader) -> list[Path]:
    return [path for folder in _folders(loader) for path in sorted(folder.rglob("*.yml"))]


def _read(path: Path) -> dict[str, Any]:
    return (yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.is_file() else {}


def _holds(values: Any, steps: tuple[str, ...]) -> bool:
    for step in steps:
        if not isinstance(values, Mapping) or step not in values:
            return False
        values = values[step]
    return True
