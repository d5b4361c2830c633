import json
import subprocess
import sys
from pathlib import Path

import pytest

from pricer.__main__ import main
from pricer.progress import Pace, Step
from tests.products import raw_row, write_rows


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a verb."""
    try:
        code = main(list(arguments))
    except SystemExit as end:
        code = end.code
    written = capsys.readouterr()
    return code, written.out, written.err


@pytest.fixture
def catalogue(tmp_path: Path, capsys) -> str:
    rows = [raw_row(number, price=3 + number % 40, main_category=f"C{number % 3}") for number in range(300)]
    path = write_rows(tmp_path / "rows.jsonl", rows)
    assert run(capsys, "load", str(path), "--catalogue", "test")[0] == 0
    return "test"


def test_load_reports_every_count(tmp_path, capsys):
    path = write_rows(tmp_path / "rows.jsonl", [raw_row(1), raw_row(2, price=None), raw_row(1), b"{"])
    code, out, err = run(capsys, "load", str(path), "--catalogue", "test", "--json")
    told = json.loads(out)
    assert code == 0 and "Scrubbing rows" in err
    assert (told["rows"], told["items"], told["duplicates"]) == (4, 1, 1)
    assert told["rejections"] == {"corrupt": 1, "no-price": 1}
    assert told["exam"] + told["validation"] + told["sealed"] + told["pool"] == 1


def test_the_demo_can_be_loaded_in_one_step(capsys):
    told = json.loads(run(capsys, "demo", "--rows", "300", "--catalogue", "shop", "--json")[1])
    listed = json.loads(run(capsys, "catalogues", "--json")[1])["catalogues"]
    assert told["generated"] and listed[0]["name"] == "shop" and listed[0]["rows"] == 300
    assert "generated data" in run(capsys, "catalogues")[1]


def test_plan_takes_every_setting_of_a_recipe(catalogue, capsys):
    options = ["--cutoff", "20", "--cap", "3", "--weight", "C0=1", "--default-weight", "5", "--seed", "7"]
    told = json.loads(run(capsys, "plan", catalogue, *options, "--json")[1])
    expected = {"cutoff": 20, "cap": 3, "weights": {"C0": 1.0}, "default_weight": 5.0, "seed": 7, "schema_version": 1}
    assert told["recipe"] == expected
    before = told["slots_before"]
    assert told["slots"] == [0, *(min(n, 3) if slot < 20 else n for slot, n in enumerate(before[1:], start=1))]
    assert told["items"] == sum(told["slots"]) == sum(share["after"] for share in told["categories"])


def test_plan_takes_a_target_in_place_of_a_cap(catalogue, capsys):
    target = ["--target", "power", "--size", "50", "--exponent", "0.5"]
    told = json.loads(run(capsys, "plan", catalogue, *target, "--json")[1])
    assert told["recipe"]["target"] == {"shape": "power", "size": 50, "exponent": 0.5}
    assert told["recipe"]["cutoff"] == 1000 and "cap" not in told["recipe"]
    assert told["items"] == 50 == round(sum(told["slots_wished"])) and told["shortfall"] > 0
    told = json.loads(run(capsys, "plan", catalogue, *target, "--cutoff", "30", "--json")[1])
    assert told["recipe"]["cutoff"] == 30 and told["slots"][30:] == told["slots_before"][30:]


def test_a_preset_s_target_can_be_given_another_size(catalogue, capsys):
    told = json.loads(run(capsys, "plan", catalogue, "--preset", "notebook-2", "--size", "40", "--json")[1])
    assert told["recipe"]["target"] == {"shape": "by-price", "size": 40, "exponent": 2.0} and told["items"] == 40


def test_plan_says_what_another_recipe_would_add_and_remove(catalogue, capsys):
    from pricer.curation.recipe import Recipe
    from pricer.runs.recipes import save_recipe

    save_recipe("few", Recipe(cutoff=1000, cap=1, seed=7), catalogue)
    for name in ("notebook-2", "few"):
        told = json.loads(run(capsys, "plan", catalogue, "--against", name, "--json")[1])
        other = told["against"]
        assert other["both"] + other["removed"] == told["items"]
        assert other["both"] + other["added"] == other["items"]
        for kind in ("added", "removed"):
            assert sum(other[f"slots_{kind}"]) == sum(share[kind] for share in other["categories"]) == other[kind]


def test_the_words_of_a_plan_tell_target_measures_and_what_another_recipe_would_do(catalogue, capsys):
    words = run(capsys, "plan", catalogue, "--target", "flat", "--size", "5000", "--against", "natural")[1]
    for part in (
        "cutoff $1,000, seed 42, target flat of 5,000 items",
        "the target changes nothing: every slot is kept whole",
        "not quite the target: the pool has",
        "worth",
        "equal prices",
        "natural (recipe",
    ):
        assert part in words


def test_sample_carries_a_target_out_and_its_card_says_so(catalogue, capsys):
    by_price = ["--target", "by-price", "--size", "60", "--seed", "3"]
    planned = json.loads(run(capsys, "plan", catalogue, *by_price, "--json")[1])
    made = json.loads(run(capsys, "sample", catalogue, *by_price, "--dataset", "dear", "--json")[1])
    assert made["train"] == planned["items"] == 60 and made["recipe"] == planned["recipe"]
    card = Path(made["folder"], "card.md").read_text()
    assert "60 items" in card and "((price - 1) / 998)^2" in card and "at most" not in card


def test_sample_makes_what_plan_says_and_datasets_lists_it(catalogue, capsys):
    planned = json.loads(run(capsys, "plan", catalogue, "--json")[1])
    made = json.loads(run(capsys, "sample", catalogue, "--dataset", "mine", "--json")[1])
    listed = json.loads(run(capsys, "datasets", "--json")[1])["datasets"]
    assert made["train"] == planned["items"] and [dataset["name"] for dataset in listed] == ["mine"]
    assert listed[0]["content_hash"] == made["content_hash"]


def test_a_preset_and_a_saved_recipe_start_the_same_plan(catalogue, capsys):
    from pricer.curation.recipe import Recipe
    from pricer.runs.recipes import save_recipe

    save_recipe("all", Recipe(cutoff=1, cap=1200), catalogue)
    plans = [json.loads(run(capsys, "plan", catalogue, *start, "--json")[1]) for start in (
        ["--recipe", "all"], ["--preset", "natural"])]  # fmt: skip
    assert plans[0] == plans[1] and plans[0]["items"] == plans[0]["pool"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["load", "nowhere.jsonl", "--catalogue", "x"],
        ["load", __file__, "--catalogue", "../x"],
        ["load", __file__, "--catalogue", "x"],
        ["load", __file__, "--catalogue", "x", "--rules", "mine"],
        ["plan", "unknown"],
        ["plan", "test", "--cap", "0"],
        ["plan", "test", "--cap", "many"],
        ["plan", "test", "--target", "flat"],
        ["plan", "test", "--target", "round", "--size", "5"],
        ["plan", "test", "--target", "flat", "--size", "5", "--cap", "3"],
        ["plan", "test", "--target", "flat", "--size", "5", "--exponent", "2"],
        ["plan", "test", "--target", "by-price", "--size", "5", "--cutoff", "30"],
        ["plan", "test", "--size", "5"],
        ["plan", "test", "--preset", "notebook-2", "--cap", "5"],
        ["plan", "test", "--against", "unknown"],
        ["plan", "test", "--weight", "C0"],
        ["plan", "test", "--weight", "C0=nan"],
        ["plan", "test", "--preset", "unknown"],
        ["plan", "test", "--recipe", "unknown"],
        ["sample", "unknown", "--dataset", "x"],
        ["sample", "test", "--dataset", "a/b"],
        ["demo", "--rows", "-1", "--output", "x.jsonl"],
        ["fly"],
        [],
    ],
)
def test_what_a_person_can_mend_is_one_line_and_exit_code_2(catalogue, capsys, arguments):
    code, out, err = run(capsys, *arguments, *(["--json"] if arguments and arguments != ["fly"] else []))
    lines = [line for line in err.splitlines() if not line.startswith(("Scrubbing", "Reading"))]
    assert (code, out, len(lines)) == (2, "", 1)


@pytest.mark.parametrize("verb", [[], ["demo"], ["load"], ["catalogues"], ["plan"], ["sample"], ["datasets"], ["app"]])
def test_every_verb_has_help(capsys, verb):
    code, out, _ = run(capsys, *verb, "--help")
    assert code == 0 and out.startswith("usage: python -m pricer")


def test_nothing_here_yet_says_what_to_do(capsys):
    assert "python -m pricer load" in run(capsys, "catalogues")[1]
    assert "python -m pricer sample" in run(capsys, "datasets")[1]


def test_a_verb_launched_as_a_job_leaves_its_progress_and_result(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PRICER_JOB_FOLDER", str(tmp_path))
    path = write_rows(tmp_path / "rows.jsonl", [raw_row(1)])
    run(capsys, "load", str(path), "--catalogue", "test")
    progress = json.loads((tmp_path / "progress.json").read_text())
    result = json.loads((tmp_path / "result.json").read_text())
    assert progress["stage"] and progress["unit"] and result["result"]["items"] == 1
    run(capsys, "plan", "unknown")
    assert json.loads((tmp_path / "result.json").read_text())["exit_code"] == 2


def test_the_command_line_starts_without_what_only_pages_and_models_need():
    code = (
        "import sys, pricer.__main__; print([name for name in sys.modules if name in ('streamlit', 'torch', 'polars')])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_the_pace_gives_rate_and_time_left():
    now = iter([0.0, 10.0, 20.0])
    pace = Pace(clock=lambda: next(now))
    assert pace.of(Step("Reading", 0, "rows", 0.0)).remaining_seconds is None
    progress = pace.of(Step("Reading", 500, "rows", 0.25))
    assert (progress.rate_per_second, progress.remaining_seconds) == (50, 30)
    assert pace.of(Step("Writing", 1, "rows")).elapsed_seconds == 0


def test_what_was_there_before_a_stage_began_is_no_part_of_its_pace():
    now = iter([0.0, 10.0])
    pace = Pace(clock=lambda: next(now))
    pace.of(Step("Downloading", 4_000, "MB", 0.8))
    progress = pace.of(Step("Downloading", 4_100, "MB", 0.82))
    assert progress.rate_per_second == 10 and round(progress.remaining_seconds) == 90
