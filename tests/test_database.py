import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

from pricer.database import engine
from pricer.errors import PricerError
from pricer.runs import jobs

CONFIGURATION = Config()
CONFIGURATION.set_main_option("script_location", "pricer:migrations")
SCRIPTS = ScriptDirectory.from_config(CONFIGURATION)
REVISIONS = [script.revision for script in SCRIPTS.walk_revisions()][::-1]

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC).isoformat()
RECIPE = {"name": "even", "version": 1, "recipe_id": "0", "body": "{}", "catalogue": "demo", "note": "kept"}
JOB = {
    "id": "20260501-120000-00c0de",
    "kind": "train",
    "arguments": json.dumps(["train", "mean"]),
    "state": "done",
    "resources": "heavy",
    "place": 1,
    "attempt": 1,
    "fence": 1,
}


def database_of(home: Path, revision: str) -> Path:
    """The database that an older Pricer left, with a row in each of its tables."""
    home.mkdir(exist_ok=True)
    old = create_engine(f"sqlite:///{home / 'pricer.db'}")
    with old.begin() as connection:
        CONFIGURATION.attributes["connection"] = connection
        command.upgrade(CONFIGURATION, revision)
        for table, row in (("recipes", RECIPE), ("jobs", JOB)):
            if table in inspect(connection).get_table_names():
                row = row | {"created_at": NOW}
                names = ", ".join(row)
                values = ", ".join(f":{name}" for name in row)
                connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)
    old.dispose()
    return home / "pricer.db"


def dump(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]
        return list(connection.iterdump())


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_what_an_older_version_kept_is_still_there(home, revision):
    database_of(home, revision)
    with engine().connect() as connection:
        assert connection.execute(text("SELECT note FROM recipes")).scalar() == "kept"
    assert [job.id for job in jobs.list_jobs()] == [JOB["id"]] * (revision >= "0002")


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_before_the_tables_change_a_copy_is_kept(home, revision):
    before = dump(database_of(home, revision))
    engine()
    assert dump(home / f"pricer.db.{revision}.backup") == before
    assert not list(home.glob(".pricer.db.*"))


def test_a_new_database_and_one_of_this_version_need_no_copy(home, monkeypatch):
    engine()
    monkeypatch.setenv("PRICER_DATABASE_URL", f"sqlite:///{home}/./pricer.db")  # as another process would find it
    engine()
    assert not list(home.glob("*.backup"))


def test_a_database_of_a_newer_pricer_is_refused_and_left_as_it_is(home):
    file = database_of(home, "head")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    before = file.read_bytes()
    with pytest.raises(PricerError, match="newer Pricer"):
        engine()
    assert file.read_bytes() == before
    assert sorted(path.name for path in home.glob("pricer.db*")) == ["pricer.db"]


KILLED_AT = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from pricer.database import engine

left = int(sys.argv[1])

@event.listens_for(Engine, "before_cursor_execute")
def count(connection, cursor, statement, *rest):
    global left
    left -= statement.startswith(("ALTER", "CREATE", "UPDATE alembic", "INSERT INTO alembic"))
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

engine()
"""


@pytest.mark.slow
def test_an_upgrade_killed_at_any_step_changes_nothing_and_succeeds_the_next_time(home):
    before = dump(database_of(home, "0001"))
    for step in range(1, 50):
        code = subprocess.run([sys.executable, "-c", KILLED_AT, str(step)], env=os.environ).returncode
        if code == 0:
            break
        assert code == -signal.SIGKILL
        assert dump(home / "pricer.db") == before
    assert step > 5
    assert dump(home / "pricer.db.0001.backup") == before
    with engine().connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == REVISIONS[-1]
