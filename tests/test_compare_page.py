"""The sections of Compare say what the library says, and follow the switches of scoring."""

import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.widgets import spreadsheet_csv
from pricer.__main__ import main
from pricer.evaluation.errors import asked
from pricer.evaluation.leaderboard import leaderboard
from pricer.evaluation.matrix import paired_matrix
from pricer.evaluation.ranges import LEVELS
from pricer.evaluation.scoring import Scoring, scored
from pricer.evaluation.slices import by_part
from pricer.figures.formats import count, dollars, percent
from pricer.figures.palette import DARK, LIGHT
from pricer.runs.ranges import coverage_of_parts, ranges_of, ranked_score, strip_of, why_none
from pricer.runs.store import Run, list_runs
from pricer.runs.training import Order, train_run
from tests.test_model_pages import opened, text

SECTIONS = ("leaderboard", "versus", "pairs", "parts", "ranges", "failures", "costs", "experiments")


@pytest.fixture(scope="module")
def compared_home(trained_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home with three runs, and a fourth that gives a distribution."""
    folder = tmp_path_factory.mktemp("compared") / "home"
    shutil.copytree(trained_home, folder)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PRICER_HOME", str(folder))
        train_run(Order("bins", "even", {"epochs": 1, "width": 8}))
    return folder


@pytest.fixture
def runs(home: Path, compared_home: Path) -> dict[str, Run]:
    shutil.copytree(compared_home, home)
    return {run.manifest.model: run for run in list_runs()}


def section(name: str, app: AppTest | None = None) -> AppTest:
    app = app or opened("compare")
    app.segmented_control(key="compare_section").set_value(name).run()
    assert not app.exception
    return app


def graded(runs: dict[str, Run], scoring: Scoring | None = None):
    return [run.graded(scoring or Scoring()) for run in runs.values()]


@pytest.mark.parametrize("name", SECTIONS)
@pytest.mark.parametrize("reading", ["natural", "balanced"])
def test_every_section_opens(name, reading, runs):
    app = opened("compare")
    app.segmented_control(key="compare_reading").set_value(reading).run()
    assert text(section(name, app))


@pytest.mark.parametrize("name", SECTIONS)
def test_every_section_opens_with_a_single_run_that_was_asked_little(name, demo):
    assert main(["sample", "demo", "--dataset", "even"]) == 0
    assert main(["train", "mean", "--dataset", "even", "--ask", "2"]) == 0
    assert text(section(name))


def test_other_scoring_is_told_and_moves_every_figure(runs):
    app = opened("compare")
    assert "own rules" not in text(app)
    app.segmented_control(key="compare_point").set_value("mean").run()
    app.toggle(key="compare_clipped").set_value(False).run()
    assert not app.exception
    scoring = Scoring(clipped=False, point="mean")
    board = leaderboard(graded(runs, scoring), scoring=scoring)
    said = text(app)
    assert "guesses not clipped, the mean of distributions" in said.replace("\\", "")
    for error in board["error"]:
        assert dollars(error) in said
    assert board["error"].to_list() != leaderboard(graded(runs))["error"].to_list()


def test_thresholds_of_the_colours_can_be_moved(runs):
    app = opened("compare")
    app.number_input(key="compare_good_dollars").set_value(5.0).run()
    scoring = app.session_state
    assert scoring["compare_good_dollars"] == 5.0
    run = runs["tfidf-ridge"]
    strict = Scoring(thresholds=type(Scoring().thresholds)(good_dollars=5.0))
    hits = (scored(asked(run.graded().table), run.manifest.train_median, strict)["colour"] == "good").mean()
    assert percent(hits) in text(app)


def test_all_pairs_are_told_alone_and_together(runs):
    app = section("pairs")
    matrix = paired_matrix(graded(runs))
    for pair in matrix.pairs.values():
        assert dollars(pair.difference) in text(app)
    app.toggle(key="compare_joint").set_value(True).run()
    joint = paired_matrix(graded(runs), joint=True)
    assert f"{dollars(next(iter(joint.pairs.values())).low)} to" in text(app)


def test_parts_are_told_for_download(runs):
    app = section("parts")
    assert len(app.get("plotly_chart")) == 3
    run = next(run for run in runs.values() if run.id == app.selectbox(key="compare_run").value)
    found = by_part(scored(asked(run.graded().table), run.manifest.train_median), "band")
    charts = " ".join(chart.proto.spec for chart in app.get("plotly_chart"))
    assert count(found["items"][0]) in charts


def test_any_figure_is_told_by_part(runs):
    app = section("parts")
    app.selectbox(key="parts_figure").set_value("bias").run()
    assert not app.exception and len(app.get("plotly_chart")) == 3 and "Bias by price band" in text(app)


def test_ranges_hold_what_the_library_says(runs):
    app = section("ranges")
    for run in runs.values():
        row = strip_of(run).filter(level=0.8).row(0, named=True)
        assert percent(row["covered"]) in text(app)
        assert dollars(row["score"]) in text(app)
    assert "Ranked score" in text(app) and dollars(ranked_score(runs["bins"])) in text(app)
    assert ranked_score(runs["mean"]) is None
    app.select_slider(key="compare_level").set_value(0.5).run()
    assert not app.exception
    row = strip_of(runs["mean"]).filter(level=0.5).row(0, named=True)
    assert dollars(row["median_width"]) in text(app)


def test_runs_without_ranges_say_so(runs):
    for run in runs.values():
        (run.folder / "validation.parquet").unlink()
    app = section("ranges")
    assert "Made from" in text(app)  # a distribution needs no validation
    assert "3 runs not listed: of a version that kept no guesses of validation; train anew" in text(app)
    (runs["bins"].folder / "distribution.npy").unlink()
    app = section("ranges", opened("compare"))
    assert not app.exception


@pytest.mark.parametrize(("model", "why"), [("hosted", "not asked validation"), ("imported", "imported")])
def test_what_a_new_run_would_not_mend_is_not_advised(runs, model, why):
    run = runs["mean"]
    other = replace(run, manifest=run.manifest.model_copy(update={"model": model}))
    assert why in why_none(other) and "train anew" not in why_none(other)


def test_an_item_is_found_by_its_words_and_told_across_all_runs(runs):
    app = section("failures")
    exam = runs["mean"].graded().table.filter(pl.col("natural_rank").is_not_null())
    item = exam.row(3, named=True)
    app.text_input(key="compare_item").set_value(item["item_id"]).run()
    assert dollars(item["price"]) in text(app)
    for run in runs.values():
        guess = run.graded().table.filter(item_id=item["item_id"])["guess"][0]
        assert dollars(guess) in text(app)
    app.text_input(key="compare_item").set_value("no such words at all").run()
    assert "was asked has these words" in text(app)


def test_a_guess_that_counts_as_another_says_so(runs):
    run = runs["mean"]
    guesses = run.guesses().with_columns(guess=pl.lit(1412.12))
    guesses.write_parquet(run.folder / "guesses.parquet")
    for name in ("failures", "versus"):
        app = section(name)
        app.selectbox(key="compare_run").set_value(run.id).run()
        assert "$1,412.12, counted as $999.00" in text(app)
    app.toggle(key="compare_clipped").set_value(False).run()
    assert "counted as $999.00" not in text(app)


def test_a_run_that_was_asked_little_has_no_part_that_could_be_hard(demo):
    assert main(["sample", "demo", "--dataset", "even"]) == 0
    assert main(["train", "mean", "--dataset", "even", "--exam", "natural", "--ask", "5"]) == 0
    said = text(section("failures"))
    assert "was asked too few items" in said and "certain to be hard" not in said
    assert "the 5 items on which mean on even errs most" in said


def test_two_models_can_be_taken_away(runs):
    said = [button.label for button in section("versus").get("download_button")]
    assert said[:4] == ["Download CSV", "Download Parquet"] * 2


def test_the_figures_are_explained_as_scoring_has_them(runs):
    app = opened("compare")
    assert "less than $40 or less than 20% off" in text(app) and "clipped to $1 to $999" in text(app)
    app.number_input(key="compare_good_dollars").set_value(5.0).run()
    app.toggle(key="compare_clipped").set_value(False).run()
    said = text(app)
    assert "less than $5 or less than 20% off" in said and "less than $40" not in said
    assert "taken as they are, not clipped" in said and "notebook's rule" not in said


def test_costs_mark_what_nothing_beats(runs):
    app = section("costs")
    assert "✓" in text(app)
    app.segmented_control(key="compare_cost").set_value("seconds_per_1000").run()
    assert not app.exception


def test_downloads_hold_no_formulas():
    table = pl.DataFrame({"run": ["=1+1", "ridge"], "error": [1.0, 2.0]})
    assert spreadsheet_csv(table).decode().splitlines() == ["run,error", "'=1+1,1.0", "ridge,2.0"]


def test_ranges_of_parts_add_up(runs):
    for run in (runs["bins"], runs["tfidf-ridge"]):
        whole = strip_of(run).filter(level=0.8).row(0, named=True)
        for part in ("band", "category"):
            parts = coverage_of_parts(run, "natural", 0.8, part)
            assert parts["items"].sum() == whole["items"]
            held = (parts["items"] * parts["covered"]).sum()
            assert held == pytest.approx(whole["items"] * whole["covered"])
        table, found = ranges_of(run, LEVELS)
        assert len(found) == len(LEVELS) and len(found[0].low) == len(table)


def test_predict_shows_the_range_of_the_best_run_and_a_distribution(runs):
    app = opened("predict")
    best = leaderboard(graded(runs))["run"][0]
    run = next(run for run in runs.values() if run.id == best)
    held = strip_of(run).filter(level=0.8)["covered"][0]
    assert f"such ranges held {percent(held)} of prices" in text(app)
    assert len(app.get("plotly_chart")) == 2
    assert f"By {runs['bins'].name} the price lies from" in text(app)
    drawn = " ".join(chart.proto.spec for chart in app.get("plotly_chart"))
    assert LIGHT.tag not in drawn and DARK.tag not in drawn, "one tag a view"


def test_predict_without_validation_shows_no_range(runs):
    for run in runs.values():
        for name in ("validation.parquet", "distribution.npy"):
            (run.folder / name).unlink(missing_ok=True)
        if run.manifest.model == "bins":
            shutil.rmtree(run.folder / "model")
    said = text(opened("predict"))
    assert "It expects the price" not in said
    assert "of its guesses were within 20%" in said


def test_predict_asks_the_best_models_first_and_the_others_if_wished(runs, monkeypatch):
    monkeypatch.setattr("pages.shared.cached.MODELS_HELD", 2)
    app = opened("predict")
    assert app.toggle(key="predict_every").label.startswith("Ask the other 2 models too")
    board = leaderboard(graded(runs))["name"]
    drawn = [chart.proto.spec for chart in app.get("plotly_chart")][-1]
    assert board[0] in drawn and board[3] not in drawn
    app.toggle(key="predict_every").set_value(True).run()
    assert not app.exception
    drawn = [chart.proto.spec for chart in app.get("plotly_chart")][-1]
    assert board[3] in drawn


@pytest.mark.parametrize("name", ["ranges", "experiments"])
def test_a_section_that_scoring_does_not_touch_says_so(name, runs):
    app = opened("compare")
    app.toggle(key="compare_clipped").set_value(False).run()
    assert "whatever Scoring says" in text(section(name, app))
    assert "guesses not clipped" not in text(app)
