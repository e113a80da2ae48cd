"""Measure the same pipeline on DuckDB and on Spark over growing data, and compare what they compute.

Both run as a user runs them: `kedro run --pipelines data_processing`, from the CSV files with all their checks to the
table of all features; Spark on this machine, `local[2]`. Run alone: `python -m benchmarks.scaling --sizes 0.01 0.1`.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from benchmarks.features import count_rows
from benchmarks.harness import (
    DEFAULT_FOLDER,
    ROOT,
    TEST_APPLICANTS,
    TRAIN_APPLICANTS,
    Cost,
    command_environment,
    kedro,
    make_twin,
    scratch_project,
    write_section,
)
from benchmarks.parity import RELATIVE_TOLERANCE, measure_columns

REPORT = ROOT / "docs" / "scaling.md"
INTRODUCTION = """# Scaling

What the way from raw files to features takes on either engine as the data grow, that both compute the same, and what
that means for 100 million applicants. Written by `python -m benchmarks.scaling`; nothing is typed by hand.
"""
ENGINES = {"duckdb": "kaggle", "spark": "spark"}
"""Engine -> environment of the run. Of `kaggle` only the settings of the engine count here: all cores, a limit."""
_SOURCES = {"kaggle": "home_credit", "spark": "synthetic"}
_PORTFOLIO = 100_000_000
_NODE = {"cores": 16, "memory": 64}
_HOURS = 2
_PERIOD = 0.2
_LEAST_SIZE = 0.1


def measure_tree(command: list[str], folder: Path) -> Cost:
    """Run a command and measure it with all the processes it starts, Java among them, by looking five times a second.

    Raises:
        RuntimeError: If the command fails; with the end of what it wrote.
    """
    log = folder / "last_command.log"
    processor: dict[int, float] = {}
    peak = 0.0
    started = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, stdout=output, stderr=subprocess.STDOUT, env=command_environment()
        )
        while process.poll() is None:
            resident = 0.0
            for pid in _family(process.pid):
                seconds, gigabytes = _usage(pid)
                processor[pid] = max(seconds, processor.get(pid, 0.0))
                resident += gigabytes
            peak = max(peak, resident)
            time.sleep(_PERIOD)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{log.read_text()[-3000:]}")
    return Cost(time.perf_counter() - started, sum(processor.values()), peak)


def _family(root: int) -> set[int]:
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended
            continue
    family = {root}
    while grown := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= grown
    return family


def _usage(pid: int) -> tuple[float, float]:
    """Return the processor seconds of a process so far and its resident memory in GB."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0, 0.0
    ticks = int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK"), int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 1e9


def run_size(folder: Path, size: float, engines: list[str], limit: str, resume: bool) -> dict:
    """Measure one size on the engines, or take what an earlier run has measured."""
    result = folder / f"scaling_{size:g}.json"
    found = json.loads(result.read_text()) if resume and result.exists() else {}
    if set(engines) <= set(found):
        return found
    raw = make_twin(folder, round(TRAIN_APPLICANTS * size), round(TEST_APPLICANTS * size))
    applicants, rows = count_rows(raw)
    found |= {"size": size, "applicants": applicants, "rows": rows, "raw": _size(raw)}
    for engine in engines:
        if engine in found:
            continue
        environment = ENGINES[engine]
        project = scratch_project(folder / f"project_{engine}_{size:g}")
        globals_file = project / "conf" / "kaggle" / "globals.yml"
        globals_file.write_text(re.sub("memory_limit: .*", f"memory_limit: {limit}", globals_file.read_text()))
        print(f"Measuring {engine} on {applicants:,} applicants, {rows:,} rows.", file=sys.stderr)
        outputs, load = "applicant_features@ibis", os.getloadavg()[2]
        cost = measure_tree(
            kedro(
                *("--pipelines", "data_processing", "--to-outputs", outputs, "--env", environment),
                *("--params", f"raw_folder={raw},spark_master=local[2]"),
            ),
            project,
        )
        found[engine] = asdict(cost) | {
            "limit": limit if engine == "duckdb" else "",
            "load": load,
            "features": _size(project / "data/04_feature" / _SOURCES[environment] / "applicant_features.parquet"),
        }
        result.write_text(json.dumps(found))
    tables = [
        folder
        / f"project_{engine}_{size:g}"
        / "data"
        / "04_feature"
        / _SOURCES[ENGINES[engine]]
        / "applicant_features.parquet"
        for engine in ENGINES
    ]
    if "parity" not in found and set(engines) == set(ENGINES) and all(table.exists() for table in tables):
        found["parity"] = compare_by_source(*(pd.read_parquet(table) for table in tables))
    result.write_text(json.dumps(found))
    return found


def compare_by_source(ours: pd.DataFrame, theirs: pd.DataFrame) -> list[dict]:
    """Compare all features, and sum up by the first word of their names; raw columns of the application are one group.

    Raises:
        ValueError: If a column has another type, or the applicants differ.
    """
    groups: dict[str, dict] = {}
    prefixes = ("BUREAU", "PREVIOUS", "POS_CASH", "INSTALLMENTS", "CREDIT_CARD", "HAS")
    for column in measure_columns(ours, theirs, key="SK_ID_CURR"):
        if column.note:
            raise ValueError(f"{column}")
        source = next((prefix for prefix in prefixes if column.column.startswith(f"{prefix}_")), "APPLICATION")
        group = groups.setdefault(
            source, {"source": source, "columns": 0, "values": 0, "nulls": 0, "different": 0, "largest": 0.0}
        )
        group["columns"] += 1
        group["values"] += len(ours)
        group["nulls"] += column.nulls
        group["different"] += column.values
        group["largest"] = max(group["largest"], column.largest)
    return list(groups.values())


def _size(path: Path) -> int:
    return (
        path.stat().st_size
        if path.is_file()
        else sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    )


def describe_parity(result: dict) -> str:
    """Write the table of what was compared."""
    lines = [
        f"Every column of `applicant_features` (TARGET among them) of {result['applicants']:,} applicants, from "
        f"{result['rows']:,} raw rows, by DuckDB and by Spark. Keys, types, texts, whole numbers and nulls have to be "
        f"equal, real numbers within {RELATIVE_TOLERANCE:g} of the larger one.",
        "",
        "| source | columns | values | nulls that differ | values that differ | largest relative difference |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for group in result["parity"]:
        lines.append(
            f"| {group['source']} | {group['columns']} | {group['values']:,} | {group['nulls']} | "
            f"{group['different']} | {group['largest']:.1e} |"
        )
    return "\n".join(lines)


def describe_scale(results: list[dict]) -> str:
    """Write the measured table and the arithmetic from it."""
    lines = [
        "The whole command, start of Python and checks of the raw files included; memory is that of all its processes "
        "together. Spark runs on this one machine, `local[2]`: there its price shows, not its purpose. The load is the "
        "average of the quarter of an hour before, earlier sizes of this benchmark included: it is high after "
        "one of them as well as beside other programs.",
        "",
        "| of the official size | applicants | rows | engine | wall, s | CPU, s | peak, GB | memory limit | load |",
        "|---:|---:|---:|---|---:|---:|---:|---|---:|",
    ]
    for result in results:
        for engine in ENGINES:
            if engine in result:
                cost = result[engine]
                lines.append(
                    f"| {result['size'] * 100:g} % | {result['applicants']:,} | {result['rows']:,} | {engine} | "
                    f"{cost['wall']:.0f} | {cost['cpu']:.0f} | {cost['peak']:.1f} | {cost['limit'] or '4 GB heap'} | "
                    f"{cost['load']:.1f} |"
                )
    return "\n".join([*lines, "", *_one_machine(results), "", *_cluster(results)])


@dataclass(frozen=True)
class _Line:
    """The straight line through the two largest sizes that an engine was measured on.

    Small runs are spent on starting and, on Spark, on compiling: they say little about large ones.

    Attributes:
        small: Result of the second largest size.
        large: Result of the largest one.
        per_million: Processor seconds a million rows.
        per_run: Processor seconds that a run of no rows would take.
        rows_each: Rows an applicant.
    """

    small: dict
    large: dict
    per_million: float
    per_run: float
    rows_each: float

    def seconds(self, applicants: int) -> float:
        """Return the processor seconds of a run over so many applicants."""
        return self.per_run + self.per_million * applicants * self.rows_each / 1e6


def _fit_line(results: list[dict], engine: str) -> _Line | None:
    measured = [result for result in results if engine in result]
    if len(measured) < 2:
        return None
    small, large = measured[-2:]
    per_million = (large[engine]["cpu"] - small[engine]["cpu"]) / (large["rows"] - small["rows"]) * 1e6
    per_run = large[engine]["cpu"] - per_million * large["rows"] / 1e6
    return _Line(small, large, per_million, per_run, large["rows"] / large["applicants"])


def _one_machine(results: list[dict]) -> list[str]:
    line = _fit_line(results, "duckdb")
    if line is None:
        return ["A second size on DuckDB is needed to tell its cost per row from its cost per run."]
    cost, applicants = line.large["duckdb"], line.large["applicants"]
    busy = cost["cpu"] / cost["wall"]
    stored = (line.large["raw"] + cost["features"]) / applicants
    lines = [
        f"**Where one machine stops.** On DuckDB, a million rows take ({cost['cpu']:.0f} s − "
        f"{line.small['duckdb']['cpu']:.0f} s) / {(line.large['rows'] - line.small['rows']) / 1e6:.0f} million rows = "
        f"{line.per_million:.1f} s of processor time, and it kept {busy:.1f} of {os.cpu_count()} cores busy. Within "
        f"{cost['limit']}, {applicants:,} applicants were done, the rest of what they need on disk. By proportion, not "
        "measured, and not counting what is spilled:",
        "",
        "| applicants | this machine, hours | 16 cores, hours | raw and feature files, TB |",
        "|---:|---:|---:|---:|",
    ]
    for count in (10_000_000, _PORTFOLIO):
        hours = line.seconds(count) / 3600
        lines.append(f"| {count:,} | {hours / busy:.1f} | {hours / _NODE['cores']:.1f} | {stored * count / 1e12:.2f} |")
    return [
        *lines,
        "",
        "Time alone does not ask for a cluster: disk, memory, and raw files that already lie on one do.",
    ]


def _cluster(results: list[dict]) -> list[str]:
    line = _fit_line(results, "spark")
    if line is None:
        return ["A second size on Spark is needed to tell its cost per row from its cost per run."]
    small, large = line.small, line.large
    rows = large["rows"] - small["rows"]
    total = _PORTFOLIO * line.rows_each
    seconds = line.seconds(_PORTFOLIO)
    cores = seconds / 3600 / _HOURS
    sizes = {"raw": large["raw"], "features": large["spark"]["features"]}
    each = {name: size / large["applicants"] for name, size in sizes.items()}
    stored = {name: value * _PORTFOLIO / 1e12 for name, value in each.items()}
    nodes = max(1, -(-cores // _NODE["cores"]))
    caution = (
        f"**No forecast**: {large['rows']:,} rows are the most that Spark was measured on, and that small a run is "
        "spent on starting and compiling. Below is the arithmetic only; measure `--sizes 0.1 0.3` before using it. "
    )
    return [
        (caution if large["size"] < _LEAST_SIZE else "")
        + f"**What a cluster needs** for {_PORTFOLIO:,} applicants, on Spark, by proportion, not measured:",
        "",
        f"- rows: {_PORTFOLIO:,} × {line.rows_each:.0f} an applicant = {total / 1e9:.1f} thousand million;",
        f"- processor: ({large['spark']['cpu']:.0f} s − {small['spark']['cpu']:.0f} s) / {rows / 1e6:.2f} million rows "
        f"= {line.per_million:.1f} s a million rows, and {line.per_run:.0f} s a run; {line.per_million:.1f} × "
        f"{total / 1e6:,.0f} = {seconds / 3600:,.0f} core hours;",
        f"- cores: {seconds / 3600:,.0f} core hours / {_HOURS} hours = {cores:,.0f} cores, or {nodes:,.0f} machines of "
        f"{_NODE['cores']} cores and {_NODE['memory']} GB;",
        f"- storage: raw {each['raw'] / 1e3:.1f} kB + features {each['features'] / 1e3:.1f} kB an applicant = "
        f"{stored['raw']:.1f} + {stored['features']:.1f} TB;",
        "- memory: executors keep the parsed raw files until the features are made, on disk what does not fit: at "
        f"most {stored['raw']:.1f} TB of disk beside {nodes * _NODE['memory'] / 1e3:.1f} TB of memory in all.",
        "",
        "The proportion holds for aggregates by applicant, each a shuffle of its own table; it leaves out stragglers, "
        "network and failures: double it before buying.",
    ]


def main() -> None:
    """Measure every size, write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=float, nargs="+", default=[0.1, 0.3, 1.0, 3.0], help="1 is the official size")
    parser.add_argument("--engines", nargs="+", choices=list(ENGINES), default=list(ENGINES))
    parser.add_argument("--memory-limit", default="6GB", help="of DuckDB, which writes to disk what is beyond")
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="scratch folder")
    parser.add_argument("--resume", action="store_true", help="keep what was measured before, of all sizes")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for size in sorted(arguments.sizes):
        run_size(folder, size, arguments.engines, arguments.memory_limit, arguments.resume)
    results = sorted(
        (json.loads(file.read_text()) for file in folder.glob("scaling_*.json")), key=lambda result: result["size"]
    )
    compared = [result for result in results if "parity" in result]
    places = {"report": REPORT, "introduction": INTRODUCTION}
    if compared:
        write_section("parity", "Both engines compute the same", describe_parity(compared[-1]), **places)
    write_section("scale", "Seconds and memory over rows", describe_scale(results), **places)


if __name__ == "__main__":
    main()
