import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import psutil
import pytest

from pricer.errors import PricerError
from pricer.files import write_json
from pricer.runs import launch as launching
from pricer.runs.launch import Launch, cancel, launch, list_launches, open_launch

ENDLESS = ["demo", "--rows", "900000000", "--output"]


def ended(job: Launch, seconds: float = 30) -> Launch:
    deadline = time.monotonic() + seconds
    while (now := open_launch(job.id)).state == "running":
        assert time.monotonic() < deadline, f"{job.command} still runs"
        time.sleep(0.05)
    return now


@pytest.fixture
def endless(tmp_path):
    """A job that ends only by force."""
    job = launch([*ENDLESS, str(tmp_path / "endless.jsonl")])
    yield job
    cancel(job.id)


@pytest.fixture
def scripted(home) -> Iterator[Callable[[str], Launch]]:
    """Makes jobs whose process is a shell script that nobody waits for."""
    processes = []

    def start(script: str) -> Launch:
        process = subprocess.Popen(["sh", "-c", script], start_new_session=True)
        processes.append(process)
        folder = home / "jobs" / f"20260501-120000-{process.pid:06x}"
        process_facts = {"pid": process.pid, "pid_created": psutil.Process(process.pid).create_time()}
        record = {"id": folder.name, "arguments": [script], "started": "2026-05-01T12:00:00+00:00"}
        write_json(folder / "launch.json", record | process_facts)
        (folder / "log.txt").touch()
        return open_launch(folder.name)

    yield start
    for process in processes:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_job_that_ends_well_is_done_and_has_a_result(tmp_path):
    file = tmp_path / "two words.jsonl"
    job = ended(launch(["demo", "--rows", "5", "--output", str(file)]))
    assert (job.state, job.result["rows"], job.error) == ("done", 5, None)
    assert len(file.read_text().splitlines()) == 5
    assert job.command == f"python -m pricer demo --rows 5 --output '{file}'"


def test_a_job_that_cannot_do_its_work_has_failed_and_says_why():
    job = ended(launch(["load", "nowhere.jsonl", "--catalogue", "x"]))
    assert job.state == "failed"
    assert "nowhere.jsonl" in job.error
    assert job.error in job.log_tail


def test_a_running_job_reports_its_progress(endless):
    deadline = time.monotonic() + 20
    while not (now := open_launch(endless.id)).progress:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert now.state == "running"
    assert now.progress.unit == "rows"


def test_a_job_runs_in_a_session_of_its_own_at_the_lowest_priority(endless):
    assert os.getsid(endless.pid) == endless.pid
    assert psutil.Process(endless.pid).nice() == 19


def test_a_second_click_gives_the_job_that_runs(endless):
    assert launch(endless.arguments).id == endless.id
    cancel(endless.id)
    again = launch(endless.arguments)
    assert again.id != endless.id
    cancel(again.id)


def test_a_cancelled_job_stays_cancelled(endless):
    assert cancel(endless.id).state == "cancelled"
    assert cancel(endless.id).state == "cancelled"
    assert not psutil.pid_exists(endless.pid) or psutil.Process(endless.pid).status() == psutil.STATUS_ZOMBIE


def test_cancelling_a_finished_job_changes_nothing(tmp_path):
    job = ended(launch(["demo", "--rows", "5", "--output", str(tmp_path / "demo.jsonl")]))
    assert cancel(job.id) == job


def test_a_killed_job_has_crashed(endless):
    os.kill(endless.pid, signal.SIGKILL)
    assert ended(endless, seconds=5).state == "crashed"


def test_a_zombie_is_not_alive(scripted):
    job = scripted("exit 0")
    assert ended(job, seconds=5).state == "crashed"
    assert psutil.Process(job.pid).status() == psutil.STATUS_ZOMBIE


def test_another_process_with_the_same_number_is_not_the_job(scripted, home):
    job = scripted("sleep 60")
    record = home / "jobs" / job.id / "launch.json"
    record.write_text(record.read_text().replace('"pid_created": ', '"pid_created": 1'))
    assert cancel(job.id).state == "crashed"
    assert psutil.Process(job.pid).status() != psutil.STATUS_ZOMBIE


def test_cancelling_ends_all_that_a_job_started_even_what_will_not(scripted, monkeypatch):
    monkeypatch.setattr(launching, "SECONDS_TO_END", 0.3)
    job = scripted("trap '' TERM; sleep 60 & sleep 60")
    deadline = time.monotonic() + 5
    while len(family := psutil.Process(job.pid).children()) < 2:
        assert time.monotonic() < deadline
    assert cancel(job.id).state == "cancelled"
    assert psutil.wait_procs(family, timeout=5)[1] == []


def test_a_job_outlives_the_process_that_launched_it(tmp_path):
    script = (
        "import os, sys; from pricer.runs.launch import launch; "
        "launch(['demo', '--rows', '20000', '--output', sys.argv[1]]); os.kill(os.getpid(), 9)"
    )
    launcher = subprocess.run([sys.executable, "-c", script, str(tmp_path / "demo.jsonl")])
    [job] = list_launches()
    assert (launcher.returncode, job.state) == (-9, "running")
    assert ended(job).state == "done"


@pytest.mark.parametrize("job_id", ["", "..", "../jobs", "/etc", "20260501-120000-00c0de/..", "20260501-120000-00c0de"])
def test_an_unknown_job_is_one_line(job_id, home):
    (home / "jobs" / "launch.json").parent.mkdir(parents=True)
    (home / "jobs" / "launch.json").write_text("{}")
    with pytest.raises(PricerError, match="there is no job"):
        cancel(job_id)
