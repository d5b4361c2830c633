"""Solve for me: a form for a wished size, mean price and largest share, and the recipe proposed for them."""

from collections.abc import Callable

import streamlit as st

from pages.shared import cached, state
from pages.shared.recipe_controls import stated_recipe
from pages.shared.widgets import chart_head, plain, sentence, table
from pricer.catalogue.store import Catalogue
from pricer.curation.index import PoolIndex
from pricer.curation.recipe import Recipe
from pricer.curation.sampler import Plan
from pricer.curation.solver import Solution, Wishes
from pricer.curation.wishes import largest_share
from pricer.errors import PricerError
from pricer.figures.formats import category_name, count, dollars, percent, whole_dollars

HINT = (
    "Any of the three will do. As few settings change as can be: the cap, else the cutoff, else both; "
    "weights only of categories above the share."
)


def show_solve_panel(catalogue: Catalogue, index: PoolIndex, adopt: Callable[[Recipe], None]) -> None:
    """Ask for wishes, show the recipe proposed for them beside the present one, and hand it to `adopt` if it is used.

    The present recipe is where the search starts; `adopt` is called before the page runs again.
    """
    present = cached.plan(catalogue, stated_recipe(catalogue))
    st.caption(HINT)
    with st.form("solve_form", border=False):
        columns = st.columns(3)
        with columns[0]:
            size = wish("Items", 1, None, 1, state.SOLVE_SIZE)
        with columns[1]:
            mean = wish("Mean price, $", 0.01, None, 1.0, state.SOLVE_MEAN)
        with columns[2]:
            percentage = wish("Largest share, %", 0.1, 100.0, 1.0, state.SOLVE_SHARE)
        if st.form_submit_button("Propose", icon=":material/target:", key="solve_propose"):
            share = None if percentage is None else percentage / 100
            wishes = Wishes(size, mean, share, keep=present.recipe)
            st.session_state[state.SOLVED] = (str(catalogue.folder), index.seed, wishes)
    folder, seed, wishes = st.session_state[state.SOLVED] or (None, None, None)
    if (folder, seed) == (str(catalogue.folder), index.seed):
        try:
            show_proposal(cached.solution(catalogue, wishes, seed), present, adopt)
        except PricerError as error:
            st.error(plain(sentence(error)))


def wish(label: str, least: float, most: float | None, step: float, key: str) -> int | float | None:
    """A number that may be left empty."""
    form = None if isinstance(step, int) else "%g"
    return st.number_input(label, least, most, None, step, form, key=key, placeholder="any", persist_state="session")


def show_proposal(solution: Solution, present: Plan, adopt: Callable[[Recipe], None]) -> None:
    for miss in solution.misses:
        st.warning(plain(sentence(miss)), icon=":material/warning:")
    with st.container(gap="xsmall"):
        met = "every wish is met within 2%" if solution.met else "not every wish can be met; this comes nearest"
        chart_head("Proposed recipe", met)
        before, after = figures(present), figures(solution.plan)
        table(["", "Present", "Proposed"], [(name, before[name], after[name]) for name in after], right=(1, 2))
    if changed := changed_weights(present.recipe, solution.recipe, present.categories):
        st.caption(plain(f"Weights: {', '.join(changed)}."))
    st.button(
        "Use this recipe",
        key="solve_use",
        icon=":material/check:",
        on_click=adopt,
        args=(solution.recipe,),
        disabled=solution.recipe == present.recipe,
    )


def figures(plan: Plan) -> dict[str, str]:
    """What a plan gives and costs, by name."""
    recipe = plan.recipe
    return {
        "Items": count(plan.size),
        "Mean price": dollars(plan.price_mean) if plan.size else "none",
        "Largest share": percent(largest_share(plan)),
        "Cutoff": whole_dollars(recipe.cutoff),
        "Cap": count(recipe.cap) if recipe.cap else "none",
        "Items lost": count(plan.market_size - plan.size),
        "Distance from market by price": percent(plan.price_distance),
        "Distance by category": percent(plan.category_distance),
        "Effective size": count(round(plan.effective_size)),
    }


def changed_weights(before: Recipe, after: Recipe, categories: tuple[str, ...]) -> list[str]:
    """Each category whose weight changes: its name, the old weight and the new."""
    pairs = [(category_name(name), before.weight(name), after.weight(name)) for name in categories]
    return [f"{name} {old:g} to {new:g}" for name, old, new in pairs if old != new]
