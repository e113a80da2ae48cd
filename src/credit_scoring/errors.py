"""Errors that a user can mend: the command line shows their message alone, without a traceback."""

from collections.abc import Sequence

from click import ClickException


class DataContractError(ClickException):
    """Input data break their contract; the message lists every problem found, not only the first.

    Attributes:
        problems: One sentence per problem: file or table, column, what was expected, what was found.
    """

    def __init__(self, subject: str, problems: Sequence[str], hint: str) -> None:
        self.problems = tuple(problems)
        noun = "problem" if len(self.problems) == 1 else "problems"
        bullets = "\n".join(f"  - {problem}" for problem in self.problems)
        super().__init__(f"{subject}: {len(self.problems)} {noun} found.\n{bullets}\nHint: {hint}")


class ProjectNotFoundError(ClickException):
    """A command or a notebook was started outside a project, or the project has no configuration."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"{problem}.\nHint: change into the folder of the project (papermill --cwd); a packaged project needs its "
            "configuration: unpack conf-credit_scoring.tar.gz, or name it (--conf-source)."
        )


class TrackingServerError(ClickException):
    """The MLflow server that the configuration names does not answer."""

    def __init__(self, uri: str, reason: str) -> None:
        super().__init__(
            f"The MLflow server at {uri} does not answer: {reason}.\n"
            "Hint: start it, or name another one by MLFLOW_TRACKING_URI or `server.mlflow_tracking_uri` in "
            "conf/local/mlflow.yml."
        )


class TrackingStoreError(ClickException):
    """Runs and models cannot be kept, or not be found again, where the configuration says."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(f"{problem}.\nHint: {hint}")


class DownloadError(ClickException):
    """The competition's files could not be fetched, for a reason that a user can mend."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(f"The files of the competition were not downloaded: {reason}.\nHint: {hint}")


class SparkUnavailableError(ClickException):
    """The environment asks for Spark, and it cannot start or does not answer."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(f"Spark cannot run: {problem}.\nHint: {hint}")
