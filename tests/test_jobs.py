import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from pricer.database import engine
from pricer.errors import PricerError
from pricer.runs import jobs
from pricer.runs.jobs import (
    beat,
    cancel_job,
    cancel_requests,
    claim,
    end_attempt,
    end_lapsed,
    finish,
    has_lapsed,
    list_jobs,
    open_job,
    record_process,
    submit,
    take_over,
)

pytestmark = pytest.mark.usefixtures("each_database")  # SQLite and PostgreSQL

TRAIN = ["train", "mean", "--dataset", "even"]


@pytest.fixture
def no_delay(monkeypatch):
    """What crashed is tried again at once."""
    monkeypatch.setattr(jobs, "DELAY", timedelta(0))


@pytest.fixture
def lapsed(monkeypatch):
    """Leases have run out as soon as they are given."""
    monkeypatch.setattr(jobs, "LEASE", timedelta(seconds=-1))


def claimed(owner: str = "worker", name: str = "a") -> jobs.Job:
    submit(["train", name], "heavy")
    return claim(owner)


def test_a_submitted_job_is_queued_with_its_arguments():
    job = submit(TRAIN, "heavy")
    assert (job.state, job.kind, job.arguments, job.attempt) == ("queued", "train", tuple(TRAIN), 0)
    assert open_job(job.id) == job
    assert list_jobs() == [job]


def test_a_second_click_adds_nothing_until_the_job_has_ended():
    first = submit(TRAIN, "heavy")
    assert submit(TRAIN, "heavy") == first
    mine = claim("worker")
    assert submit(TRAIN, "heavy").id == first.id
    finish(mine, "failed", "no such dataset")
    assert submit(TRAIN, "heavy").id != first.id


def test_twenty_clicks_at_the_same_moment_are_one_job():
    with ThreadPoolExecutor(20) as threads:
        clicks = [threads.submit(submit, TRAIN, "heavy") for _ in range(20)]
    assert len({click.result().id for click in clicks}) == len(list_jobs()) == 1


def test_jobs_are_claimed_in_the_order_of_their_places():
    submitted = [submit(["plan", name], "light").id for name in "abc"]
    with engine().begin() as connection:
        connection.execute(update(jobs.jobs).where(jobs.jobs.c.id == submitted[2]).values(place=0))
    assert [claim("worker").id, claim("worker").id] == [submitted[2], submitted[0]]


def test_one_heavy_job_runs_at_a_time_and_light_ones_beside_it():
    for resources in ("heavy", "heavy", "light"):
        submit(["x", resources, str(len(list_jobs()))], resources)
    heavy, light = claim("worker"), claim("worker")
    assert [heavy.resources, light.resources, claim("worker")] == ["heavy", "light", None]
    finish(heavy, "done")
    assert claim("worker").resources == "heavy"


def test_workers_that_claim_at_the_same_moment_keep_the_limits():
    for number in range(6):
        submit(["train", str(number)], "heavy")
        submit(["ask", str(number)], "network", "openai")
    with ThreadPoolExecutor(12) as threads:
        found = [job for job in threads.map(claim, map(str, range(12))) if job]
    assert sorted(job.resources for job in found) == ["heavy", "network"]


def test_two_network_jobs_run_at_once_but_one_for_a_key():
    for name, key in (("a", "openai"), ("b", "openai"), ("c", "hub"), ("d", None)):
        submit(["ask", name], "network", key)
    assert [claim("worker").key_name, claim("worker").key_name, claim("worker")] == ["openai", "hub", None]


def test_a_job_is_not_claimed_before_its_time():
    job = submit(TRAIN, "heavy")
    for seconds, expected in ((3600, None), (-3600, job.id)):
        with engine().begin() as connection:
            connection.execute(update(jobs.jobs).values(next_at=datetime.now(UTC) + timedelta(seconds=seconds)))
        found = claim("worker")
        assert (found and found.id) == expected


def test_the_end_of_a_job_is_final():
    job = claimed()
    assert finish(job, "done", result={"error_dollars": 9.5})
    assert not finish(job, "crashed", "late")
    assert not beat(job)
    ended = cancel_job(job.id)
    assert (ended.state, ended.error, ended.result) == ("done", None, {"error_dollars": 9.5})


@pytest.mark.parametrize("seed", range(10))
def test_of_two_ends_at_the_same_moment_one_holds(seed):
    job = claimed()
    states = ["done", "cancelled"][:: 1 if seed % 2 else -1]
    with ThreadPoolExecutor(2) as threads:
        held = list(threads.map(lambda state: finish(job, state), states))
    assert sorted(held) == [False, True]
    assert open_job(job.id).state == states[held.index(True)]


@pytest.mark.parametrize("seed", range(3))
def test_a_cancelling_that_meets_an_end_leaves_one_end(seed):
    """Twenty rounds each; whoever comes first, the job has ended once, as its worker said or was told to end it."""
    with ThreadPoolExecutor(2) as threads:
        for number in range(20):
            job = claimed(name=f"{seed} {number}")
            ends = [lambda job=job: finish(job, "done"), lambda job=job: cancel_job(job.id)]
            order = 1 if (seed + number) % 2 else -1
            held, seen = [end.result() for end in [threads.submit(end) for end in ends[::order]]][::order]
            now = open_job(job.id)
            assert held and now.state == "done"
            assert seen.state == "done" or (seen.state == "running" and now.cancel_requested_at)
            assert not finish(job, "cancelled") and open_job(job.id) == now


@pytest.mark.parametrize("seed", range(3))
def test_a_cancelling_that_meets_a_claim_is_carried_out_by_one_of_them(seed):
    with ThreadPoolExecutor(2) as threads:
        for number in range(10):
            job = submit(["train", f"{seed} {number}"], "heavy")
            asked, mine = threads.submit(cancel_job, job.id), threads.submit(claim, "worker")
            asked.result()
            if mine.result() is None:
                assert open_job(job.id).state == "cancelled"
            else:
                assert cancel_requests("worker") == {job.id}
                assert end_attempt(mine.result(), "killed", "asked to") == "cancelled"


def test_a_queued_job_is_cancelled_at_once_and_a_running_one_on_request():
    running, queued = claimed("worker", "a"), submit(TRAIN, "heavy")
    assert cancel_job(queued.id).state == "cancelled"
    asked = cancel_job(running.id)
    assert (asked.state, cancel_requests("worker")) == ("running", {running.id})
    assert cancel_job(running.id).cancel_requested_at == asked.cancel_requested_at
    assert cancel_requests("another") == set()


def test_a_late_writer_changes_nothing():
    mine = claimed("here:frozen")
    [theirs] = take_over("here:other", "here:")
    late = (beat(mine), record_process(mine, 1, 1.0), end_attempt(mine, "killed", "x"), finish(mine, "done", result={}))
    assert not any(late)
    assert open_job(mine.id) == theirs
    assert (theirs.owner, theirs.attempt, theirs.fence) == ("here:other", 1, 2)
    assert finish(theirs, "done")


def test_even_its_own_name_does_not_let_a_late_writer_in(no_delay):
    early = claimed("worker")
    end_attempt(early, "killed", "x")
    again = claim("worker")
    assert not finish(early, "crashed")
    assert finish(again, "done")


def test_a_lease_that_comes_back_to_its_worker_is_another():
    first = claimed("here:1")
    take_over("here:2", "here:")
    [again] = take_over("here:1", "here:")
    assert (again.owner, again.attempt) == (first.owner, first.attempt)
    assert not beat(first)
    assert beat(again)


def test_a_job_under_a_lease_is_left_to_its_worker():
    job = claimed("here:1")
    assert take_over("there:2", "there:") == end_lapsed("there:") == []
    assert take_over("here:1", "here:") == []
    assert not has_lapsed("here:")
    assert beat(job)


def test_the_next_worker_of_a_home_takes_over_at_once():
    claimed("here_1:1")
    assert take_over("here%1:2", "here%1:") == []  # no pattern
    assert [job.owner for job in take_over("here_1:2", "here_1:")] == ["here_1:2"]


def test_what_a_worker_elsewhere_lets_lapse_is_tried_again(lapsed, no_delay):
    job = claimed("here:1")
    assert has_lapsed("here:") and not has_lapsed("there:")
    assert end_lapsed("here:") == []  # its own successor knows more
    assert [gone.owner for gone in end_lapsed("there:")] == ["here:1"]
    assert not beat(job)
    again = claim("there:2")
    assert (again.id, again.attempt, again.crash) == (job.id, 2, "lost")
    assert "here:1" in again.why


def test_a_worker_killed_before_its_first_beat_loses_its_job():
    job = claimed("dead")
    with engine().begin() as connection:
        connection.execute(update(jobs.jobs).values(lease_until=None, heartbeat_at=None))
    assert [gone.id for gone in end_lapsed("nowhere")] == [job.id]


# Attempts


def test_what_was_killed_is_tried_again_after_a_while_and_says_why():
    job = claimed()
    assert end_attempt(job, "killed", "killed by SIGKILL") == "queued"
    queued = open_job(job.id)
    assert (queued.state, queued.crash, queued.why) == ("queued", "killed", "attempt 1: killed by SIGKILL")
    assert timedelta(0) < queued.next_at - queued.started_at <= 2 * jobs.DELAY
    assert claim("worker") is None


def test_after_three_attempts_it_has_crashed_for_good(no_delay):
    submit(TRAIN, "heavy")
    ends = [end_attempt(claim("worker"), how, how) for how in ("killed", "out of memory", "frozen")]
    assert ends == ["queued", "queued", "crashed"]
    [job] = list_jobs()
    assert (job.state, job.attempt, job.crash, job.error) == ("crashed", 3, "frozen", "frozen")
    assert job.why.splitlines() == ["attempt 1: killed", "attempt 2: out of memory", "attempt 3: frozen"]
    assert claim("worker") is None


def test_what_ran_out_of_memory_is_tried_again_once(no_delay):
    submit(TRAIN, "heavy")
    assert [end_attempt(claim("worker"), "out of memory", "x") for _ in range(2)] == ["queued", "crashed"]


def test_what_became_of_earlier_attempts_stays_on_record_when_it_succeeds(no_delay):
    end_attempt(claimed(), "killed", "x")
    finish(claim("worker"), "done", result={})
    [job] = list_jobs()
    assert (job.state, job.error, job.why, job.attempt) == ("done", None, "attempt 1: x", 2)


def test_a_job_that_crashes_while_someone_cancels_it_is_cancelled():
    job = claimed()
    cancel_job(job.id)
    assert end_attempt(job, "killed", "x") == open_job(job.id).state == "cancelled"


@pytest.mark.parametrize("job_id", ["", "..", "20260501-120000-00c0de", "' or 1 = 1"])
def test_an_unknown_job_is_one_line(job_id):
    for look in (open_job, cancel_job):
        with pytest.raises(PricerError, match="there is no job"):
            look(job_id)


@pytest.mark.slow
def test_workers_that_claim_at_the_same_moment_lose_and_double_nothing():
    script = """
import sys
from pricer.runs.jobs import *
while list_jobs("queued"):
    if job := claim(sys.argv[1]):
        print(job.id)
        assert beat(job) and record_process(job, 1, 1.0) and finish(job, "done", result={"by": sys.argv[1]})
"""
    submitted = {submit(["plan", str(number)], "light").id for number in range(60)}
    command_line = [sys.executable, "-c", script]
    workers = [subprocess.Popen([*command_line, str(n)], stdout=subprocess.PIPE, text=True) for n in range(4)]
    carried_out = [job_id for worker in workers for job_id in worker.communicate()[0].split()]
    assert [worker.returncode for worker in workers] == [0] * 4
    assert sorted(carried_out) == sorted(submitted)
    assert {(job.state, job.attempt, job.fence) for job in list_jobs()} == {("done", 1, 1)}
