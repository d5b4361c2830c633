"""Recipes saved under a name: nothing is overwritten, each save is a further version."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Row, func, insert, select

from pricer.curation.recipe import Recipe
from pricer.errors import PricerError
from pricer.runs.database import engine, recipes

LONGEST_NAME = 80


@dataclass(frozen=True)
class SavedRecipe:
    name: str
    version: int
    recipe: Recipe
    catalogue: str  # the name of the one that it was made on
    note: str
    created_at: datetime

    @property
    def label(self) -> str:
        return f"{self.name}@{self.version}"


def save_recipe(name: str, recipe: Recipe, catalogue_name: str, note: str = "") -> SavedRecipe:
    """Save a recipe as the next version of its name.

    What the newest version says already is not saved again, so a second click changes nothing.
    Raises PricerError if the name cannot be one.
    """
    name, note = _checked_name(name), note.strip()
    with engine().begin() as connection:
        newest = next(iter(_versions(connection, name)), None)
        if newest and (newest.recipe, newest.catalogue, newest.note) == (recipe, catalogue_name, note):
            return newest
        version = newest.version + 1 if newest else 1
        saved = SavedRecipe(name, version, recipe, catalogue_name, note, datetime.now(UTC))
        row = asdict(saved) | {"recipe_id": recipe.id, "body": recipe.model_dump_json()}
        del row["recipe"]
        connection.execute(insert(recipes).values(row))
    return saved


def list_recipes() -> list[SavedRecipe]:
    """The newest version of every name, what was saved last first."""
    newest = select(func.max(recipes.c.id)).group_by(recipes.c.name)
    query = select(recipes).where(recipes.c.id.in_(newest)).order_by(recipes.c.id.desc())
    with engine().begin() as connection:
        return [_read(row) for row in connection.execute(query)]


def open_recipe(label: str) -> SavedRecipe:
    """Find a recipe by "NAME" (its newest version) or "NAME@2"; PricerError if there is none."""
    name, _, version = label.strip().partition("@")
    with engine().begin() as connection:
        versions = _versions(connection, name)
    for saved in versions:
        if version in ("", str(saved.version)):
            return saved
    known = [saved.label for saved in versions] or [saved.name for saved in list_recipes()]
    raise PricerError(f"there is no recipe {label!r}; saved: {', '.join(known) or 'none'}")


def _versions(connection: Connection, name: str) -> list[SavedRecipe]:
    """All versions of a name, the newest first."""
    query = select(recipes).where(recipes.c.name == name).order_by(recipes.c.version.desc())
    return [_read(row) for row in connection.execute(query)]


def _read(row: Row) -> SavedRecipe:
    recipe = Recipe.model_validate_json(row.body)
    return SavedRecipe(row.name, row.version, recipe, row.catalogue, row.note, row.created_at)


def _checked_name(name: str) -> str:
    stripped = name.strip()
    if not 1 <= len(stripped) <= LONGEST_NAME or "@" in stripped or not stripped.isprintable():
        raise PricerError(f"a recipe's name must have 1 to {LONGEST_NAME} characters and no @, got {name!r}")
    return stripped
