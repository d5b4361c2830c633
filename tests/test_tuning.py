"""Fine-tuning at hosts: what is sent, what is watched, and that no wish is ever paid twice, whatever breaks."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from pricer import keys
from pricer.__main__ import main
from pricer.curation.dataset import Dataset, make_dataset, open_dataset
from pricer.curation.recipe import Recipe
from pricer.errors import PricerError
from pricer.keys import find_key, remember
from pricer.llm.known import Price
from pricer.llm.providers import find_provider, set_price
from pricer.llm.tuning import host as hosts
from pricer.llm.tuning import make_adapter
from pricer.llm.tuning.closing import OPENAI, days_left
from pricer.progress import TRAINING_LOSS, VALIDATION_LOSS, silent
from pricer.publish.loading import load
from pricer.publish.messages import message_files
from pricer.runs import jobs, processes, tuning_remote, tuning_watch
from pricer.runs.curves import read_curves
from pricer.runs.jobs import open_job, submit
from pricer.runs.launch import cancel as cancel_launch
from pricer.runs.launch import resources_of
from pricer.runs.spending import set_cap
from pricer.runs.tuning import adopt, cancel, check, drop, follow, pause, resume, tune
from pricer.runs.tuning_files import make_files, probe, tune_preflight
from pricer.runs.tuning_orders import grade, graded_runs, make_order, read_start, start_arguments
from pricer.runs.tunings import TuneOrder, change, list_tunings, open_tuning
from pricer.runs.worker import Worker
from tests.processes import eventually
from tests.products import raw_row, write_rows
from tests.provider_server import Fault, ProviderServer
from tests.test_command_line import run
from tests.tuning_server import TuningHost, add_tuning

CANARY = "sk-CANARYthatMustBeNowhere0123456789"
ROOT = Path(__file__).resolve().parents[1]
CREATE = "POST /v1/fine_tuning/jobs"


@pytest.fixture(scope="module")
def even_home(tmp_path_factory) -> Path:
    """A home with the dataset even, made once."""
    folder = tmp_path_factory.mktemp("tuning")
    rows = [raw_row(n, price=2.37 + n, main_category=f"C{n % 3}", title=f"Table no. {n}") for n in range(400)]
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PRICER_HOME", str(folder / "home"))
        catalogue = load([str(write_rows(folder / "shop.jsonl", rows))], "shop").catalogue
        make_dataset(catalogue, Recipe(cutoff=200, cap=1), "even")
        set_cap(100.0)
    return folder / "home"


@pytest.fixture
def dataset(home: Path, even_home: Path) -> Dataset:
    shutil.copytree(even_home, home)
    return open_dataset("even")


@pytest.fixture
def provider(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProviderServer]:
    """A host that knows one key, which is in the environment, and those who ask it are in no hurry to wait."""
    monkeypatch.setattr(tuning_watch, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(tuning_remote, "LOOKS", (0.0, 0.01))
    monkeypatch.setattr(hosts, "backoff", lambda number, first: 0.01)
    monkeypatch.setattr(keys, "_typed", {})
    with ProviderServer() as server:
        server.keys = {CANARY}
        for name in ("OPENAI", "TOGETHER"):
            monkeypatch.setenv(f"{name}_BASE_URL", server.url)
            monkeypatch.setenv(f"{name}_API_KEY", CANARY)
        monkeypatch.setenv("AZURE_OPENAI_BASE_URL", server.url.replace("/v1", "/openai"))
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", CANARY)
        yield server


@pytest.fixture
def host(provider: ProviderServer) -> TuningHost:
    return add_tuning(provider)


def order(**facts) -> TuneOrder:
    return make_order(**{"provider": "openai", "model": "small-1", "dataset": "even", "train": 40, "validation": 10,
                         "dollars": 3.0} | facts)  # fmt: skip


# A tuning from beginning to end


def test_a_tuning_sends_both_files_and_one_job_and_keeps_what_becomes_of_it(provider, host, dataset):
    done = tune(order(learning_rate_multiplier=1.8, batch_size=1, wandb="gpt-pricer"))
    [job] = host.jobs.values()
    assert (done.state, done.remote_id, done.tuned_model) == ("done", job["id"], job["fine_tuned_model"])
    asked = job["asked"]
    chosen = {"n_epochs": 1, "batch_size": 1, "learning_rate_multiplier": 1.8}
    assert asked["method"] == {"type": "supervised", "supervised": {"hyperparameters": chosen}}
    assert asked["metadata"] == {"pricer_tuning": done.mark} and asked["suffix"] == f"pricer-{done.mark}"
    assert asked["seed"] == 42 and asked["integrations"][0]["wandb"]["project"] == "gpt-pricer"
    wanted = message_files(dataset, {"train": 40, "validation": 10}, "first", "notebook-1")
    sent = {part: provider.files[asked[f"{name}_file"]]["content"] for part, name in
            (("train.jsonl", "training"), ("validation.jsonl", "validation"))}  # fmt: skip
    assert sent == wanted
    assert done.kept.trained_tokens == 12_345 and done.kept.train_rows == 40


def test_a_key_that_a_host_repeats_is_kept_nowhere(provider, host, home):
    tell = host.tell
    host.tell = lambda job, words, *more: tell(job, f"{words}, by {CANARY}", *more)
    done = tune(order())
    assert any("by ***" in words for words in done.kept.events) and CANARY not in str(done)
    assert not [path for path in home.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]


def test_its_losses_and_checkpoints_are_kept_once_each(provider, host):
    done = tune(order())
    curves = read_curves(done.folder)
    training = curves.filter(name=TRAINING_LOSS)
    assert training["at"].to_list() == [1, 2, 3, 4, 5, 6] and training["value"][0] == 3.0
    assert curves.filter(name=VALIDATION_LOSS)["value"].to_list()[-1] == pytest.approx(4 / 6)
    assert [each["step"] for each in done.kept.checkpoints] == [2, 4, 6]
    assert (done.kept.step, done.kept.total_steps) == (6, 6)
    assert done.kept.events.count("Created fine-tuning job") == 1


def test_what_was_tuned_before_is_given_back_and_paid_again_only_when_told(provider, host):
    first = tune(order())
    assert tune(order()).id == first.id and host.creations(provider) == 1
    assert tune(order(), again=True).id != first.id and host.creations(provider) == 2
    assert tune(order(epochs=2)).id != first.id and host.creations(provider) == 3


def test_a_state_that_nobody_knows_yet_is_shown_and_watched_on(provider, host, capsys):
    host.script = ["running", "checking_safety"]
    tuning = start_only(host)
    check(tuning.id)
    seen = check(tuning.id)
    assert (seen.state, seen.kept.said) == ("unfamiliar", "checking_safety")
    assert "unfamiliar (checking_safety)" in run(capsys, "tune", "list")[1]
    host.script = ["running", "checking_safety", "succeeded"]
    assert follow(tuning.id).state == "done"


def start_only(host: TuningHost, **facts):
    """A tuning that was created, and is not watched."""
    script, host.script = host.script, ["cancelled"]
    tune(order(**facts))
    [job] = list(host.jobs.values())[-1:]
    job |= {"status": "queued", "place": 0, "events": job["events"][:1]}
    host.script = script
    return change(list_tunings()[0].id, state="queued", said="queued")


def test_a_tuning_that_fails_there_says_why(provider, host):
    host.script = ["running", "failed"]
    with pytest.raises(PricerError, match="too many words of one kind"):
        tune(order())
    [failed] = list_tunings()
    assert (failed.state, failed.kept.why) == ("failed", "too many words of one kind")


# Never two paid jobs


@pytest.mark.parametrize(
    "fault",
    [Fault("lost", CREATE, times=1), Fault("hang", CREATE, times=1, seconds=30),
     Fault("html", CREATE, times=1), Fault("garbage", CREATE, times=1)],
    ids=lambda fault: fault.kind,
)  # fmt: skip
def test_a_lost_answer_to_the_creation_is_found_in_the_list_and_nothing_is_created_again(
    provider, host, fault, monkeypatch
):
    monkeypatch.setattr(hosts, "CREATE_SECONDS", 4.0)
    provider.faults = [fault]
    done = tune(order())
    assert (done.state, host.creations(provider), len(host.jobs)) == ("done", 1, 1)
    assert tune(order()).id == done.id and host.creations(provider) == 1


def test_where_no_job_is_seen_a_person_is_asked_and_no_start_creates_one(provider, host, capsys):
    host.lists_jobs = False
    provider.faults = [Fault("lost", CREATE, times=1)]
    for _ in range(2):
        with pytest.raises(PricerError, match=r"nobody knows whether openai has begun tuning .* nothing is created"):
            tune(order())
    assert run(capsys, "tune", "start", "openai", "small-1", "--dataset=even", "--train=40", "--validation=10",
               "--dollars=3")[0] == 2  # fmt: skip
    [unclear] = list_tunings()
    assert unclear.state == "unknown" and host.creations(provider) == 1
    [remote_id] = host.jobs
    with pytest.raises(PricerError, match="Could not find"):
        adopt("ftjob-9999")
    assert adopt(remote_id).remote_id == remote_id
    assert follow(unclear.id).state == "done" and host.creations(provider) == 1


def test_a_dropped_one_may_be_started_anew_and_a_job_of_another_is_not_adopted(provider, host):
    provider.faults = [Fault("reset", CREATE, times=1)]
    with pytest.raises(PricerError, match="nobody knows"):
        tune(order())
    assert len(host.jobs) == 0
    other = tune(order(epochs=3))
    [unclear] = [each for each in list_tunings() if each.state == "unknown"]
    with pytest.raises(PricerError, match=f"is the job of tuning {other.id}"):
        adopt(other.remote_id)
    with pytest.raises(PricerError, match="only one that is unclear can be dropped"):
        drop(other.id)
    assert drop(unclear.mark).state == "failed"
    assert tune(order()).state == "done" and len(host.jobs) == 2


@pytest.mark.parametrize("status", [500, 503, 408])
def test_an_error_of_the_host_s_own_leaves_the_creation_unclear(provider, host, status):
    provider.faults = [Fault("status", CREATE, status=status)]
    with pytest.raises(PricerError, match="nobody knows"):
        tune(order())
    assert host.creations(provider) == 1 and list_tunings()[0].state == "unknown"


@pytest.mark.parametrize(
    ("fault", "words"), [("quota", "insufficient_quota"), ("key", "401"), ("rate", "429"), ("redirect", "no redirect")]
)
def test_a_refusal_is_final_asked_once_and_leaves_nothing_unclear(provider, host, fault, words):
    provider.faults = [Fault(fault, CREATE, target="http://169.254.169.254/")]
    with pytest.raises(PricerError, match=words):
        tune(order())
    assert host.creations(provider) == 1
    assert list_tunings()[0].state == "failed"


def test_training_that_is_not_available_says_so_and_what_to_do_instead(provider, host):
    host.refusal = "training_not_available"
    with pytest.raises(PricerError) as caught:
        tune(order())
    for words in ("6 January 2027", "Export the JSON lines", "another host", "qlora"):
        assert words in str(caught.value)
    assert host.creations(provider) == 1 and "14 January 2027" in list_tunings()[0].kept.why


def test_a_host_that_is_not_there_has_created_nothing(provider, host, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    with pytest.raises(PricerError, match="cannot be reached"):
        tune(order())
    assert list_tunings()[0].state == "preparing"  # its files are not there yet, and the same start goes on with it
    monkeypatch.setenv("OPENAI_BASE_URL", provider.url)
    assert tune(order()).state == "done" and len(list_tunings()) == 1


POINTS = {  # where the process is killed -> what is patched to do it, and the state that it leaves
    "before any file": ("pricer.llm.tuning.openai.OpenAI.upload", "preparing"),
    "before the creation is claimed": ("pricer.runs.tunings.claim_creation", "preparing"),
    "before it is sent": ("pricer.llm.tuning.openai.OpenAI.create", "creating"),
    "before its answer is kept": ("pricer.runs.tunings.adopt_remote", "creating"),
    "before the first look": ("pricer.runs.tuning_watch.Watch.look", "queued"),
    "before what was seen is kept": ("pricer.runs.tuning_watch.Watch._keep", "queued"),
}
KILLED = """
import os, signal, sys
from unittest import mock
from pricer.__main__ import main
with mock.patch(sys.argv[1], lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)):
    main(sys.argv[2:])
"""


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_point_and_started_again_there_is_one_paid_job_at_most(provider, host, point):
    place, left = POINTS[point]
    arguments = start_arguments(order())
    killed = subprocess.run([sys.executable, "-c", KILLED, place, *arguments], cwd=ROOT, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert list_tunings()[0].state == left
    if point == "before it is sent":  # nobody can know that it was not
        assert main(arguments) == 2 and list_tunings()[0].state == "unknown" and host.creations(provider) == 0
        drop(list_tunings()[0].id)
    assert main(arguments) == 0
    assert (host.creations(provider), len(host.jobs)) == (1, 1)
    assert list_tunings()[0].tuned_model == next(iter(host.jobs.values()))["fine_tuned_model"]


# What a person may do


def test_cancel_is_told_to_the_host_and_a_second_one_changes_nothing(provider, host):
    tuning = start_only(host)
    assert cancel(tuning.mark).state == "cancelled"
    assert next(iter(host.jobs.values()))["status"] == "cancelled"
    assert cancel(tuning.mark).state == "cancelled" and provider.count("/cancel") == 1


def test_a_cancel_that_comes_too_late_says_how_it_ended(provider, host):
    tuning = start_only(host)
    next(iter(host.jobs.values()))["status"] = "succeeded"
    host.script = []
    assert cancel(tuning.id).state == "done"


def test_one_that_was_cancelled_while_it_was_unclear_is_cancelled_once_it_is_found(provider, host):
    host.lists_jobs = False
    provider.faults = [Fault("lost", CREATE, times=1)]
    with pytest.raises(PricerError, match="nobody knows"):
        tune(order())
    with pytest.raises(PricerError, match="nobody knows"):
        cancel(list_tunings()[0].id)
    host.lists_jobs = True
    assert tune(order()).state == "cancelled" and provider.count("/cancel") == 1


def test_who_watches_and_who_cancels_may_both_tell_the_host(provider, host):
    tuning = start_only(host)
    change(tuning.id, is_to_cancel=True)
    next(iter(host.jobs.values())).update(status="cancelled", place=len(host.script))
    assert follow(tuning.id).state == "cancelled"


def test_pause_and_resume_are_told_to_the_host(provider, host):
    tuning = start_only(host)
    assert pause(tuning.id).state == "paused" and check(tuning.id).state == "paused"
    assert resume(tuning.id).state == "running"
    assert follow(tuning.id).state == "done"
    with pytest.raises(PricerError, match="is done, so there is nothing to pause"):
        pause(tuning.id)


def test_a_key_that_is_refused_meanwhile_is_one_line_and_the_tuning_goes_on_with_a_good_one(provider, host):
    tuning = start_only(host)
    provider.keys = {"another"}
    before = len(provider.requests)
    with pytest.raises(PricerError, match="tune follow") as caught:
        follow(tuning.id)
    assert len(provider.requests) == before + 1 and CANARY not in str(caught.value)
    provider.keys = {CANARY}
    assert follow(tuning.id).state == "done"


def test_a_host_that_stammers_while_it_is_watched_is_asked_again(provider, host):
    looks = "GET /v1/fine_tuning/jobs/"
    provider.faults = [Fault(kind, looks, first=first, times=1) for first, kind in
                       enumerate(("status", "reset", "html", "garbage", "rate"), start=2)]  # fmt: skip
    assert tune(order()).state == "done" and host.creations(provider) == 1


# Price, probe and preflight


def test_above_the_cap_or_without_a_price_nothing_is_sent(provider, host):
    set_cap(0.0)
    with pytest.raises(PricerError, match=r"a run may cost \$0.00"):
        tune(order(dollars=5_000.0))
    assert provider.requests == [] and list_tunings() == []


def test_a_price_that_nobody_has_stated_is_unknown(dataset):
    openai = find_provider("openai")
    assert make_files(order(dollars=None), dataset, openai).cost_dollars is None
    known = make_files(order(model="gpt-4o-mini-2024-07-18", dollars=None), dataset, openai)
    assert known.cost_dollars == pytest.approx(known.train_tokens * 3.0 / 1e6)


def test_the_probe_only_reads(provider, host):
    openai = find_provider("openai")
    provider.keys = {CANARY}
    assert [line[0] for line in probe(order(), openai).lines] == ["pass", "look", "pass"]  # never tuned: a look
    tune(order())
    assert probe(order(), openai).may_tune and all("never" not in line[1] for line in probe(order(), openai).lines)
    assert not probe(order(model="nobody-1"), openai).may_tune
    provider.faults = [Fault("status", "GET /v1/fine_tuning/jobs", status=403)]
    assert "may not tune" in probe(order(), openai).lines[0][1]
    assert host.creations(provider) == 1


def test_preflight_names_the_end_of_the_service_the_few_rows_and_the_same_tuning(provider, host, dataset, monkeypatch):
    def lines(**facts) -> str:
        openai = find_provider("openai")
        found = tune_preflight(order(**facts), dataset, openai, make_files(order(**facts), dataset, openai))
        return "\n".join(f"{each.verdict} {each.words} {each.value}" for each in found)

    tune(order())
    assert "The same was tuned before" in lines() and "Few rows" in lines()
    assert "stop train.jsonl, line 1: " in lines(most_tokens=20)
    monkeypatch.delenv("OPENAI_BASE_URL")
    assert "lets nobody begin a tuning from 6 Jan 2027" in lines()
    assert days_left(OPENAI, date(2027, 1, 5)) == 1 and days_left(OPENAI, date(2027, 2, 1)) == 0


# Other hosts


def test_azure_has_its_own_paths_version_and_header_and_is_found_by_the_name_s_end(provider, host):
    host.shows_metadata = False
    provider.faults = [Fault("lost", "POST /openai/fine_tuning/jobs", times=1)]
    provider.routes.append(("GET", "/openai/files", lambda *_: None))
    assert find_provider("azure").tunes == "azure"
    done = tune(order(provider="azure"))
    assert (done.state, host.creations(provider)) == ("done", 1)
    for request in provider.requests:
        assert request.path.startswith("/openai/") and request.headers["api-key"] == CANARY
        assert "authorization" not in request.headers and request.query["api-version"]


def test_together_speaks_its_own_protocol_tells_its_price_and_cannot_pause(provider, host):
    provider.faults = [Fault("lost", "POST /v1/fine-tunes", first=2, times=1)]  # the first asks for the price
    done = tune(order(provider="together"))
    assert (done.state, host.creations(provider), len(host.jobs)) == ("done", 1, 1)
    assert done.kept.cost_dollars == 12.5 and done.tuned_model.endswith(done.mark)
    assert read_curves(done.folder).filter(name=TRAINING_LOSS)["at"].to_list() == [1, 2, 3, 4, 5, 6]
    with pytest.raises(PricerError, match="cannot pause"):
        pause(start_only(host, provider="together", epochs=2).id)


def test_a_price_of_the_host_s_own_above_the_cap_creates_nothing(provider, host):
    host.estimate = 1_000.0
    with pytest.raises(PricerError, match=r"about \$1,000.00"):
        tune(order(provider="together"))
    assert host.creations(provider) == 0 and list_tunings()[0].state == "failed"


def test_every_adapter_keeps_the_promise_of_finding_by_its_mark(provider, host):
    for name in ("openai", "azure", "together"):
        host.shows_metadata = name != "azure"
        done = tune(order(provider=name))
        key = find_provider(name)
        adapter = make_adapter(key, find_key(key.key))
        assert [job.id for job in adapter.find(done.mark)] == [done.remote_id]
        assert adapter.find("00000000") == []


# The command line, and jobs


def test_an_order_is_what_its_command_says(dataset):
    stated = order(choice="balanced", prompt="notebook-2", learning_rate_multiplier=0.1, wandb="w", grade=250)
    assert read_start(start_arguments(stated)) == stated
    for wrong in ({"train": 3}, {"epochs": 0}, {"suffix": "two words"}, {"model": "two words"}):
        with pytest.raises(PricerError, match="got"):
            order(**wrong)
    assert read_start(["tune", "list"]) is None and read_start(["train", "mean", "--dataset=even", "x"]) is None


def test_the_verb_starts_lists_shows_and_looks_ahead(provider, host, capsys):
    start = ("tune", "start", "openai", "small-1", "--dataset=even", "--preset=100+50", "--train=40", "--dollars=3")
    ahead = json.loads(run(capsys, *start, "--check", "--json")[1])
    assert ahead["stops"] == 0 and ahead["cost_dollars"] > 0 and list_tunings() == []
    done = json.loads(run(capsys, *start, "--json")[1])
    assert (done["state"], done["train_rows"], done["step"]) == ("done", 40, 6)
    assert done["tuned_model"] in run(capsys, "tune", "list")[1]
    shown = json.loads(run(capsys, "tune", "show", done["mark"], "--json")[1])
    assert len(shown["curves"]) == 12 and shown["order"]["train"] == 40
    assert "there is no tuning 'nothing'" in run(capsys, "tune", "show", "nothing")[2]
    assert "--preset is one of 500+50" in run(capsys, *start[:5], "--preset=7")[2]


@pytest.fixture
def worker(provider: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    monkeypatch.setattr(jobs, "DELAY", timedelta(0))
    monkeypatch.setattr(processes, "LOWEST_PRIORITY", 0)
    own = Worker(silent)
    yield own
    for left in own._watched:
        left.send(signal.SIGKILL)


def launched(worker: Worker) -> SimpleNamespace:
    """A tuning as a job, once its host has the job too."""
    job = submit(start_arguments(order()), resources_of(["tune"]))
    worker.serve_once()
    eventually(lambda: worker.serve_once() or (list_tunings() and list_tunings()[0].remote_id))
    return SimpleNamespace(id=job.id, tuning=list_tunings()[0])


def ended(worker: Worker, job_id: str) -> jobs.Job:
    return eventually(lambda: worker.serve_once() or ((now := open_job(job_id)).state not in jobs.ALIVE and now), 120)


@pytest.mark.slow
def test_a_job_that_is_killed_while_it_polls_goes_on_with_its_remote_job(provider, host, worker):
    host.script = ["running"] * 3 + ["waits"]  # a state without an end
    job = launched(worker)
    assert open_job(job.id).resources == "network"
    os.kill(open_job(job.id).pid, signal.SIGKILL)
    eventually(lambda: worker.serve_once() or open_job(job.id).crash)
    host.script = [*host.script, "succeeded"]
    assert (ended(worker, job.id).state, host.creations(provider)) == ("done", 1)
    assert open_tuning(job.tuning.id).state == "done"


@pytest.mark.slow
def test_a_job_that_is_cancelled_cancels_its_tuning_at_the_host(provider, host, worker):
    host.script = ["running", "waits"]
    job = launched(worker)
    jobs.cancel_job(job.id)
    assert ended(worker, job.id).state == "cancelled"
    assert cancel_launch(job.id).state == "cancelled"  # tells the host where the job itself was too late
    assert next(iter(host.jobs.values()))["status"] == "cancelled"
    assert open_tuning(job.tuning.id).state == "cancelled"


def test_a_tuning_stands_among_the_runs_until_it_is_done_and_its_models_do_afterwards(provider, host, capsys):
    from pricer.runs.history import history
    from pricer.runs.jobs import claim, finish

    submit(start_arguments(order()), resources_of(["tune"]))
    assert [entry.name for entry in history()] == ["tune start openai small-1"]
    finish(claim("worker"), "done", result={})
    assert history() == []


def test_only_runs_that_were_asked_as_the_tuning_asks_stand_beside_its_base(provider, host):
    from pricer.runs.training import Order, train_run

    done = tune(order())
    set_price("openai", "small-1", Price(1.0, 3.0))
    settings = {"provider": "openai", "model": "small-1"}
    for prompt in ("plain", done.order.prompt):
        train_run(Order("hosted", "even", settings | {"prompt": prompt}, asked="natural", first_k=3))
    assert [(label, run.manifest.model_settings["prompt"]) for label, run in graded_runs(done)] == [
        ("base", done.order.prompt)
    ]


@pytest.mark.slow
def test_a_tuned_model_is_graded_beside_its_base_on_the_same_items(provider, host):
    from pricer.runs.store import list_runs

    done = tune(order())
    with pytest.raises(PricerError, match="providers price openai small-1 IN OUT"):
        grade(done, 20)
    set_price("openai", "small-1", Price(1.0, 3.0))
    assert [part.label for part in grade(done, 20)] == ["tuned", "base"]
    assert find_provider("openai").price(done.tuned_model) == Price(2.0, 6.0)
    for job_id in open_tuning(done.id).kept.graded:
        over = eventually(lambda job_id=job_id: (now := open_job(job_id)).state not in jobs.ALIVE and now, 180)
        assert (over.state, over.error) == ("done", None)
    asked = {run.manifest.model_settings["model"]: set(run.guesses()["item_id"]) for run in list_runs()}
    assert set(asked) == {done.tuned_model, "small-1"}
    assert asked["small-1"] == asked[done.tuned_model] and len(asked["small-1"]) == 20
    assert [part.state for part in grade(done, 20)] == ["done", "done"]  # nothing is asked twice


@pytest.mark.slow
def test_a_typed_key_stands_nowhere_after_success_and_after_every_failure(
    home, provider, host, worker, monkeypatch, capsys
):
    from tests.test_keys import command_lines

    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.delenv("TOGETHER_API_KEY")
    monkeypatch.delenv("AZURE_OPENAI_API_KEY")
    remember("OPENAI_API_KEY", CANARY)
    seen: list[str] = []
    ends = {"done": [Fault("lost", CREATE, times=1)], "failed": [Fault("key", CREATE)]}
    for number, (end, faults) in enumerate(ends.items(), start=1):
        provider.faults = faults
        job = submit(start_arguments(order(epochs=number)), resources_of(["tune"]))
        while open_job(job.id).state in jobs.ALIVE:
            worker.serve_once()
            seen += command_lines()
            time.sleep(0.05)
        assert list_tunings()[0].state == end, open_job(job.id)
    assert any("tune start" in line for line in seen) and not any(CANARY in line for line in seen)
    host.lists_jobs, provider.faults = False, [Fault("lost", CREATE)]
    code, out, err = run(capsys, *start_arguments(order(epochs=3)))
    assert code == 2 and "nobody knows" in err and CANARY not in out + err
    assert run(capsys, "tune", "list")[0] == 0
    found = [path for path in home.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]
    assert found == []
