"""Models in the registry of MLflow, and the folder that the champion is exported to.

Names of these datasets start with `Mlflow`, so that kedro-mlflow's switch for untracked pipelines finds them and turns
`_logging_activated` off.
"""

import logging
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import mlflow
import pandas as pd
from kedro.io import AbstractDataset, DatasetError
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.models.model import ModelInfo

from credit_scoring.exported_model import DESCRIPTION, SCORER
from credit_scoring.exported_model.folder import open_model_folder
from credit_scoring.exported_model.loading import load_scorer, unpickle_scorer
from credit_scoring.exported_model.manifest import ModelFolderError, check_manifest
from credit_scoring.exported_model.writing import mlflow_model
from credit_scoring.exported_model.writing.replacement import replace_model, workspace_beside
from credit_scoring.scorer import CreditScorer, Incumbent, ScorerRelease

_CHAMPION, _PREVIOUS, _CHALLENGER = "champion", "previous_champion", "challenger"
_REGISTERED = (
    "Probability of default of a loan applicant, and the decision: granted, or refused where the probability reaches "
    f"the threshold of least business cost. `{_CHAMPION}` is served, `{_PREVIOUS}` was before it, "
    f"`{_CHALLENGER}` was not better by more than chance; each version says why."
)
_DUE, _AFTER, _NONE = "alias_due", " after ", "none"
"""Tag of a version that still waits for the alias that it was registered for, such as `champion after 3`."""
_STORY = ("model", "holdout_business_cost", "holdout_roc_auc")
"""Tags of a version that the description of the registered model tells of each."""
_LONGEST_STORY = 5_000 - len(_REGISTERED) - 50
"""Characters left for it: MLflow's column has 5,000, which SQLite alone does not mind, and the last line takes some."""
_OUT_OF_FOLD = "out_of_fold.parquet"
"""Beside the files of a registered model; not in the exported folder, which must name no applicant."""

logger = logging.getLogger(__name__)


class MlflowScorerDataset(AbstractDataset[ScorerRelease, CreditScorer]):
    """The served model: logged and registered in MLflow, and exported to a folder.

    The folder holds the very files of the registered version, and the list of their digests. It is written aside and
    swapped in, so that a failure leaves the previous model as it was. With tracking off, the folder alone is written. A
    scorer that is not promoted is registered, but the folder keeps the champion. What a killed run has left undone, the
    next one does first.

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
        """Load the exported scorer, made of the project's own code.

        Raises:
            DatasetError: If its files are not as exported, or another version of the project made it.
        """
        try:
            return cast(CreditScorer, load_scorer(check_manifest(self._folder)))
        except ModelFolderError as error:
            raise DatasetError(str(error)) from error

    def save(self, data: ScorerRelease) -> None:
        """Export the scorer, and register it if a run is tracked."""
        run = mlflow.active_run() if self._logging_activated else None
        commit = "unknown"
        if run is not None:
            commit = MlflowClient().get_run(run.info.run_id).data.tags.get("git_commit", commit)
        facts = {**data.tags, "git_commit": commit}
        with workspace_beside(self._folder) as workspace, _quiet_mlflow():
            fresh = workspace / "model"
            if run is None:
                mlflow_model.save_model(path=fresh.as_posix(), release=data, mlflow_model=Model(metadata=facts))
            else:
                info = Model.log(
                    None, mlflow_model, name="credit_scorer", flavor_name="sklearn", metadata=facts, release=data
                )
                if data.promoted:
                    download_served(info.model_uri, fresh)  # before the registration: a full disk promotes nothing
                if data.out_of_fold is not None:
                    data.out_of_fold.to_parquet(workspace / _OUT_OF_FOLD)
                    MlflowClient().log_model_artifact(info.model_id, (workspace / _OUT_OF_FOLD).as_posix())
                self._register(info, run, data, facts)
            if fresh.exists():
                replace_model(self._folder, fresh)
        champion = None if run is None else _champion(MlflowClient(), self._registered_model_name)
        if champion is not None and self._found_instead_of(champion):
            self.export_champion()

    def export_champion(self) -> str:
        """Put the champion of the registry into the folder, made by any run; return its version.

        Raises:
            DatasetError: If the registry has no champion.
        """
        client = MlflowClient()
        _give_due_aliases(client, self._registered_model_name)
        version = _champion(client, self._registered_model_name)
        if version is None:
            raise DatasetError(
                f"The registry has no champion of {self._registered_model_name}.\nHint: kedro run makes one."
            )
        if found := self._found_instead_of(version):
            told = "%s is not the registry's champion, version %s of %s, and is replaced by it. Found: %s."
            logger.warning(told, self._folder, version.version, version.name, found)
        with workspace_beside(self._folder) as workspace:
            fresh = workspace / "model"
            download_served(_uri(version), fresh)
            replace_model(self._folder, fresh)
        return str(version.version)

    def _found_instead_of(self, version: ModelVersion) -> str:
        """Return what is in the folder; empty if it is the version, whole."""
        try:
            model_id = open_model_folder(self._folder).identity["model_id"]
        except ModelFolderError as error:
            return str(error).partition("\n")[0].rstrip(".:")
        return "" if version.source == f"models:/{model_id}" else f"model {model_id}"

    def _register(
        self, info: ModelInfo, run: mlflow.ActiveRun, release: ScorerRelease, facts: Mapping[str, str]
    ) -> None:
        client, name = MlflowClient(), self._registered_model_name
        try:
            client.create_registered_model(name, description=_REGISTERED)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        due = f"{_CHAMPION}{_AFTER}{_version_number(_champion(client, name))}" if release.promoted else _CHALLENGER
        client.create_model_version(
            name,
            source=info.model_uri,
            run_id=run.info.run_id,
            model_id=info.model_id,
            description=release.description,
            tags={**facts, _DUE: due},
        )
        _give_due_aliases(client, name)
        client.update_registered_model(name, f"{_REGISTERED}\n\n{_tell_story(client, name)}")

    def _exists(self) -> bool:
        return (self._folder / DESCRIPTION).is_file()

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
        """Load what is known of the champion, and make sure that it can still be served."""
        if not self._logging_activated:
            return None
        client = MlflowClient()
        _give_due_aliases(client, self._registered_model_name)
        version = _champion(client, self._registered_model_name)
        if version is None:
            return None
        history = [each.tags for each in client.search_model_versions(f"name = '{self._registered_model_name}'")]
        out_of_fold, features, problem = pd.DataFrame(), (), ""
        try:
            with tempfile.TemporaryDirectory() as place, _quiet_mlflow():
                mlflow.artifacts.download_artifacts(_uri(version), dst_path=place)
                if (recorded := Path(place, _OUT_OF_FOLD)).exists():
                    out_of_fold = pd.read_parquet(recorded)
                scorer = unpickle_scorer(Path(place, SCORER).read_bytes(), Path(place))
        except Exception as error:  # files gone, another version of a library: in any case it cannot be served
            problem = f"{type(error).__name__}: {error}"
        else:
            if isinstance(scorer, CreditScorer) and hasattr(scorer, "calibration"):
                features = tuple(scorer.feature_names_in_)
            else:
                problem = "it was made by another version of this project"
        return Incumbent(str(version.version), version.tags, out_of_fold, history, features, problem)

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


def _give_due_aliases(client: MlflowClient, name: str) -> None:
    """Give versions the aliases that they were registered for: the new one's, and first those of a run that was killed.

    Each step may be done twice, and the tag goes last: the next command finishes one that was stopped.
    """
    due = [each for each in client.search_model_versions(f"name = '{name}'") if _DUE in each.tags]
    for version in sorted(due, key=lambda each: int(each.version)):
        alias, _, followed = version.tags[_DUE].partition(_AFTER)
        before = _version_number(_champion(client, name))
        if alias != _CHAMPION:
            client.set_registered_model_alias(name, alias, version.version)
        elif before == followed:
            if before != _NONE:
                client.set_registered_model_alias(name, _PREVIOUS, before)
            client.set_registered_model_alias(name, alias, version.version)
        # Else it has the alias, or somebody has decided otherwise since
        client.delete_model_version_tag(name, version.version, _DUE)


def _tell_story(client: MlflowClient, name: str) -> str:
    """Return a Markdown table of versions: what each achieved, and why it was promoted or not.

    Latest first, and as many as fit into MLflow's column; the last line counts those before.
    """
    told = ["| version | day | model | cost on the hold-out | AUC | promotion |", "|---:|---|---|---:|---:|---|"]
    versions = sorted(client.search_model_versions(f"name = '{name}'"), key=lambda each: -int(each.version))
    room = _LONGEST_STORY - sum(len(line) + 1 for line in told)
    for done, version in enumerate(versions):
        day = datetime.fromtimestamp(version.creation_timestamp / 1000, UTC).date()
        facts = [*(version.tags.get(tag, "–") for tag in _STORY), (version.description or "–").rpartition("\n\n")[2]]
        cells = (" ".join(str(cell).split()).replace("|", r"\|") for cell in (version.version, day, *facts))
        told.append(f"| {' | '.join(cells)} |")
        room -= len(told[-1]) + 1
        if room < 0:
            return "\n".join([*told[:-1], "", f"Earlier versions, not listed: {len(versions) - done}."])
    return "\n".join(told)


def _version_number(version: ModelVersion | None) -> str:
    return _NONE if version is None else str(version.version)


def _uri(version: ModelVersion) -> str:
    return f"models:/{version.name}/{version.version}"


def download_served(uri: str, folder: Path) -> None:
    """Copy what is served of a logged model, without the note on the registry that MLflow adds to it."""
    with _quiet_mlflow():
        mlflow.artifacts.download_artifacts(uri, dst_path=folder.as_posix())
    for name in ("registered_model_meta", _OUT_OF_FOLD):
        (folder / name).unlink(missing_ok=True)
    for bytecode in list(folder.rglob("__pycache__")):  # of whoever served it from the registry's store
        shutil.rmtree(bytecode)


@contextmanager
def _quiet_mlflow() -> Iterator[None]:
    """Keep back MLflow's advice on the pickle format, which this project has taken (see docs)."""
    logger = logging.getLogger("mlflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
