"""Stacks and guesses from elsewhere on Train: chosen, checked, and launched by the command that is shown."""

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.jobs import command_of
from pricer.__main__ import main
from pricer.evaluation.leaderboard import leaderboard
from pricer.runs import jobs
from pricer.runs.orders import order_arguments, read_order
from pricer.runs.store import Run, list_runs, open_run
from pricer.runs.training import Order
from tests.test_model_pages import NAVIGATION, text


@pytest.fixture
def runs(home: Path, trained_home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Run]:
    """The three runs by model, in a home of the test's own; what pages launch stays queued."""
    monkeypatch.setattr("pricer.runs.launch.ensure_worker", lambda: None)
    shutil.copytree(trained_home, home)
    return {run.manifest.model: run for run in list_runs()}


def opened() -> AppTest:
    app = AppTest.from_file(str(NAVIGATION), default_timeout=60).run()
    app.switch_page("models/train.py").run()
    assert not app.exception
    return app


def choose_family(app: AppTest, family: str) -> AppTest:
    app.button_group(key="train_family").set_value(family).run()
    assert not app.exception
    return app


def test_a_stack_of_chosen_runs_is_launched_from_train(runs, tmp_path):
    mean, ridge = runs["mean"], runs["tfidf-ridge"]
    exam = mean.dataset().exam().collect()
    exam.select("item_id", guess="price").write_csv(tmp_path / "guesses.csv")
    assert main(["import-guesses", str(tmp_path / "guesses.csv"), "--dataset=even", "--name=Ada"]) == 0
    app = choose_family(opened(), "stack")
    chosen = f"train_stack_{mean.manifest.exam_hash}"
    assert "at least two runs, got 0" in text(app) and app.button(key="start_train").disabled
    assert "It holds imported guesses, of the exam alone" in text(app) and "Ada" in text(app)
    best = leaderboard([run.graded() for run in runs.values()])["name"].to_list()
    assert [label.partition(", $")[0] for label in app.multiselect(key=chosen).options] == best
    app.multiselect(key=chosen).set_value([ridge.id, mean.id]).run()
    order = Order("stack", "even", of=(ridge.id, mean.id))
    assert command_of(order_arguments(order)) in text(app)
    assert "Runs that go together" in text(app) and "Items of validation to weigh by" in text(app)
    app.button(key="start_train").click().run()
    [job] = jobs.list_jobs()
    assert read_order(job.arguments) == order
    assert main(order_arguments(order)) == 0
    app.switch_page("models/runs.py").run()
    app.selectbox(key="runs_shown").set_value(open_run("stack (of 2 runs) on even").id).run()
    next(button for button in app.button if button.label == "Change and run again").click().run()
    assert not app.exception and "The same was run before" in text(app)
    assert app.multiselect(key=chosen).value == [ridge.id, mean.id]


def test_a_stack_needs_two_runs_first(demo):
    assert main(["sample", "demo", "--dataset", "even"]) == 0
    app = choose_family(opened(), "stack")
    assert "No two runs to stack yet." in text(app) and all(button.key != "start_train" for button in app.button)


def test_guesses_from_elsewhere_are_checked_on_train_and_imported_by_the_command(runs):
    first, second = runs["mean"].dataset().exam().head(2).collect()["item_id"]
    app = choose_family(opened(), "imported")
    assert "No file yet." in text(app)
    app.file_uploader(key="import_file").upload("wrong.csv", b"id,price\na,1\n", "text/csv").run()
    assert "needs the columns item\\_id and guess" in app.error[0].value and "cache" not in app.error[0].value
    rows = f"item_id,guess\n{first},$12.50\n{second},<b>dear</b>\nnowhere,5\n"
    app.file_uploader(key="import_file").upload("ada.csv", rows.encode(), "text/csv").run()
    assert not app.exception and "No item of the exam." in text(app) and "&lt;b&gt;dear" in text(app)
    app.button(key="start_import").click().run()
    [job] = jobs.list_jobs()
    assert command_of(list(job.arguments)) in text(app)
    assert job.arguments[2:] == ("--dataset=even", "--name=ada")
    assert main(list(job.arguments)) == 0
    imported = open_run("ada")
    assert imported.manifest.asked_items == 2 and imported.guesses()["guess"].drop_nulls().to_list() == [12.5]
