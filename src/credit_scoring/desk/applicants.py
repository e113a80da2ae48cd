"""The applicants of the desk: the raw tables of each, found by key, with what the model proposes for them.

One SQLite file, made of the source tables once and only read after that. A row per applicant holds what lists and
comparisons need, another the raw tables, as a request of `/decisions` has them.
"""

import hashlib
import logging
import math
import os
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from threading import local
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import orjson

from credit_scoring.desk.proposals import Proposer
from credit_scoring.desk.settings import DeskSettings

logger = logging.getLogger("credit_scoring.desk")

# How soon a person has to look at an application
PROPOSALS = ("review", "refused", "granted")
COLUMNS = ("amount", "annuity", "income", "age", "employed", "score")
"""What an application is compared by: amounts in the lender's currency, years, the mean of the external scores."""
PAGE = 30
_CHUNK = 5_000
_AT_ONCE = 250
_LATEST_CLIENT = 2_147_483_647
_LAYOUT = """
CREATE TABLE applicants (
    client INTEGER PRIMARY KEY, is_new INTEGER, proposal INTEGER, probability REAL, product TEXT,
    amount REAL, annuity REAL, income REAL, age REAL, employed REAL, score REAL
);
CREATE TABLE tables (client INTEGER PRIMARY KEY, content BLOB);
CREATE TABLE origin (fingerprint TEXT);
"""
_INDEX = "CREATE INDEX queue ON applicants (is_new DESC, proposal, probability DESC, client, product)"


class Listed(NamedTuple):
    """An applicant in a list.

    Attributes:
        client: SK_ID_CURR.
        is_new: Whether the application waits for a decision; otherwise its outcome is known.
        proposal: One of `PROPOSALS`.
        probability: Of default; null if the source tables cannot be scored.
        product: As the source tables say it.
        amount: Of the loan.
    """

    client: int
    is_new: bool
    proposal: str
    probability: float | None
    product: str | None
    amount: float | None


class Expected(NamedTuple):
    """What is expected of a cut-off, by the probabilities alone; NaN without applications.

    Attributes:
        approval_rate: Share of the applications that are approved.
        bad_rate: Share of defaults among these.
        cost: Average cost of a decision, 1 = one good customer declined.
    """

    approval_rate: float
    bad_rate: float
    cost: float


@dataclass(frozen=True)
class Wanted:
    """Which applicants are asked for; what is null does not matter.

    Attributes:
        prefix: First digits of the client.
        proposal: One of `PROPOSALS`.
        product: As the source tables say it.
        is_new: Whether the application waits for a decision.
    """

    prefix: str = ""
    proposal: str | None = None
    product: str | None = None
    is_new: bool | None = None

    def clause(self, bounds: tuple[int, int]) -> tuple[str, list[Any]]:
        """Return a condition of SQL and its values, given the least and the greatest client."""
        parts: list[str] = []
        values: list[Any] = []
        if self.prefix:
            ranges = [(low, high) for low, high in _ranges(self.prefix) if low <= bounds[1] and high >= bounds[0]]
            parts.append("(" + " OR ".join(["client BETWEEN ? AND ?"] * len(ranges) or ["0"]) + ")")
            values += [end for pair in ranges for end in pair]
        for column, value in (
            ("proposal", PROPOSALS.index(self.proposal) if self.proposal else None),
            ("product", self.product),
            ("is_new", self.is_new),
        ):
            if value is not None:
                parts.append(f"{column} = ?")
                values.append(value)
        return " AND ".join(parts) or "1", values


def _ranges(prefix: str) -> Iterator[tuple[int, int]]:
    """Yield the ranges of whole numbers whose digits begin with some."""
    low, width = int(prefix), 1
    while low <= _LATEST_CLIENT:
        yield low, low + width - 1
        low, width = low * 10, width * 10


class Applicants:
    """The applicants of a file that was made by `build`.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._own = local()
        self.count = lru_cache(256)(self._count)

    def find(self, wanted: Wanted, offset: int = 0) -> list[Listed]:
        """Return a page of applicants: those that wait first, of these reviews first, the greatest risk first.

        Those whose number begins with some digits come by number.
        """
        condition, values = wanted.clause(self._bounds)
        order = "client" if wanted.prefix else "is_new DESC, proposal, probability DESC, client"
        rows = self._ask(
            "SELECT client, is_new, proposal, probability, product, amount FROM applicants "
            f"WHERE {condition} ORDER BY {order} LIMIT ? OFFSET ?",
            [*values, PAGE, offset],
        )
        return [Listed(row[0], bool(row[1]), PROPOSALS[row[2]], *row[3:]) for row in rows]

    def _count(self, wanted: Wanted) -> int:
        condition, values = wanted.clause(self._bounds)
        return int(self._ask(f"SELECT count(*) FROM applicants WHERE {condition}", values)[0][0])

    def get(self, client: int) -> Listed | None:
        """Return an applicant; null if there is none."""
        found = self.find(Wanted(prefix=str(client))) if 0 < client <= _LATEST_CLIENT else []
        return next((one for one in found if one.client == client), None)

    def read(self, client: int) -> dict[str, Any]:
        """Return the raw tables of an applicant that there is, as `/decisions` takes them."""
        ((content,),) = self._ask("SELECT content FROM tables WHERE client = ?", [client])
        tables: dict[str, Any] = orjson.loads(zlib.decompress(content))
        return tables

    @cached_property
    def _bounds(self) -> tuple[int, int]:
        ((least, greatest),) = self._ask("SELECT min(client), max(client) FROM applicants", [])
        return least or 0, greatest or 0

    @cached_property
    def products(self) -> list[str]:
        """Products that there are."""
        return [row[0] for row in self._ask("SELECT DISTINCT product FROM applicants ORDER BY 1", []) if row[0]]

    @cached_property
    def approved(self) -> Mapping[str, npt.NDArray[np.float64]]:
        """Product -> `COLUMNS` of its approved applicants, a row for each by ascending amount; NaN for null."""
        query = f"SELECT {', '.join(COLUMNS)} FROM applicants WHERE proposal = 2 AND product = ? ORDER BY amount"
        return {
            product: np.array(self._ask(query, [product]), dtype=float).reshape(-1, len(COLUMNS))
            for product in self.products
        }

    def expected(self, cut_off: float, costs: Mapping[str, float]) -> Expected:
        """Return what is expected of a cut-off among the applications that wait, if the probabilities are right.

        Whoever could not be scored is left out.
        """
        ((n, approved, bad, good),) = self._ask(
            "SELECT count(*), sum(probability < ?), sum(CASE WHEN probability < ? THEN probability ELSE 0 END), "
            "sum(CASE WHEN probability < ? THEN 0 ELSE 1 - probability END) "
            "FROM applicants WHERE is_new AND probability IS NOT NULL",
            [cut_off] * 3,
        )
        if not n:
            return Expected(math.nan, math.nan, math.nan)
        cost = (bad * costs["false_negative"] + good * costs["false_positive"]) / n
        return Expected(approved / n, bad / approved if approved else math.nan, cost)

    def _ask(self, query: str, values: Sequence[Any]) -> list[Any]:
        if not hasattr(self._own, "connection"):
            self._own.connection = sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        return self._own.connection.execute(query, values).fetchall()


def reopen_applicants(settings: DeskSettings, manifest: str) -> Applicants | None:
    """Return the applicants of the file that is there; null if it is not of these source tables and this model."""
    path = _file(settings)
    return Applicants(path) if _read_fingerprint(path) == _fingerprint(settings.raw, manifest) else None


def open_applicants(settings: DeskSettings, proposer: Proposer) -> Applicants:
    """Return the applicants, from a file that is made anew if source tables or model are others by now."""
    path = _file(settings)
    fingerprint = _fingerprint(settings.raw, proposer.manifest)
    if _read_fingerprint(path) != fingerprint:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".part")
        aside.unlink(missing_ok=True)
        os.close(os.open(aside, os.O_CREAT | os.O_RDWR, 0o600))  # personal data: for nobody else
        with closing(sqlite3.connect(aside)) as connection:
            _build(connection, settings, proposer)
            connection.execute("INSERT INTO origin VALUES (?)", [fingerprint])
            connection.commit()
        aside.replace(path)
    return Applicants(path)


def _file(settings: DeskSettings) -> Path:
    return settings.folder / settings.source / "applicants.db"


def _fingerprint(raw: Path, manifest: str) -> str:
    files = sorted(raw.glob("*.csv*"))
    told = [_LAYOUT, manifest, *(f"{file.name} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files)]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def _read_fingerprint(path: Path) -> str | None:
    """Return what a file of applicants was made of; null if there is none, or none that can be read."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            found = connection.execute("SELECT fingerprint FROM origin").fetchone()
    except sqlite3.Error:
        return None
    return str(found[0]) if found else None


def _build(connection: sqlite3.Connection, settings: DeskSettings, proposer: Proposer) -> None:
    from credit_scoring.desk.source_tables import SourceTables  # noqa: PLC0415 - Kedro and DuckDB, only to build

    logger.info("Reading the source tables in %s, once.", settings.raw)
    source = SourceTables(settings.raw, settings.data / ".engine_spill")
    connection.executescript(_LAYOUT)
    done = 0
    for part in source.read(_CHUNK):
        found = [(client, is_new, orjson.loads(content), content) for client, is_new, content in part]
        for start in range(0, len(found), _AT_ONCE):
            some = found[start : start + _AT_ONCE]
            proposals = proposer.propose_many([tables for _, _, tables, _ in some])
            connection.executemany(
                f"INSERT INTO applicants VALUES ({', '.join('?' * 11)})",
                [
                    (client, is_new, PROPOSALS.index(kind), probability, *summarise(tables["application"]))
                    for (client, is_new, tables, _), (kind, probability) in zip(some, proposals, strict=True)
                ],
            )
        packed = [(client, zlib.compress(content, 1)) for client, _, _, content in found]
        connection.executemany("INSERT INTO tables VALUES (?, ?)", packed)
        done += len(found)
        logger.info("%s of %s applicants are ready.", f"{done:,}", f"{source.n_applicants:,}")
    connection.execute(_INDEX)


def summarise(form: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the product of an application form and `COLUMNS`; null where they are not known."""
    employed = form.get("DAYS_EMPLOYED")
    scores = [form[name] for name in ("EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3") if form.get(name) is not None]
    return (
        form.get("NAME_CONTRACT_TYPE"),
        form.get("AMT_CREDIT"),
        form.get("AMT_ANNUITY"),
        form.get("AMT_INCOME_TOTAL"),
        _years(form.get("DAYS_BIRTH")),
        _years(employed) if employed is not None and employed <= 0 else None,
        sum(scores) / len(scores) if scores else None,
    )


def _years(days: float | None) -> float | None:
    return None if days is None else -days / 365.25
