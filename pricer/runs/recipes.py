"""Recipes saved under a name: nothing is overwritten, each save is a further version, and what is deleted comes back.

    saved = save_recipe("even", recipe, "demo", based_on=2)
    saved.meanwhile  # the versions that somebody else saved since version 2

Numbers only grow: a name that was deleted and is taken again goes on from the number that it had.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from sqlalchemy import Connection, Row, func, insert, select, update

from pricer.curation.changes import describe_changes
from pricer.curation.recipe import Recipe
from pricer.database import engine, recipes
from pricer.errors import PricerError

LONGEST_NAME = 80
LONGEST_NOTE = 2_000


@dataclass(frozen=True)
class SavedRecipe:
    """One version of a name."""

    name: str
    version: int
    recipe: Recipe
    catalogue: str  # the name of the one that it was made on
    note: str
    created_at: datetime
    deleted_at: datetime | None = None
    meanwhile: tuple["SavedRecipe", ...] = field(default=(), compare=False)  # only `save_recipe` tells, newest first

    @property
    def label(self) -> str:
        return f"{self.name}@{self.version}"


def save_recipe(
    name: str, recipe: Recipe, catalogue_name: str, note: str = "", based_on: int | None = None
) -> SavedRecipe:
    """Save a recipe as the next version of its name.

    `based_on` is the version that was changed, 0 for none: what others have saved since is kept, and told in
    `meanwhile`. What the newest version says already is not saved again, so a second click changes nothing.
    Raises PricerError if the name cannot be one.
    """
    name, note = _checked_name(name), _checked_note(note)
    with _writing() as connection:
        versions = _versions(connection, name)
        known = versions[0].version if versions and based_on is None else based_on
        meanwhile = tuple(saved for saved in versions if saved.version > (known or 0))
        newest = next((saved for saved in versions if not saved.deleted_at), None)
        if newest and (newest.recipe, newest.catalogue, newest.note) == (recipe, catalogue_name, note):
            return replace(newest, meanwhile=tuple(saved for saved in meanwhile if saved != newest))
        number = versions[0].version + 1 if versions else 1
        saved = SavedRecipe(name, number, recipe, catalogue_name, note, datetime.now(UTC), meanwhile=meanwhile)
        connection.execute(
            insert(recipes).values(
                name=name,
                version=number,
                recipe_id=recipe.id,
                body=recipe.model_dump_json(),
                catalogue=catalogue_name,
                note=note,
                created_at=saved.created_at,
            )
        )
    return saved


def list_recipes() -> list[SavedRecipe]:
    """The newest version of every name, what was saved last first."""
    return [saved for saved in _newest() if not saved.deleted_at]


def list_deleted() -> list[SavedRecipe]:
    """The newest version of every name that has been deleted, what was deleted last first."""
    there = {saved.name for saved in list_recipes()}
    gone = [saved for saved in _newest(deleted=True) if saved.name not in there]
    return sorted(gone, key=lambda saved: saved.deleted_at, reverse=True)


def list_versions(name: str, deleted: bool = False) -> list[SavedRecipe]:
    """All versions of a name, the newest first; with those that were deleted if they are asked for."""
    with engine().begin() as connection:
        versions = _versions(connection, name.strip())
    return [saved for saved in versions if deleted or not saved.deleted_at]


def describe_history(versions: list[SavedRecipe]) -> list[list[str]]:
    """What each of these versions, newest first, changed in the one before it; of the oldest nothing is known."""
    older = [saved.recipe for saved in versions[1:]]
    changes = [describe_changes(old, saved.recipe) for saved, old in zip(versions, older, strict=False)]
    return [*changes, []][: len(versions)]


def changes_meanwhile(saved: SavedRecipe) -> list[tuple[SavedRecipe, list[str]]]:
    """Each version that others saved meanwhile, newest first, with what it changed in the one before it."""
    versions = list_versions(saved.name, deleted=True)
    history = zip(versions, describe_history(versions), strict=True)
    numbers = {version.version for version in saved.meanwhile}
    return [(version, changes) for version, changes in history if version.version in numbers]


def open_recipe(label: str) -> SavedRecipe:
    """Find a recipe by "NAME" (its newest version) or "NAME@2"; PricerError if there is none."""
    found = _find(label, list_versions(label.partition("@")[0], deleted=True))
    there = next((saved for saved in found if not saved.deleted_at), None)
    if there:
        return there
    if found:
        raise PricerError(f"recipe {label!r} was deleted; bring {found[0].name!r} back, or save another under its name")
    raise _unknown(label)


def restore_recipe(label: str) -> SavedRecipe:
    """Make "NAME@2" the newest version again, by saving what it says once more; deleted versions can be restored."""
    found = _find(label, list_versions(label.partition("@")[0], deleted=True))
    if not label.partition("@")[2]:
        raise PricerError(f"say which version of a recipe to restore, as NAME@VERSION, got {label!r}")
    if not found:
        raise _unknown(label)
    return save_recipe(found[0].name, found[0].recipe, found[0].catalogue, found[0].note)


def delete_recipe(label: str) -> list[SavedRecipe]:
    """Take "NAME", or of it version "NAME@2", off every list, and tell what was; `undelete_recipe` brings it back."""
    now = datetime.now(UTC)
    with _writing() as connection:
        versions = [saved for saved in _versions(connection, label.partition("@")[0].strip()) if not saved.deleted_at]
        gone = _find(label, versions)
        if gone:
            _mark(connection, gone, now)
    if not gone:
        raise _unknown(label)  # only now: it looks into the database too
    return [replace(saved, deleted_at=now) for saved in gone]


def undelete_recipe(name: str) -> list[SavedRecipe]:
    """Bring back what was deleted last of a name, and tell what it was; PricerError where nothing was."""
    with _writing() as connection:
        gone = [saved for saved in _versions(connection, name.strip()) if saved.deleted_at]
        last = max((saved.deleted_at for saved in gone), default=None)
        back = [saved for saved in gone if saved.deleted_at == last]
        if not back:
            raise PricerError(f"nothing was deleted of a recipe {name!r}")
        _mark(connection, back, None)
    return [replace(saved, deleted_at=None) for saved in back]


@contextmanager
def _writing() -> Iterator[Connection]:
    """A transaction that no other writer of recipes is beside: SQLite's always are so, PostgreSQL must be asked."""
    with engine().begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("LOCK TABLE recipes IN SHARE ROW EXCLUSIVE MODE")
        yield connection


def _mark(connection: Connection, versions: list[SavedRecipe], deleted_at: datetime | None) -> None:
    numbers = [saved.version for saved in versions]
    chosen = (recipes.c.name == versions[0].name) & recipes.c.version.in_(numbers)
    connection.execute(update(recipes).where(chosen).values(deleted_at=deleted_at))


def _newest(deleted: bool = False) -> list[SavedRecipe]:
    """The newest version of every name among those that are there, or among those that were deleted."""
    gone = recipes.c.deleted_at.is_not(None) if deleted else recipes.c.deleted_at.is_(None)
    newest = select(func.max(recipes.c.id)).where(gone).group_by(recipes.c.name)
    query = select(recipes).where(recipes.c.id.in_(newest)).order_by(recipes.c.id.desc())
    with engine().begin() as connection:
        return [_read(row) for row in connection.execute(query)]


def _versions(connection: Connection, name: str) -> list[SavedRecipe]:
    """All versions of a name, deleted ones too, the newest first."""
    query = select(recipes).where(recipes.c.name == name).order_by(recipes.c.version.desc())
    return [_read(row) for row in connection.execute(query)]


def _find(label: str, versions: list[SavedRecipe]) -> list[SavedRecipe]:
    """The versions that a label means: all of a name's, or the one of its number."""
    _, _, version = label.strip().partition("@")
    return [saved for saved in versions if version in ("", str(saved.version))]


def _unknown(label: str) -> PricerError:
    name = label.strip().partition("@")[0]
    known = [saved.label for saved in list_versions(name)] or [saved.name for saved in list_recipes()]
    return PricerError(f"there is no recipe {label!r}; saved: {', '.join(known) or 'none'}")


def _read(row: Row) -> SavedRecipe:
    recipe = Recipe.model_validate_json(row.body)
    return SavedRecipe(row.name, row.version, recipe, row.catalogue, row.note, row.created_at, row.deleted_at)


def _checked_name(name: str) -> str:
    stripped = name.strip()
    if not 1 <= len(stripped) <= LONGEST_NAME or "@" in stripped or not stripped.isprintable():
        raise PricerError(f"a recipe's name must have 1 to {LONGEST_NAME} characters and no @, got {name!r}")
    return stripped


def _checked_note(note: str) -> str:
    stripped = note.strip()
    if len(stripped) > LONGEST_NOTE:
        raise PricerError(f"a recipe's note must have at most {LONGEST_NOTE:,} characters, got {len(stripped):,}")
    return stripped
