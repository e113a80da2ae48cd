"""What an exported model says of itself is read without loading it, and only if its files are the exported ones."""

import json
import shutil
from pathlib import Path

import pytest
from kedro.io import DatasetError

from credit_scoring.datasets.exported_model import ModelFolderDataset

MODEL = Path(__file__).parents[2] / "model"


def test_contract_and_identity_are_those_of_the_exported_model() -> None:
    folder = ModelFolderDataset(filepath=MODEL.as_posix()).load()
    described = json.loads((MODEL / "input_columns.json").read_text())
    assert [column.name for column in folder.contract.columns] == [column["name"] for column in described]
    assert folder.identity["model_id"] in (MODEL / "MLmodel").read_text()
    assert len(folder.identity["manifest_sha256"]) == 64


def test_a_model_that_is_not_the_exported_one_is_refused(tmp_path: Path) -> None:
    dataset = ModelFolderDataset(filepath=f"{tmp_path}/model")
    assert not dataset.exists()
    with pytest.raises(DatasetError, match="is not a folder"):
        dataset.load()
    shutil.copytree(MODEL, tmp_path / "model", ignore=shutil.ignore_patterns("__pycache__"))
    assert dataset.exists()
    with (tmp_path / "model" / "model.pkl").open("ab") as file:
        file.write(b"more")
    with pytest.raises(DatasetError, match=r"model\.pkl: altered"):
        dataset.load()
