"""The verbs recipes and leaks, and the naive split, as they are typed."""

import json
from pathlib import Path

import pytest

from pricer.__main__ import main
from pricer.curation.recipe import Recipe
from pricer.runs.recipes import delete_recipe, list_recipes, list_versions, open_recipe, save_recipe
from tests.products import raw_row, write_rows

RECIPE = Recipe(cutoff=240, cap=1200, weights={"Automotive": 0.2})


@pytest.fixture
def typed(capsys):
    """Carries out a command line that ends well; gives its words, or with --json what it told."""

    def carry_out(*arguments: str):
        assert main(list(arguments)) == 0
        out = capsys.readouterr().out
        return json.loads(out) if "--json" in arguments else out

    return carry_out


@pytest.fixture
def catalogue(tmp_path: Path, typed) -> str:
    """300 products, of which the last hundred are like the first hundred but for a word."""
    rows = [raw_row(number, price=3 + number % 40) for number in range(200)]
    rows += [raw_row(n, price=5 + n % 40, title=f"Another table {n}", parent_asin=f"U{n:06d}") for n in range(100)]
    typed("load", str(write_rows(tmp_path / "rows.jsonl", rows)), "--catalogue", "test")
    return "test"


def test_a_recipe_is_saved_with_the_options_of_plan(catalogue, typed):
    options = ["--target", "flat", "--size", "50", "--weight", "Appliances=0.5", "--seed", "7"]
    told = typed("recipes", "save", "even", catalogue, *options, "--note", "for spring", "--json")
    planned = typed("plan", catalogue, *options, "--json")
    assert told["recipe"] == planned["recipe"] and told["note"] == "for spring"
    assert open_recipe("even").recipe.id == planned["recipe_id"]
    assert typed("plan", catalogue, "--recipe", "even", "--json")["items"] == planned["items"]


def test_the_second_of_two_people_is_told_what_changed(catalogue, typed):
    for cap in ("5", "4"):
        typed("recipes", "save", "even", catalogue, "--cap", cap)
    words = typed("recipes", "save", "even", catalogue, "--cap", "3", "--based-on", "1")
    assert "saved even@3" in words and "meanwhile somebody saved even@2: cap 5 → 4; both are kept" in words


def test_the_list_has_the_newest_version_of_each_name(typed):
    assert "python -m pricer recipes save" in typed("recipes")
    save_recipe("even", RECIPE, "demo", "first line\nsecond")
    save_recipe("odd", RECIPE, "demo")
    delete_recipe("odd")
    words = typed("recipes")
    assert "even@1" in words and "cutoff $240, cap 1,200, Automotive 0.2, all others 1, seed 42  first line\n" in words
    assert "deleted, and back with recipes restore NAME: odd" in words
    assert typed("recipes", "--json")["recipes"][0]["recipe_id"] == RECIPE.id


def test_json_may_stand_before_or_after_the_action(typed):
    save_recipe("even", RECIPE, "demo")
    assert typed("recipes", "--json", "show", "even") == typed("recipes", "show", "even", "--json")


def test_show_tells_every_version_and_what_it_changed(typed):
    for cap in (3, 2):
        save_recipe("even", RECIPE.model_copy(update={"cap": cap}), "demo", f"cap {cap}")
    told = typed("recipes", "show", "even@1", "--json")
    assert (told["version"], told["note"]) == (1, "cap 3")
    assert [(version["version"], version["changes"]) for version in told["versions"]] == [(2, ["cap 3 → 2"]), (1, [])]
    assert "the oldest  cap 3" in typed("recipes", "show", "even")


def test_a_recipe_goes_through_a_file(tmp_path, typed):
    save_recipe("even", RECIPE, "demo", "for spring")
    file = tmp_path / "even.yaml"
    typed("recipes", "export", "even", str(file))
    told = typed("recipes", "import", str(file), "--name", "copy", "--json")
    assert (told["name"], told["note"], told["catalogue"]) == ("copy", "for spring", "demo")
    assert open_recipe("copy").recipe == RECIPE
    file.write_text(file.read_text().replace("1200", "7"))
    assert typed("recipes", "import", str(file), "--json")["version"] == 2
    assert open_recipe("even").recipe.cap == 7


def test_a_deleted_recipe_is_restored_and_an_older_version_becomes_the_newest(typed):
    for cap in (3, 2):
        save_recipe("my recipe", RECIPE.model_copy(update={"cap": cap}), "demo")
    words = typed("recipes", "delete", "my recipe")
    assert "deleted my recipe@2, my recipe@1; python -m pricer recipes restore 'my recipe' brings it back" in words
    assert list_recipes() == []
    assert "brought back my recipe, version 1, 2; the newest is my recipe@2" in typed("recipes", "restore", "my recipe")
    assert "newest again: my recipe@3" in typed("recipes", "restore", "my recipe@1")
    assert [saved.recipe.cap for saved in list_versions("my recipe")] == [3, 2, 3]


def test_changes_compare_with_the_newest_by_default(typed):
    for cap in (3, 2, 1):
        save_recipe("even", RECIPE.model_copy(update={"cap": cap}), "demo")
    assert typed("recipes", "changes", "even@1") == "even@1 → even@3\n  cap 3 → 1\n"
    assert typed("recipes", "changes", "even@1", "even@2", "--json")["changes"] == ["cap 3 → 2"]
    assert "the same settings" in typed("recipes", "changes", "even")


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "unknown"],
        ["save", "a@b", "test"],
        ["save", "even", "unknown"],
        ["export", "unknown", "x.yaml"],
        ["export", "even", "no/such/folder/x.yaml"],
        ["import", "nowhere.yaml"],
        ["import", __file__],
        ["delete", "unknown"],
        ["restore", "unknown"],
        ["restore", "even"],
        ["restore", "even@9"],
        ["changes", "even@1", "even@9"],
        ["fly"],
    ],
)
def test_what_a_person_can_mend_is_one_line(catalogue, capsys, arguments):
    save_recipe("even", RECIPE, "demo")
    try:
        code = main(["recipes", *arguments, "--json"] if arguments != ["fly"] else ["recipes", "fly"])
    except SystemExit as end:
        code = end.code
    written = capsys.readouterr()
    assert (code, written.out, len(written.err.splitlines())) == (2, "", 1)


@pytest.mark.parametrize(
    "action", [[], ["show"], ["save"], ["export"], ["import"], ["delete"], ["restore"], ["changes"]]
)
def test_every_action_has_help(capsys, action):
    with pytest.raises(SystemExit) as ended:
        main(["recipes", *action, "--help"])
    assert ended.value.code == 0 and capsys.readouterr().out.startswith("usage: python -m pricer recipes")


def test_leaks_tells_what_the_naive_dataset_then_holds(catalogue, typed):
    told = typed("leaks", catalogue, "--preset", "natural", "--json")
    made = typed("sample", catalogue, "--preset", "natural", "--dataset", "naive", "--split", "naive", "--json")
    assert (told["exam"], told["leaked"]) == (made["exam"], made["leaked"]) and told["leaked"] > 0
    assert made["split"] == "naive" and made["split_rule"] == told["split_rule"]
    words = typed("leaks", catalogue, "--preset", "natural")
    assert f"{told['leaked']} of {told['exam']} exam items" in words and "Pricer's own exam has none" in words
    assert "own exam, may leak" in typed("datasets")


def test_compare_tells_the_errors_on_leaked_and_on_clean_items_of_an_own_exam_alone(catalogue, typed):
    for split in ("naive", "roles"):
        typed("sample", catalogue, "--preset", "natural", "--dataset", split, "--split", split)
    assert "own exam (may leak)" in typed("train", "mean", "--dataset", "naive")
    assert "own exam, may leak" in typed("runs")
    words = typed("compare")
    assert words.startswith("own exam, may leak") and "leaked $" in words and "clean $" in words
    typed("train", "mean", "--dataset", "roles")
    told = typed("compare", "--json")
    assert told["leaks"] == [] and not told["own_exam"] and "clean" not in typed("compare")
