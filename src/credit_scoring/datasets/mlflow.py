"""Catalog datasets that also write to MLflow.

Their names start with `Mlflow`, so that kedro-mlflow's switch for untracked pipelines finds them and turns
`_logging_activated` off; they then only read and write files.
"""

import hashlib
import json
import logging
import math
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from kedro.io import AbstractDataset, DatasetError
from kedro_datasets.json import JSONDataset
from kedro_datasets.pandas import ParquetDataset
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param
from mlflow.entities.model_registry import ModelVersion
from mlflow.environment_variables import MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.models.model import ModelInfo
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

from credit_scoring.datasets import exported_model
from credit_scoring.scorer import CreditScorer, Incumbent, ScorerRelease
from credit_scoring.serving.manifest import write_manifest

_CHAMPION, _PREVIOUS, _CHALLENGER = "champion", "previous_champion", "challenger"
_REGISTERED = (
    "Probability of default of a loan applicant, and the decision: granted, or refused where the probability reaches "
    f"the threshold of least business cost. `{_CHAMPION}` is served, `{_PREVIOUS}` was before it, "
    f"`{_CHALLENGER}` was not better by more than chance; each version says why."
)


class _TrackedJson(JSONDataset):
    """A JSON file whose content is tracked as well, unless tracking is off."""

    _logging_activated = True

    def save(self, data: Any) -> None:
        super().save(_without_nan(data))
        run = mlflow.active_run() if self._logging_activated else None
        if run is not None:
            self._track(MlflowClient(), run.info, data)

    def _track(self, client: MlflowClient, run: Any, data: Any) -> None:
        raise NotImplementedError


class MlflowMetricsJsonDataset(_TrackedJson):
    """A nested mapping of results: a JSON file, and its numbers as metrics of the run (`policies.tuned.recall`).

    A list of sentences under `flags` becomes a tag of the run, so that nobody can overlook it.

    Args:
        prefix: First part of the metrics' names.
        **json_arguments: As of the JSON dataset.
    """

    def __init__(self, *, prefix: str = "", **json_arguments: Any) -> None:
        super().__init__(**json_arguments)
        self._prefix = f"{prefix}." if prefix else ""

    def _track(self, client: MlflowClient, run: Any, data: Mapping[str, Any]) -> None:
        _log(client, run.run_id, {}, [(key, value, 0) for key, value in _flatten(data, self._prefix).items()])
        for flag in data.get("flags", [])[:1]:
            client.set_tag(run.run_id, "SUSPICIOUS", flag)


class MlflowRowsDataset(ParquetDataset):
    """A table of rows as Parquet, noted as an input of the run: name, digest of all values, number of rows.

    Args:
        context: What the rows are for; MLflow shows it beside the name.
        **parquet_arguments: As of the Parquet dataset.
    """

    _logging_activated = True

    def __init__(self, *, context: str, **parquet_arguments: Any) -> None:
        super().__init__(**parquet_arguments)
        self._context = context

    def save(self, data: pd.DataFrame) -> None:
        """Write the rows, and note them if a run is tracked."""
        super().save(data)
        run = mlflow.active_run() if self._logging_activated else None
        if run is None:
            return
        hashed = pd.util.hash_pandas_object(data, index=False).to_numpy()
        noted = Dataset(
            name=self._filepath.stem,
            digest=hashlib.sha256(hashed.tobytes()).hexdigest()[:16],
            source_type="local",
            source=json.dumps({"uri": self._filepath.as_posix()}),
            profile=json.dumps({"num_rows": len(data), "num_columns": data.shape[1]}),
        )
        tags = [InputTag(MLFLOW_DATASET_CONTEXT, self._context)]
        MlflowClient().log_inputs(run.info.run_id, [DatasetInput(noted, tags)])


class MlflowChildRunsDataset(_TrackedJson):
    """Results of compared candidates: a JSON file, and one child run per candidate.

    Each entry has `name`, `family`, `params`, `mean`, `std`, `folds`, `to_best`, `error`; a child run gets the
    parameters, the means under the metrics' own names, the spread as `<metric>_std`, the difference to the cheapest
    candidate as `<metric>_to_best`, and each fold as a step of `fold_<metric>`.
    """

    def _track(self, client: MlflowClient, run: Any, data: list[dict[str, Any]]) -> None:
        for rank, result in enumerate(data, 1):
            facts: dict[str, str] = {
                key: str(result[key]) for key in ("family", "imbalance", "target_features", "training_rows")
            }
            note = f"Rank {rank} of {len(data)} by business cost." if not result["error"] else result["error"]
            child = _open_child(client, run, f"{rank:02d} {result['name']}", facts | {"mlflow.note.content": note})
            metrics = dict(result["mean"])
            metrics |= {f"{key}_std": value for key, value in result["std"].items()}
            metrics |= {f"{key}_to_best": interval["estimate"] for key, interval in result["to_best"].items()}
            steps = [
                (f"fold_{key}", value, fold)
                for fold, measured in enumerate(result["folds"])
                for key, value in measured.items()
            ]
            _log(client, child, result["params"], [*((key, value, 0) for key, value in metrics.items()), *steps])
            client.set_terminated(child, "FAILED" if result["error"] else "FINISHED")


class MlflowTrialRunsDataset(_TrackedJson):
    """Trials of the search for hyper-parameters: a JSON file, a child run per tuned candidate, one below per trial."""

    def _track(self, client: MlflowClient, run: Any, data: list[dict[str, Any]]) -> None:
        for candidate in dict.fromkeys(trial["candidate"] for trial in data):
            trials = [trial for trial in data if trial["candidate"] == candidate]
            search = _open_child(client, run, f"search {candidate}", {"trials": str(len(trials))})
            for trial in trials:
                child = _open_child(
                    client,
                    run,
                    f"{candidate} trial {trial['number']:02d}",
                    {"state": trial["state"], "mlflow.parentRunId": search},
                )
                values = [("value", trial["value"], 0), ("seconds", trial["seconds"], 0)]
                _log(client, child, trial["params"], values)
                client.set_terminated(child, "FAILED" if trial["state"] == "fail" else "FINISHED")
            finished = [("value", trial["value"], trial["number"]) for trial in trials if trial["state"] == "complete"]
            _log(client, search, {}, finished)
            client.set_terminated(search)


def _open_child(client: MlflowClient, run: Any, name: str, tags: Mapping[str, str]) -> str:
    """Start a run below another one, with the facts and the training rows that both share; return its id."""
    parent = client.get_run(run.run_id)
    above = parent.data.tags
    inherited: dict[str, str] = {key: above[key] for key in ("source", "git_commit") if key in above}
    started = client.create_run(
        run.experiment_id, run_name=name, tags={"mlflow.parentRunId": run.run_id} | inherited | dict(tags)
    )
    learned_from = [
        rows
        for rows in (parent.inputs.dataset_inputs if parent.inputs else [])
        if any(tag.value == "training" for tag in rows.tags if tag.key == MLFLOW_DATASET_CONTEXT)
    ]
    if learned_from:
        client.log_inputs(started.info.run_id, learned_from)
    return started.info.run_id


def _log(client: MlflowClient, run_id: str, params: Mapping[str, Any], metrics: Iterable[tuple[str, Any, int]]) -> None:
    """Log in one call: single metrics take a dozen milliseconds each."""
    now = int(time.time() * 1000)
    client.log_batch(
        run_id,
        params=[Param(key, str(value)) for key, value in params.items()],
        metrics=[Metric(key, value, now, step) for key, value, step in metrics if _is_number(value)],
    )


class MlflowScorerDataset(AbstractDataset[ScorerRelease, CreditScorer]):
    """The served model: logged and registered in MLflow, and exported to a folder.

    The folder holds the very files of the registered version (`MLmodel`, `model.pkl`, `requirements.txt`, `conda.yaml`,
    `input_example.json`, `input_columns.json`, the code that serving imports), and the list of their digests,
    `MANIFEST.sha256`. It is written aside and swapped in, so that a failure leaves
    the previous model as it was. With tracking off, the folder alone is written. A scorer that is not promoted is
    registered, but the folder keeps the champion.

    Args:
        filepath: Folder of the exported model.
        registered_model_name: Name in the registry. A promoted version gets the alias `champion` and the one before it
            `previous_champion`, another one gets `challenger`.
    """

    def __init__(self, *, filepath: str, registered_model_name: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder = Path(filepath)
        self._registered_model_name = registered_model_name
        self._logging_activated = True
        self.metadata = metadata

    def load(self) -> CreditScorer:
        """Load the exported scorer."""
        with _unchanged_import_path():
            return mlflow.sklearn.load_model(self._folder.as_posix())

    def save(self, data: ScorerRelease) -> None:
        """Export the scorer, and register it if a run is tracked."""
        run = mlflow.active_run() if self._logging_activated else None
        commit = "unknown"
        if run is not None:
            commit = MlflowClient().get_run(run.info.run_id).data.tags.get("git_commit", commit)
        facts = {**data.tags, "git_commit": commit}
        with self._aside() as workspace:
            arguments = exported_model.model_arguments(data, facts, workspace)
            fresh = workspace / "model"
            with _quiet_mlflow():
                if run is None:
                    exported_model.save_model(path=fresh.as_posix(), **arguments)
                else:
                    info = Model.log(None, exported_model, name="credit_scorer", flavor_name="sklearn", **arguments)
                    _download(info.model_uri, fresh)
                    self._register(info, run, data, facts)
            if data.promoted or not self._exists():
                self._swap_in(fresh)

    def export_champion(self) -> str:
        """Put the champion of the registry into the folder, whatever run made it; return its version.

        Raises:
            DatasetError: If the registry has no champion.
        """
        version = _champion(MlflowClient(), self._registered_model_name)
        if version is None:
            raise DatasetError(
                f"The registry has no champion of {self._registered_model_name}.\nHint: kedro run makes one."
            )
        with self._aside() as workspace:
            fresh = workspace / "model"
            with _quiet_mlflow():
                _download(f"models:/{version.name}/{version.version}", fresh)
            self._swap_in(fresh)
        return str(version.version)

    @contextmanager
    def _aside(self) -> Iterator[Path]:
        """Lend a folder beside that of the model, on the same disk, and remove it with whatever is in it."""
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".export_", dir=self._folder.parent) as workspace:
            yield Path(workspace)

    def _swap_in(self, fresh: Path) -> None:
        exported_model.forget_place(fresh)
        write_manifest(fresh)
        old = fresh.with_name("replaced")
        if self._folder.exists():
            self._folder.rename(old)
        try:
            fresh.rename(self._folder)
        except OSError:
            if old.exists():
                old.rename(self._folder)
            raise

    def _register(
        self, info: ModelInfo, run: mlflow.ActiveRun, release: ScorerRelease, facts: Mapping[str, str]
    ) -> None:
        client, name = MlflowClient(), self._registered_model_name
        try:
            client.create_registered_model(name, description=_REGISTERED)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        version = client.create_model_version(
            name,
            source=info.model_uri,
            run_id=run.info.run_id,
            model_id=info.model_id,
            description=release.description,
            tags=dict(facts),
        )
        if not release.promoted:
            client.set_registered_model_alias(name, _CHALLENGER, version.version)
            return
        before = client.get_registered_model(name).aliases.get(_CHAMPION)
        if before is not None:
            client.set_registered_model_alias(name, _PREVIOUS, before)
        client.set_registered_model_alias(name, _CHAMPION, version.version)

    def _exists(self) -> bool:
        return (self._folder / "MLmodel").is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._folder.as_posix(), "registered_model_name": self._registered_model_name}


class MlflowIncumbentDataset(AbstractDataset[None, Incumbent | None]):
    """The champion of the registry as it stands now; nothing if there is none, or if tracking is off.

    Args:
        registered_model_name: Name in the registry.
    """

    def __init__(self, *, registered_model_name: str, metadata: dict[str, Any] | None = None) -> None:
        self._registered_model_name = registered_model_name
        self._logging_activated = True
        self.metadata = metadata

    def load(self) -> Incumbent | None:
        """Load the champion."""
        if not self._logging_activated:
            return None
        client, name = MlflowClient(), self._registered_model_name
        version = _champion(client, name)
        if version is None:
            return None
        try:
            with _unchanged_import_path(), _quiet_mlflow():
                scorer = mlflow.sklearn.load_model(f"models:/{name}/{version.version}")
                usable = isinstance(scorer, CreditScorer) and hasattr(scorer, "calibration")
        except Exception as error:  # files gone, another version of a library: it cannot be compared with any more
            return Incumbent(str(version.version), None, version.tags, f"{type(error).__name__}: {error}")
        problem = "" if usable else "it was made by another version of this project"
        return Incumbent(str(version.version), scorer if usable else None, version.tags, problem)

    def save(self, data: None) -> None:  # noqa: ARG002
        """Refuse: champions are made by `MlflowScorerDataset`."""
        raise DatasetError("The champion of the registry is only read here.")

    def _describe(self) -> dict[str, Any]:
        return {"registered_model_name": self._registered_model_name}


def _champion(client: MlflowClient, name: str) -> ModelVersion | None:
    """Return the version that is served; nothing if there is none."""
    try:
        return client.get_model_version_by_alias(name, _CHAMPION)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def _download(uri: str, folder: Path) -> None:
    """Copy a logged model, without the note on the registry that MLflow adds to it."""
    mlflow.artifacts.download_artifacts(uri, dst_path=folder.as_posix())
    (folder / "registered_model_meta").unlink(missing_ok=True)


@contextmanager
def _quiet_mlflow() -> Iterator[None]:
    """Keep back MLflow's progress bar and its advice on the pickle format, which this project has taken (see docs)."""
    logger = logging.getLogger("mlflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR.set(False)
    try:
        yield
    finally:
        MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR.unset()
        logger.setLevel(level)


@contextmanager
def _unchanged_import_path() -> Iterator[None]:
    """Undo what MLflow does to `sys.path`: the model's copy of the code must not shadow the installed project."""
    before = list(sys.path)
    try:
        yield
    finally:
        sys.path[:] = before


def _flatten(data: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, Mapping):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _without_nan(data: Any) -> Any:
    """Replace NaN, which JSON does not have, by null."""
    return json.loads(json.dumps(data), parse_constant=lambda _: None)
