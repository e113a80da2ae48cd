"""The error of data that break their contract."""

from collections.abc import Sequence

from click import ClickException


class DataContractError(ClickException):
    """Input data break their contract; the message lists every problem found, not only the first.

    The command line shows the message alone: who is told that a file is missing needs no traceback.

    Attributes:
        problems: One sentence per problem: file or table, column, what was expected, what was found.
    """

    def __init__(self, subject: str, problems: Sequence[str], hint: str) -> None:
        self.problems = tuple(problems)
        noun = "problem" if len(self.problems) == 1 else "problems"
        bullets = "\n".join(f"  - {problem}" for problem in self.problems)
        super().__init__(f"{subject}: {len(self.problems)} {noun} found.\n{bullets}\nHint: {hint}")
