"""Jobs of every kind on the pages: those that fail stand there for everybody, until someone has done with them."""

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared import state
from pricer import settings
from pricer.runs import jobs
from pricer.runs.history import history, job_name
from pricer.runs.launch import alive_launches, open_launch
from tests.test_model_pages import NAVIGATION, text

KINDS = {
    "load shop": ["load", "/tmp/rows.jsonl", "--catalogue", "shop", "--rules", "auto"],
    "demo toys": ["demo", "--rows", "500", "--seed", "1", "--catalogue", "toys"],
    "sample cut": ["sample", "demo", "--dataset", "cut"],
    "publish even set": ["publish", "even", "--to", "/tmp/set"],
    "rewrite demo": ["rewrite", "demo", "--provider=openai", "--model=gpt", "--name=new"],
    "tiny-llama": ["tiny-llama"],
    "base tiny-llama": ["base", "tiny-llama"],
    "guess tiny-llama": ["guess", "tiny-llama", "--dataset=even", "--precision=4bit"],
    "dry-run": ["dry-run", "--dataset=even", "--set=epochs=1"],
    "tune follow": ["tune", "follow"],
    "tune start openai gpt": ["tune", "start", "openai", "gpt", "--dataset=even"],
    "mean on even": ["train", "mean", "--dataset=even"],
    "extend mean on even": ["extend", "mean on even", "--ask=all"],
}
STARTED_ON = {
    "data/catalogue.py": (state.JOB, KINDS["load shop"]),
    "data/publish.py": (state.PUBLISH_JOB, KINDS["publish even set"]),
}


@pytest.fixture(autouse=True)
def queue(home: Path, trained_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home with three runs, where nothing that is launched is started."""
    monkeypatch.setattr("pricer.runs.launch.ensure_worker", lambda: None)
    monkeypatch.setattr("pricer.runs.launch.SECONDS_TO_CANCEL", 0.1)
    shutil.copytree(trained_home, home)


def opened(page: str) -> AppTest:
    app = AppTest.from_file(str(NAVIGATION), default_timeout=60).run().switch_page(page).run()
    assert not app.exception
    return app


def failed(arguments: list[str]) -> jobs.Job:
    job = jobs.submit(arguments, "light")
    assert jobs.finish(jobs.claim("a worker"), "failed", "the disk is full")
    return job


@pytest.mark.parametrize("name", KINDS)
def test_what_is_at_work_or_failed_is_listed_under_a_short_name_and_what_is_done_only_with_its_run(name):
    job = jobs.submit(KINDS[name], "light")
    assert job_name(open_launch(job.id)) == name
    claimed = jobs.claim("a worker")
    assert (history()[0].id, history()[0].state, history()[0].name) == (job.id, "running", name)
    jobs.finish(claimed, "failed", "the disk is full")
    assert (history()[0].id, history()[0].state) == (job.id, "failed")
    again = jobs.submit(KINDS[name], "light")
    jobs.finish(jobs.claim("a worker"), "done", result={})
    assert (again.id in {entry.id for entry in history()}) == (job.kind in ("train", "extend"))


def test_runs_shows_a_load_at_work_and_failed_and_says_where_its_catalogue_is_once_it_is_done():
    job = jobs.submit(KINDS["load shop"], "heavy")
    claimed = jobs.claim("a worker")
    folder = settings.jobs_folder() / job.id
    folder.mkdir(parents=True)
    (folder / "log.txt").write_text("Reading  5 rows\n")
    app = opened("models/runs.py")
    assert app.selectbox(key=state.SHOWN_RUN).value == job.id and app.button(key=f"cancel_{job.id}")
    assert "Reading  5 rows" in text(app) and "load /tmp/rows.jsonl --catalogue shop" in text(app)
    jobs.finish(claimed, "failed", "the disk is full")
    app = opened("models/runs.py")
    app.selectbox(key=state.SHOWN_RUN).set_value(job.id).run()
    assert "the disk is full" in text(app) and app.button(key=f"delete_{job.id}")
    app.button(key=f"retry_{job.id}").click().run()
    [again] = alive_launches()
    assert app.session_state[state.SHOWN_RUN] == again.id and again.arguments == job.arguments
    jobs.finish(jobs.claim("a worker"), "done", result={})
    app.run()
    assert "load shop" in app.success[0].value and not app.exception
    app.button(key=f"dismiss_{state.MADE_JOB}").click().run()
    assert not app.success


@pytest.mark.parametrize("page", STARTED_ON)
def test_what_failed_last_stands_where_it_was_started_for_every_visitor_until_it_is_dismissed(page):
    key, arguments = STARTED_ON[page]
    job = failed(arguments)
    app = opened(page)
    assert "the disk is full" in text(app)
    app.button(key=f"retry_{key}").click().run()
    [again] = alive_launches()
    assert again.arguments == job.arguments and app.session_state[key] == again.id
    jobs.finish(jobs.claim("a worker"), "failed", "it is full again")
    other = opened(page)
    assert "it is full again" in text(other) and "the disk is full" not in text(other)
    other.button(key=f"dismiss_{key}").click().run()
    assert "it is full again" not in text(opened(page))
    assert again.id in {entry.id for entry in history()}


def test_what_went_well_since_leaves_no_old_failure_on_the_page():
    failed(KINDS["sample cut"])
    jobs.submit(["sample", "demo", "--dataset", "other"], "light")
    jobs.finish(jobs.claim("a worker"), "done", result={})
    assert "the disk is full" not in text(opened("data/curate.py"))
