"""What the benchmarks share: a scratch project with its data, a measured command, a section of docs/benchmarks.md."""

import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from kedro.framework.project import settings
from kedro.framework.startup import bootstrap_project

from credit_scoring.parallel import Workers
from credit_scoring.pipelines.modelling.comparison import predict_out_of_fold, start_fits
from credit_scoring.pipelines.modelling.folds import Folds
from credit_scoring.pipelines.modelling.options import CandidateOptions, read_candidates

ROOT = Path(__file__).parents[1]
REPORT = ROOT / "docs" / "benchmarks.md"
DEFAULT_FOLDER = ROOT / "data" / "benchmarks"
TRAIN_APPLICANTS, TEST_APPLICANTS = 307_511, 48_744
"""Size of the official files."""

INTRODUCTION = """# Benchmarks

What must be fast or worth its price, and what it is measured against. Every section is written by the benchmark that it
names; nothing here is typed by hand. `make bench` runs them all. The data are the synthetic twin unless a section says
otherwise: as many rows as the official files have, and invented values.
"""


@dataclass(frozen=True)
class Cost:
    """What one command took, its own child processes included.

    Attributes:
        wall: Seconds from start to end.
        cpu: Seconds of processor time, user and system; less sensitive to what else runs than `wall`.
        peak: Largest resident memory of one of its processes, in GB.
    """

    wall: float
    cpu: float
    peak: float


def measure(command: list[str], folder: Path) -> Cost:
    """Run a command in a folder, alone in a new process, and measure it.

    Raises:
        RuntimeError: If the command fails; with the end of what it wrote.
    """
    log = folder / "last_command.log"
    started = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, stdout=output, stderr=subprocess.STDOUT, env=command_environment()
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - started
    if process.returncode:
        raise RuntimeError(f"{shlex.join(command)} failed:\n{log.read_text()[-3000:]}")
    per_gb = 1e9 if sys.platform == "darwin" else 1e6  # bytes there, kilobytes elsewhere
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / per_gb)


def command_environment() -> dict[str, str]:
    """Return the variables that a measured command runs with."""
    paths = [str(ROOT / "src"), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    telemetry_off = {"DO_NOT_TRACK": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}
    return os.environ | telemetry_off | {"PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "160"}


def kedro(*arguments: str) -> list[str]:
    """Return the command of a user who runs pipelines."""
    return [sys.executable, "-m", "kedro", "run", *arguments]


def scratch_project(path: Path) -> Path:
    """Make a folder in which the pipelines of this project run, with none of its data, and return it."""
    shutil.rmtree(path, ignore_errors=True)
    (path / "src").mkdir(parents=True)
    shutil.copytree(ROOT / "conf", path / "conf", ignore=shutil.ignore_patterns("local"))
    (path / "conf" / "local").mkdir()  # without it Kedro leaves out conf/base too
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(ROOT / name, path)
    return path


def parameters_of(environment: str) -> dict[str, Any]:
    """Return the parameters of a run in an environment: those of `conf/base`, and what the environment restates."""
    bootstrap_project(ROOT)
    loader = settings.CONFIG_LOADER_CLASS(str(ROOT / "conf"), env=environment, **settings.CONFIG_LOADER_ARGS)
    return loader["parameters"]


def candidates_of(environment: str) -> dict[str, dict[str, Any]]:
    """Return the candidates of an environment by name, without treatments of class imbalance and without a search.

    A blend has the parameters of its members in place of their names, so that each can be read without the others.
    """
    described = parameters_of(environment)["candidates"]
    plain = {name: {**candidate, "imbalance": "none", "tuned": False} for name, candidate in described.items()}
    return {name: candidate.model_dump() for name, candidate in read_candidates(plain).items()}


def predict_by_folds(candidate: CandidateOptions, folds: Folds, seed: int) -> npt.NDArray[np.float64]:
    """Return the out-of-fold probabilities of a candidate, shape (n,), its models fitted one after the other."""
    with Workers(folds, 1) as workers:
        return predict_out_of_fold(start_fits(candidate, workers, seed), folds)[0]


def split_rows(project: Path) -> tuple[Path, Path]:
    """Split the features that `benchmarks.features` left into training rows and hold-out, unless it was done.

    Returns:
        The files of both: the training rows without protected columns, and the rows that nothing is fitted on.

    Raises:
        SystemExit: If there are no features.
    """
    features = project / "data/04_feature/home_credit/applicant_features.parquet"
    if not features.exists():
        sys.exit(f"{features} does not exist. Hint: run `python -m benchmarks.features` first.")
    rows = project / "data/05_model_input/home_credit"
    training, holdout = rows / "permitted_training_rows.parquet", rows / "holdout_rows.parquet"
    if not (training.exists() and holdout.exists()):
        outputs = "permitted_training_rows,holdout_rows"
        measure(kedro("--pipelines", "modelling", "--to-outputs", outputs, "--env", "kaggle"), project)
    return training, holdout


def make_twin(folder: Path, n_train: int, n_test: int) -> Path:
    """Generate the raw files of a synthetic twin, unless an earlier call has finished them, and return their folder."""
    raw = folder / f"twin_{n_train}_{n_test}"
    finished = raw / "FINISHED"
    if not finished.exists():
        print(f"Generating a twin of {n_train + n_test:,} applicants in {raw}.", file=sys.stderr)
        size = f"synthetic_data.n_train={n_train},synthetic_data.n_test={n_test}"
        project = scratch_project(folder / "generator")
        measure(kedro("--pipelines", "synthetic_data", "--params", f"raw_folder={raw},{size}"), project)
        finished.touch()
    return raw


def write_section(
    name: str, title: str, body: str, *, report: Path | None = None, introduction: str = INTRODUCTION
) -> None:
    """Put the result of the benchmark that runs into its report, in the place of its last one."""
    report = report or REPORT
    text = report.read_text() if report.exists() else introduction
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    section = f"{start}\n## {title}\n\n{body.strip()}\n\n{describe_machine(shown_command())}\n{end}"
    found = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
    new = found.sub(lambda _: section, text) if found.search(text) else f"{text.rstrip()}\n\n{section}\n"
    report.write_text(new)
    print(f"{body.strip()}\n", flush=True)


def shown_command() -> str:
    """Write the command that runs, without the places of this machine and what only resumes it."""
    specification = sys.modules["__main__"].__spec__
    module = specification.name if specification else Path(sys.argv[0]).stem
    words = ["…" if "/" in word else shlex.quote(word) for word in sys.argv[1:] if word != "--resume"]
    return " ".join(["python -m", module, *words])


def describe_machine(command: str) -> str:
    """Say when, with what command, on what machine, how busy, and with what packages."""
    packages = ("duckdb", "ibis-framework", "pandas", "pyarrow", "numpy", "lightgbm", "scikit-learn", "kedro")
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    machine = f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GB of memory, {platform.system()}"
    # Above the number of cores, something else was running and wall times say little.
    machine += f", load average {os.getloadavg()[2]:.1f} over the last quarter of an hour"
    return f"*{datetime.now(UTC):%Y-%m-%d}, `{command}`, {machine}, Python {platform.python_version()}, {versions}.*"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", information.read_text()) if information.exists() else []
    return names[0] if names else platform.processor() or platform.machine()
