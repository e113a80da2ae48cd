"""A scorer as an MLflow model that a server can take without the project."""

import json
import logging
import shutil
import tempfile
from pathlib import Path

import mlflow.sklearn
import pandas as pd
from mlflow.models import Model, infer_signature

import credit_scoring
from credit_scoring.exported_model import DESCRIPTION, EXAMPLE, EXAMPLE_ANSWER, FEATURE_PLAN, INPUT_COLUMNS, KNOWN_NAMES
from credit_scoring.exported_model.loading import ServedScorer
from credit_scoring.exported_model.writing.columns import describe_columns, known_names
from credit_scoring.exported_model.writing.requirements import served_requirements
from credit_scoring.feature_plan import PlanError
from credit_scoring.features.plan import compile_plan
from credit_scoring.scorer import CreditScorer, ScorerRelease
from credit_scoring.texts import DEFAULT_LANGUAGE

# What scoring imports; the exported model carries a copy, so that a server needs no installed project. None of it may
# be among what the server has of the project: of two modules of one name, Python would take the server's.
SERVED_CODE = (
    *("__init__.py", "counterfactual.py", "gaps.py", "pyfunc.py", "reasons.py", "scorer.py"),
    *("decisions", "feature_plan", "models", "texts"),
)
# Options of a request, with the value and hence the type of each where a request does not say.
_PARAMETERS = {"explain": False, "language": DEFAULT_LANGUAGE}

logger = logging.getLogger(__name__)


def save_model(*, path: str, release: ScorerRelease, mlflow_model: Model) -> None:
    """Save a scorer in the scikit-learn flavour, loaded to be served by a module of the code that it carries.

    As this module has a function of this name, it serves `mlflow.models.Model.log` as a flavour.

    Args:
        path: Folder to make.
        release: The scorer and what goes with it.
        mlflow_model: Description to complete, with the facts that go into `MLmodel` as its metadata.
    """
    folder = Path(path)
    scorer: ServedScorer = release.scorer  # for mypy to compare what is saved with what a server asks of it
    # A whole number column would refuse null and cut 1.5 to 1: every number is a double to the API.
    rows, example = _numbers_as_double(release.example_rows), _numbers_as_double(release.input_example)
    with tempfile.TemporaryDirectory() as workspace:
        mlflow.sklearn.save_model(
            release.scorer,
            path,
            mlflow_model=mlflow_model,
            signature=infer_signature(rows, scorer.predict(example), params=_PARAMETERS),
            input_example=example,
            code_paths=[_copy_code(Path(workspace))],
            serialization_format="cloudpickle",
            pip_requirements=served_requirements(release.scorer),
        )
    served = mlflow_model.flavors["python_function"]
    served |= {"loader_module": "credit_scoring.pyfunc", "data": served.pop("model_path")}
    del served["predict_fn"]  # what the loader returns has the usual one
    mlflow_model.artifact_path = None  # the absolute path of a store, in what may be copied anywhere
    mlflow_model.save(folder / DESCRIPTION)
    columns = describe_columns(rows, release.scorer.gap_rules)
    for name, content in ((INPUT_COLUMNS, columns), (KNOWN_NAMES, known_names())):
        text = json.dumps(content, indent=1, ensure_ascii=False)
        (folder / name).write_text(text + "\n", encoding="utf-8")
    _write_plan(folder / FEATURE_PLAN, release.scorer)
    # MLflow writes NaN into its examples, which is no JSON
    for file in (folder / "input_example.json", folder / EXAMPLE):
        _write_json(file, json.loads(file.read_text(encoding="utf-8"), parse_constant=lambda _: None))
    # What a server has to answer to the example, to the last bit, before it serves
    _write_json(folder / EXAMPLE_ANSWER, {"predictions": scorer.predict(example).to_dict(orient="records")})


def _write_plan(file: Path, scorer: CreditScorer) -> None:
    """Write the plan by which a server computes the model's features, if they all follow from expressions."""
    try:
        file.write_text(compile_plan(list(scorer.feature_names_in_)).to_json(), encoding="utf-8")
    except PlanError as error:
        logger.warning("The exported model cannot decide from raw tables, and has no %s. %s", FEATURE_PLAN, error)


def _write_json(file: Path, content: object) -> None:
    file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _copy_code(workspace: Path) -> str:
    package = Path(credit_scoring.__file__).parent

    def left_out(folder: str, names: list[str]) -> set[str]:
        return set(names).difference(SERVED_CODE) if Path(folder) == package else {"__pycache__"}

    return shutil.copytree(package, workspace / "credit_scoring", ignore=left_out).as_posix()


def _numbers_as_double(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.astype(dict.fromkeys(rows.select_dtypes(["number", "bool"]).columns, "float64"))
