"""A recipe's file: what is written is read back, a person can edit it, and nothing hostile gets in."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pricer.curation.recipe import Recipe, Target
from pricer.curation.recipe_file import MOST_BYTES, RecipeFile, read_recipe_file, write_recipe_file
from pricer.errors import PricerError

texts = st.text(st.characters(codec="utf-8"), max_size=30)
weights = st.floats(1e-100, 1e100) | st.just(0.0) | st.integers(1, 9).map(float)
targets = st.builds(
    Target,
    shape=st.sampled_from(["flat", "log-uniform", "power", "by-price"]),
    size=st.integers(1, 10**9),
    exponent=st.floats(0, 4),
)
settings = {
    "weights": st.dictionaries(texts, weights, max_size=5),
    "default_weight": weights,
    "seed": st.integers(0, 2**63 - 1),
}
recipes = st.builds(Recipe, cutoff=st.integers(1, 1000), cap=st.integers(1, 10**9), **settings) | st.builds(
    Recipe, cutoff=st.just(1000), target=targets, **settings
)
BY_HAND = b"""
# mine
schema_version: 1
name: Even market   # of spring
settings:
  cutoff: 240
  cap: 1_200
  default_weight: 5
  weights: {Automotive: 1, "Toys & Games": 1e-1, no: 0, 1984: 2}
"""


@given(recipes, texts, texts, texts)
def test_what_is_written_is_read_back(recipe, name, note, catalogue):
    file = RecipeFile(name, recipe, note, catalogue)
    assert read_recipe_file(write_recipe_file(file).encode()) == file


def test_the_file_reads_as_a_person_would_write_it():
    recipe = Recipe(cutoff=240, cap=1200, weights={"Automotive": 0.2})
    written = write_recipe_file(RecipeFile("even", recipe, "half of it\nfor spring", "demo"))
    assert written.startswith("# A recipe of Pricer: which items of a catalogue's pool become train.")
    assert written.partition("schema_version")[2].splitlines() == [
        ": 1",
        "name: even",
        "note: |-",
        "  half of it",
        "  for spring",
        "catalogue: demo",
        "settings:",
        "  cutoff: 240",
        "  cap: 1200",
        "  default_weight: 1.0",
        "  weights:",
        "    Automotive: 0.2",
        "  seed: 42",
    ]
    assert yaml.safe_load(written)["settings"]["cap"] == 1200


def test_a_file_written_by_hand_is_read_as_it_was_meant():
    read = read_recipe_file(BY_HAND)
    weights = {"Automotive": 1.0, "Toys & Games": 0.1, "no": 0.0, "1984": 2.0}
    assert read == RecipeFile("Even market", Recipe(cutoff=240, cap=1200, default_weight=5.0, weights=weights))


def test_a_target_stands_in_place_of_a_cap():
    content = b"settings: {cutoff: 900, cap: , target: {shape: power, size: 50}}"
    assert read_recipe_file(content).recipe == Recipe(cutoff=900, target=Target(shape="power", size=50, exponent=1.0))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is a map with schema_version, name, note, catalogue, settings, got nothing"),
        ("just words", "is a map with schema_version, name, note, catalogue, settings, got 'just words'"),
        ("name: x", "needs settings: a map of cutoff, cap and so on, got nothing"),
        ("schema_version: 2\nsettings: {}", "schema_version must be 1, got '2': the file is of another version"),
        ("colour: red", "a recipe file has no 'colour'; it has schema_version, name"),
        ("name: {a: b}\nsettings: {cutoff: 2, cap: 1}", "name must be a line of text, got {'a': 'b'}"),
        ("settings: {}", "a recipe needs cutoff: a whole number from 1 to 1,000"),
        ("settings: {cutoff: 0, cap: 1}", "cutoff must be a whole number from 1 to 1,000, got 0"),
        ("settings: {cutoff: 240.5, cap: 1}", "cutoff must be a whole number from 1 to 1,000, got 240.5"),
        ("settings: {cutoff: many, cap: 1}", "cutoff must be a whole number from 1 to 1,000, got 'many'"),
        ("settings: {cutoff: 2}", "a recipe has a cap or a target, got neither"),
        ("settings: {cutoff: 2, cap: 1, weights: {Toys: -1}}", "weight of 'Toys' must be 0, or a number from"),
        ("settings: {cutoff: 2, cap: 1, weights: {Toys: nan}}", "weight of 'Toys' must be 0, or a number from"),
        ("settings: {cutoff: 2, target: {shape: round, size: 1}}", "a target's shape must be flat, log-uniform, power"),
        ("settings: {cutoff: 2, cap: 1}\nsettings: {cutoff: 3, cap: 1}", "'settings' stands twice in one map of a"),
        ("settings:\n  cutoff: 2\n  cap: 1\n  cap: 2", "'cap' stands twice in one map of a recipe file: line 4"),
        ("name: 'x", "a recipe file is YAML: found unexpected end of stream, line 1"),
        ("a: 1\n---\nb: 2", "holds one recipe: line 2 begins another document"),
        ("- 1", "has maps (name: value) and no lists: line 1"),
        ("a: {b: {c: {d: {e: f}}}}", "no more than 4 maps inside each other: line 1"),
        ("{a: b}: c", "a recipe file is YAML: found unhashable key"),
        ("a: !!python/object/apply:os.system ['true']", "a recipe file has no tags (!): line 1"),
        ("name: !!int 3", "a recipe file has no tags (!): line 1"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]", "has no anchors and aliases (& and *): line 1"),
        ("settings: {cutoff: 2, cap: 1}\n<<: *x", "has no anchors and aliases (& and *): line 2"),
        ("name: \x00", "a recipe file is YAML: unacceptable character"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(content, message):
    with pytest.raises(PricerError) as refused:
        read_recipe_file(content.encode())
    assert message in str(refused.value) and "\n" not in str(refused.value)


def test_a_file_that_is_no_text_is_refused():
    with pytest.raises(PricerError, match="a recipe file is text in UTF-8: byte 0 is not"):
        read_recipe_file(b"\xff\xfe")


def test_a_large_file_is_refused_before_it_is_read():
    with pytest.raises(PricerError, match="a recipe file has at most 65,536 bytes, got 65,537"):
        read_recipe_file(b"#" * (MOST_BYTES + 1))


@pytest.mark.parametrize("part", ["[", "{", "{a: ", "? ", "- ", "a:\n ", "'", "&a ", "!a ", "a: b\n", "\t", "%"])
def test_a_file_that_fills_the_limit_with_one_thing_is_refused(part):
    with pytest.raises(PricerError):
        read_recipe_file((part * MOST_BYTES)[:MOST_BYTES].encode())


@given(st.binary(max_size=200) | st.text(st.sampled_from("ab:- {}[]&*!?|>'\"#%@\n\t"), max_size=60).map(str.encode))
def test_whatever_comes_in_is_a_recipe_or_one_line(content):
    try:
        read_recipe_file(content)
    except PricerError as error:
        assert "\n" not in str(error)
