"""Aggregate statistics that the generator is calibrated to.

`calibration.json` holds published statistics and aggregate profiles of public samples of the Home Credit data: category
shares, quantile tables, correlations of normal scores, transition matrices. No row, no key. `risk.json` does so for the
risk of default.
"""

import functools
import json
from importlib import resources
from typing import Any

import numpy as np

from credit_scoring.pipelines.synthetic_data.sampling import FloatArray


@functools.cache
def calibration() -> dict[str, Any]:
    """Read the calibration file once per process."""
    return json.loads(resources.files(__package__).joinpath("calibration.json").read_text(encoding="utf-8"))


def column_quantile(column: str, u: FloatArray) -> FloatArray:
    """Values of an application column at the probabilities `u`."""
    return np.interp(u, calibration()["levels"], calibration()["quantiles"][column])


def table(name: str) -> FloatArray:
    """Conditional shares: one row per condition, one column per category."""
    return np.array(calibration()["tables"][name]["p"], dtype=float)


def columns_of(name: str) -> list[str]:
    """Category names of the columns of a conditional table."""
    return calibration()["tables"][name]["columns"]
