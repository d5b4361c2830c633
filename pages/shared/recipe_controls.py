"""The controls that state a recipe: sliders with exact numbers beside them, presets, and the address that repeats them.

Each setting is a session key of its own, which the slider and the number beside it write and are drawn from. When one
of them is moved, the other is drawn anew, under a new key: a browser that is a few moves behind still sends the other's
old value, which would be taken for a move of the person's and undo theirs.
"""

from textwrap import shorten

import streamlit as st

from pages.shared import cached, state
from pages.shared.widgets import plain
from pricer.catalogue.store import Catalogue
from pricer.curation.recipe import PRESETS, Recipe, preset
from pricer.errors import PricerError
from pricer.figures.canvas import round_step
from pricer.figures.formats import category_name
from pricer.items import LOWEST_SLOT, SLOT_COUNT
from pricer.runs.recipes import list_recipes, open_recipe

MOST_SLIDERS = 8
MOST_WEIGHT = 10.0
LONGEST_LABEL = 34
HIGHEST_CAP = HIGHEST_SEED = 2**53 - 1  # the largest whole number that a browser can hold exactly
SAVED = "saved: "
PRESET_WORDS = {
    "scaled": "Scaled",
    "notebook-1": "First notebook",
    "natural": "Natural",
    state.OWN_SETTINGS: "Your own settings",
}


def adopt(recipe: Recipe, catalogue: Catalogue) -> None:
    """Put a recipe into the controls; PricerError where a browser cannot hold its seed."""
    if recipe.seed > HIGHEST_SEED:
        raise PricerError(f"seed {recipe.seed:,} is too large for a browser; the command line takes it")
    _put(state.CUTOFF, recipe.cutoff)
    _put(state.CAP, min(recipe.cap, HIGHEST_CAP))
    _put(state.OTHER_WEIGHT, recipe.default_weight)
    st.session_state[state.SEED] = recipe.seed
    categories = catalogue.manifest.categories
    sliders = categories_with_sliders(categories)
    for category in categories:
        if category in sliders:
            _put(state.weight_key(category), recipe.weight(category))
        else:
            st.session_state[state.weight_key(category)] = recipe.weights.get(category)
    st.session_state[state.WEIGHTED] = str(catalogue.folder)
    st.session_state[state.SLOT] = None


def adopt_named(name: str, catalogue: Catalogue) -> None:
    """Put a preset or a saved recipe into the controls; the person's own settings are there already."""
    if name == state.OWN_SETTINGS:
        return
    if name.startswith(SAVED):
        adopt(open_recipe(name.removeprefix(SAVED)).recipe, catalogue)
    else:
        adopt(preset_of(name, catalogue), catalogue)


def preset_of(name: str, catalogue: Catalogue) -> Recipe:
    index = cached.index(catalogue, 42)
    return preset(name, index.counts, index.categories)


def stated_recipe(catalogue: Catalogue) -> Recipe:
    """The recipe that the controls state."""
    named = {name: st.session_state.get(state.weight_key(name)) for name in catalogue.manifest.categories}
    return Recipe(
        cutoff=st.session_state[state.CUTOFF],
        cap=st.session_state[state.CAP],
        weights={name: float(weight) for name, weight in named.items() if weight is not None},
        default_weight=float(st.session_state[state.OTHER_WEIGHT]),
        seed=st.session_state[state.SEED],
    )


def highest_cap(catalogue: Catalogue) -> int:
    """Where the cap's slider ends: at four times the scaled recipe's cap, rounded up."""
    wanted = 4 * preset_of("scaled", catalogue).cap
    step = round(max(1, round_step(wanted, 5)))
    return max(10, step * -(-wanted // step))


def categories_with_sliders(categories: tuple[str, ...]) -> tuple[str, ...]:
    """The largest categories; all of them where one more slider does it."""
    return categories if len(categories) <= MOST_SLIDERS + 1 else categories[:MOST_SLIDERS]


def show_start(catalogue: Catalogue) -> None:
    """Preset, cutoff and cap."""
    presets = [name for name in PRESETS if preset_of(name, catalogue).cap]  # these controls state no target
    names = [*presets, *(SAVED + saved.name for saved in list_recipes() if saved.recipe.cap), state.OWN_SETTINGS]
    if st.session_state[state.PRESET] not in names:
        _own_settings()
    key = _drawn_key("preset", state.PRESET)
    st.session_state.setdefault(key, st.session_state[state.PRESET])
    st.selectbox(
        "Recipe",
        names,
        key=key,
        format_func=lambda name: PRESET_WORDS.get(name, name.removeprefix(SAVED)),
        on_change=_preset_chosen,
        args=(key, catalogue),
    )
    whole, most = (LOWEST_SLOT, SLOT_COUNT), highest_cap(catalogue)
    _pair("Cutoff: keep every item from", state.CUTOFF, *whole, SLOT_COUNT, 1, "$%d")
    _pair("Cap: items in a slot below it", state.CAP, 1, HIGHEST_CAP, most, 1, "localized")


def show_weights(catalogue: Catalogue) -> None:
    """The weights of the largest categories, of all others, and the seed."""
    categories = catalogue.manifest.categories
    sliders = categories_with_sliders(categories)
    st.markdown("**Weight of a category**", help="An item of weight 2 is drawn twice as eagerly; 0 means never.")
    for category in sliders:
        _pair(_label(category), state.weight_key(category), 0.0, None, MOST_WEIGHT, 0.1, "%g")
    if others := categories[len(sliders) :]:
        _pair("All other categories", state.OTHER_WEIGHT, 0.0, None, MOST_WEIGHT, 0.1, "%g")
        with st.expander(f"{len(others)} others", key="other_weights"):
            for category in others:
                st.number_input(
                    _label(category), 0.0, None, None, 0.1, "%g",
                    key=state.weight_key(category), placeholder="as all others", on_change=_own_settings,
                    persist_state="session",
                )  # fmt: skip
    st.number_input("Seed", 0, HIGHEST_SEED, key=state.SEED, on_change=_own_settings, persist_state="session")


def read_link(catalogues: list[Catalogue]) -> None:
    """Take over a recipe from the address when the page is opened.

    Later the address only follows: while a slider moves fast, the browser's is a few moves behind.
    """
    link = {key: st.query_params.get_all(key) for key in st.query_params}
    if "cutoff" not in link or not st.session_state[state.TURNED]:
        return
    by_label = {catalogue.label: catalogue for catalogue in catalogues}
    catalogue = by_label.get(link.get("catalogue", [""])[0])
    if catalogue is None:
        st.warning("This link's catalogue is not on this machine.", icon=":material/warning:")
        return
    try:
        adopt(_linked_recipe(link), catalogue)
        low, high = (int(link[key][0]) for key in ("low", "high")) if "low" in link and "high" in link else (1, 999)
    except (PricerError, ValueError, KeyError, IndexError):
        st.warning("This link states no recipe that can be read.", icon=":material/warning:")
        return
    st.session_state[state.CATALOGUE] = catalogue.label
    choose_preset(state.OWN_SETTINGS)
    st.session_state[state.SCALE] = "linear" if link.get("scale") == ["linear"] else "log"
    st.session_state[state.RANGE] = (low, high) if 1 <= low < high <= 999 else (1, 999)


def _linked_recipe(link: dict[str, list[str]]) -> Recipe:
    weights = (weight.rpartition("=") for weight in link.get("weight", []))
    return Recipe(
        cutoff=int(link["cutoff"][0]),
        cap=int(link["cap"][0]),
        weights={category: float(weight) for category, _, weight in weights},
        default_weight=float(link["others"][0]),
        seed=int(link["seed"][0]),
    )


def write_link(catalogue: Catalogue, recipe: Recipe) -> None:
    """Put the view into the address, so that a copy of it shows the same."""
    low, high = st.session_state[state.RANGE]
    link = {
        "catalogue": [catalogue.label],
        "cutoff": [str(recipe.cutoff)],
        "cap": [str(recipe.cap)],
        "weight": [f"{category}={weight:g}" for category, weight in recipe.weights.items()],
        "others": [f"{recipe.default_weight:g}"],
        "seed": [str(recipe.seed)],
        "scale": [st.session_state[state.SCALE]],
        "low": [str(low)],
        "high": [str(high)],
    }
    link = {key: values for key, values in link.items() if values}
    if {key: st.query_params.get_all(key) for key in st.query_params} != link:
        st.query_params.from_dict(link)


def recipe_arguments(recipe: Recipe) -> list[str]:
    """The options of the command line that state a recipe."""
    numbers = [f"--cutoff={recipe.cutoff}", f"--cap={recipe.cap}", f"--default-weight={recipe.default_weight!r}"]
    weights = [f"--weight={category}={weight!r}" for category, weight in recipe.weights.items()]
    return [*numbers, *weights, f"--seed={recipe.seed}"]


def _pair(label: str, key: str, low: float, high: float | None, slider_high: float, step: float, form: str) -> None:
    """A slider and its exact number in one row; the slider goes as far as its range allows."""
    slider, number = _drawn_key("slider", key), _drawn_key("number", key)
    value = st.session_state[key]
    st.session_state.setdefault(slider, min(max(value, low), slider_high))
    st.session_state.setdefault(number, value)
    with st.container(key=f"pair_{key}"):
        slider_column, number_column = st.columns([2, 1], vertical_alignment="bottom")
        slider_column.slider(
            label, low, slider_high, step=step, format=form,
            key=slider, on_change=_moved, args=(key, "slider", slider),
        )  # fmt: skip
        number_column.number_input(
            f"{label}, exactly", low, high, step=step, format="%g" if isinstance(step, float) else None,
            key=number, on_change=_moved, args=(key, "number", number), label_visibility="collapsed",
        )  # fmt: skip


def _moved(key: str, kind: str, by: str) -> None:
    """Take a setting from the widget that was moved, and draw the other one anew."""
    if by != _drawn_key(kind, key):
        return  # a widget that has been replaced, from a browser that is behind
    value = st.session_state[by]
    st.session_state[key] = round(value, 6) if isinstance(value, float) else value
    _draw_anew("number" if kind == "slider" else "slider", key)
    _own_settings()


def _preset_chosen(key: str, catalogue: Catalogue) -> None:
    if key == _drawn_key("preset", state.PRESET):
        st.session_state[state.PRESET] = st.session_state[key]
        adopt_named(st.session_state[key], catalogue)


def _own_settings() -> None:
    if st.session_state[state.PRESET] != state.OWN_SETTINGS:
        choose_preset(state.OWN_SETTINGS)


def choose_preset(name: str) -> None:
    """Show a preset as the chosen one, without putting it into the controls."""
    st.session_state[state.PRESET] = name
    _draw_anew("preset", state.PRESET)


def _put(key: str, value: float) -> None:
    st.session_state[key] = value
    _draw_anew("slider", key)
    _draw_anew("number", key)


def _drawn_key(kind: str, key: str) -> str:
    """The key of a setting's widget: another one each time that it is drawn anew."""
    return f"{kind}_{st.session_state.get(f'{key}_{kind}_turn', 0)}_{key}"


def _draw_anew(kind: str, key: str) -> None:
    st.session_state[f"{key}_{kind}_turn"] = st.session_state.get(f"{key}_{kind}_turn", 0) + 1


def _label(category: str) -> str:
    """A category as the label of a widget, which is one line and reads Markdown."""
    return plain(shorten(category_name(category), LONGEST_LABEL, placeholder=" …"))
