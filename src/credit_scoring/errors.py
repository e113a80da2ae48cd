"""Errors that a user can mend: the command line shows their message in a panel, without a traceback."""

from collections.abc import Sequence

from credit_scoring.mistakes import Mistake


class DataContractError(Mistake):
    """Input data break their contract; the message lists every problem found, not only the first.

    Attributes:
        problems: One sentence per problem: file or table, column, what was expected, what was found.
    """

    def __init__(self, subject: str, problems: Sequence[str], hint: str) -> None:
        self.problems = tuple(problems)
        noun = "problem" if len(self.problems) == 1 else "problems"
        bullets = "\n".join(f"  - {problem}" for problem in self.problems)
        super().__init__(f"{subject}: {len(self.problems)} {noun} found.\n{bullets}\nHint: {hint}")


class ConfigurationError(Mistake):
    """Configuration or command line say what nothing reads, or what cannot be meant; the message lists all of it."""

    def __init__(self, problems: Sequence[str], hint: str) -> None:
        self.problems = tuple(problems)
        bullets = "\n".join(f"  - {problem}" for problem in self.problems)
        super().__init__(f"The configuration cannot be used as it is:\n{bullets}\nHint: {hint}")


class RunRefusedError(Mistake):
    """A run may not begin: not in this way, not beside another one, or not on these inputs."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(f"{reason}\nHint: {hint}")


class ProjectNotFoundError(Mistake):
    """A command or a notebook was started outside a project, or the project has no configuration."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"{problem}.\nHint: change into the folder of the project (papermill --cwd); a packaged project needs its "
            "configuration: unpack conf-credit_scoring.tar.gz, or name it (--conf-source)."
        )


class TrackingServerError(Mistake):
    """The MLflow server that the configuration names does not answer."""

    def __init__(self, uri: str, reason: str) -> None:
        super().__init__(
            f"The MLflow server at {uri} does not answer: {reason}.\n"
            "Hint: start it, or name another one by MLFLOW_TRACKING_URI or `server.mlflow_tracking_uri` in "
            "conf/local/mlflow.yml."
        )


class TrackingStoreError(Mistake):
    """Runs and models cannot be kept, or not be found again, where the configuration says."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(f"{problem}.\nHint: {hint}")


class DownloadError(Mistake):
    """The competition's files could not be fetched, for a reason that a user can mend."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(f"The files of the competition were not downloaded: {reason}.\nHint: {hint}")


class SparkUnavailableError(Mistake):
    """The environment asks for Spark, and it cannot start or does not answer."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(f"Spark cannot run: {problem}.\nHint: {hint}")


class FolderNameError(Mistake):
    """The project or its raw files lie in a folder that configuration, engine or addresses cannot name."""

    def __init__(self, folder: str, odd: Sequence[str]) -> None:
        super().__init__(
            f"The folder {folder!r} cannot be used: a name in its path has {', '.join(odd)}.\n"
            "Hint: rename that folder, or move the files to another one."
        )


class EnvironmentFault(Mistake):
    """The machine is in the way, not the data: a disk, the memory, a right, a lock."""


_DISK = (
    "the disk is full",
    "make room, or name folders on a larger disk: `relational.temp_directory` in conf/*/globals.yml for what the "
    "engine puts aside, the environment variable TMPDIR for other temporary files.",
)
_MEMORY = (
    "the memory is full",
    "close other programs, or let the engine use less of it (`relational.memory_limit` in conf/*/globals.yml).",
)
_RIGHT = ("a right is missing", "let the user who runs this read the file, or write to its folder.")
_LOCK = ("a database is in use", "wait for the run, server or notebook that has it open, or end it; then run again.")
_FAULTS = {
    "No space left on device": _DISK,
    "Disk quota exceeded": _DISK,
    "File too large": _DISK,
    "Could not write all bytes": _DISK,
    "max_temp_directory_size": _DISK,
    "database or disk is full": _DISK,
    "MemoryError": _MEMORY,
    "OutOfMemoryException": _MEMORY,
    "Cannot allocate memory": _MEMORY,
    "Permission denied": _RIGHT,
    "Operation not permitted": _RIGHT,
    "Read-only file system": _RIGHT,
    "readonly database": _RIGHT,
    "database is locked": _LOCK,
    "Could not set lock on file": _LOCK,
    "Too many open files": ("too many files are open", "raise the limit: `ulimit -n 4096`."),
    "File name too long": ("a path is too long", "give the folders shorter names."),
    "Input/output error": ("a disk does not answer", "look at the disk, or at the network that leads to it."),
}
"""Words that the system or a library says -> what the fault is, and what to do about it."""


def find_fault(error: BaseException) -> EnvironmentFault | None:
    """Tell which fault of the environment an error goes back to, if it goes back to one.

    Libraries wrap the errors of the system in their own, each in its way: what raised an error is looked at as well,
    and the words are all that they have in common.
    """
    cause: BaseException | None = error
    while cause is not None:
        for line in f"{type(cause).__name__}: {cause}".splitlines():
            for words, (fault, hint) in _FAULTS.items():
                if words in line:
                    return EnvironmentFault(f"Stopped, since {fault}: {line.strip()}\nHint: {hint}")
        cause = cause.__cause__ or cause.__context__
    return None
