"""The shelf of recipes: save the one in hand, open, restore, delete and bring back versions, files in and out."""

from collections.abc import Callable

import streamlit as st

from pages.shared import state
from pages.shared.recipe_controls import SAVED
from pages.shared.widgets import Html, chart_head, empty_card, escaped, page_of, plain
from pricer.catalogue.store import Catalogue
from pricer.curation.changes import describe_recipe
from pricer.curation.recipe import Recipe
from pricer.curation.recipe_file import RecipeFile, read_recipe_file, write_recipe_file
from pricer.errors import PricerError
from pricer.figures.formats import category_name, count_of, moment, short_hash
from pricer.runs.recipes import (
    LONGEST_NAME,
    SavedRecipe,
    changes_meanwhile,
    delete_recipe,
    describe_history,
    list_deleted,
    list_recipes,
    list_versions,
    restore_recipe,
    save_recipe,
    undelete_recipe,
)

Adopt = Callable[[Recipe, str], None]  # takes a recipe, and what the list of recipes then shows (as state.PRESET)
LONGEST_NOTE = 200  # that is typed here; a file's may be longer
ICONS = {"success": ":material/check_circle:", "info": ":material/info:", "error": ":material/error:"}


def show_recipe_shelf(catalogue: Catalogue, recipe: Recipe, adopt: Adopt) -> None:
    """Everything about saved recipes, for the recipe in hand; `adopt` puts another one in its place."""
    note_base(recipe)
    show_said()
    left, right = st.columns([1, 1.6], gap="large")
    with left:
        show_save(catalogue, recipe, adopt)
        show_files(catalogue, recipe, adopt)
    with right:
        show_saved(recipe, adopt)


def note_base(recipe: Recipe) -> None:
    """Remember which saved version is in hand, so that a save can tell what others have saved since.

    While the list of recipes shows a saved name, nobody has moved the recipe since it was opened.
    """
    if not st.session_state[state.PRESET].startswith(SAVED):
        return
    name = st.session_state[state.PRESET].removeprefix(SAVED)
    in_hand = [saved.version for saved in list_versions(name) if saved.recipe == recipe]
    if in_hand and st.session_state[state.BASE] not in [(name, version) for version in in_hand]:
        st.session_state[state.BASE] = (name, in_hand[0])


# What was done last


def say(*messages: tuple[str, str], undo: str | None = None) -> None:
    """Have these messages (a kind of Streamlit's and its words) shown once the page is drawn again."""
    st.session_state[state.SHELVED] = (messages, undo)


def show_said() -> None:
    messages, undo = st.session_state[state.SHELVED] or ((), None)
    for kind, words in messages:
        getattr(st, kind)(plain(words), icon=ICONS[kind])
    if messages:
        with st.container(horizontal=True):
            if undo:
                st.button("Undo", icon=":material/undo:", key="shelf_undo", on_click=do, args=(bring_back, undo))
            st.button("Dismiss", key="shelf_dismiss", on_click=say)


def do(action: Callable[..., None], *arguments: object) -> None:
    """Carry a button's action out, and say what is wrong where it cannot be."""
    say()
    try:
        action(*arguments)
    except PricerError as error:
        say(("error", str(error)))


# Save


def show_save(catalogue: Catalogue, recipe: Recipe, adopt: Adopt) -> None:
    name, version = st.session_state[state.BASE] or ("", 0)
    with st.container(gap="xsmall"):
        chart_head("Save the recipe in hand", "A name that stands gets a further version; nothing is overwritten")
        with st.form("shelf_form", border=False):
            typed = st.text_input("Name", name, LONGEST_NAME, key=f"shelf_name_{name}_{version}")
            note = st.text_input(
                "Note",
                note_of(name, version),
                LONGEST_NOTE,
                key=f"shelf_note_{name}_{version}",
                placeholder="what it is for",
            )
            pressed = st.form_submit_button("Save recipe", icon=":material/bookmark:", key="shelf_save")
    if pressed:
        try:
            save(typed, recipe, catalogue.name, note, adopt)
        except PricerError as error:
            st.error(plain(str(error)), icon=ICONS["error"])
        else:
            st.rerun()  # the list of recipes, which stands further up, shows it at once


def note_of(name: str, version: int) -> str:
    notes = {saved.version: saved.note for saved in list_versions(name)} if name else {}
    return notes.get(version, "")[:LONGEST_NOTE]


def save(name: str, recipe: Recipe, catalogue_name: str, note: str, adopt: Adopt) -> None:
    """Save a recipe, and tell what others have saved of that name since the version in hand was opened."""
    base, version = st.session_state[state.BASE] or ("", 0)
    based_on = version if name.strip() == base else 0
    known = [saved.label for saved in list_versions(name)]
    saved = save_recipe(name, recipe, catalogue_name, note, based_on)
    words = f"{saved.label} says the same already." if saved.label in known else f"Saved as {saved.label}."
    messages = [("success", f"{words} Recipe {short_hash(recipe.id)}.")]
    messages += [("info", meanwhile_words(other, changes, based_on)) for other, changes in changes_meanwhile(saved)]
    adopt(recipe, SAVED + saved.name)
    st.session_state[state.BASE] = (saved.name, saved.version)
    say(*messages)


def meanwhile_words(other: SavedRecipe, changes: list[str], based_on: int) -> str:
    """What somebody else saved of this name."""
    said = category_name("; ".join(changes)) or "the same settings"
    note = f" ({other.note})" if other.note else ""
    if not based_on:
        return f"The name was taken: {other.label}, {said}{note}. Both are kept."
    return f"Meanwhile {other.label} was saved: {said}{note}. Both are kept, yours is the newest."


# Files


def show_files(catalogue: Catalogue, recipe: Recipe, adopt: Adopt) -> None:
    name, version = st.session_state[state.BASE] or (catalogue.name, 0)
    with st.container(gap="xsmall"):
        chart_head("Files", "Small YAML files, to read, edit and send")
        st.download_button(
            "Export the recipe in hand",
            write_recipe_file(RecipeFile(name, recipe, note_of(name, version), catalogue.name)),
            f"{name}.yaml",
            "application/yaml",
            key="shelf_export",
            icon=":material/download:",
            on_click="ignore",
        )
    file = st.file_uploader("Import a file", ["yaml", "yml"], key="shelf_import", max_upload_size=1)
    if file is None:
        return
    try:
        read = read_recipe_file(file.getvalue())
    except PricerError as error:
        st.error(plain(f"{file.name}: {error}"), icon=ICONS["error"])
        return
    show_read(read, catalogue, adopt)


def show_read(read: RecipeFile, catalogue: Catalogue, adopt: Adopt) -> None:
    """What a file says, and what can be done with it."""
    named = f"<b>{escaped(read.name or 'without a name')}</b>"
    st.html(f'<p class="pr-said">{named} {escaped(category_name(describe_recipe(read.recipe)))}</p>')
    unknown = read.recipe.unknown_categories(catalogue.manifest.categories)
    if unknown:
        names = ", ".join(map(category_name, unknown))
        st.warning(plain(f"{catalogue.label} has no {names}."), icon=":material/warning:")
    with st.container(horizontal=True):
        st.button("Open it", key="shelf_read_open", on_click=do, args=(adopt, read.recipe, state.OWN_SETTINGS))
        arguments = (save, read.name, read.recipe, read.catalogue or catalogue.name, read.note, adopt)
        st.button("Save it", key="shelf_read_save", on_click=do, args=arguments)


# What is saved


def show_saved(recipe: Recipe, adopt: Adopt) -> None:
    """The versions of a name, and what can be done with each."""
    there, gone = ({saved.name: saved for saved in found} for found in (list_recipes(), list_deleted()))
    if not there and not gone:
        with st.container(border=True):
            empty_card("No saved recipe yet.", "Saved recipes and all their versions stand here.")
        return
    base, _ = st.session_state[state.BASE] or ("", 0)
    names = [*there, *gone]
    key = f"shelf_shown_{base}"  # after another one was opened or saved, its versions are shown
    if st.session_state.get(key) not in names:
        st.session_state[key] = base if base in names else names[0]
    name = st.selectbox(
        "Saved recipe", names, key=key, format_func=lambda name: f"{name} (deleted)" if name in gone else name
    )
    if name in gone:
        st.html(f'<p class="pr-note"><span>Deleted {moment(gone[name].deleted_at)}</span></p>')
        st.button("Bring it back", icon=":material/undo:", key="shelf_back", on_click=do, args=(bring_back, name))
        return
    versions = list_versions(name)
    place = st.container(gap="xsmall")
    shown = page_of(list(zip(versions, describe_history(versions), strict=True)), "version", "shelf_page")
    with place:
        for saved, changes in shown:
            show_version(saved, changes, versions, recipe, adopt)
    whole = f"Delete {name}, {count_of(len(versions), 'version')}"
    st.button(plain(whole), icon=":material/delete:", key="shelf_delete", on_click=do, args=(delete, name))


def show_version(
    saved: SavedRecipe, changes: list[str], versions: list[SavedRecipe], recipe: Recipe, adopt: Adopt
) -> None:
    newest, oldest = saved == versions[0], saved == versions[-1]
    said = "; ".join(changes) or ("" if oldest else "the same settings")
    with st.container(gap="xsmall"):
        st.html(_row(saved, category_name(said or describe_recipe(saved.recipe)), saved.recipe == recipe).text)
        with st.container(horizontal=True):
            act("Open", "folder_open", saved, open_version, saved, newest, adopt)
            if not newest:
                act("Restore", "history", saved, restore, saved)
            act("Delete", "delete", saved, delete, saved.label)


def act(label: str, icon: str, saved: SavedRecipe, action: Callable[..., None], *arguments: object) -> None:
    """A button that does something with one version."""
    key = f"shelf_{label.lower()}_{saved.version}"
    st.button(label, key, type="tertiary", icon=f":material/{icon}:", on_click=do, args=(action, *arguments))


def _row(saved: SavedRecipe, changes: str, in_hand: bool) -> Html:
    """A version in words: its number, when and where it was saved, what it changed, its note."""
    badge = '<span class="pr-badge">in hand</span>' if in_hand else ""
    where = escaped(
        f"{moment(saved.created_at)}, on {saved.catalogue}" if saved.catalogue else moment(saved.created_at)
    )
    head = f'<b>@{saved.version}</b>{badge} <span class="pr-quiet">{where}</span>'
    note = f'<br><span class="pr-quiet">{escaped(saved.note)}</span>' if saved.note else ""
    line = "border-top: 1px solid var(--pr-grid); padding-top: 0.4rem"
    return Html(f'<p class="pr-said" style="{line}">{head}<br>{escaped(changes)}{note}</p>')


def open_version(saved: SavedRecipe, newest: bool, adopt: Adopt) -> None:
    adopt(saved.recipe, SAVED + saved.name if newest else state.OWN_SETTINGS)
    st.session_state[state.BASE] = (saved.name, saved.version)


def restore(saved: SavedRecipe) -> None:
    say(("success", f"{saved.label} is the newest again, as {restore_recipe(saved.label).label}."))


def delete(label: str) -> None:
    gone = delete_recipe(label)
    say(("info", f"Deleted {', '.join(saved.label for saved in gone)}."), undo=gone[0].name)


def bring_back(name: str) -> None:
    back = undelete_recipe(name)
    say(("success", f"Brought back {', '.join(saved.label for saved in back)}."))
