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


class TrackingServerError(Mistake):
    """The MLflow server that the configuration names does not answer."""

    def __init__(self, uri: str, reason: str) -> None:
        super().__init__(
            f"The MLflow server at {uri} does not answer: {reason}.\n"
            "Hint: start it, or name another one as `server.mlflow_tracking_uri` in conf/local/mlflow.yml."
        )


class DownloadError(Mistake):
    """The competition's files could not be fetched, for a reason that a user can mend."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(f"The files of the competition were not downloaded: {reason}.\nHint: {hint}")


class SparkUnavailableError(Mistake):
    """The environment asks for Spark, and it cannot start or does not answer."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(f"Spark cannot run: {problem}.\nHint: {hint}")
