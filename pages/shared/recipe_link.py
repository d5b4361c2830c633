"""The recipe and the view in the address bar, and as options of the command line."""

import streamlit as st

from pages.shared import state
from pages.shared.recipe_controls import adopt, look_at
from pricer.catalogue.store import Catalogue
from pricer.curation.recipe import OWN_EXPONENTS, Recipe
from pricer.errors import PricerError


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
        recipe = _linked_recipe(link)
        low, high = (int(link[key][0]) for key in ("low", "high")) if "low" in link and "high" in link else (1, 999)
        adopt(recipe, catalogue)
    except (PricerError, ValueError, KeyError, IndexError):
        st.warning("This link states no recipe that can be read.", icon=":material/warning:")
        return
    known, st.session_state[state.CATALOGUE] = st.session_state[state.CATALOGUE], catalogue.label
    look_at({"scale": link.get("scale", ["log"])[0], "low": low, "high": high, "slot": None})
    if known != catalogue.label:
        st.rerun()  # the shelf shows it at once


def _linked_recipe(link: dict[str, list[str]]) -> Recipe:
    weights = (weight.rpartition("=") for weight in link.get("weight", []))
    target = {"shape": link["target"][0], "size": int(link["size"][0])} if "target" in link else None
    if target and "exponent" in link:
        target["exponent"] = float(link["exponent"][0])
    return Recipe(
        cutoff=int(link["cutoff"][0]),
        cap=None if target else int(link["cap"][0]),
        target=target,
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
        **{name: [value] for name, value in _cap_or_target(recipe).items()},
        "weight": [f"{category}={weight!r}" for category, weight in recipe.weights.items()],
        "others": [repr(recipe.default_weight)],
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
    shape = [f"--{name}={value}" for name, value in _cap_or_target(recipe).items()]
    weights = [f"--weight={category}={weight!r}" for category, weight in recipe.weights.items()]
    return [
        f"--cutoff={recipe.cutoff}", *shape, f"--default-weight={recipe.default_weight!r}", *weights,
        f"--seed={recipe.seed}",
    ]  # fmt: skip


def _cap_or_target(recipe: Recipe) -> dict[str, str]:
    """The cap, or the target's shape, size and (where it has one of its own) exponent, by the names of options."""
    target = recipe.target
    if not target:
        return {"cap": str(recipe.cap)}
    exponent = {} if target.shape in OWN_EXPONENTS else {"exponent": repr(target.exponent)}
    return {"target": target.shape, "size": str(target.size), **exponent}
