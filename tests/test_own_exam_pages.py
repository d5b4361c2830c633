"""Every page with runs on an exam of a dataset's own: named as such, ranked with no others, leaked apart from clean."""

import shutil
from pathlib import Path

import pytest

from pricer.__main__ import main
from pricer.evaluation.leaks import leak_errors
from pricer.figures.formats import count, dollars, short_hash
from pricer.runs.store import Run, list_runs
from tests.test_model_pages import PAGES, opened, text

OWN = "own exam, may leak"


@pytest.fixture(scope="module")
def split_home(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a naive dataset and its two runs, and after them a dataset by roles with one run."""
    folder = tmp_path_factory.mktemp("split") / "home"
    shutil.copytree(demo_home, folder)
    natural = ["--preset", "natural"]
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PRICER_HOME", str(folder))
        for split in ("roles", "naive"):
            assert main(["sample", "demo", *natural, "--dataset", split, "--split", split]) == 0
        for model, dataset in (("mean", "roles"), ("mean", "naive"), ("tfidf-ridge", "naive")):
            assert main(["train", model, "--dataset", dataset]) == 0
    return folder


@pytest.fixture
def runs(home: Path, split_home: Path) -> dict[str, Run]:
    shutil.copytree(split_home, home)
    return {run.name: run for run in list_runs()}


@pytest.fixture
def compare(runs):
    """Compare, with the naive dataset's exam chosen."""
    app = opened("compare")
    app.selectbox(key="compare_exam").set_value(runs["mean on naive"].manifest.exam_hash).run()
    assert not app.exception
    return app


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_with_such_runs(page, runs):
    assert text(opened(page))


def test_an_exam_by_roles_is_shown_first_though_runs_on_an_own_one_are_newer(runs):
    said = text(opened("compare"))
    assert "natural exam" in said and OWN not in said.partition("pr-shelf")[0]


def test_compare_shows_errors_on_leaked_and_on_clean_items_of_an_own_exam(compare, runs):
    said = text(compare)
    for name in ("mean on naive", "tfidf-ridge on naive"):
        graded = runs[name].graded()
        found = leak_errors(graded.table, graded.train_median)
        assert dollars(found.leaked.mean) in said and dollars(found.clean.mean) in said
    assert f"{count(found.leaked_items)} leaked item" in said and f"{count(found.clean_items)} clean" in said
    assert f"items, {OWN}, 95% interval" in said and "mean on roles" not in said


def test_an_own_exam_is_named_and_read_in_one_way(compare, runs):
    digest = short_hash(runs["mean on naive"].manifest.exam_hash)
    assert f"naive: {OWN}, {digest}" in compare.selectbox(key="compare_exam").options
    assert not [control for control in compare.segmented_control if control.label == "Read as"]
    assert "1 run was graded on another exam" in text(compare)


def test_the_balanced_reading_of_another_exam_does_not_carry_over(runs):
    app = opened("compare")
    app.segmented_control(key="compare_reading").set_value("balanced").run()
    app.selectbox(key="compare_exam").set_value(runs["mean on naive"].manifest.exam_hash).run()
    assert not app.exception and f"{OWN}, 95% interval" in text(app)


def test_only_an_own_exam_has_leaked_items_on_compare(runs):
    assert "On leaked items" not in text(opened("compare"))


def test_the_shelf_names_the_exam_of_the_dataset_in_use(runs):
    app = opened("train")
    said = text(app).partition("pr-shelf")[2]
    own = runs["mean on naive"].manifest
    assert OWN in said and short_hash(own.exam_hash) in said


def test_train_offers_no_part_that_an_own_exam_has_not(runs):
    app = opened("train")
    assert not [control for control in app.segmented_control if control.label == "Exam"]
    assert "Own exam, may leak: its errors are compared with no others" in text(app)
    app.selectbox(key="train_dataset").set_value(runs["mean on roles"].manifest.dataset_id).run()
    assert [control for control in app.segmented_control if control.label == "Exam"]


def test_runs_marks_errors_of_an_own_exam(runs):
    assert f'<span class="pr-badge">{OWN}</span>' in text(opened("runs"))


def test_home_ranks_the_runs_on_the_catalogues_exam_alone(runs):
    said = text(opened("home"))
    assert "mean on roles" in said and "tfidf-ridge on naive" not in said
