"""The panel that proposes a recipe: it asks, tells what cannot be had, and hands over what is used."""

import pytest
from streamlit.testing.v1 import AppTest

from pricer.curation.index import open_index
from pricer.curation.recipe import Recipe
from pricer.curation.solver import Wishes, solve
from pricer.figures.formats import count


def page() -> None:
    """A page with nothing but the panel, beside the controls that state the present recipe."""
    import streamlit as st

    from pages.shared import cached, state
    from pages.shared.recipe_controls import adopt, adopt_named, stated_recipe
    from pages.shared.solve_panel import show_solve_panel
    from pricer.catalogue.store import open_catalogue

    state.start()
    catalogue = open_catalogue("demo")
    if st.session_state[state.WEIGHTED] is None:
        adopt_named("scaled", catalogue)
    st.text(stated_recipe(catalogue).model_dump_json())
    show_solve_panel(catalogue, cached.index(catalogue, 42), lambda recipe: adopt(recipe, catalogue))


@pytest.fixture
def panel(demo) -> AppTest:
    app = AppTest.from_function(page, default_timeout=60).run()
    assert not app.exception
    return app


def propose(panel: AppTest, **wishes: float) -> None:
    for name, wish in wishes.items():
        panel.number_input(key=f"curate_solve_{name}").set_value(wish)
    panel.button(key="solve_propose").click().run()
    assert not panel.exception


def present(panel: AppTest) -> Recipe:
    return Recipe.model_validate_json(panel.text[0].value)


def test_a_proposal_is_shown_beside_the_present_plan_and_used(panel, demo):
    before = present(panel)
    propose(panel, size=600, share=25.0)
    solution = solve(open_index(demo), Wishes(600, most_share=0.25, keep=before))
    shown = panel.get("html")[-1].proto.body
    assert "Present" in shown and f">{count(solution.plan.size)}<" in shown and not panel.warning
    assert present(panel) == before
    panel.button(key="solve_use").click().run()
    assert not panel.exception and present(panel) == solution.recipe
    assert panel.button(key="solve_use").disabled


def test_what_cannot_be_had_is_a_warning(panel):
    propose(panel, size=10**9)
    [warning] = panel.warning
    assert "fewer than 1,000,000,000" in warning.value


def test_a_form_without_a_wish_says_so(panel):
    propose(panel)
    [error] = panel.error
    assert "must be wished" in error.value
