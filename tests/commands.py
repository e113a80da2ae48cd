"""Commands in processes that begin with the libraries imported, which are most of what a command takes to start.

One server for all workers of a session imports them when it is first asked for a command. Every command is a fork of
it, in a folder and an environment of its own.
"""

import atexit
import importlib
import multiprocessing
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Client, Connection, wait
from pathlib import Path
from tempfile import TemporaryDirectory

_ADDRESS = "COMMANDS_ADDRESS"
_PRELOADED = (
    # Not Kedro's command line: on import it reads how to log from the working directory
    *("credit_scoring.garbage", "credit_scoring.pipeline_registry", "kedro_mlflow", "dynaconf"),
    *("ibis.backends.duckdb", "mlflow.sklearn", "mlflow.store.tracking.sqlalchemy_store", "seaborn", "shap"),
    *("tests.disk", "tests.preloaded"),
)


@dataclass(frozen=True)
class Command:
    """A command that runs.

    Attributes:
        pid: Its process.
    """

    pid: int
    _server: Connection

    @property
    def has_ended(self) -> bool:
        """Whether it has ended."""
        return self._server.poll()

    def wait(self) -> int:
        """Return its exit code, once it has one; minus the number of the signal that killed it."""
        with self._server:
            return int(self._server.recv())


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
        exit_code = start_command(folder, module, *arguments, code=code, streams=(output, errors)).wait()
        return subprocess.CompletedProcess(arguments, exit_code, output.read_text(), errors.read_text())


def start_command(
    folder: Path, module: str, *arguments: str, code: Path | None = None, streams: Sequence[Path] = ()
) -> Command:
    """Start what `run_command` runs, with files that its output and its errors are written to."""
    environment = os.environ | {"COLUMNS": "200"} | ({"PYTHONPATH": code.as_posix()} if code else {})
    server = Client(os.environ[_ADDRESS])
    server.send((folder, module, arguments, environment, streams, code))
    return Command(server.recv(), server)


def run_kedro(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a kedro command in a folder, as `python -m kedro` would."""
    return run_command(folder, "kedro.framework.cli.cli", *arguments)


def start_server() -> Callable[[], None]:
    """Start the server that this process and those it starts run commands on, and return what stops it."""
    folder = TemporaryDirectory()
    os.environ[_ADDRESS] = f"{folder.name}/socket"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.environ[_ADDRESS])
        listening.listen()
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.commands", str(listening.fileno())],
            cwd=Path(__file__).parents[1],
            stdin=subprocess.PIPE,
            pass_fds=[listening.fileno()],
            start_new_session=True,  # an interrupt is meant for the tests
        )

    def stop() -> None:
        server.communicate()
        folder.cleanup()

    return stop


def _serve(listening: socket.socket) -> None:
    """Fork for every command, until the process that started the server ends or closes its standard input.

    A command that nobody waits for any more is killed.
    """
    forks, running = multiprocessing.get_context("fork"), {}
    while True:
        for ready in wait([listening, sys.stdin, *running]):
            if ready is sys.stdin:
                return
            if ready is listening:
                for module in _PRELOADED:
                    importlib.import_module(module)
                client = Connection(listening.accept()[0].detach())
                try:
                    asked = client.recv()
                except (OSError, EOFError):  # who connected has ended
                    continue
                command = forks.Process(target=_run, args=asked)
                command.start()
                running[command.sentinel] = running[client] = command, client
                with suppress(OSError):
                    client.send(command.pid)
            elif ready in running:
                command, client = running[ready]
                if ready is client:
                    command.kill()
                command.join()
                del running[command.sentinel], running[client]
                with client, suppress(OSError):
                    client.send(command.exitcode)


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


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
