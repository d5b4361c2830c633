import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, select

from pricer.curation.recipe import Recipe
from pricer.database import engine, metadata, recipes
from pricer.errors import PricerError
from pricer.runs.recipes import list_recipes, open_recipe, save_recipe

RECIPE = Recipe(cutoff=240, cap=1200, default_weight=5.0, weights={"Automotive": 1.0})


@pytest.mark.usefixtures("each_database")
def test_migrations_make_the_tables_that_the_code_expects():
    with engine().connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_sqlite_syncs_fully_in_write_ahead_mode_and_waits_for_others():
    with engine().connect() as connection:
        pragmas = ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        assert [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas] == ["wal", 2, 30_000, 1]


def test_a_transaction_takes_the_write_lock_when_it_begins(home):
    with engine().begin(), pytest.raises(sqlite3.OperationalError, match="locked"):
        sqlite3.connect(home / "pricer.db", timeout=0).execute("BEGIN IMMEDIATE")


@pytest.mark.parametrize("url", ["no url", "sqlite:////nowhere/at/all.db", "unknown://host/name"])
def test_a_database_that_cannot_be_opened_is_one_line(url, monkeypatch):
    monkeypatch.setenv("PRICER_DATABASE_URL", url)
    with pytest.raises(PricerError, match=r"^cannot use the database: .+$"):
        engine()


def test_a_file_in_the_place_of_the_home_folder_is_one_line(tmp_path, monkeypatch):
    Path(tmp_path / "taken").write_text("")
    monkeypatch.setenv("PRICER_HOME", str(tmp_path / "taken"))
    with pytest.raises(PricerError, match=r"cannot make the folder .*taken.* set PRICER_HOME"):
        engine()


@pytest.mark.usefixtures("each_database")
def test_moments_come_back_in_utc():
    row = {"name": "a", "version": 1, "recipe_id": "", "body": "", "catalogue": "", "note": ""}
    noon_in_lima = datetime(2026, 5, 1, 12, tzinfo=timezone(timedelta(hours=-5)))
    with engine().begin() as connection:
        connection.execute(insert(recipes).values(row | {"created_at": noon_in_lima}))
        assert connection.execute(select(recipes.c.created_at)).scalar() == datetime(2026, 5, 1, 17, tzinfo=UTC)


def test_a_recipe_comes_back_as_it_was_saved():
    saved = save_recipe("  Even market ", RECIPE, "demo", note="half of it")
    assert saved.label == "Even market@1"
    assert open_recipe("Even market") == saved
    assert open_recipe("Even market@1").recipe.id == RECIPE.id


def test_a_second_save_is_a_second_version():
    save_recipe("even", RECIPE, "demo")
    save_recipe("even", RECIPE.model_copy(update={"cap": 7}), "demo")
    assert [open_recipe(label).recipe.cap for label in ("even", "even@1", "even@2")] == [7, 1200, 7]


def test_saving_the_same_again_changes_nothing():
    first = save_recipe("even", RECIPE, "demo")
    assert save_recipe("even", RECIPE, "demo") == first


def test_each_name_is_listed_once_by_its_newest_version():
    for name, cap in (("a", 1), ("b", 1), ("a", 2)):
        save_recipe(name, RECIPE.model_copy(update={"cap": cap}), "demo")
    assert [saved.label for saved in list_recipes()] == ["a@2", "b@1"]


@pytest.mark.parametrize("label", ["odd", "even@2", "even@x", ""])
def test_an_unknown_recipe_is_named_with_those_that_exist(label):
    save_recipe("even", RECIPE, "demo")
    with pytest.raises(PricerError, match=f"no recipe '{label}'; saved: even"):
        open_recipe(label)


@pytest.mark.parametrize("name", ["", "  ", "a@b", "a\nb", "x" * 81])
def test_a_name_that_cannot_be_found_again_is_refused(name):
    with pytest.raises(PricerError, match="recipe's name must"):
        save_recipe(name, RECIPE, "demo")


def test_savers_at_the_same_moment_get_different_versions():
    caps = range(1, 25)
    with ThreadPoolExecutor(8) as threads:
        saves = [threads.submit(save_recipe, "even", RECIPE.model_copy(update={"cap": cap}), "demo") for cap in caps]
    assert sorted(save.result().version for save in saves) == list(caps)
