"""Results and rows that are noted in the run as well as kept in a file.

Names of these datasets start with `Mlflow`, so that kedro-mlflow's switch for untracked pipelines finds them and turns
`_logging_activated` off; they then only read and write files.
"""

import hashlib
import json
import math
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
import pandas as pd
from kedro.io import AbstractDataset, DatasetError
from kedro_datasets.json import JSONDataset
from kedro_datasets.pandas import ParquetDataset
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

from credit_scoring.models.complexity import by_hand
from credit_scoring.models.labels import list_params

if TYPE_CHECKING:  # as in datasets/figure.py
    from matplotlib.figure import Figure

CANDIDATE = "candidate"
"""Tag of a child run: which candidate it is of."""

RESULTS = "results.json"
"""Artefact with all results of a run."""
_FIGURES = "figures"


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


class MlflowResultsDataset(_TrackedJson):
    """A nested mapping of results: a JSON file, and an entry of the run's artefact `results.json`, by the file's name.

    The few numbers that runs are compared by are metrics as well: hundreds would hide them. A list of sentences under
    `flags` becomes a tag of the run, so that nobody can overlook it.

    Args:
        headline: Name of a metric -> where its number is (`policies.tuned.business_cost`), if it is there.
        **json_arguments: As of the JSON dataset.
    """

    def __init__(self, *, headline: Mapping[str, str] | None = None, **json_arguments: Any) -> None:
        super().__init__(**json_arguments)
        self._headline = headline or {}

    def _track(self, client: MlflowClient, run: Any, data: Mapping[str, Any]) -> None:
        known = {}
        if any(found.path == RESULTS for found in client.list_artifacts(run.run_id)):
            known = mlflow.artifacts.load_dict(f"runs:/{run.run_id}/{RESULTS}")
        client.log_dict(run.run_id, known | {self._filepath.stem: _without_nan(data)}, RESULTS)
        (flat,) = pd.json_normalize(dict(data), sep=".").to_dict("records")
        _log(client, run.run_id, {}, [(name, flat.get(place), 0) for name, place in self._headline.items()])
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

    Each entry has `name`, `family`, `complexity`, `params`, `mean`, `std`, `folds`, `to_best`, `left_out`, `error`; a
    child run lasts as long as fitting and scoring the folds did. It gets the parameters, tags that say what it is
    (candidate, family, complexity, whether a person can compute a score by hand, members that a blend went without, …),
    the means under the metrics' own names, the spread as `<metric>_std`, the difference to the cheapest candidate as
    `<metric>_to_best`, and each fold as a step of `fold_<metric>`.
    """

    def _track(self, client: MlflowClient, run: Any, data: list[dict[str, Any]]) -> None:
        for rank, result in enumerate(data, 1):
            facts: dict[str, str] = {
                key: str(result[key]) for key in ("family", "imbalance", "target_features", "training_rows")
            }
            if result["complexity"]:
                facts |= {"complexity": result["complexity"], "by_hand": by_hand(result["complexity"])}
            if result["left_out"]:
                facts["left_out"] = ", ".join(result["left_out"])
            note = f"Rank {rank} of {len(data)} by business cost." if not result["error"] else result["error"]
            note += "".join(f"\n\nWithout member {name}: {why}" for name, why in result["left_out"].items())
            facts |= {CANDIDATE: result["name"], "mlflow.note.content": note}
            seconds = sum(fold.get(step, 0) for fold in result["folds"] for step in ("fit_seconds", "predict_seconds"))
            child, ended = _open_child(client, run, f"{rank:02d} {result['name']}", facts, seconds)
            metrics = dict(result["mean"])
            metrics |= {f"{key}_std": value for key, value in result["std"].items()}
            metrics |= {f"{key}_to_best": interval["estimate"] for key, interval in result["to_best"].items()}
            steps = [
                (f"fold_{key}", value, fold)
                for fold, measured in enumerate(result["folds"])
                for key, value in measured.items()
            ]
            _log(client, child, result["params"], [*((key, value, 0) for key, value in metrics.items()), *steps])
            client.set_terminated(child, "FAILED" if result["error"] else "FINISHED", ended)


class MlflowChildFiguresDataset(AbstractDataset[dict[str, "Figure"], None]):
    """A figure of each candidate, kept in the candidate's child run; nowhere, if tracking is off.

    Args:
        name: Of the file, without its suffix.
        save_args: As of the figures' method `savefig`.
    """

    def __init__(
        self, *, name: str, save_args: dict[str, Any] | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        self._name = name
        self._save_args = save_args or {}
        self._logging_activated = True
        self.metadata = metadata

    def load(self) -> None:
        """Refuse: they are there to be looked at in MLflow."""
        raise DatasetError("Figures of candidates are only kept in their MLflow runs.")

    def save(self, data: dict[str, "Figure"]) -> None:
        """Draw each figure into the child run of its candidate."""
        run = mlflow.active_run() if self._logging_activated else None
        if run is None:
            return
        client = MlflowClient()
        below = f"tags.`mlflow.parentRunId` = '{run.info.run_id}' and tags.{CANDIDATE} != ''"
        children = client.search_runs([run.info.experiment_id], below)  # those that failed too
        with tempfile.TemporaryDirectory() as folder:
            picture = Path(folder, f"{self._name}.png")
            for child in children:
                if figure := data.get(child.data.tags[CANDIDATE]):
                    figure.savefig(picture, **self._save_args)
                    client.log_artifact(child.info.run_id, picture.as_posix(), _FIGURES)

    def _describe(self) -> dict[str, Any]:
        return {"name": self._name}


class MlflowTrialRunsDataset(_TrackedJson):
    """Trials of the search for hyper-parameters: a JSON file, a child run per tuned candidate, one below per trial."""

    def _track(self, client: MlflowClient, run: Any, data: list[dict[str, Any]]) -> None:
        for candidate in dict.fromkeys(trial["candidate"] for trial in data):
            trials = [trial for trial in data if trial["candidate"] == candidate]
            seconds = sum(trial["seconds"] for trial in trials)
            search, ended = _open_child(client, run, f"search {candidate}", {"trials": str(len(trials))}, seconds)
            for trial in trials:
                child, trial_ended = _open_child(
                    client,
                    run,
                    f"{candidate} trial {trial['number']:02d}",
                    {
                        "state": trial["state"],
                        "metric": trial["metric"],
                        "hand_set": str(trial["hand_set"]),
                        "mlflow.parentRunId": search,
                    },
                    trial["seconds"],
                )
                values = [("value", trial["value"], 0), ("seconds", trial["seconds"], 0)]
                _log(client, child, trial["params"], values)
                client.set_terminated(child, "FAILED" if trial["state"] == "fail" else "FINISHED", trial_ended)
            finished = [("value", trial["value"], trial["number"]) for trial in trials if trial["state"] == "complete"]
            _log(client, search, {}, finished)
            client.set_terminated(search, end_time=ended)


def _open_child(client: MlflowClient, run: Any, name: str, tags: Mapping[str, str], seconds: float) -> tuple[str, int]:
    """Note below another run one that has just ended, with the facts and the training rows that both share.

    Returns:
        Its id, and the milliseconds at which it is to end, so that it lasts as many seconds as what it notes did.
    """
    ended = int(time.time() * 1000)
    parent = client.get_run(run.run_id)
    above = parent.data.tags
    inherited: dict[str, str] = {key: above[key] for key in ("source", "git_commit") if key in above}
    started = client.create_run(
        run.experiment_id,
        start_time=ended - round(seconds * 1000),
        run_name=name,
        tags={"mlflow.parentRunId": run.run_id} | inherited | dict(tags),
    )
    learned_from = [
        rows
        for rows in (parent.inputs.dataset_inputs if parent.inputs else [])
        if any(tag.value == "training" for tag in rows.tags if tag.key == MLFLOW_DATASET_CONTEXT)
    ]
    if learned_from:
        client.log_inputs(started.info.run_id, learned_from)
    return started.info.run_id, ended


def _log(client: MlflowClient, run_id: str, params: Mapping[str, Any], metrics: Iterable[tuple[str, Any, int]]) -> None:
    """Log in one call: single metrics take a dozen milliseconds each."""
    now = int(time.time() * 1000)
    client.log_batch(
        run_id,
        params=[Param(key, str(value)) for key, value in list_params(params)],
        metrics=[Metric(key, value, now, step) for key, value, step in metrics if _is_number(value)],
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _without_nan(data: Any) -> Any:
    """Replace NaN, which JSON does not have, by null."""
    return json.loads(json.dumps(data), parse_constant=lambda _: None)
