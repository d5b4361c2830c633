"""The recipe in hand: whoever changes it, page or browser, neither undoes the other, and every step can be undone."""

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.balancer import highest_cap, slider_count
from pages.shared.recipe_controls import recipe_of, settings_of
from pricer.curation.recipe import Recipe, Target

VIEW = {"scale": "log", "low": 1, "high": 999, "slot": None}


def page() -> None:
    """A page without a browser's balancer: what a hand would tell stands in the session, and its recipe is shown."""
    import streamlit as st

    from pages.shared import state
    from pages.shared.recipe_controls import adopt, adopt_named, stated_recipe, take_hand
    from pricer.catalogue.store import open_catalogue

    state.start()
    catalogue = open_catalogue("demo")
    if st.session_state[state.WEIGHTED] is None:
        adopt_named("scaled", catalogue)
    if told := st.session_state.pop("told", None):
        take_hand(told, catalogue)
    if recipe := st.session_state.pop("adopted", None):
        adopt(recipe, catalogue)
    st.text(stated_recipe(catalogue).model_dump_json())


@pytest.fixture
def hand(demo) -> AppTest:
    app = AppTest.from_function(page, default_timeout=60).run()
    assert not app.exception
    return app


def recipe(hand: AppTest) -> Recipe:
    return Recipe.model_validate_json(hand.text[0].value)


def tell(hand: AppTest, demo, stated: Recipe | None = None, turn: int | None = None, **more) -> Recipe:
    """What the browser sends when a hand lets go; the recipe that is then set."""
    told = {
        "turn": hand.session_state["curate_turn"] if turn is None else turn,
        "move": hand.session_state["curate_move"] + 1,
        "settings": settings_of(stated or recipe(hand), demo, 8),
        "view": VIEW,
    }
    hand.session_state["told"] = told | more
    hand.run()
    assert not hand.exception
    return recipe(hand)


def move(hand: AppTest, demo, cap: int, **more) -> int:
    return tell(hand, demo, recipe(hand).model_copy(update={"cap": cap}), **more).cap


def go_to(hand: AppTest, demo, place: int) -> int:
    return tell(hand, demo, place=place).cap


def test_a_move_sets_the_recipe_and_says_which_move_it_answers(hand, demo):
    assert move(hand, demo, 70) == 70
    assert hand.session_state["curate_move"] == 1 and hand.session_state["curate_preset"] == "own"


def test_a_move_of_an_older_turn_undoes_nothing(hand, demo):
    turn = hand.session_state["curate_turn"]
    hand.session_state["adopted"] = Recipe(cutoff=100, cap=3)
    hand.run()
    assert move(hand, demo, 70, turn=turn) == 3


def test_what_is_adopted_begins_a_turn(hand, demo):
    move(hand, demo, 70)
    turn = hand.session_state["curate_turn"]
    hand.session_state["adopted"] = Recipe(cutoff=100, cap=3)
    hand.run()
    assert recipe(hand).cap == 3
    assert (hand.session_state["curate_turn"], hand.session_state["curate_move"]) == (turn + 1, 0)


def test_sixty_steps_are_undone_and_redone(hand, demo):
    start = recipe(hand)
    for cap in range(100, 160):
        move(hand, demo, cap)
    assert go_to(hand, demo, 59) == 158
    assert go_to(hand, demo, 0) == start.cap and recipe(hand) == start
    assert hand.session_state["curate_preset"] == "scaled"
    assert go_to(hand, demo, 60) == 159
    assert go_to(hand, demo, 1000) == 159


def test_a_move_after_undo_forgets_what_was_undone(hand, demo):
    move(hand, demo, 70)
    move(hand, demo, 80)
    go_to(hand, demo, 1)
    move(hand, demo, 90)
    assert [each.cap for each, _ in hand.session_state["curate_history"]][1:] == [70, 90]


def test_looking_elsewhere_is_no_step(hand, demo):
    tell(hand, demo, view=VIEW | {"scale": "linear", "low": 10, "high": 40, "slot": 12})
    assert len(hand.session_state["curate_history"]) == 1
    assert hand.session_state["curate_range"] == (10, 40) and hand.session_state["curate_slot"] == 12


def test_settings_that_are_no_recipe_are_refused_in_words_and_brought_back(hand, demo):
    before, turn = recipe(hand), hand.session_state["curate_turn"]
    wrong = settings_of(before, demo, 8) | {"cutoff": 5000}
    assert tell(hand, demo, settings=wrong) == before
    assert "from 1 to 1,000, got 5000" in hand.session_state["curate_refused"]
    assert hand.session_state["curate_turn"] == turn + 1


def test_a_recipe_too_large_for_a_browser_is_refused(hand, demo):
    hand.session_state["adopted"] = Recipe(cutoff=100, cap=3, seed=2**60)
    hand.run()
    assert "too large for a browser" in hand.exception[0].message


@pytest.mark.parametrize(
    "stated",
    [
        Recipe(cutoff=240, cap=3, weights={"Automotive": 0.2, "Appliances": 7.5}, default_weight=2.0, seed=7),
        Recipe(cutoff=1000, target=Target(shape="by-price", size=90, exponent=2.0), weights={"Electronics": 0.0}),
        Recipe(cutoff=300, target=Target(shape="log-uniform", size=90)),
    ],
)
@pytest.mark.parametrize("sliders", [3, 8])
def test_a_recipe_comes_back_from_the_browser_as_it_went(demo, stated, sliders):
    assert recipe_of(settings_of(stated, demo, sliders), demo) == stated


def test_one_more_slider_spares_a_list_of_others():
    assert [slider_count(number) for number in (1, 8, 9, 10, 33)] == [1, 8, 9, 8, 8]


def test_the_cap_slider_ends_at_a_round_number():
    assert [highest_cap(cap) for cap in (1, 32, 1200, 24_111)] == [10, 150, 6000, 100_000]
