"""Measure the way from raw files to features, whole and at parts of its size, against plain pandas.

The project runs as a user runs it: `kedro run --env kaggle --pipelines data_processing`, from the CSV files, with all
their checks, to the table of all features, the hold-out and the figures. There are two peers. `pandas_popular.py` is
the popular way to as many features, every aggregate of every column: what the cost is compared with.
`pandas_features.py` is a subset of the project's own features, whose values are compared one by one.
Run by `make bench`, or alone: `python -m benchmarks.features --raw /folder/of/the/eight/files`.
"""

import argparse
import hashlib
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from benchmarks.harness import (
    DEFAULT_FOLDER,
    ROOT,
    TEST_APPLICANTS,
    TRAIN_APPLICANTS,
    Cost,
    kedro,
    make_twin,
    measure,
    scratch_project,
    write_section,
)
from credit_scoring.schemas.raw import OFFICIAL_TABLES

APPLICANT_FEATURES = Path("data/04_feature/home_credit/applicant_features.parquet")
NOT_FEATURES = ("SK_ID_CURR", "TARGET", "SPLIT")


def identify_files(raw: Path) -> dict[str, list[int]]:
    """Tell the raw files from any others, without reading them: by size and time of the last change."""
    return {name: [(found := (raw / f"{name}.csv").stat()).st_size, found.st_mtime_ns] for name in OFFICIAL_TABLES}


def identify_run(raw: Path, scale: float, repeats: int) -> dict:
    """Tell what a measurement follows from: the files, the share of them, the repeats, and the code of all contestants.

    Returns:
        A mapping that is equal for two measurements only if one can stand for the other.
    """
    code = hashlib.sha256()
    for path in sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "conf").rglob("*.yml"), *ROOT.glob("benchmarks/*.py")]):
        code.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return {
        "raw": str(raw),
        "files": identify_files(raw),
        "scale": scale,
        "repeats": repeats,
        "code": code.hexdigest(),
    }


def take_part(raw: Path, target: Path, scale: float) -> Path:
    """Write the files of a share of the applicants, with their whole histories, unless it was done from these files."""
    if scale == 1:
        return raw
    finished, origin = target / "FINISHED", json.dumps([str(raw), scale, identify_files(raw)])
    if finished.exists() and finished.read_text() == origin:
        return target
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True, exist_ok=True)
    engine = duckdb.connect()
    for name, contract in OFFICIAL_TABLES.items():
        key = "SK_ID_CURR" if "SK_ID_CURR" in contract.columns else "SK_ID_BUREAU"
        # Credits without an owner in `bureau` stay in the same share.
        chosen = f"hash({key}::INTEGER) % 1000 < {round(scale * 1000)}"
        if key == "SK_ID_BUREAU":
            owners = "SELECT SK_ID_BUREAU FROM read_csv('{}/bureau.csv', all_varchar = true)"
            mine, all_of_them = owners.format(target), owners.format(raw)
            chosen = f"{key} IN ({mine}) OR ({chosen} AND {key} NOT IN ({all_of_them}))"
        engine.sql(
            f"COPY (SELECT * FROM read_csv('{raw}/{name}.csv', all_varchar = true) WHERE {chosen}) "
            f"TO '{target}/{name}.csv' (HEADER)"
        )
    finished.write_text(origin)
    return target


def count_rows(raw: Path) -> tuple[int, int]:
    """Return the applicants and all rows of the files; reading them also puts them all in the cache of the system."""

    def count(name: str) -> int:
        with (raw / f"{name}.csv").open("rb") as file:
            return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 24), b"")) - 1

    rows = {name: count(name) for name in OFFICIAL_TABLES}
    return rows["application_train"] + rows["application_test"], sum(rows.values())


def measure_all(raw: Path, folder: Path, repeats: int) -> dict[str, Cost]:
    """Measure every contestant on the same files; of several repeats the one of least wall time counts."""
    project = scratch_project(folder / "project")

    def script(name: str) -> list[str]:
        return [sys.executable, "-m", f"benchmarks.pandas_{name}", str(raw), str(folder / f"{name}.parquet")]

    commands = {
        "project": kedro("--pipelines", "data_processing", "--env", "kaggle", "--params", f"raw_folder={raw}"),
        "popular": script("popular"),
        "subset": script("features"),
    }
    costs = {name: [measure(command, project) for _ in range(repeats)] for name, command in commands.items()}
    return {name: min(measured, key=lambda cost: cost.wall) for name, measured in costs.items()}


def compare_values(project: Path, peer: Path) -> dict[str, int]:
    """Compare the features that both have, value by value: equal text, equal nulls, numbers equal to nine digits.

    Where terms cancel, the rounding of a sum is relative to its terms: 1e-12 of the largest value is let pass.
    """
    expected = pd.read_parquet(peer)
    found = pd.read_parquet(project, columns=["SK_ID_CURR", *expected.columns]).set_index("SK_ID_CURR").sort_index()
    if not found.index.equals(expected.index):
        raise RuntimeError("The project and the peer have features of different applicants.")
    different = 0
    for name, column in expected.items():
        if column.dtype == "str":
            same = (found[name] == column) | (found[name].isna() & column.isna())
        else:
            numbers = column.astype("float64")
            same = np.isclose(found[name], numbers, rtol=1e-9, atol=1e-12 * numbers.abs().max(), equal_nan=True)
        different += int((~same).sum())
    return {"features": expected.shape[1], "values": expected.size, "different": different}


def run_scale(raw: Path, folder: Path, scale: float, arguments: argparse.Namespace) -> dict:
    """Measure one size, or take what an earlier run has measured of the same files by the same code."""
    result, of = folder / f"scale_{scale:g}.json", identify_run(raw, scale, arguments.repeats)
    measured = json.loads(result.read_text()) if arguments.resume and result.exists() else {}
    if measured.get("of") == of:
        return measured
    part = take_part(raw, folder / f"part_{scale:g}", scale)
    applicants, rows = count_rows(part)
    print(f"Measuring {applicants:,} applicants, {rows:,} rows.", file=sys.stderr)
    costs = measure_all(part, folder, arguments.repeats)
    features = folder / "project" / APPLICANT_FEATURES

    def count_features(path: Path) -> int:
        return len([name for name in pq.read_schema(path).names if name not in NOT_FEATURES])

    found = {
        "of": of,
        "applicants": applicants,
        "rows": rows,
        "features": {
            "project": count_features(features),
            "popular": count_features(folder / "popular.parquet"),
            "subset": count_features(folder / "features.parquet"),
        },
        "costs": {name: asdict(cost) for name, cost in costs.items()},
        "agreement": compare_values(features, folder / "features.parquet"),
    }
    result.write_text(json.dumps(found))
    return found


CONTESTANTS = {
    "project": "project, checks, hold-out and figures included",
    "popular": "pandas, every aggregate of every column",
    "subset": "pandas, a part of the project's features",
}


def describe(results: list[dict], source: str) -> str:
    """Write the table and what it says."""
    largest = max(results, key=lambda result: result["rows"])
    lines = [
        "| applicants | rows | what | features | wall, s | CPU, s | peak, GB | wall / popular | CPU / popular |",
        "|---:|---:|---|---:|---:|---:|---:|---:|---:|",
    ]
    for result in results:
        popular = result["costs"]["popular"]
        for name, label in CONTESTANTS.items():
            cost = result["costs"][name]
            lines.append(
                f"| {result['applicants']:,} | {result['rows']:,} | {label} | {result['features'][name]} | "
                f"{cost['wall']:.0f} | {cost['cpu']:.0f} | {cost['peak']:.1f} | "
                f"{cost['wall'] / popular['wall']:.2f} | {cost['cpu'] / popular['cpu']:.2f} |"
            )
    project, popular = largest["costs"]["project"], largest["costs"]["popular"]
    agreement = largest["agreement"]
    return "\n".join(
        [
            f"Data: {source}. The times of the project are those of the whole command `kedro run --env kaggle "
            "--pipelines data_processing`: the start of Python and Kedro, the checks of the raw files, the hold-out, "
            "the figures and the tracked run are in them. Those of pandas are of the whole script, which has none of "
            "these.",
            "",
            *lines,
            "",
            f"At {largest['applicants']:,} applicants, the project takes {project['wall'] / popular['wall']:.2f} times "
            f"the time of the popular way and {project['peak'] / popular['peak']:.2f} times its memory. "
            f"Of {agreement['values']:,} values that the project and the third contestant both computed, "
            f"{agreement['different']:,} differ.",
        ]
    )


def read_arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--raw", type=Path, help="folder of the eight CSV files; generated if not given")
    parser.add_argument("--scale", type=float, nargs="+", default=[0.1, 0.3, 1.0], help="shares of the applicants")
    parser.add_argument(
        "--size", type=float, default=1.0, help="size of the generated twin; 1 is that of the real files"
    )
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="scratch folder, some 10 GB at full size")
    parser.add_argument("--repeats", type=int, default=1, help="measurements of each, of which the fastest counts")
    parser.add_argument("--resume", action="store_true", help="keep the sizes that were measured before")
    parser.add_argument("--source", default="the synthetic twin", help="what the report calls the data")
    return parser.parse_args(words)


def main() -> None:
    """Prepare the data, measure every size, write the section."""
    arguments = read_arguments()
    folder = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    n_train, n_test = round(TRAIN_APPLICANTS * arguments.size), round(TEST_APPLICANTS * arguments.size)
    raw = arguments.raw.resolve() if arguments.raw else make_twin(folder, n_train, n_test)
    results = [run_scale(raw, folder, scale, arguments) for scale in sorted(arguments.scale)]
    write_section("features", "From raw files to features", describe(results, arguments.source))


if __name__ == "__main__":
    main()
