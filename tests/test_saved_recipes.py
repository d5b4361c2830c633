"""Versions of saved recipes: two people lose nothing, and what is deleted comes back."""

import subprocess
import sys

import pytest

from pricer.curation.changes import describe_changes
from pricer.curation.recipe import Recipe, Target
from pricer.errors import PricerError
from pricer.runs.recipes import (
    delete_recipe,
    describe_history,
    list_deleted,
    list_recipes,
    list_versions,
    open_recipe,
    restore_recipe,
    save_recipe,
    undelete_recipe,
)

pytestmark = pytest.mark.usefixtures("each_database")  # SQLite and PostgreSQL

RECIPE = Recipe(cutoff=240, cap=1200, default_weight=5.0, weights={"Automotive": 1.0})


def with_cap(cap: int) -> Recipe:
    return RECIPE.model_copy(update={"cap": cap})


def labels(versions) -> list[str]:
    return [saved.label for saved in versions]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, []),
        ({"cutoff": 200}, ["cutoff $240 → $200"]),
        ({"cap": 7}, ["cap 1,200 → 7"]),
        (
            {"cap": None, "target": Target(shape="flat", size=5000)},
            ["cap 1,200 → target flat, 5,000 items"],
        ),
        (
            {"cutoff": 1000, "cap": None, "target": Target(shape="by-price", size=820_000)},
            ["cutoff $240 → $1,000", "cap 1,200 → target by-price 2, 820,000 items"],
        ),
        ({"weights": {"Automotive": 0.2}}, ["Automotive 1 → 0.2"]),
        ({"weights": {}}, ["Automotive 1 → 5"]),
        ({"default_weight": 2.5}, ["all other weights 5 → 2.5"]),
        ({"default_weight": 1.0, "weights": {"Toys": 5.0}}, ["all other weights 5 → 1"]),
        ({"seed": 7}, ["seed 42 → 7"]),
    ],
)
def test_changes_name_every_setting_that_differs(settings, words):
    assert describe_changes(RECIPE, Recipe(**dict(RECIPE) | settings)) == words


def test_from_a_target_back_to_a_cap_is_said_in_full():
    target = Recipe(cutoff=240, target=Target(shape="power", size=100, exponent=1.5))
    assert describe_changes(target, Recipe(cutoff=240, cap=9)) == ["target power 1.5, 100 items → cap 9"]


def test_the_second_of_two_people_is_told_what_the_first_one_changed():
    save_recipe("even", RECIPE, "demo")
    first = save_recipe("even", with_cap(7), "demo", "smaller", based_on=1)
    second = save_recipe("even", with_cap(9), "demo", based_on=1)
    assert first.meanwhile == () and labels(second.meanwhile) == ["even@2"]
    assert [saved.recipe.cap for saved in list_versions("even")] == [9, 7, 1200]
    assert describe_history([*second.meanwhile, open_recipe("even@1")]) == [["cap 1,200 → 7"], []]


def test_who_takes_a_name_for_new_that_somebody_has_taken_is_told():
    save_recipe("even", RECIPE, "demo")
    assert labels(save_recipe("even", with_cap(7), "demo", based_on=0).meanwhile) == ["even@1"]


def test_who_says_nothing_of_a_base_is_told_nothing():
    save_recipe("even", RECIPE, "demo")
    assert save_recipe("even", with_cap(7), "demo").meanwhile == ()


def test_both_saving_the_same_is_one_version_and_no_news():
    save_recipe("even", RECIPE, "demo")
    save_recipe("even", with_cap(7), "demo", based_on=1)
    again = save_recipe("even", with_cap(7), "demo", based_on=1)
    assert (again.version, again.meanwhile) == (2, ())


def test_another_note_is_another_version():
    save_recipe("even", RECIPE, "demo", "first")
    assert save_recipe("even", RECIPE, "demo", "better said").label == "even@2"


def test_an_older_version_that_is_restored_becomes_the_newest():
    for cap in (1, 2, 3):
        save_recipe("even", with_cap(cap), "demo", f"cap {cap}")
    restored = restore_recipe("even@1")
    assert (restored.label, restored.recipe.cap, restored.note) == ("even@4", 1, "cap 1")
    assert open_recipe("even") == restored and len(list_versions("even")) == 4
    assert restore_recipe("even@4") == restored


def test_a_deleted_recipe_is_on_no_list_until_it_is_brought_back():
    save_recipe("even", RECIPE, "demo")
    save_recipe("even", with_cap(7), "demo")
    assert labels(delete_recipe("even")) == ["even@2", "even@1"]
    assert list_recipes() == list_versions("even") == [] and labels(list_deleted()) == ["even@2"]
    with pytest.raises(PricerError, match="recipe 'even' was deleted; bring 'even' back"):
        open_recipe("even")
    assert labels(undelete_recipe("even")) == ["even@2", "even@1"]
    assert labels(list_versions("even")) == ["even@2", "even@1"] and list_deleted() == []


def test_one_version_can_be_deleted_and_its_number_is_not_given_again():
    for cap in (1, 2):
        save_recipe("even", with_cap(cap), "demo")
    delete_recipe("even@2")
    assert open_recipe("even").version == 1 and list_deleted() == []
    assert save_recipe("even", with_cap(3), "demo").label == "even@3"
    assert labels(undelete_recipe("even")) == ["even@2"]
    assert open_recipe("even").recipe.cap == 3


def test_a_deleted_name_can_be_taken_again_without_losing_what_was():
    save_recipe("even", with_cap(1), "demo")
    delete_recipe("even")
    save_recipe("even", with_cap(2), "demo")
    assert labels(list_versions("even")) == ["even@2"] and list_deleted() == []
    assert restore_recipe("even@1").recipe.cap == 1
    undelete_recipe("even")
    assert labels(list_versions("even")) == ["even@3", "even@2", "even@1"]


def test_undo_brings_back_what_was_deleted_last():
    for cap in (1, 2, 3):
        save_recipe("even", with_cap(cap), "demo")
    delete_recipe("even@1")
    delete_recipe("even@2")
    assert labels(undelete_recipe("even")) == ["even@2"]
    assert labels(undelete_recipe("even")) == ["even@1"]
    with pytest.raises(PricerError, match="nothing was deleted of a recipe 'even'"):
        undelete_recipe("even")


@pytest.mark.parametrize("act", [delete_recipe, restore_recipe, open_recipe])
@pytest.mark.parametrize("label", ["odd@1", "even@2"])
def test_what_is_not_there_is_named_with_what_is(act, label):
    save_recipe("even", RECIPE, "demo")
    with pytest.raises(PricerError, match=f"there is no recipe '{label}'; saved: even"):
        act(label)


@pytest.mark.parametrize("label", ["even", "even@"])
def test_a_restore_wants_a_version(label):
    save_recipe("even", RECIPE, "demo")
    with pytest.raises(PricerError, match="say which version of a recipe to restore"):
        restore_recipe(label)


def test_a_note_has_an_end():
    with pytest.raises(PricerError, match="at most 2,000 characters, got 2,001"):
        save_recipe("even", RECIPE, "demo", "x" * 2001)


@pytest.mark.slow
def test_savers_in_several_processes_lose_no_version_and_double_no_number():
    script = """
import sys
from pricer.curation.recipe import Recipe
from pricer.runs.recipes import save_recipe
for cap in range(10):
    saved = save_recipe("even", Recipe(cutoff=9, cap=100 * int(sys.argv[1]) + cap + 1), "demo", based_on=0)
    assert len(saved.meanwhile) == saved.version - 1
    print(saved.version, saved.recipe.cap)
"""
    command = [sys.executable, "-c", script]
    savers = [subprocess.Popen([*command, str(n)], stdout=subprocess.PIPE, text=True) for n in range(4)]
    told = [tuple(map(int, line.split())) for saver in savers for line in saver.communicate()[0].splitlines()]
    assert [saver.returncode for saver in savers] == [0] * 4
    assert sorted(version for version, _ in told) == list(range(1, 41))
    assert {(saved.version, saved.recipe.cap) for saved in list_versions("even")} == set(told)
