"""The verbs about recipes as such: recipes, with all that can be done to saved ones, and leaks."""

import argparse
import shlex
from typing import TYPE_CHECKING

from pricer.errors import PricerError
from pricer.progress import Report
from pricer.verbs.stated import add_recipe_options, stated_recipe
from pricer.verbs.verb import Actions, Verbs, path

if TYPE_CHECKING:
    from pricer.runs.recipes import SavedRecipe

_LABEL = "NAME (its newest version) or NAME@VERSION"


def add_verbs(verbs: Verbs) -> None:
    """Declare these verbs and their options."""
    verb = verbs.add("recipes", "list saved recipes, or do something with one of them", _list, _list_words)
    add = Actions(verb).add
    action = add("show", "say what a saved recipe is, and which versions its name has", _show, _show_words)
    action.add_argument("name", metavar="NAME[@VERSION]", help=_LABEL)

    action = add("save", "save a recipe as the next version of a name", _save, _saved_words)
    action.add_argument("name", metavar="NAME")
    add_recipe_options(action)
    action.add_argument("--note", default="", metavar="TEXT", help="what it is for")
    action.add_argument(
        "--based-on", type=int, metavar="VERSION", help="the version that you changed: says what others saved since"
    )

    action = add("export", "write a saved recipe to a YAML file", _export, _export_words)
    action.add_argument("name", metavar="NAME[@VERSION]", help=_LABEL)
    action.add_argument("file", type=path, metavar="FILE")

    action = add("import", "save the recipe of a YAML file as the next version of its name", _import, _saved_words)
    action.add_argument("file", type=path, metavar="FILE")
    action.add_argument("--name", metavar="NAME", help="another name than the file's")

    action = add("delete", "take a name, or one version of it, off the list", _delete, _delete_words)
    action.add_argument("name", metavar="NAME[@VERSION]")

    action = add("restore", "bring a deleted name back, or make a version the newest again", _restore, _restore_words)
    action.add_argument("name", metavar="NAME[@VERSION]")

    action = add("changes", "say what differs between two saved recipes", _changes, _changes_words)
    action.add_argument("old", metavar="OLD", help=_LABEL)
    action.add_argument("new", metavar="NEW", nargs="?", help="the newest version of the same name by default")

    verb = verbs.add(
        "leaks", "say what a naive split of a recipe's sample would leak into its exam", _leaks, _leaks_words
    )
    add_recipe_options(verb)


def _facts(saved: "SavedRecipe") -> dict:
    from pricer.curation.changes import describe_recipe

    return {
        "name": saved.name,
        "version": saved.version,
        "catalogue": saved.catalogue,
        "note": saved.note,
        "saved": saved.created_at.isoformat(),
        "deleted": saved.deleted_at.isoformat() if saved.deleted_at else None,
        "recipe": saved.recipe.model_dump(),
        "recipe_id": saved.recipe.id,
        "settings": describe_recipe(saved.recipe),
    }


def _list(options: argparse.Namespace, report: Report) -> dict:
    from pricer.runs.recipes import list_deleted, list_recipes

    return {"recipes": [_facts(saved) for saved in list_recipes()], "deleted": [saved.name for saved in list_deleted()]}


def _list_words(result: dict) -> str:
    if not result["recipes"] and not result["deleted"]:
        return "no recipe yet; save one with: python -m pricer recipes save NAME CATALOGUE"
    lines = [_line(facts) for facts in result["recipes"]]
    if result["deleted"]:
        lines.append(f"deleted, and back with recipes restore NAME: {', '.join(result['deleted'])}")
    return "\n".join(lines)


def _line(facts: dict) -> str:
    said = [f"{facts['name']}@{facts['version']}", facts["saved"][:16].replace("T", " "), facts["settings"]]
    return "  ".join([*said, *([_short(facts["note"])] if facts["note"] else [])])


def _short(note: str) -> str:
    first = next(iter(note.splitlines()), "")
    return first if len(first) <= 80 else f"{first[:79]}…"


def _show(options: argparse.Namespace, report: Report) -> dict:
    from pricer.runs.recipes import describe_history, list_versions, open_recipe

    saved = open_recipe(options.name)
    versions = list_versions(saved.name)
    history = zip(versions, describe_history(versions), strict=True)
    return _facts(saved) | {"versions": [_facts(version) | {"changes": changes} for version, changes in history]}


def _show_words(facts: dict) -> str:
    lines = [_line(facts), f"  made on {facts['catalogue'] or 'no catalogue'}, recipe {facts['recipe_id']}"]
    lines += [f"  {line}" for line in facts["note"].splitlines()[1:]]
    lines += ["", "  versions, the newest first, with what each changed:"]
    oldest = facts["versions"][-1]["version"]
    for version in facts["versions"]:
        same = "the oldest" if version["version"] == oldest else "the same settings"
        saved, note = version["saved"][:16].replace("T", " "), _short(version["note"]) if version["note"] else ""
        lines.append(f"  {version['version']:>4}  {saved}  {'; '.join(version['changes']) or same}  {note}".rstrip())
    return "\n".join(lines)


def _save(options: argparse.Namespace, report: Report) -> dict:
    from pricer.catalogue.store import open_catalogue
    from pricer.runs.recipes import save_recipe

    catalogue = open_catalogue(options.catalogue)
    recipe = stated_recipe(options, catalogue)
    return _saved_facts(save_recipe(options.name, recipe, catalogue.name, options.note, options.based_on))


def _saved_facts(saved: "SavedRecipe") -> dict:
    from pricer.runs.recipes import changes_meanwhile

    news = [_facts(version) | {"changes": changes} for version, changes in changes_meanwhile(saved)]
    return _facts(saved) | {"meanwhile": news}


def _saved_words(facts: dict) -> str:
    lines = [f"saved {_line(facts)}"]
    for version in facts["meanwhile"]:
        changes = "; ".join(version["changes"]) or "the same settings"
        lines.append(f"  meanwhile somebody saved {version['name']}@{version['version']}: {changes}; both are kept")
    return "\n".join(lines)


def _export(options: argparse.Namespace, report: Report) -> dict:
    from pricer.curation.recipe_file import RecipeFile, write_recipe_file
    from pricer.runs.recipes import open_recipe

    saved = open_recipe(options.name)
    text = write_recipe_file(RecipeFile(saved.name, saved.recipe, saved.note, saved.catalogue))
    try:
        options.file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PricerError(f"{options.file}: cannot be written ({error.strerror})") from error
    return _facts(saved) | {"file": str(options.file)}


def _export_words(facts: dict) -> str:
    return f"{facts['name']}@{facts['version']} in {facts['file']}"


def _import(options: argparse.Namespace, report: Report) -> dict:
    from pricer.curation.recipe_file import MOST_BYTES, read_recipe_file
    from pricer.runs.recipes import save_recipe

    try:
        with options.file.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise PricerError(f"{options.file}: cannot be read ({error.strerror})") from error
    read = read_recipe_file(content)
    return _saved_facts(save_recipe(options.name or read.name, read.recipe, read.catalogue, read.note))


def _delete(options: argparse.Namespace, report: Report) -> dict:
    from pricer.runs.recipes import delete_recipe

    return {"deleted": [_facts(saved) for saved in delete_recipe(options.name)]}


def _delete_words(result: dict) -> str:
    gone = result["deleted"]
    names = ", ".join(f"{facts['name']}@{facts['version']}" for facts in gone)
    return f"deleted {names}; python -m pricer recipes restore {shlex.quote(gone[0]['name'])} brings it back"


def _restore(options: argparse.Namespace, report: Report) -> dict:
    from pricer.runs.recipes import open_recipe, restore_recipe, undelete_recipe

    if options.name.partition("@")[2]:
        return _facts(restore_recipe(options.name)) | {"brought_back": []}
    back = [saved.version for saved in undelete_recipe(options.name)]
    return _facts(open_recipe(options.name)) | {"brought_back": back}


def _restore_words(facts: dict) -> str:
    if not facts["brought_back"]:
        return f"newest again: {_line(facts)}"
    versions = ", ".join(map(str, sorted(facts["brought_back"])))
    return f"brought back {facts['name']}, version {versions}; the newest is {_line(facts)}"


def _changes(options: argparse.Namespace, report: Report) -> dict:
    from pricer.curation.changes import describe_changes
    from pricer.runs.recipes import open_recipe

    old = open_recipe(options.old)
    new = open_recipe(options.new or old.name)
    changes = describe_changes(old.recipe, new.recipe)
    return {"old": _facts(old), "new": _facts(new), "changes": changes}


def _changes_words(result: dict) -> str:
    labels = " → ".join(f"{facts['name']}@{facts['version']}" for facts in (result["old"], result["new"]))
    return "\n".join([labels, *(f"  {line}" for line in result["changes"] or ["the same settings"])])


def _leaks(options: argparse.Namespace, report: Report) -> dict:
    from pricer.catalogue.store import open_catalogue
    from pricer.curation.index import open_index
    from pricer.curation.leaks import find_leaks, grouped_items
    from pricer.curation.naive import RULE
    from pricer.curation.sampler import make_plan

    catalogue = open_catalogue(options.catalogue)
    recipe = stated_recipe(options, catalogue)
    index = open_index(catalogue, recipe.seed)
    found = find_leaks(grouped_items(catalogue), index, make_plan(index, recipe))
    return {
        "catalogue": catalogue.label,
        "generated": catalogue.manifest.generated,
        "recipe": recipe.model_dump(),
        "recipe_id": recipe.id,
        "train": found.split.train,
        "validation": found.split.validation,
        "exam": found.split.exam,
        "split_rule": RULE,
        "leaked": found.leaked,
        "share": found.share,
        "expected_share": found.expected_share,
        "copy_error_dollars": found.copy_error,
        "by_group_size": found.by_size.to_dicts(),
        "examples": found.examples.to_dicts(),
    }


def _leaks_words(result: dict) -> str:
    generated = " (generated data)" if result["generated"] else ""
    lines = [
        f"{result['leaked']:,} of {result['exam']:,} exam items ({result['share']:.1%}) of a naive split of "
        f"{result['catalogue']}{generated} would have a near-duplicate in train",
        f"  on average over all shuffles {result['expected_share']:.1%}; Pricer's own exam has none",
        f"  train {result['train']:,}, validation {result['validation']:,}, exam {result['exam']:,}",
        f"  ({result['split_rule']})",
    ]
    if result["copy_error_dollars"] is not None:
        lines.append(f"  the prices of their near-duplicates are ${result['copy_error_dollars']:,.2f} away on average")
    lines += ["", f"  {'group of':>8}  {'items':>10}  {'in exam':>8}  {'leaked':>8}  {'expected':>8}"]
    lines += [
        f"  {row['size']:>8,}  {row['items']:>10,}  {row['exam']:>8,}  {row['leaked']:>8,}  {row['expected']:>8,.1f}"
        for row in result["by_group_size"]
    ]
    for pair in result["examples"]:
        lines += [f"  ${pair['price']:,.2f}  {_short(pair['title'])}"]
        lines += [f"    in train at ${pair['train_price']:,.2f}  {_short(pair['train_title'])}"]
    return "\n".join(lines)
