"""The recipe in hand: presets, the balancer that moves it, and the steps back to what was set before.

Whoever puts another recipe into the balancer (a preset, a link, undo, a proposal) calls `adopt`, which begins a new
turn: the browser takes the recipe over, and what it told in an older turn is not listened to any more.
"""

import streamlit as st

from pages.shared import balancer, cached, state
from pages.shared.widgets import plain
from pricer.catalogue.store import Catalogue
from pricer.curation.recipe import PRESETS, Recipe, preset
from pricer.curation.sampler import Plan
from pricer.errors import PricerError
from pricer.items import LOWEST_SLOT, SLOT_COUNT
from pricer.runs.recipes import list_recipes, open_recipe

HIGHEST_SEED = 2**53 - 1  # the largest whole number that a browser can hold exactly
MOST_STEPS = 200  # of the history of settings
SAVED = "saved: "
PRESET_WORDS = {
    "scaled": "Scaled",
    "natural": "Natural",
    "notebook-1": "First notebook",
    "notebook-2": "Second notebook",
    state.OWN_SETTINGS: "Your own settings",
}


def adopt(recipe: Recipe, catalogue: Catalogue, name: str = state.OWN_SETTINGS) -> None:
    """Put a recipe into the balancer, as a step that can be undone; PricerError where a browser cannot hold it.

    `name` is what the list of recipes then shows: a preset, `SAVED` and a name, or the person's own settings.
    """
    for what, number in (("seed", recipe.seed), ("cap", recipe.cap or 0), ("size", getattr(recipe.target, "size", 0))):
        if number > HIGHEST_SEED:
            raise PricerError(f"{what} {number:,} is too large for a browser; the command line takes it")
    if st.session_state[state.WEIGHTED] != str(catalogue.folder):
        st.session_state[state.WEIGHTED] = str(catalogue.folder)
        st.session_state[state.HISTORY] = []
        st.session_state[state.SLOT] = None
    _remember(recipe, name)
    _begin_turn()


def adopt_named(name: str, catalogue: Catalogue) -> None:
    """Put a preset or a saved recipe into the balancer; the person's own settings are there already."""
    if name == state.OWN_SETTINGS:
        return
    if name.startswith(SAVED):
        adopt(open_recipe(name.removeprefix(SAVED)).recipe, catalogue, name)
    else:
        adopt(preset_of(name, catalogue), catalogue, name)


def preset_of(name: str, catalogue: Catalogue) -> Recipe:
    index = cached.index(catalogue, 42)
    return preset(name, index.counts, index.categories)


def stated_recipe(catalogue: Catalogue) -> Recipe:
    """The recipe that is set."""
    recipe, _ = st.session_state[state.HISTORY][st.session_state[state.PLACE]]
    return recipe


def show_start(catalogue: Catalogue) -> None:
    """Choose among the presets, the saved recipes and the person's own settings."""
    names = [*PRESETS, *(SAVED + saved.name for saved in list_recipes()), state.OWN_SETTINGS]
    if st.session_state[state.PRESET] not in names:
        st.session_state[state.PRESET] = state.OWN_SETTINGS
    key = _preset_key()
    st.session_state[key] = st.session_state[state.PRESET]
    st.selectbox(
        "Recipe",
        names,
        key=key,
        format_func=lambda name: PRESET_WORDS.get(name, name.removeprefix(SAVED)),
        on_change=_preset_chosen,
        args=(key, catalogue),
    )


def _preset_key() -> str:
    """The key of the list of recipes, another one whenever it shows something else.

    A browser that is a few moves behind still sends what the list showed before, which would be taken for a choice of
    the person's and undo their moves.
    """
    return f"{state.PRESET}_{st.session_state[state.TURN]}_{st.session_state[state.PRESET]}"


def _preset_chosen(key: str, catalogue: Catalogue) -> None:
    if key == _preset_key():
        adopt_named(st.session_state[key], catalogue)


def show_balancer(catalogue: Catalogue, plan: Plan, overlay: tuple[str, Plan] | None = None) -> None:
    """The sliders and the charts that follow them; `overlay` is another recipe's name and plan, drawn as a line."""
    pool = cached.balancer_pool(catalogue)
    low, high = st.session_state[state.RANGE]
    data = {
        "turn": st.session_state[state.TURN],
        "answers": st.session_state[state.MOVE],
        "settings": settings_of(plan.recipe, catalogue, pool["sliders"]),
        "view": {
            "scale": st.session_state[state.SCALE],
            "low": low,
            "high": high,
            "slot": st.session_state[state.SLOT],
        },
        "history": {"place": st.session_state[state.PLACE], "steps": len(st.session_state[state.HISTORY])},
        "plan": balancer.plan_data(plan),
        "overlay": overlay and {"name": overlay[0], "slots": overlay[1].counts.sum(axis=1).tolist()},
    }
    balancer.show(pool, data, lambda: take_hand(balancer.hand(), catalogue))
    if refused := st.session_state[state.REFUSED]:
        st.warning(plain(refused), icon=":material/warning:")


def settings_of(recipe: Recipe, catalogue: Catalogue, sliders: int) -> dict:
    """A recipe as the browser holds it: a weight for each category, None where it is that of all others.

    The first `sliders` categories always have a weight of their own.
    """
    categories = catalogue.manifest.categories
    own = [recipe.weight(name) for name in categories[:sliders]]
    return {
        "cutoff": recipe.cutoff,
        "cap": recipe.cap,
        "target": recipe.target and recipe.target.model_dump(),
        "weights": [*own, *(recipe.weights.get(name) for name in categories[sliders:])],
        "others": recipe.default_weight,
        "seed": recipe.seed,
    }


def recipe_of(settings: dict, catalogue: Catalogue) -> Recipe:
    """The recipe that the browser's settings state; PricerError where they state none."""
    weights = dict(zip(catalogue.manifest.categories, settings["weights"], strict=True))
    target = settings["target"]
    return Recipe(
        cutoff=settings["cutoff"],
        cap=settings["cap"],
        target=target and {**target, "exponent": float(target["exponent"])},
        weights={name: float(weight) for name, weight in weights.items() if weight is not None},
        default_weight=float(settings["others"]),
        seed=settings["seed"],
    )


def take_hand(told: dict, catalogue: Catalogue) -> None:
    """Take over what the browser tells when a hand has let go, unless something newer has come from elsewhere."""
    if told.get("turn") != st.session_state[state.TURN]:
        return
    st.session_state[state.MOVE] = told["move"]
    st.session_state[state.REFUSED] = None
    look_at(told["view"])
    if "place" in told:
        go_to(told["place"])
        return
    try:
        recipe = recipe_of(told["settings"], catalogue)
    except PricerError as error:
        st.session_state[state.REFUSED] = f"{str(error).capitalize()}."
        _begin_turn()  # which brings back what was set before
        return
    if recipe != stated_recipe(catalogue):
        _remember(recipe, state.OWN_SETTINGS)


def look_at(view: dict) -> None:
    """Keep how the histogram is looked at."""
    low, high = view["low"], view["high"]
    st.session_state[state.SCALE] = "linear" if view["scale"] == "linear" else "log"
    st.session_state[state.RANGE] = (low, high) if LOWEST_SLOT <= low < high < SLOT_COUNT else (1, SLOT_COUNT - 1)
    st.session_state[state.SLOT] = view["slot"]


def go_to(place: int) -> None:
    """Go back or forth to a place in the history of settings."""
    history = st.session_state[state.HISTORY]
    st.session_state[state.PLACE] = min(max(place, 0), len(history) - 1)
    _, st.session_state[state.PRESET] = history[st.session_state[state.PLACE]]
    _begin_turn()


def _remember(recipe: Recipe, name: str) -> None:
    """Make these settings the newest; what had been undone is forgotten."""
    st.session_state[state.PRESET] = name
    known = st.session_state[state.HISTORY][: st.session_state[state.PLACE] + 1]
    if not known or known[-1] != (recipe, name):
        known = [*known, (recipe, name)][-MOST_STEPS:]
    st.session_state[state.HISTORY] = known
    st.session_state[state.PLACE] = len(known) - 1


def _begin_turn() -> None:
    st.session_state[state.TURN] += 1
    st.session_state[state.MOVE] = 0
