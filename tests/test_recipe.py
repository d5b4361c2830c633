import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricer.curation.recipe import PRESETS, Recipe, Target, preset
from pricer.errors import PricerError

SHAPES = ("flat", "log-uniform", "power", "by-price")

weights = st.just(0.0) | st.floats(1e-100, 1e100)
sizes = st.integers(1, 10**9)
targets = st.builds(Target, shape=st.sampled_from(["flat", "log-uniform", "power"]), size=sizes) | st.builds(
    Target, shape=st.sampled_from(["power", "by-price"]), size=sizes, exponent=st.floats(0, 4)
)


@st.composite
def any_recipes(draw):
    target = draw(st.none() | targets)
    return Recipe(
        cutoff=1000 if target and target.shape == "by-price" else draw(st.integers(1, 1000)),
        cap=None if target else draw(st.integers(1, 10**9)),
        target=target,
        weights=draw(st.dictionaries(st.text(), weights, max_size=5)),
        default_weight=draw(weights),
        seed=draw(st.integers(0, 2**63 - 1)),
    )


recipes = any_recipes()


@given(recipes)
def test_a_recipe_survives_json_with_its_id(recipe):
    again = Recipe.model_validate_json(recipe.model_dump_json())
    assert again == recipe and again.id == recipe.id and hash(again) == hash(recipe)


@given(recipes, st.randoms())
def test_the_order_of_weights_does_not_change_the_id(recipe, random):
    shuffled = list(recipe.weights.items())
    random.shuffle(shuffled)
    assert Recipe(**recipe.model_dump() | {"weights": dict(shuffled)}).id == recipe.id


def test_a_weight_equal_to_the_default_says_nothing():
    assert Recipe(cutoff=240, cap=1200, weights={"Toys": 1}) == Recipe(cutoff=240, cap=1200)
    never = Recipe(cutoff=240, cap=1200, default_weight=0)
    assert Recipe(cutoff=240, cap=1200, default_weight=-0.0, weights={"Toys": -0.0}).id == never.id


def test_ids_are_the_same_on_every_machine_and_in_every_version():
    assert preset("notebook-1", np.zeros((1000, 0)), ()).id == "e5047b0be1b569d5"
    by_price = Target(shape="by-price", size=820_000)
    assert Recipe(cutoff=1000, target=by_price).id == "cf2249c15cc7d840"


def test_a_recipe_with_a_cap_is_written_as_it_was_before_there_were_targets():
    written = '{"schema_version":1,"cutoff":240,"cap":1200,"default_weight":1.0,"weights":{},"seed":42}'
    assert Recipe(cutoff=240, cap=1200).model_dump_json() == written
    assert Recipe.model_validate_json(written) == Recipe(cutoff=240, cap=1200)


def test_every_setting_changes_the_id():
    settings = {"cutoff": 240, "cap": 1200, "weights": {"Toys": 2}, "default_weight": 5, "seed": 42}
    others = {"cutoff": 241, "cap": 1201, "weights": {"Toys": 3}, "default_weight": 6, "seed": 43}
    ids = {Recipe(**settings | {name: value}).id for name, value in others.items()}
    assert len(ids | {Recipe(**settings).id}) == 6


def test_every_setting_of_a_target_changes_the_id():
    settings = {"shape": "power", "size": 1000, "exponent": 1.0}
    others = {"shape": "by-price", "size": 1001, "exponent": 1.5}
    targets = [Target(**settings), *(Target(**settings | {name: value}) for name, value in others.items())]
    assert len({Recipe(cutoff=1000, target=target).id for target in targets}) == 4


def test_an_exponent_is_the_shape_s_own_or_stated_or_usual():
    assert [Target(shape=shape, size=1).exponent for shape in SHAPES] == [0, -1, 1, 2]
    assert [Target(shape=shape, size=1, exponent=3).exponent for shape in SHAPES] == [0, -1, 3, 3]


def test_a_frozen_recipe_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        Recipe(cutoff=240, cap=1200).cap = 3


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"cutoff": 0}, "a recipe's cutoff must be a whole number from 1 to 1,000, got 0"),
        ({"cutoff": 1001}, "a recipe's cutoff must be a whole number from 1 to 1,000, got 1001"),
        ({"cutoff": 2.5}, "a recipe's cutoff must be a whole number from 1 to 1,000, got 2.5"),
        ({"cap": 0}, "a recipe's cap must be a whole number from 1 upwards, got 0"),
        ({"cap": True}, "a recipe's cap must be a whole number from 1 upwards, got True"),
        ({"seed": -1}, "a recipe's seed must be a whole number from 0 to 2^63 - 1, got -1"),
        (
            {"default_weight": float("inf")},
            "a recipe's default_weight must be 0, or a number from 1e-100 to 1e+100, got inf",
        ),
        ({"weights": {"Toys": -1}}, "a recipe's weight of 'Toys' must be 0, or a number from 1e-100 to 1e+100, got -1"),
        (
            {"weights": {"Toys": float("nan")}},
            "a recipe's weight of 'Toys' must be 0, or a number from 1e-100 to 1e+100, got nan",
        ),
        (
            {"weights": {"Toys": "heavy"}},
            "a recipe's weight of 'Toys' must be 0, or a number from 1e-100 to 1e+100, got 'heavy'",
        ),
        ({"weights": [1, 2]}, "a recipe's weights must be numbers by category, got [1, 2]"),
        (
            {"cut": 240},
            "a recipe has no setting 'cut'; it has schema_version, cutoff, cap, target, default_weight, weights, seed",
        ),
        ({"cap": None}, "a recipe has a cap or a target, got neither"),
        ({"target": Target(shape="flat", size=5)}, "a recipe has a cap or a target, got both"),
        ({"target": 5}, "a target must be a set of named settings, got 5"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(wrong, message):
    with pytest.raises(PricerError) as raised:
        Recipe(**{"cutoff": 240, "cap": 1200} | wrong)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"shape": "round"}, "a target's shape must be flat, log-uniform, power or by-price, got 'round'"),
        ({"size": 0}, "a target's size must be a whole number from 1 upwards, got 0"),
        ({"size": 2.0}, "a target's size must be a whole number from 1 upwards, got 2.0"),
        ({"exponent": 4.1}, "a target's exponent must be a number from -4 to 4 (by-price: from 0), got 4.1"),
        ({"exponent": float("nan")}, "a target's exponent must be a number from -4 to 4 (by-price: from 0), got nan"),
        (
            {"shape": "by-price", "exponent": -1.0},
            "a target's exponent must be a number from -4 to 4 (by-price: from 0), got -1.0",
        ),
        ({"form": "flat"}, "a target has no setting 'form'; it has shape, size, exponent"),
    ],
)
def test_a_wrong_value_of_a_target_is_named_alone_and_within_a_recipe(wrong, message):
    settings = {"shape": "power", "size": 100} | wrong
    for make in (lambda: Target(**settings), lambda: Recipe(cutoff=240, target=settings)):
        with pytest.raises(PricerError) as raised:
            make()
        assert str(raised.value) == message


def test_a_target_by_price_keeps_no_slot_whole():
    with pytest.raises(PricerError, match="target by-price keeps no slot whole: cutoff must be 1,000, got 240"):
        Recipe(cutoff=240, target=Target(shape="by-price", size=100))


def test_a_missing_setting_is_named():
    with pytest.raises(PricerError, match="a recipe needs cutoff: a whole number from 1 to 1,000"):
        Recipe(cap=1200)
    with pytest.raises(PricerError, match="a target needs size: a whole number from 1 upwards"):
        Target(shape="flat")


def test_unknown_categories_are_those_the_catalogue_has_not():
    recipe = Recipe(cutoff=240, cap=1200, weights={"Automotve": 2, "Toys": 2})
    assert recipe.unknown_categories(("Automotive", "Toys")) == ("Automotve",)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=999), st.data())
def test_no_other_cap_brings_the_scaled_recipe_nearer_to_half_of_the_pool(sizes, data):
    counts = np.zeros((1000, 1), dtype=np.int64)
    slots = data.draw(st.lists(st.integers(1, 999), min_size=len(sizes), max_size=len(sizes), unique=True))
    counts[slots, 0] = sizes

    def distance_from_half(cap):
        return abs(np.minimum(counts[1:240], cap).sum() + counts[240:].sum() - counts.sum() / 2)

    chosen = preset("scaled", counts, ("Toys",)).cap
    assert distance_from_half(chosen) == min(distance_from_half(cap) for cap in range(1, 52))


def test_slot_0_counts_neither_for_the_half_nor_for_the_largest_category():
    counts = np.zeros((1000, 2), dtype=np.int64)
    counts[0], counts[10] = (1000, 0), (10, 90)
    assert preset("scaled", counts, ("Toys", "Tools")) == Recipe(cutoff=240, cap=50, weights={"Tools": 0.2})


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_takes_an_empty_pool(name):
    recipe = preset(name, np.zeros((1000, 0), dtype=np.int64), ())
    assert (recipe.cap or recipe.target.size) >= 1


def test_notebook_1_is_literal_and_natural_keeps_every_slot_whole():
    counts = np.ones((1000, 1), dtype=np.int64)
    notebook = Recipe(cutoff=240, cap=1200, weights={"Automotive": 1}, default_weight=5, seed=42)
    assert preset("notebook-1", counts, ("Toys",)) == notebook
    assert preset("natural", counts, ("Toys",)).cutoff == 1


@pytest.mark.parametrize(("pool", "size"), [(2_887_890, 820_000), (5_000_000, 820_000), (28_879, 8_200), (1, 1)])
def test_notebook_2_is_scaled_down_where_the_pool_is_smaller(pool, size):
    counts = np.zeros((1000, 1), dtype=np.int64)
    counts[[0, 10]] = [[99], [pool]]
    recipe = preset("notebook-2", counts, ("Toys",))
    assert recipe.target == Target(shape="by-price", size=size, exponent=2) and recipe.seed == 42
    names = ("Tools_and_Home_Improvement", "Automotive", "Toys")
    assert [recipe.weight(name) for name in names] == [0.5, 0.05, 1]


def test_an_unknown_preset_is_named_with_those_there_are():
    known = "scaled, natural, notebook-1, notebook-2"
    with pytest.raises(PricerError, match=f"recipe preset must be one of {known}, got 'half'"):
        preset("half", np.zeros((1000, 1)), ("Toys",))
