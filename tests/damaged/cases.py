"""What a row of the tables of damaged inputs is, and how files are damaged.

Whoever meets another damaged input adds one row to a table: the tests take it up, and `python -m tools.damaged_inputs`
writes it into docs/damaged_inputs.md.
"""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

Damage = Callable[[Path], None]


@dataclass(frozen=True)
class DamagedFile:
    """One file among sound ones, damaged, and what comes of it.

    Attributes:
        what: The damage, as a user would say it.
        table: The raw table whose file is damaged.
        damage: Damages the file at a path.
        stops: Part of the problem that stops the run; empty where the file is read.
        problems: Number of problems that stop it.
        warns: Part of a warning, where the file is read.
        rows: Sound rows -> the rows that are right, where the file is read; the sound ones by default.
        folder: Name of a folder that the file is moved to.
    """

    what: str
    table: str
    damage: Damage
    stops: str = ""
    warns: str = ""
    rows: Callable[[pd.DataFrame], pd.DataFrame] = lambda rows: rows
    folder: str = ""
    problems: int = 1

    @property
    def outcome(self) -> str:
        """What comes of it, in words."""
        if self.stops:
            return f"stops: {self.stops}"
        return f"is read, and told: {self.warns}" if self.warns else "is read as if it were sound"


def data(change: Callable[[bytes], bytes]) -> Damage:
    """Change the bytes of a file."""
    return lambda path: _discard(path.write_bytes(change(path.read_bytes())))


def lines(change: Callable[[list[str]], list[str]]) -> Damage:
    """Change the lines of a file, which have no ends."""
    return data(lambda whole: "".join(f"{line}\n" for line in change(whole.decode().splitlines())).encode())


def line(number: int, change: Callable[[str], str]) -> Damage:
    """Change one line; 0 is the header."""
    return lines(lambda all_: [change(text) if position == number else text for position, text in enumerate(all_)])


def cells(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Damage:
    """Change the table as text cells, an empty one being an empty text."""

    def damage(path: Path) -> None:
        change(pd.read_csv(path, dtype=str, keep_default_na=False)).to_csv(path, index=False)

    return damage


def cell(column: str, value: str, rows: slice = slice(0, 1)) -> Damage:
    """Write a value into some rows of a column, into the first one by default."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        table.iloc[rows, table.columns.get_loc(column)] = value
        return table

    return cells(change)


def column(name: str, change: Callable[[pd.Series], pd.Series]) -> Damage:
    """Change all numbers of a column."""
    return cells(lambda table: table.assign(**{name: change(pd.to_numeric(table[name]))}))


def compressed(change: Callable[[bytes], bytes] = lambda whole: whole) -> Damage:
    """Compress a file, and change the bytes of that."""

    def damage(path: Path) -> None:
        path.with_name(f"{path.name}.gz").write_bytes(change(gzip.compress(path.read_bytes(), mtime=0)))
        path.unlink()

    return damage


def renamed(name: str) -> Damage:
    """Give a file another name."""
    return lambda path: _discard(path.rename(path.with_name(name)))


def _discard(_: object) -> None:
    """Do nothing with what a method of a path returns."""
