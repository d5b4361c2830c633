import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from pricer.checkpoints import checkpoints_of, save_checkpoint
from pricer.errors import PricerError
from pricer.runs import jobs, processes
from pricer.runs.launch import (
    Launch,
    cancel,
    delete,
    launch,
    list_launches,
    move,
    open_launch,
    resources_of,
    resume,
    retry,
    undelete,
)
from tests.processes import eventually

ENDLESS = ["demo", "--rows", "900000000", "--output"]


def ended(job: Launch) -> Launch:
    return eventually(lambda: not (now := open_launch(job.id)).alive and now)


@pytest.fixture
def endless(tmp_path) -> Launch:
    """A job at work that ends only by force."""
    job = launch([*ENDLESS, str(tmp_path / "endless.jsonl")])
    return eventually(lambda: (now := open_launch(job.id)).progress and now)


def test_a_job_that_ends_well_is_done_and_has_a_result(tmp_path):
    file = tmp_path / "two words.jsonl"
    job = ended(launch(["demo", "--rows", "5", "--output", str(file)]))
    assert (job.state, job.result["rows"], job.error) == ("done", 5, None)
    assert job.started <= job.ended
    assert len(file.read_text().splitlines()) == 5
    assert job.command == f"python -m pricer demo --rows 5 --output '{file}'"


def test_a_job_that_cannot_do_its_work_has_failed_and_says_why():
    job = ended(launch(["load", "nowhere.jsonl", "--catalogue", "x"]))
    assert job.state == "failed"
    assert "nowhere.jsonl" in job.error
    assert job.error in job.log_tail


def test_a_running_job_reports_its_progress(endless):
    assert (endless.state, endless.alive) == ("running", True)
    assert endless.progress.unit == "rows"
    assert "Writing rows" in endless.log_tail


def test_a_queued_job_has_no_process_progress_or_log_yet():
    jobs.submit(["plan", "demo"], "light")
    [job] = list_launches()
    assert (job.state, job.alive, job.pid, job.progress, job.log_tail) == ("queued", True, None, None, "")


def test_a_second_click_gives_the_job_that_runs(endless):
    assert launch(endless.arguments).id == endless.id
    cancel(endless.id)
    again = launch(endless.arguments)
    assert again.id != endless.id
    assert cancel(again.id).state == "cancelled"


def test_twenty_clicks_at_the_same_moment_start_one_job(tmp_path):
    arguments = ["demo", "--rows", "5", "--output", str(tmp_path / "demo.jsonl")]
    with ThreadPoolExecutor(20) as threads:
        [job_id] = {job.id for job in threads.map(launch, [arguments] * 20)}
    assert ended(open_launch(job_id)).state == "done"
    assert [job.id for job in list_launches()] == [job_id]


def test_a_cancelled_job_stays_cancelled(endless):
    assert cancel(endless.id).state == "cancelled"
    assert cancel(endless.id).state == "cancelled"
    assert processes.born(endless.pid) is None


def test_cancelling_a_finished_job_changes_nothing(tmp_path):
    job = ended(launch(["demo", "--rows", "5", "--output", str(tmp_path / "demo.jsonl")]))
    assert cancel(job.id) == job


def test_a_killed_job_is_tried_again_and_says_why(endless):
    psutil.Process(endless.pid).kill()
    queued = eventually(lambda: (now := open_launch(endless.id)).crash and now)
    assert (queued.alive, queued.attempt, queued.crash) == (True, 1, "killed")
    assert queued.why.startswith("attempt 1: it was killed by SIGKILL")
    again = eventually(lambda: (now := open_launch(endless.id)).attempt == 2 and now.pid and now)
    assert again.pid != endless.pid
    assert cancel(endless.id).state == "cancelled"


def test_what_was_cancelled_is_launched_again_moved_deleted_and_brought_back(endless):
    cancel(endless.id)
    again = retry(endless.id)
    assert (again.arguments, again.alive, again.attempt) == (endless.arguments, True, 0)
    assert cancel(again.id).state == "cancelled"
    assert delete(again.id).deleted
    assert [job.id for job in list_launches()] == [endless.id]
    assert [job.id for job in list_launches(deleted=True)] == [again.id]
    assert not undelete(again.id).deleted


def test_a_queued_job_is_moved():
    first, second = (jobs.submit(["load", name], "heavy").id for name in "ab")
    assert move(second, "first").place < open_launch(first).place


def test_what_left_a_checkpoint_can_be_resumed():
    job = jobs.submit(["load", "a"], "heavy")
    save_checkpoint(checkpoints_of(job.id), lambda folder: (folder / "epoch").write_text("1"))
    assert not open_launch(job.id).resumable  # it lives
    cancel(job.id)
    assert open_launch(job.id).resumable
    assert resume(job.id).continues == job.id


def test_a_job_outlives_the_process_that_launched_it(tmp_path):
    script = (
        "import os, sys; from pricer.runs.launch import launch; "
        "launch(['demo', '--rows', '20000', '--output', sys.argv[1]]); os.kill(os.getpid(), 9)"
    )
    launcher = subprocess.run([sys.executable, "-c", script, str(tmp_path / "demo.jsonl")])
    [job] = list_launches()
    assert (launcher.returncode, job.alive) == (-9, True)
    assert ended(job).state == "done"


@pytest.mark.parametrize(
    ("arguments", "resources"),
    [
        (["load", "a.jsonl", "--catalogue", "a"], "heavy"),
        (["train", "mean", "--dataset", "even"], "heavy"),
        (["demo", "--catalogue", "demo"], "heavy"),
        (["what-comes-later"], "heavy"),
        (["demo", "--output", "a.jsonl"], "light"),
        (["sample", "demo", "--dataset", "even"], "light"),
    ],
)
def test_what_loads_or_fits_is_heavy_and_so_is_what_nobody_knows(arguments, resources):
    assert resources_of(arguments) == resources


def test_an_unknown_job_is_one_line():
    for look in (open_launch, cancel):
        with pytest.raises(PricerError, match=r"there is no job '\.\./jobs'"):
            look("../jobs")
