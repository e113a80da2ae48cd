"""Files that are written over and over, in a process of few imports, to be killed at it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from kedro_datasets.json import JSONDataset
from kedro_datasets.pandas import CSVDataset, ParquetDataset
from kedro_datasets.pickle import PickleDataset
from kedro_datasets.text import TextDataset

from credit_scoring.datasets.figure import FigureDataset
from credit_scoring.datasets.whole_files import write_files_whole

N_BYTES = 10_000
"""What fits a spoilt disk; everything that is written is longer."""


def numbers(seed: int) -> pd.DataFrame:
    return pd.DataFrame({"SK_ID_CURR": np.arange(5_000), "x": np.random.default_rng(seed).random(5_000)})


def figure(seed: int) -> Any:
    drawn, axes = plt.subplots(figsize=(1.5, 1.5))
    axes.imshow(np.random.default_rng(seed).random((100, 100)))
    plt.close(drawn)
    return drawn


def text(seed: int) -> str:
    return f"{seed}\n" * N_BYTES


CONTENTS: dict[type, Callable[[int], Any]] = {
    FigureDataset: figure,
    ParquetDataset: numbers,
    CSVDataset: numbers,
    JSONDataset: lambda seed: {"rows": text(seed)},
    PickleDataset: text,
    TextDataset: text,
}
"""Class of dataset -> what is saved to it, by seed."""


_SUFFIXES: dict[type, str] = {
    FigureDataset: "png",
    ParquetDataset: "parquet",
    CSVDataset: "csv",
    JSONDataset: "json",
    PickleDataset: "pkl",
    TextDataset: "md",
}


def open_datasets(folder: Path) -> dict[str, Any]:
    write_files_whole()
    return {suffix: kind(filepath=(folder / f"file.{suffix}").as_posix()) for kind, suffix in _SUFFIXES.items()}


def main() -> None:
    """Rewrite the files of the working directory, until the process is killed."""
    datasets = open_datasets(Path())
    made = {seed: {suffix: CONTENTS[type(dataset)](seed) for suffix, dataset in datasets.items()} for seed in (1, 2)}
    while True:
        for seed in (1, 2):
            for suffix, dataset in datasets.items():
                dataset.save(made[seed][suffix])
