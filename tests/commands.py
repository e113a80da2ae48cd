"""Commands in processes that begin with the libraries imported, which are most of what a command takes to start.

Python's fork server imports them once, and every command is a fork of it, in a folder and an environment of its own.
"""

import atexit
import importlib
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

_FORKS = multiprocessing.get_context("forkserver")
# Not Kedro's command line: on import it reads how to log from the working directory
_FORKS.set_forkserver_preload(
    [
        *("credit_scoring.garbage", "credit_scoring.pipeline_registry", "kedro_mlflow", "dynaconf"),
        *("ibis.backends.duckdb", "mlflow.sklearn", "mlflow.store.tracking.sqlalchemy_store", "seaborn", "shap"),
        *("tests.disk", "tests.preloaded"),
    ]
)


def run_command(
    folder: Path, module: str, *arguments: str, code: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `main` of a module in a folder, with arguments as of a command line.

    Args:
        folder: Where it runs.
        module: The module.
        *arguments: Its arguments.
        code: Folder of another copy of the project's package, to be imported in place of this one.
    """
    with TemporaryDirectory() as written:
        output, errors = Path(written, "output"), Path(written, "errors")
        environment = os.environ | {"COLUMNS": "200"} | ({"PYTHONPATH": code.as_posix()} if code else {})
        command = _FORKS.Process(target=_run, args=(folder, module, arguments, environment, (output, errors), code))
        command.start()
        command.join()
        assert command.exitcode is not None
        return subprocess.CompletedProcess(arguments, command.exitcode, output.read_text(), errors.read_text())


def run_kedro(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a kedro command in a folder, as `python -m kedro` would."""
    return run_command(folder, "kedro.framework.cli.cli", *arguments)


def _run(
    folder: Path,
    module: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    streams: Sequence[Path],
    code: Path | None,
) -> None:
    for number, path in enumerate(streams, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [module, *arguments]
    if code:
        sys.path.insert(0, code.as_posix())
        for name in [name for name in sys.modules if name.partition(".")[0] == "credit_scoring"]:
            del sys.modules[name]
    try:
        sys.exit(importlib.import_module(module).main())
    except Exception:  # of any type: the project says what it is, as at the end of a process
        sys.excepthook(*sys.exc_info())
        sys.exit(1)
    finally:
        atexit._run_exitfuncs()  # which a fork leaves out
