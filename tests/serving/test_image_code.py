"""What the image gets of the project, and what a model brings along."""

from pathlib import Path

from credit_scoring.exported_model.writing.mlflow_model import SERVED_CODE
from tests.serving.conftest import code_of_image


def test_no_module_comes_from_both_the_image_and_the_model(tmp_path: Path) -> None:
    """Python would take the image's, and another code than the model's own would score."""
    in_image = {path.name for path in (code_of_image(tmp_path) / "credit_scoring").iterdir()}
    assert in_image & set(SERVED_CODE) == {"__init__.py"}


def test_the_image_holds_what_reads_a_model_and_not_what_writes_one(tmp_path: Path) -> None:
    place = code_of_image(tmp_path) / "credit_scoring"
    held = {path.relative_to(place).as_posix() for path in place.rglob("*.py")}
    assert {"exported_model/manifest.py", "serving/__main__.py"} <= held
    assert not [name for name in held if "writing" in name]
