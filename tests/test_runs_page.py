"""The page Runs as a tool: found again, tagged, noted, deleted and brought back, ordered anew."""

import gc
import json
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared import runs_cached, state
from pages.shared.jobs import command_of
from pricer.figures.formats import count
from pricer.runs import jobs
from pricer.runs.history import history
from pricer.runs.launch import alive_launches
from pricer.runs.orders import order_arguments
from pricer.runs.store import Run, list_runs, open_run
from pricer.runs.training import Order, train_run
from tests.many_runs import copy_runs
from tests.test_model_pages import opened, text


@pytest.fixture
def runs(home: Path, trained_home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Run]:
    """The three runs by model, in a home of the test's own, where nothing that is launched is started."""
    monkeypatch.setattr("pricer.runs.launch.ensure_worker", lambda: None)
    monkeypatch.setattr("pricer.runs.launch.SECONDS_TO_CANCEL", 0.1)
    shutil.copytree(trained_home, home)
    return {run.manifest.model: run for run in list_runs()}


def shown(app: AppTest, run: Run) -> AppTest:
    app.session_state[state.SHOWN_RUN] = run.id
    return app.run()


def listed(app: AppTest) -> str:
    """The HTML of the table of runs that are over."""
    return next(element.proto.body for element in app.get("html") if "<th>Family</th>" in element.proto.body)


def test_a_search_leaves_what_has_all_words(runs):
    app = opened("runs")
    app.text_input(key="runs_words").set_value("mean").run()
    assert "mean on even" in listed(app) and "tfidf-ridge" not in listed(app)
    app.text_input(key="runs_words").set_value("nothing like it").run()
    assert not app.exception and "No run is as wished" in text(app)


def test_the_list_is_sorted_by_error(runs):
    app = opened("runs")
    app.selectbox(key="runs_sort").set_value("least error").run()
    errors = runs_cached.run_errors(list(runs.values()))
    places = [listed(app).index(runs[model].name) for model in sorted(runs, key=lambda model: errors[runs[model].id])]
    assert places == sorted(places)


def test_tags_and_a_note_are_edited_in_place_and_found_again(runs):
    run = runs["mean"]
    app = shown(opened("runs"), run)
    app.multiselect(key=f"tags_{run.id}").set_value(["Yard"]).run()
    app.text_input(key=f"note_{run.id}").set_value("To beat").run()
    assert not app.exception
    assert open_run(run.id).tags == ("yard",) and open_run(run.id).note == "To beat"
    app.selectbox(key="runs_tag").set_value("yard").run()
    assert "#yard" in listed(app) and "tfidf-ridge" not in listed(app)
    other = opened("runs")
    assert shown(other, run).text_input(key=f"note_{run.id}").value == "To beat"


def test_what_is_no_tag_is_told_and_not_kept(runs):
    run = runs["mean"]
    app = shown(opened("runs"), run)
    app.multiselect(key=f"tags_{run.id}").set_value(["two words"]).run()
    assert "a tag is a word" in app.toast[0].value and open_run(run.id).tags == ()
    assert app.multiselect(key=f"tags_{run.id}").value == []


def test_a_deleted_run_is_on_no_page_and_comes_back_by_one_click(runs):
    run = runs["tfidf-ridge"]
    app = shown(opened("runs"), run)
    app.button(key=f"delete_{run.id}").click().run()
    assert "was deleted" in text(app) and run.name not in listed(app)
    assert run.id not in {each.id for each in list_runs()}
    app.button(key="undo_delete").click().run()
    assert run.name in listed(app) and not app.exception


def test_the_list_of_deleted_runs_brings_one_back(runs):
    run = runs["mean"]
    app = shown(opened("runs"), run)
    app.button(key=f"delete_{run.id}").click().run()
    app = opened("runs")
    app.session_state["deleted_runs"] = True
    app.run()
    app.button(key="undelete").click().run()
    assert not app.exception and run.name in listed(app)


def test_change_and_run_again_opens_train_with_that_very_order(runs):
    order = Order("bag-of-words", "even", {"words": 77}, 9, first_n=300, asked="natural", first_k=50)
    run = train_run(order)
    app = opened("train")  # whose controls stand otherwise
    app.button_group(key="train_family").set_value("networks").run()
    app.number_input(key="train_seed").set_value(5).run()
    app.switch_page("models/runs.py").run()
    shown(app, run).button(key=f"again_{run.id}").click().run()
    assert app.code[0].value == command_of(order_arguments(order))
    app.switch_page("models/train.py").run()  # where the test's browser did not follow
    app.number_input(key="train_bag-of-words_words").set_value(78).run()
    assert "--set=words=78" in app.code[0].value and not app.exception and not app.warning


def test_a_run_that_was_asked_a_part_can_be_asked_more(runs):
    run = train_run(Order("mean", "even", asked="natural", first_k=20))
    app = opened("runs")
    app.session_state[f"extend_{run.id}"] = True
    shown(app, run).number_input(key=f"extend_k_{run.id}").set_value(60).run()
    app.button(key=f"extend_start_{run.id}").click().run()
    [job] = jobs.list_jobs()
    assert not app.exception and job.arguments == ("extend", run.id, "--ask=60")
    assert f"extend_start_{runs['mean'].id}" not in {button.key for button in app.button}


def test_a_queue_is_ordered_on_the_page(runs):
    first, second = (jobs.submit(order_arguments(Order("mean", "even", seed=seed)), "heavy") for seed in (1, 2))
    app = opened("runs")
    app.selectbox(key="queue_job").set_value(second.id).run()
    app.button(key="queue_first").click().run()
    assert [job.id for job in alive_launches()] == [second.id, first.id] and not app.exception
    app.button(key="queue_cancel").click().run()
    assert jobs.open_job(second.id).state == "cancelled"


def test_a_job_that_failed_is_tried_again_by_one_click(runs):
    job = jobs.submit(order_arguments(Order("mean", "even", seed=1)), "heavy")
    jobs.finish(jobs.claim("a worker"), "failed", "the disk is full")
    app = opened("runs")
    app.selectbox(key=state.SHOWN_RUN).set_value(job.id).run()
    assert "the disk is full" in text(app)
    app.button(key=f"retry_{job.id}").click().run()
    [again] = alive_launches()
    assert again.arguments == job.arguments and app.session_state[state.SHOWN_RUN] == again.id


def test_how_an_attempt_ended_is_told(runs):
    job = jobs.submit(order_arguments(Order("mean", "even", seed=1)), "heavy")
    claimed = jobs.claim("a worker")
    jobs.end_attempt(claimed, "out of memory", "it was killed, and <memory> was short")
    app = opened("runs")
    app.selectbox(key=state.SHOWN_RUN).set_value(job.id).run()
    told = text(app) + "".join(str(each.value) for each in app.warning)
    assert "Memory ran out" in told and "attempt 1: it was killed, and &lt;memory&gt; was short" in told


def test_two_hundred_runs_are_listed_a_page_at_a_time(runs):
    copy_runs(200)
    app = opened("runs")
    assert f"{count(203)} runs, page 1 of 17" in text(app)
    assert listed(app).count("<tr>") == 13 and len(history()) == 203


def test_the_polling_of_work_reads_no_finished_run(runs, monkeypatch):
    copy_runs(20)
    jobs.submit(order_arguments(Order("mean", "even", seed=1)), "heavy")
    looked: list[Path] = []
    from pricer.runs import processes

    read = processes.record
    monkeypatch.setattr("pricer.runs.processes.record", lambda path: looked.append(path) or read(path))
    assert len(alive_launches()) == 1
    assert not looked


def test_the_csv_of_runs_is_safe_for_a_spreadsheet(runs):
    from pages.shared.runs.listing import _as_csv

    train_run(Order("mean", "even", name="=1+1"))
    written = _as_csv(history())
    assert "'=1+1" in written and written.count("\n") == 5
    assert json.dumps(runs["mean"].id)[1:-1] in written


def test_what_modules_hold_is_left_out_of_the_search_for_garbage(runs):
    opened("runs")
    frozen = gc.get_freeze_count()
    assert frozen > 10_000
    opened("runs")
    assert gc.get_freeze_count() <= frozen  # once for every page, or what it froze would add up
