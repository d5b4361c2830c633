"""Jobs of every kind, killed in the middle: the record says so, the work goes on, and its result is the same."""

import os
import shutil
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pricer import settings
from pricer.__main__ import main
from pricer.catalogue.categories import REPOSITORY, address_of, file_of
from pricer.catalogue.store import open_catalogue
from pricer.curation.dataset import list_datasets, open_dataset
from pricer.keys import HUB_TOKEN
from pricer.progress import silent
from pricer.runs import jobs, processes
from pricer.runs.jobs import Job, open_job, submit
from pricer.runs.launch import resources_of
from pricer.runs.store import Run, list_runs, open_run
from pricer.runs.worker import Worker
from tests.hub_server import ADA
from tests.processes import eventually

pytestmark = pytest.mark.slow

SAMPLE = ["sample", "demo", "--cap", "20", "--dataset"]
MODELS = {"tfidf-ridge": [], "network": ["--set", "epochs=3"], "bins": ["--set", "epochs=1"]}


def train(model: str, name: str) -> list[str]:
    return ["train", model, "--dataset", "even", "--first", "600", *MODELS[model], "--name", name]


@pytest.fixture(scope="module")
def undisturbed(trained_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home where a catalogue, a dataset and runs were made that nobody disturbed, each by the name whole."""
    folder = tmp_path_factory.mktemp("undisturbed") / "home"
    shutil.copytree(trained_home, folder)
    rows = folder / "rows.jsonl"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PRICER_HOME", str(folder))
        assert main(["demo", "--rows", "3000", "--output", str(rows)]) == 0
        assert main(["load", str(rows), "--catalogue", "whole"]) == 0
        assert main([*SAMPLE, "whole"]) == 0
        for model in MODELS:
            assert main(train(model, f"whole {model}")) == 0
    return folder


@pytest.fixture
def worker(home: Path, undisturbed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """A worker of a copy of that home, whose steps the test takes."""
    shutil.copytree(undisturbed, home)
    monkeypatch.setattr(jobs, "DELAY", timedelta(0))
    monkeypatch.setattr(processes, "LOWEST_PRIORITY", 0)  # the tests wait for them
    own = Worker(silent)
    yield own
    for left in own._watched:
        left.send(signal.SIGKILL)


def reached(job: Job, moment: str) -> bool:
    """Whether a job has told that it is at this stage, or beyond it; it has not ended."""
    folder = settings.jobs_folder() / job.id
    assert not (folder / "result.json").exists(), "the moment was missed"
    return any(line.startswith(moment) for line in processes.log_tail(folder).splitlines())


def survive(worker: Worker, arguments: list[str], moment: str) -> Job:
    """The job at its end, after its first attempt was killed at that moment, or soon after it."""
    job = submit(arguments, resources_of(arguments))
    worker.step()
    pid = eventually(lambda: open_job(job.id).pid)

    def stopped_there() -> bool:
        os.kill(pid, signal.SIGSTOP)  # it works only while we sleep, so it cannot run ahead of us
        there = reached(job, moment)
        os.kill(pid, signal.SIGKILL if there else signal.SIGCONT)
        return there

    eventually(stopped_there, seconds=120, pause=0.005)
    crashed = eventually(lambda: worker.step() or ((now := open_job(job.id)).crash and now))
    assert (crashed.crash, crashed.why.split(";")[0]) == ("killed", "attempt 1: it was killed by SIGKILL")
    done = eventually(lambda: worker.step() or ((now := open_job(job.id)).state not in jobs.ALIVE and now), 120)
    assert (done.state, done.attempt, done.error) == ("done", 2, None)
    return done


def test_demo(worker, tmp_path):
    files = [tmp_path / name for name in ("killed.jsonl", "whole.jsonl")]
    survive(worker, ["demo", "--rows", "6000", "--output", str(files[0])], "Writing")
    assert main(["demo", "--rows", "6000", "--output", str(files[1])]) == 0
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize("moment", ["", "Comparing", "Writing items"])
def test_load(worker, home, moment):
    job = survive(worker, ["load", str(home / "rows.jsonl"), "--catalogue", "killed"], moment)
    killed, whole = (open_catalogue(name).manifest for name in ("killed", "whole"))
    assert (killed.content_hash, killed.exam_hash, killed.items) == (whole.content_hash, whole.exam_hash, whole.items)
    assert killed.version == job.result["version"] == 1
    assert not list((settings.catalogues_folder() / "killed" / ".staging").glob("*/*"))


def test_sample(worker):
    survive(worker, [*SAMPLE, "killed"], "Sampling")
    killed, whole = (open_dataset(name).manifest for name in ("killed", "whole"))
    assert (killed.content_hash, killed.exam_hash, killed.train) == (whole.content_hash, whole.exam_hash, whole.train)
    assert len({dataset.id for dataset in list_datasets()}) == len(list_datasets())


def guesses(run: Run) -> list[dict]:
    return run.guesses().select("item_id", "guess", "status").to_dicts()


@pytest.mark.parametrize(
    ("model", "moment"),
    [("tfidf-ridge", ""), ("network", "Fitting  64 items"), ("bins", "Guessing")],
)
def test_train(worker, model, moment):
    job = survive(worker, train(model, "killed"), moment)
    [run] = [run for run in list_runs() if run.manifest.job_id == job.id]
    assert job.result["id"] == run.id
    assert guesses(run) == guesses(open_run(f"whole {model}"))
    assert {path.name for path in settings.runs_folder().glob("[0-9a-f]*")} == {run.id for run in list_runs()}


def test_stack(worker):
    of = ["--of=whole tfidf-ridge", "--of=whole bins"]
    assert main(["train", "stack", "--dataset=even", *of, "--name", "whole stack"]) == 0
    job = survive(worker, ["train", "stack", "--dataset=even", *of, "--name", "killed"], "")
    [run] = [run for run in list_runs() if run.manifest.job_id == job.id]
    assert guesses(run) == guesses(open_run("whole stack"))


def test_extend(worker):
    order = ["train", "bins", "--dataset", "even", "--first", "600", *MODELS["bins"]]
    assert main([*order, "--ask", "20", "--name", "asked little"]) == 0
    survive(worker, ["extend", "asked little", "--ask", "all"], "")
    asked_all = {row["item_id"]: row["guess"] for row in guesses(open_run("whole bins"))}
    extended = open_run("asked little")
    assert {row["item_id"]: row["guess"] for row in guesses(extended)} == pytest.approx(asked_all)
    assert extended.manifest.first_k is None


def test_publish(worker, tmp_path):
    folders = [tmp_path / name / "set" for name in ("killed", "whole")]
    survive(worker, ["publish", "whole", "--to", str(folders[0])], "")
    assert main(["publish", "whole", "--to", str(folders[1])]) == 0
    files = [{path.relative_to(folder) for path in folder.rglob("*") if path.is_file()} for folder in folders]
    assert files[0] == files[1]
    assert all((folders[0] / name).read_bytes() == (folders[1] / name).read_bytes() for name in files[0])


def test_publish_to_the_hub(worker, hub, monkeypatch):
    monkeypatch.setenv(HUB_TOKEN, ADA)
    assert main(["publish", "whole", "--to", "ada/whole"]) == 0
    job = survive(worker, ["publish", "whole", "--to", "ada/killed"], "Uploading")
    killed, whole = (hub.repositories["datasets", name].branches["main"] for name in ("ada/killed", "ada/whole"))
    assert job.result["commit"] == killed[-1].id and len(killed) == len(whole) == 2
    tables = [
        {path: digest for path, digest in each[-1].files.items() if "parquet" in path} for each in (killed, whole)
    ]
    assert tables[0] == tables[1] and tables[0]


def test_load_from_the_hub(worker, home, hub):
    hub.put(REPOSITORY, {file_of("Appliances"): (home / "rows.jsonl").read_bytes()})
    job = survive(worker, ["load", address_of("Appliances"), "--catalogue", "killed"], "Downloading")
    killed, whole = (open_catalogue(name).manifest for name in ("killed", "whole"))
    assert (killed.content_hash, killed.exam_hash, killed.items) == (whole.content_hash, whole.exam_hash, whole.items)
    assert killed.version == job.result["version"] == 1
