"""What a scorer becomes when it is logged or exported: an MLflow model that a server can take without the project."""

import json
import shutil
from collections.abc import Mapping
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

import mlflow.sklearn
import pandas as pd
from mlflow.models import Model, infer_signature

import credit_scoring
from credit_scoring.features.dictionary import describe_feature
from credit_scoring.features.documentation import FeatureEntry, document_features
from credit_scoring.models import FAMILIES
from credit_scoring.models.base import text_columns
from credit_scoring.scorer import CreditScorer, ScorerRelease

INPUT_COLUMNS = "input_columns.json"
# What serving imports; the exported model carries a copy, so that a server needs no installed project.
_SERVED_CODE = ("__init__.py", "pyfunc.py", "reasons.py", "scorer.py", "models", "texts")
# What serving needs from outside beside the library of the model's family, pinned to the versions of the training run.
_SERVED_PACKAGES = (
    "mlflow-skinny",
    "babel",
    "cloudpickle",
    "fastapi",
    "httptools",
    "numpy",
    "orjson",
    "pandas",
    "prometheus-client",
    "pyyaml",
    "scikit-learn",
    "scipy",
    "uvicorn",
    "uvloop",
)
# Options of a request, with the value and hence the type of each where a request does not say.
_PARAMETERS = {"explain": False, "language": "fr"}
_FLAG, _NO_NUMBER = "1 for yes, 0 for no", "text"
_OF_AGGREGATE = {
    "COUNT": "count",
    "RATE": "share, 0 to 1",
    "RATIO": "ratio",
    "FLAG": _FLAG,
    "YEARS": "years",
}
_OF_VALUE = {"AMT": "currency of the data", "DAYS": "days, negative before the application", "CNT": "count"}
_KEEPS_UNIT = {"SUM", "MEAN", "MEDIAN", "MIN", "MAX", "STD", "RANGE", "DIFF", "LAST"}


def model_arguments(release: ScorerRelease, metadata: Mapping[str, str], workspace: Path) -> dict[str, Any]:
    """Return the arguments of `save_model`, for MLflow to log or to save the model with.

    Args:
        release: The scorer and what goes with it.
        metadata: Short facts that are written into `MLmodel`.
        workspace: Folder for files that must outlive this call.
    """
    code = workspace / "code" / "credit_scoring"
    code.mkdir(parents=True)
    package = Path(credit_scoring.__file__).parent
    for name in _SERVED_CODE:
        if (package / name).is_dir():
            shutil.copytree(package / name, code / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(package / name, code / name)
    # A whole number column would refuse null and cut 1.5 to 1: every number is a double to the API.
    rows = _numbers_as_double(release.example_rows)
    example = _numbers_as_double(release.input_example)
    return {
        "sk_model": release.scorer,
        "signature": infer_signature(rows, release.scorer.predict(example), params=_PARAMETERS),
        "input_example": example,
        "code_paths": [code.as_posix()],
        "columns": describe_columns(rows),
        "serialization_format": "cloudpickle",
        "pip_requirements": [f"{package}=={version(package)}" for package in _served_packages(release.scorer)],
        "metadata": dict(metadata),
    }


def save_model(
    *, path: str, columns: list[dict[str, Any]], mlflow_model: Model | None = None, **arguments: Any
) -> None:
    """Save a scorer in the scikit-learn flavour, loaded to be served by a module of the code that it carries.

    As this module has a function of this name, it serves `mlflow.models.Model.log` as a flavour.

    Args:
        path: Folder to make.
        columns: What `describe_columns` says; it is kept as `input_columns.json`.
        mlflow_model: Description to complete; a new one unless given.
        **arguments: As of `mlflow.sklearn.save_model`.
    """
    description = mlflow_model or Model()
    mlflow.sklearn.save_model(path=path, mlflow_model=description, **arguments)
    served = description.flavors["python_function"]
    served |= {"loader_module": "credit_scoring.pyfunc", "data": served.pop("model_path")}
    del served["predict_fn"]  # what the loader returns has the usual one
    description.save(Path(path) / "MLmodel")
    text = json.dumps(columns, indent=1, ensure_ascii=False)
    (Path(path) / INPUT_COLUMNS).write_text(text + "\n", encoding="utf-8")
    # MLflow writes NaN into its examples, which is no JSON
    for name in ("input_example.json", "serving_input_example.json"):
        example = json.loads((Path(path) / name).read_text(encoding="utf-8"), parse_constant=lambda _: None)
        (Path(path) / name).write_text(json.dumps(example, indent=1) + "\n", encoding="utf-8")


def forget_place(model: Path) -> None:
    """Take the absolute path of the artifact store out of the exported model's description."""
    description = Model.load(model)
    description.artifact_path = model.name
    description.save(model / "MLmodel")


def describe_columns(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Say what a server has to be sent.

    Args:
        rows: Rows that stand for what will be sent.

    Returns:
        Per column `name`, `description`, `unit` (empty where it has none of its own, see the formula in the dictionary
        of features), `null_when` (what a null or a missing column says), and for a text `categories`, those of `rows`.
    """
    entries = {feature.name: feature for source in document_features() for feature in source.features}
    texts = set(text_columns(rows))
    columns = []
    for name in rows.columns:
        entry = entries.get(name)
        column: dict[str, Any] = {"name": name}
        if entry is not None:
            column |= {
                "description": describe_feature(name),
                "unit": _NO_NUMBER if name in texts else _unit(entry),
                "null_when": [*(f"{flag} is 0" for flag in entry.histories), *entry.null_when],
            }
        if name in texts:
            column["categories"] = sorted(rows[name].dropna().unique())
        columns.append(column)
    return columns


def _unit(entry: FeatureEntry) -> str:
    """Read a unit off the name and off the raw columns that the values come from."""
    if entry.name.startswith(("HAS_", "FLAG_")):
        return _FLAG
    aggregate = next((part for part in reversed(entry.name.split("_")) if part in {*_OF_AGGREGATE, *_KEEPS_UNIT}), "")
    if aggregate in _OF_AGGREGATE:
        return _OF_AGGREGATE[aggregate]
    kinds = {column.split("_")[0] for columns in entry.lineage.values() for column in columns}
    of_raw_column = not entry.formula
    if len(kinds) == 1 and (aggregate in _KEEPS_UNIT or of_raw_column):
        return _OF_VALUE.get(kinds.pop(), "")
    return ""


def _served_packages(scorer: CreditScorer) -> list[str]:
    """Name the packages to install; of a library that has several builds, the one of the training run."""
    model = getattr(scorer.model, "inner", scorer.model)
    module = type(model).__module__.rpartition(".")[2]
    installed = packages_distributions()
    libraries = {family.library for family in FAMILIES.values() if family.module == module}
    return sorted({*_SERVED_PACKAGES, *(installed.get(library, [library])[0] for library in libraries)})


def _numbers_as_double(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.astype(dict.fromkeys(rows.select_dtypes(["number", "bool"]).columns, "float64"))
