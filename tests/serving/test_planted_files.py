"""What was not exported does not run, whoever put it beside the model, and whenever."""

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from credit_scoring.exported_model.manifest import write_manifest
from tests.conftest import Project
from tests.serving.conftest import code_of_image
from tests.serving.test_faults import start

pytestmark = pytest.mark.e2e

PLANT = """
    import importlib._bootstrap_external as external
    import importlib.util
    from pathlib import Path

    def plant(source):
        '''Put bytecode beside a source that Python takes without a look at the source, and that leaves a trace.'''
        code = compile(f"open('ran_{source.stem}', 'w')", str(source), "exec")
        target = Path(importlib.util.cache_from_source(str(source)))
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(external._code_to_hash_pyc(code, b"0" * 8, checked=False))
"""


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run code with nothing of the project but what the image gets, and leave to Python where it writes bytecode."""
    environment = os.environ | {"PYTHONPATH": str(code_of_image(folder))}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-c", textwrap.dedent(PLANT) + textwrap.dedent(code)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def model(demo: Project, tmp_path: Path) -> Path:
    return Path(shutil.copytree(demo.path / "model", tmp_path / "model"))


def test_planted_bytecode_would_be_run_if_nothing_was_done_about_it(model: Path) -> None:
    """Else the tests below could not fail."""
    done = run(
        """
        import sys
        for module in ("pyfunc", "scorer"):
            plant(Path(f"model/code/credit_scoring/{module}.py"))
        import credit_scoring
        credit_scoring.__path__.insert(0, "model/code/credit_scoring")
        import credit_scoring.pyfunc, credit_scoring.scorer
        """,
        model.parent,
    )
    assert done.returncode == 0, done.stderr
    assert {path.name for path in model.parent.glob("ran_*")} == {"ran_pyfunc", "ran_scorer"}


@pytest.mark.parametrize("front_end", ["mlflow", "lean"])
def test_planted_bytecode_stops_the_start(model: Path, front_end: str) -> None:
    run("plant(Path('model/code/credit_scoring/scorer.py'))", model.parent)
    done = start(model.parent, SERVING_FRONT_END=front_end)
    assert done.returncode == 2
    assert "code/credit_scoring/__pycache__/scorer.cpython-3" in done.stdout
    assert "find model -name __pycache__ -prune" in done.stdout
    assert not list(model.parent.glob("ran_*"))


@pytest.mark.parametrize("front_end", ["mlflow", "lean"])
def test_what_is_planted_after_the_check_is_not_run_and_no_bytecode_is_left(model: Path, front_end: str) -> None:
    done = run(
        f"""
        import importlib
        from credit_scoring.exported_model.folder import open_model_folder
        from credit_scoring.exported_model.loading import use_code_of
        from credit_scoring.serving.front_ends import FRONT_ENDS

        folder = open_model_folder(Path("model"))
        use_code_of(folder.manifest)
        code = Path("model/code/credit_scoring")
        sources = list(code.rglob("*.py"))
        for source in sources:
            plant(source)
        families = code / "models" / "families"
        (families / "planted.py").write_text("open('ran_planted', 'w')")
        (code / "models" / "labels.py").write_text("open('ran_labels', 'w')")
        FRONT_ENDS["{front_end}"](folder)
        try:
            import credit_scoring.models.families.planted
        except ModuleNotFoundError as error:
            print(error)
        from credit_scoring.scorer import CreditScorer
        print(CreditScorer.__module__, importlib.import_module("credit_scoring.scorer").__file__)
        print(len(list(code.rglob("*.pyc"))) - len(sources), "written")
        try:
            import credit_scoring.models.labels
        except Exception as error:
            print(error)
        """,
        model.parent,
    )
    assert done.returncode == 0, done.stderr
    assert not list(model.parent.glob("ran_*"))
    told = done.stdout.splitlines()
    assert told[0] == "No module named 'credit_scoring.models.families.planted' is listed in model"
    assert told[1] == "credit_scoring.scorer model/code/credit_scoring/scorer.py"
    assert told[2] == "0 written"
    assert "code/credit_scoring/models/labels.py: altered" in done.stdout


@pytest.mark.parametrize("front_end", ["mlflow", "lean"])
def test_a_truncated_scorer_ends_the_server_with_one_sentence(model: Path, front_end: str) -> None:
    scorer = model / "model.pkl"
    scorer.write_bytes(scorer.read_bytes()[: scorer.stat().st_size // 2])
    write_manifest(model)
    done = start(model.parent, SERVING_FRONT_END=front_end, SERVING_TIMEOUT="1")
    assert done.returncode == 1
    assert "The scorer in model cannot be read: " in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
