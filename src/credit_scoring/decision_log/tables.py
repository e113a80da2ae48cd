"""The tables of the decision log, and connections to them: SQLite or PostgreSQL."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Double,
    Engine,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from credit_scoring.decision_log.settings import LogError, LogSettingError

REVISION = "0002"  # of the newest migration
# Held while records are appended; any number that nobody else in the database uses
_LOCK = 7_364_520_181
_PAUSE = 0.0003
_WRITES = "decision_log_writes_until"
_FIND = "Hint: DECISION_LOG_URL names the database; a server that records decisions makes one."

# Of the records of a decision one at most belongs to a request: the others need no room in its index
_OF_REQUESTS = text("request_id IS NOT NULL")

metadata = MetaData()

records = Table(
    "records",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("id", String(32), nullable=False, unique=True),
    Column("time", String(27), nullable=False),  # UTC to the microsecond, as ISO 8601: the same text on any database
    Column("kind", String(32), nullable=False),
    Column("decision_id", String(32), nullable=False),  # what the record belongs to; a decision's own id
    Column("actor", String(128)),  # name of the API key, of the officer or customer's representative
    Column("role", String(16), nullable=False),
    Column("channel", String(32)),
    Column("request_id", String(128)),
    Column("language", String(8)),
    Column("model_digest", String(64)),  # SHA-256 of the model's manifest
    Column("model_id", String(64)),
    Column("run_id", String(64)),
    Column("code_version", String(64)),
    Column("probability", Double),
    Column("cut_off", Double),
    Column("review_low", Double),
    Column("review_high", Double),
    Column("decision", String(16)),
    Column("gaps", Text),  # codes, separated by spaces
    Column("milliseconds", Double),
    Column("facts", Text),  # what else is said of this kind of record, as JSON; nothing personal
    Column("content_digest", String(64)),  # salted; of what `personal` holds
    Column("previous", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Index("records_by_decision", "decision_id", "sequence"),
    Index("records_by_kind", "kind", "decision", "sequence"),
    Index("records_by_time", "time"),
    Index("records_by_request", "request_id", "sequence", sqlite_where=_OF_REQUESTS, postgresql_where=_OF_REQUESTS),
)

personal = Table(
    "personal",
    metadata,
    Column("record_id", String(32), primary_key=True),
    Column("decision_id", String(32), nullable=False, index=True),
    Column("applicant", String(64), index=True),
    Column("salt", LargeBinary, nullable=False),
    Column("content", LargeBinary, nullable=False),  # JSON, compressed by zlib
)


def connect(url: str, timeout: float = 5.0) -> Engine:
    """Return what makes connections to a decision log; none is made yet.

    Args:
        url: Of the database, `sqlite:///FILE` or `postgresql://…`.
        timeout: Seconds that a connection or an answer may take.

    Raises:
        LogSettingError: If the URL is none, or names another kind of database.
    """
    hint = "Hint: DECISION_LOG_URL is sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE."
    try:
        parsed = make_url(url)
    except SQLAlchemyError as error:
        problem = f"The address of the decision log cannot be read: {type(error).__name__}."
        raise LogSettingError(f"{problem}\n{hint}") from None
    kind = parsed.get_backend_name()
    if kind == "sqlite" and parsed.database:
        engine = create_engine(parsed, connect_args={"timeout": timeout})
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if kind in ("postgresql", "postgres"):
        limit = int(timeout * 1000)
        options = f"-c lock_timeout={limit} -c statement_timeout={limit * 60} -c timezone=UTC"
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            connect_args={"connect_timeout": max(2, int(timeout)), "options": options},
        )
    raise LogSettingError(f"The decision log cannot be kept in {kind or 'memory'}.\n{hint}")


def prepare(engine: Engine, timeout: float = 5.0, *, create: bool = True) -> None:
    """Look whether a database has the tables, and make them in one that is empty.

    Args:
        engine: Of the database.
        timeout: Seconds that it may take.
        create: Whether to make what is not there.

    Raises:
        LogError: If the tables are of another version, or are not there and not to be made.
        SQLAlchemyError, OSError: If the database cannot be reached.
    """
    if engine.dialect.name == "sqlite":
        file = Path(str(engine.url.database))
        if not create and not file.exists():
            raise LogError(f"There is no decision log {file}.\n{_FIND}")
        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))  # personal data: for nobody else
    with engine.connect() as connection:
        found = _revision(connection)
    if found is None and not create:
        raise LogError(f"There is no decision log in {engine.url!r}.\n{_FIND}")
    if found is None:
        upgrade(engine, timeout)
    elif found != REVISION:
        raise LogError(
            f"The decision log has tables of version {found}, expected {REVISION}.\n"
            "Hint: `credit-scoring decisions upgrade`, or the version of the project that wrote it."
        )


def upgrade(engine: Engine, timeout: float = 5.0) -> None:
    """Bring the tables to the newest version, all changes or none."""
    from alembic import command  # noqa: PLC0415 - needed once in the life of a database
    from alembic.config import Config  # noqa: PLC0415

    with writing(engine, timeout) as connection:
        configuration = Config()
        configuration.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "head")


@contextmanager
def writing(engine: Engine, timeout: float) -> Iterator[Connection]:
    """Begin a transaction that nobody else writes beside, waiting for so many seconds; commit at the end.

    Raises:
        SQLAlchemyError: If the database cannot be reached, or others do not let go of it.
    """
    with engine.connect() as connection:
        connection.execution_options(**{_WRITES: time.monotonic() + timeout})
        with connection.begin():
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            yield connection


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(select(text("version_num")).select_from(text("alembic_version"))).scalar()
    return found


def _set_up_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions begin where `_begin_sqlite` says, not where the driver thinks
    cursor = connection.cursor()
    # `FULL`: a record that was answered for survives a power failure. `secure_delete`: what is erased is overwritten
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    until = connection.get_execution_options().get(_WRITES)
    if until is None:
        connection.exec_driver_sql("BEGIN")
        return
    # Of the driver, as SQLAlchemy would spend more on an attempt than the pause lasts
    driver: Any = connection.connection.dbapi_connection
    (patience,) = driver.execute("PRAGMA busy_timeout").fetchone()
    driver.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                driver.execute("BEGIN IMMEDIATE")
                break
            except sqlite3.OperationalError as error:
                # SQLite's own waiting doubles its pauses up to 0.1 s, in which a group of records could be written
                if "locked" not in str(error) or time.monotonic() > until:
                    raise OperationalError("BEGIN IMMEDIATE", None, error) from error
                time.sleep(_PAUSE)
    finally:
        driver.execute(f"PRAGMA busy_timeout = {patience}")
