"""The database of recipes, and later of jobs and runs: its tables, and a way in that always finds them up to date.

    with engine().begin() as connection:
        connection.execute(select(recipes))

SQLite takes the write lock when a transaction begins, so two writers wait for each other instead of failing halfway.
"""

import sqlite3
from datetime import UTC, datetime
from functools import cache

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from filelock import FileLock
from sqlalchemy import (
    Column,
    DateTime,
    Dialect,
    Engine,
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
)
from sqlalchemy.exc import ArgumentError, DatabaseError

from pricer import settings
from pricer.errors import PricerError

BUSY_SECONDS = 30  # how long a transaction waits for another one to end

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
        return value and (value if value.tzinfo else value.replace(tzinfo=UTC))


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
    UniqueConstraint("name", "version"),
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
        is_sqlite = url.startswith("sqlite")
        opened = create_engine(url, poolclass=NullPool if is_sqlite else None)  # SQLite opens in half a millisecond
        if is_sqlite:
            event.listen(opened, "connect", _configure_sqlite)
            event.listen(opened, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        with FileLock(home / "database.lock"):
            _upgrade(opened)
    except (ArgumentError, DatabaseError, ImportError) as error:
        raise PricerError(f"cannot use the database: {getattr(error, 'orig', error)}") from error
    return opened


def _upgrade(opened: Engine) -> None:
    """Bring the tables up to this version of Pricer, all or nothing."""
    configuration = Config()
    configuration.set_main_option("script_location", "pricer.runs:migrations")
    scripts = ScriptDirectory.from_config(configuration)
    with opened.begin() as connection:
        configuration.attributes["connection"] = connection
        current = MigrationContext.configure(connection).get_current_revision()
        if current and current not in {script.revision for script in scripts.walk_revisions()}:
            raise PricerError(f"the database was changed by a newer Pricer ({current}): use that one, or another home")
        if current != scripts.get_current_head():
            command.upgrade(configuration, "head")


def _configure_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # Python's driver would begin transactions of its own
    for setting in (
        f"busy_timeout = {BUSY_SECONDS * 1000}",
        "journal_mode = WAL",
        "synchronous = FULL",  # what was answered to a person survives a power cut
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {setting}")
