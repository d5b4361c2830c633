"""The database of recipes, prompts, replies, jobs and runs: its tables, and a way in that always finds them up to date.

    with engine().begin() as connection:
        connection.execute(select(recipes))

SQLite takes the write lock when a transaction begins, so two writers wait for each other instead of failing halfway;
on PostgreSQL a lock of Pricer's own does the same. Before the tables of an older version are changed, a copy of an
SQLite file is kept beside it.
"""

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from filelock import FileLock
from sqlalchemy import (
    URL,
    Column,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    NullPool,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.exc import ArgumentError, DBAPIError

from pricer import settings
from pricer.errors import PricerError
from pricer.files import force_to_disk

if TYPE_CHECKING:
    import psycopg

BUSY_SECONDS = 30  # how long a transaction waits for another one to end
LOCK = 7_247_363  # the number of Pricer's lock among those of a PostgreSQL database

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """A moment in time, always with its time zone: SQLite would forget it."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and (value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC))


recipes = Table(
    "recipes",
    metadata,
    Column("id", Integer, primary_key=True),  # grows with time, which a clock may not
    Column("name", String(80), nullable=False),
    Column("version", Integer, nullable=False),
    Column("recipe_id", String(16), nullable=False),
    Column("body", Text, nullable=False),  # the recipe as JSON
    Column("catalogue", String(80), nullable=False),  # where it was made
    Column("note", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("deleted_at", Moment),
    UniqueConstraint("name", "version"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("number", Integer, primary_key=True),  # grows with time, which a clock may not
    Column("id", String(24), nullable=False),  # also the name of its folder
    Column("kind", String(40), nullable=False),  # the verb
    Column("arguments", Text, nullable=False),  # the verb and all that follows it, as a JSON list
    Column("idempotency_key", String(80)),  # two requests with one key are one job
    Column("state", String(12), nullable=False),
    Column("resources", String(12), nullable=False),  # what it takes up, and so what may run beside it
    Column("key_name", String(80)),  # the key that it uses; a key serves one job at a time
    Column("place", Integer, nullable=False),  # in the queue, the smallest first
    Column("attempt", Integer, nullable=False),  # how often it was claimed
    Column("owner", String(120)),  # the worker that holds it, or held it last
    Column("fence", Integer, nullable=False),  # grows each time that it changes hands
    Column("pid", Integer),
    Column("pid_created", Float),  # tells this process from a later one with its number
    Column("lease_until", Moment),
    Column("heartbeat_at", Moment),
    Column("next_at", Moment),  # not to be claimed before
    Column("cancel_requested_at", Moment),
    Column("error", Text),  # why it did not end well, in one line
    Column("crash", String(16)),  # how its last attempt ended, where that was by force
    Column("why", Text),  # what became of its earlier attempts, a line for each
    Column("continues", String(24)),  # the job whose checkpoints it goes on from
    Column("remote_id", String(120)),  # unused: what a service calls its work is in the table tunings
    Column("result", Text),  # JSON
    Column("created_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    Column("deleted_at", Moment),
    UniqueConstraint("id"),
    UniqueConstraint("idempotency_key"),
    Index(None, "state", "place"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", String(24), primary_key=True),  # also the name of its folder
    Column("name", String(80), nullable=False),
    Column("model", String(80), nullable=False),
    Column("family", String(20), nullable=False),
    Column("dataset_id", String(40), nullable=False),
    Column("dataset_name", String(80), nullable=False),
    Column("catalogue_name", String(80), nullable=False),
    Column("exam_hash", String(64), nullable=False),
    Column("job_id", String(24)),  # null for a command that a person typed
    Column("manifest", Text, nullable=False),  # JSON
    Column("note", Text, nullable=False, server_default=""),
    Column("tags", Text, nullable=False, server_default=""),
    Column("created_at", Moment, nullable=False),
    Column("deleted_at", Moment),
    UniqueConstraint("job_id"),  # a job leaves one run, whoever was late
)

prompts = Table(
    "prompts",
    metadata,
    Column("id", String(16), primary_key=True),  # the hash of the body
    Column("name", String(80), nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),  # the prompt as JSON
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("name", "version"),
)

replies = Table(
    "replies",
    metadata,
    Column("key", String(64), primary_key=True),  # the hash of provider, model, messages and parameters
    Column("provider", String(40), nullable=False),
    Column("model", String(200), nullable=False),
    Column("body", Text, nullable=False),  # the reply as JSON
    Column("cost_dollars", Float, nullable=False),
    Column("created_at", Moment, nullable=False),
)

batches = Table(
    "batches",
    metadata,
    Column("key", String(64), primary_key=True),  # the hash of the questions
    Column("provider", String(40), nullable=False),
    Column("body", Text, nullable=False),  # JSON
    Column("state", String(20), nullable=False),
    Column("remote_id", String(200)),  # what the provider calls it; null while it is only intended
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
)

tunings = Table(
    "tunings",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("provider", String(40), nullable=False),
    Column("base_model", String(200), nullable=False),
    Column("body", Text, nullable=False),  # the order as JSON
    Column("state", String(20), nullable=False),
    Column("remote_id", String(200)),  # what the provider calls the job; null while it is only intended
    Column("tuned_model", String(200)),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
)


def engine() -> Engine:
    """The way into the database of this installation, made or brought up to date at the first call.

    Raises PricerError if the home folder cannot be written or a newer Pricer has changed the tables.
    """
    return _engine(settings.database_url())


@cache
def _engine(url: str) -> Engine:
    home = settings.make_home()
    try:
        opened = _open(make_url(url))
        with FileLock(home / "database.lock"):
            _upgrade(opened)
    except (ArgumentError, DBAPIError, ImportError) as error:
        raise PricerError(f"cannot use the database: {_first_line(getattr(error, 'orig', error))}") from error
    return opened


def _open(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        opened = create_engine(url, poolclass=NullPool)  # it opens in half a millisecond
        event.listen(opened, "connect", _configure_sqlite)
        event.listen(opened, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    elif url.get_backend_name() == "postgresql":
        opened = create_engine(url.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
        event.listen(opened, "connect", _configure_postgresql)
        event.listen(opened, "begin", _lock_postgresql)
    else:
        raise ArgumentError(f"Pricer keeps its records in SQLite or PostgreSQL, got {url.get_backend_name()!r}")
    return opened


def _upgrade(opened: Engine) -> None:
    """Bring the tables up to this version of Pricer, all or nothing."""
    configuration = Config()
    configuration.set_main_option("script_location", "pricer:migrations")
    scripts = ScriptDirectory.from_config(configuration)
    with opened.begin() as connection:
        configuration.attributes["connection"] = connection
        current = MigrationContext.configure(connection).get_current_revision()
        if current and current not in {script.revision for script in scripts.walk_revisions()}:
            raise PricerError(f"the database was changed by a newer Pricer ({current}): use that one, or another home")
        if current != scripts.get_current_head():
            if current and opened.dialect.name == "sqlite" and opened.url.database:
                _back_up(Path(opened.url.database), current)
            command.upgrade(configuration, "head")


def _back_up(file: Path, revision: str) -> Path:
    """Keep a copy of an SQLite file beside it, whole or not at all, named by the revision of its tables.

    It holds what was committed: the transaction that is about to change the tables is not in it.
    """
    copy = file.with_name(f"{file.name}.{revision}.backup")
    beside = copy.with_name(f".{copy.name}.{os.getpid()}")
    try:
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(beside)) as target:
            source.backup(target)
        force_to_disk(beside)
        beside.replace(copy)
    finally:
        beside.unlink(missing_ok=True)
    force_to_disk(copy.parent)
    return copy


def _first_line(error: object) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _configure_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # Python's driver would begin transactions of its own
    for setting in (
        f"busy_timeout = {BUSY_SECONDS * 1000}",
        "journal_mode = WAL",
        "synchronous = FULL",  # what was answered to a person survives a power cut
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {setting}")


def _configure_postgresql(connection: "psycopg.Connection", _record: object) -> None:
    """A transaction waits for others, but not for one whose client has gone away without a word."""
    wait = f"{BUSY_SECONDS}s"
    connection.execute(f"SET lock_timeout = '{wait}'; SET idle_in_transaction_session_timeout = '{wait}'")
    connection.commit()


def _lock_postgresql(connection: Connection) -> None:
    """One transaction at a time, as on SQLite: what it reads stays true until it has written.

    So workers that claim at the same moment keep the limits of what may run. Transactions here take milliseconds.
    """
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
