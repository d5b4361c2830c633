import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from pricer.checkpoints import checkpoints_of, save_checkpoint
from pricer.errors import PricerError
from pricer.progress import silent
from pricer.runs import jobs, processes, pulse, watched, worker
from pricer.runs.jobs import Job, cancel_job, claim, list_jobs, open_job, record_process, submit, take_over
from pricer.runs.worker import Worker, ensure_worker, run_worker
from tests.processes import eventually, workers_of
from tests.serving import serving

ROWS_FOR_SECONDS = "40000"  # enough that the job is still at work when something is killed


def demo(tmp_path, name: str = "demo", rows: str = "5") -> list[str]:
    return ["demo", "--rows", rows, "--output", str(tmp_path / f"{name}.jsonl")]


def endless(tmp_path) -> Job:
    return submit(demo(tmp_path, "endless", rows="900000000"), "light")


def running(job: Job) -> Job:
    """The job once its command is at work."""
    eventually(lambda: (processes.settings.jobs_folder() / job.id / "progress.json").exists())
    return open_job(job.id)


def ended(job: Job, by: Worker | None = None) -> Job:
    """The job once it has ended, by a worker of the test's own or by one that runs."""

    def look() -> Job | None:
        if by:
            by.step()
        now = open_job(job.id)
        return now if now.state not in jobs.ALIVE else None

    return eventually(look)


def crashed(job: Job, by: Worker) -> Job:
    """The job once an attempt at it has ended by force."""
    return eventually(lambda: by.step() or ((now := open_job(job.id)).crash and now))


def lives(pid: int) -> bool:
    return processes.born(pid) is not None


def kill(found: list[psutil.Process]) -> None:
    """As `kill -9` does: nothing is told, nothing is tidied up."""
    assert found
    for process in found:
        process.kill()
    assert psutil.wait_procs(found, timeout=10)[1] == []


@pytest.fixture
def own_worker(home) -> Iterator[Worker]:
    """A worker whose steps the test takes."""
    own = Worker(silent)
    yield own
    for left in own._watched:
        left.send(signal.SIGKILL)


@pytest.fixture
def abandoned(home) -> Iterator[Callable[[str], Job]]:
    """Makes jobs that a dead worker left running; their process is a shell script whose end nobody waits for."""
    started = []

    def start(script: str) -> Job:
        process = subprocess.Popen(["sh", "-c", script], start_new_session=True)
        started.append(process)
        submit([script], "light")
        job = claim(f"{worker._place_of_work()}dead")
        record_process(job, process.pid, processes.born(process.pid))
        (home / "jobs" / job.id).mkdir(parents=True)
        return open_job(job.id)

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def leave_result(home, job: Job, text: str) -> None:
    (home / "jobs" / job.id / "result.json").write_text(text)


DONE = json.dumps({"exit_code": 0, "result": {"rows": 5}})


# Jobs


def test_a_worker_carries_out_what_is_queued_and_ends_when_idle(tmp_path):
    good = submit(demo(tmp_path), "light")
    bad = submit(["load", "nowhere.jsonl", "--catalogue", "x"], "heavy")
    assert run_worker(silent, idle_seconds=0.3) == {"done": 1, "failed": 1}
    assert open_job(good.id).result["rows"] == 5
    assert "nowhere.jsonl" in open_job(bad.id).error


@pytest.mark.slow
def test_heavy_jobs_run_one_after_the_other(tmp_path, own_worker):
    first, second = (submit(demo(tmp_path, name), "heavy") for name in "ab")
    beside = submit(demo(tmp_path, "c"), "light")
    own_worker.step()
    assert [open_job(job.id).state for job in (first, second, beside)] == ["running", "queued", "running"]
    ended(second, own_worker)
    assert open_job(first.id).ended_at <= open_job(second.id).started_at
    assert {job.state for job in list_jobs()} == {"done"}


def test_no_work_is_done_before_the_process_is_on_record(tmp_path):
    process = processes.start(demo(tmp_path), tmp_path / "job")
    process.stdin.close()  # as when its worker dies
    assert process.wait(10) != 0
    assert not (tmp_path / "demo.jsonl").exists()


def test_a_job_that_cannot_be_started_has_failed(own_worker):
    job = submit(["demo", "\0"], "light")
    own_worker.step()
    assert open_job(job.id).state == "failed"
    assert "could not be started" in open_job(job.id).error


def test_a_killed_job_is_tried_again_and_says_why(tmp_path, own_worker):
    job = submit(demo(tmp_path, rows=ROWS_FOR_SECONDS), "light")
    own_worker.step()
    os.kill(running(job).pid, signal.SIGKILL)
    done = ended(job, own_worker)
    assert (done.state, done.attempt, done.crash) == ("done", 2, "killed")
    assert done.why.startswith("attempt 1: it was killed by SIGKILL; its last words: ")
    assert done.result["rows"] == int(ROWS_FOR_SECONDS)


def test_a_job_that_dies_each_time_has_crashed(tmp_path, own_worker):
    job = endless(tmp_path)
    for attempt in range(1, jobs.MOST_ATTEMPTS + 1):
        eventually(lambda: own_worker.step() or (open_job(job.id).pid and open_job(job.id).state == "running"))
        now = open_job(job.id)
        assert now.attempt == attempt
        os.kill(now.pid, signal.SIGSEGV)
        eventually(lambda: own_worker.step() or open_job(job.id).state != "running")
    crashed = ended(job, own_worker)
    assert (crashed.state, crashed.attempt) == ("crashed", jobs.MOST_ATTEMPTS)
    assert crashed.error.startswith("it was killed by SIGSEGV")


def test_a_frozen_job_is_ended_and_tried_again(tmp_path, own_worker, monkeypatch):
    monkeypatch.setattr(pulse, "SECONDS_OF_SILENCE", 3.0)
    job = submit(demo(tmp_path, rows=ROWS_FOR_SECONDS), "light")
    own_worker.step()
    os.kill(running(job).pid, signal.SIGSTOP)
    done = ended(job, own_worker)
    assert (done.state, done.attempt, done.crash) == ("done", 2, "frozen")
    assert "gave no sign of life" in done.why


def test_a_job_that_gives_no_pulse_but_uses_the_processor_is_busy(abandoned, own_worker, monkeypatch):
    monkeypatch.setattr(pulse, "SECONDS_OF_SILENCE", 1.0)
    job = abandoned("while :; do :; done")
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        own_worker.step()
        time.sleep(0.1)
    assert open_job(job.id).state == "running"


def test_a_job_that_runs_out_of_memory_says_so_and_is_tried_again_once(own_worker, home, abandoned):
    job = abandoned("exit 0")
    leave_result(home, job, json.dumps({"exit_code": 2, "error": "out of memory: 3 GB", "crash": "out of memory"}))
    eventually(lambda: own_worker.step() or open_job(job.id).state == "queued")
    assert (open_job(job.id).crash, open_job(job.id).why) == ("out of memory", "attempt 1: out of memory: 3 GB")


@pytest.mark.parametrize(("left", "kept"), [(DONE, False), ('{"exit_code": 2, "error": "no"}', True)])
def test_checkpoints_are_kept_until_the_work_is_done(left, kept, abandoned, own_worker, home):
    job = abandoned("exit 0")
    save_checkpoint(checkpoints_of(job.id), lambda folder: (folder / "state").write_text("1"))
    leave_result(home, job, left)
    ended(job, own_worker)
    assert checkpoints_of(job.id).exists() == kept


def test_a_worker_that_is_too_late_leaves_the_checkpoints_to_the_one_that_has_the_job(abandoned, own_worker, home):
    job = abandoned("exit 0")
    save_checkpoint(checkpoints_of(job.id), lambda folder: (folder / "state").write_text("1"))
    leave_result(home, job, DONE)
    own_worker._watched = [watched.Watched(each) for each in take_over(own_worker.owner, worker._place_of_work())]
    own_worker._next_beat = own_worker._leased_until = time.monotonic() + 60  # it slept since it renewed its lease
    [taken] = take_over("elsewhere", worker._place_of_work())
    eventually(lambda: own_worker.step() or not own_worker._watched)
    assert open_job(job.id) == taken and checkpoints_of(job.id).exists()


def test_a_job_whose_own_processes_were_killed_is_tried_again(own_worker, home, abandoned):
    job = abandoned("exit 0")
    leave_result(home, job, json.dumps({"exit_code": 2, "error": "a worker process was ended", "crash": "killed"}))
    assert crashed(job, own_worker).crash == "killed"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not hold a process to its limit")
def test_a_command_that_asks_for_too_much_memory_leaves_that_as_its_result(tmp_path):
    script = (
        "import resource, sys; from pricer import __main__ as line; from pricer.verbs import data\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))\n"
        "line.data.add_verbs = lambda verbs: verbs.add('demo', 'x', lambda *_: bytearray(3 << 30), str)\n"
        "sys.exit(line.main(['demo']))"
    )
    environment = os.environ | {"PRICER_JOB_FOLDER": str(tmp_path)}
    ended = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    left = json.loads((tmp_path / "result.json").read_text())
    assert (ended.returncode, left["crash"]) == (2, "out of memory")
    assert ended.stderr.startswith("pricer: out of memory")


def test_the_system_kills_jobs_first_when_memory_runs_out(tmp_path, own_worker):
    job = endless(tmp_path)
    own_worker.step()
    score = Path(f"/proc/{running(job).pid}/oom_score_adj")
    assert not score.exists() or score.read_text().strip() == "1000"


def test_a_job_that_ends_by_itself_without_a_result_has_failed(own_worker):
    job = submit(["no-such-verb"], "light")
    own_worker.step()
    [watched_job] = own_worker._watched
    watched_job.process.wait(30)
    (watched_job.folder / "result.json").unlink()
    failed = ended(job, own_worker)
    assert (failed.state, failed.attempt) == ("failed", 1)
    assert "with code 2; its last words: python -m pricer: argument VERB: invalid choice" in failed.error


def test_what_a_crashed_job_started_ends_with_it(abandoned, own_worker):
    job = abandoned("sleep 60 & sleep 60 & wait")
    children = eventually(psutil.Process(job.pid).children)
    os.kill(job.pid, signal.SIGKILL)
    crashed(job, own_worker)
    assert psutil.wait_procs(children, timeout=5)[1] == []


@pytest.mark.parametrize("left", ["", "{", '{"exit'])
def test_a_torn_result_is_none(left, abandoned, own_worker, home):
    job = abandoned("exit 0")
    leave_result(home, job, left)
    assert crashed(job, own_worker).state == "queued"


def test_the_result_of_an_earlier_attempt_is_none(abandoned, own_worker, home):
    job = abandoned("exit 0")
    leave_result(home, job, json.dumps({"exit_code": 0, "attempt": 0, "result": {"rows": 5}}))
    assert crashed(job, own_worker).state == "queued"


def test_a_job_that_hangs_after_its_result_is_done_and_ended(abandoned, own_worker, home, monkeypatch):
    monkeypatch.setattr(watched, "SECONDS_TO_END", 0.3)
    job = abandoned("trap '' TERM; sleep 60 & wait")
    leave_result(home, job, DONE)
    assert ended(job, own_worker).result == {"rows": 5}
    assert not lives(job.pid)


# Cancelling


def test_cancelling_ends_all_that_a_job_started_even_what_will_not(abandoned, own_worker, monkeypatch):
    monkeypatch.setattr(watched, "SECONDS_TO_END", 0.3)
    job = abandoned("trap '' TERM; sleep 60 & setsid sleep 60 & wait")
    family = eventually(lambda: len(found := psutil.Process(job.pid).children()) == 2 and found)
    cancel_job(job.id)
    assert ended(job, own_worker).state == "cancelled"
    assert psutil.wait_procs(family, timeout=5)[1] == []


def test_what_was_finished_before_it_was_cancelled_is_done(abandoned, own_worker, home):
    job = abandoned("sleep 60")
    cancel_job(job.id)
    leave_result(home, job, DONE)
    assert ended(job, own_worker).state == "done"


def test_another_process_with_the_same_number_is_left_alone(abandoned, own_worker):
    job = abandoned("sleep 60")
    record_process(job, job.pid, job.pid_created - 1)
    cancel_job(job.id)
    assert ended(job, own_worker).state == "cancelled"
    assert lives(job.pid)


# Workers that die, freeze or meet


def test_a_zombie_has_ended(abandoned, own_worker):
    job = abandoned("exit 0")
    assert crashed(job, own_worker).crash == "killed"
    assert psutil.Process(job.pid).status() == psutil.STATUS_ZOMBIE


def test_a_job_that_its_worker_claimed_but_never_started_is_started_by_the_next(tmp_path, own_worker):
    job = submit(demo(tmp_path), "light")
    claim(f"{worker._place_of_work()}dead")
    assert (ended(job, own_worker).state, open_job(job.id).attempt) == ("done", 2)


def test_a_job_that_kills_its_workers_is_given_up(own_worker, monkeypatch):
    monkeypatch.setattr(jobs, "DELAY", timedelta(0))
    job = submit(["demo"], "light")
    for _ in range(jobs.MOST_ATTEMPTS):
        held = claim(f"{worker._place_of_work()}dead")
        if held.attempt < jobs.MOST_ATTEMPTS:
            jobs.end_attempt(held, "killed", "its worker died")
    assert (ended(job, own_worker).state, open_job(job.id).attempt) == ("crashed", jobs.MOST_ATTEMPTS)


def test_a_worker_that_lost_a_job_ends_its_process_and_writes_nothing(tmp_path, own_worker):
    job = endless(tmp_path)
    own_worker.step()
    pid = running(job).pid
    [taken] = take_over("elsewhere", worker._place_of_work())
    own_worker._next_beat = 0
    own_worker.step()
    eventually(lambda: not lives(pid))
    own_worker.step()
    assert open_job(job.id) == taken


@pytest.mark.slow
def test_a_job_outlives_its_worker_and_the_next_one_takes_it_over(tmp_path, home):
    job = submit(demo(tmp_path, rows=ROWS_FOR_SECONDS), "light")
    ensure_worker()
    first = running(job)
    kill(workers_of(home))
    ensure_worker()
    taken = eventually(lambda: (now := open_job(job.id)).owner != first.owner and now, 120)
    assert (taken.pid, taken.attempt, taken.fence) == (first.pid, 1, 2)
    done = ended(job)
    assert (done.state, done.result["rows"]) == ("done", int(ROWS_FOR_SECONDS))


@pytest.mark.slow
def test_a_job_that_died_with_its_worker_is_tried_again_by_the_next(tmp_path, home):
    job = submit(demo(tmp_path, rows=ROWS_FOR_SECONDS), "light")
    ensure_worker()
    pid = running(job).pid
    kill([*workers_of(home), psutil.Process(pid)])
    ensure_worker()
    done = ended(job)
    assert (done.state, done.attempt) == ("done", 2)
    assert "while no worker looked on" in done.why


def test_a_frozen_worker_is_replaced_and_its_jobs_go_on(tmp_path, home):
    job = endless(tmp_path)
    ensure_worker()
    [frozen] = workers_of(home)
    first = running(job)
    frozen.suspend()
    eventually(lambda: frozen.status() == psutil.STATUS_STOPPED)
    ensure_worker()
    assert frozen.pid not in [process.pid for process in workers_of(home)]
    taken = eventually(lambda: (now := open_job(job.id)).owner != first.owner and now)
    assert (taken.pid, taken.attempt) == (first.pid, 1)
    assert lives(taken.pid)


def test_a_worker_that_lets_its_leases_run_out_is_replaced(tmp_path, home):
    endless(tmp_path)
    ensure_worker()
    [first] = workers_of(home)
    eventually(lambda: list_jobs("running"))
    with jobs.engine().begin() as connection:
        connection.execute(update(jobs.jobs).values(lease_until=datetime(2026, 1, 1, tzinfo=UTC)))
    ensure_worker()
    assert [process.pid for process in workers_of(home)] != [first.pid]


def test_a_worker_that_cannot_reach_the_database_ends_its_jobs_before_others_may_begin_them(
    tmp_path, own_worker, monkeypatch
):
    job = endless(tmp_path)
    own_worker.step()
    pid = running(job).pid

    def unreachable(job: Job) -> bool:
        raise OperationalError("", {}, OSError("no route"))

    monkeypatch.setattr(jobs, "beat", unreachable)
    own_worker._next_beat = 0
    own_worker.serve_once()
    assert lives(pid)  # its lease still stands
    own_worker._leased_until = 0
    own_worker.serve_once()
    eventually(lambda: not lives(pid))


@pytest.mark.slow
def test_workers_of_two_homes_share_the_jobs_of_one_database(tmp_path, home, each_database, monkeypatch):
    monkeypatch.setenv("PRICER_DATABASE_URL", str(jobs.engine().url))
    other_home = tmp_path / "other"
    job = submit(demo(tmp_path, rows=ROWS_FOR_SECONDS), "light")
    command = [sys.executable, "-m", "pricer", "worker"]
    other = subprocess.Popen(command, env=os.environ | {"PRICER_HOME": str(other_home)}, start_new_session=True)
    first = eventually(lambda: (now := open_job(job.id)).pid and now)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PRICER_HOME", str(home))
        here = Worker(silent)
        here.step()
        assert open_job(job.id).owner == first.owner  # under a lease
        os.kill(other.pid, signal.SIGKILL)
        other.wait()
        with jobs.engine().begin() as connection:
            connection.execute(update(jobs.jobs).values(lease_until=datetime(2026, 1, 1, tzinfo=UTC)))
        here._next_beat = 0
        done = ended(job, here)
    assert not lives(first.pid)
    assert (done.state, done.attempt, done.crash) == ("done", 2, "lost")
    assert done.owner == here.owner != first.owner


@pytest.mark.slow
def test_a_home_has_one_worker_however_many_ask_for_it(home):
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: ensure_worker(), range(8)))
    assert len(workers_of(home)) == 1
    with pytest.raises(PricerError, match="another worker serves"):
        run_worker(silent, idle_seconds=0)


def test_a_worker_that_cannot_start_is_one_line(home, monkeypatch):
    monkeypatch.setenv("PRICER_DATABASE_URL", "no url")
    with pytest.raises(PricerError, match=r"no worker could be started; .*worker\.log$"):
        ensure_worker()
    assert "cannot use the database" in (home / "worker.log").read_text()


def test_a_worker_and_its_jobs_have_sessions_of_their_own_and_jobs_the_lowest_priority(tmp_path, home):
    job = endless(tmp_path)
    ensure_worker()
    [process] = workers_of(home)
    pid = running(job).pid
    assert (os.getsid(process.pid), os.getsid(pid)) == (process.pid, pid)
    assert (process.nice(), psutil.Process(pid).nice()) == (psutil.Process().nice(), 19)


@pytest.mark.slow
def test_a_job_outlives_the_server_and_a_server_replaces_a_dead_worker(tmp_path, home):
    with serving(home) as server:
        job = submit(demo(tmp_path, rows=ROWS_FOR_SECONDS), "light")
        pid = running(job).pid
        server.process.kill()
        server.process.wait()
        assert lives(pid)
        assert ended(job).state == "done"
        kill(workers_of(home))
        job = submit(demo(tmp_path, "later"), "light")
        with serving(home):
            assert ended(job).state == "done"
            kill(workers_of(home))
            killed_at = time.monotonic()
            assert ended(submit(demo(tmp_path, "last"), "light")).state == "done"
            assert time.monotonic() - killed_at < 30


def test_a_script_that_launches_and_dies_leaves_a_worker(tmp_path, home):
    script = "from pricer.runs.worker import ensure_worker; import os; ensure_worker(); os.kill(os.getpid(), 9)"
    job = submit(demo(tmp_path), "light")
    assert subprocess.run([sys.executable, "-c", script]).returncode == -9
    assert ended(job).state == "done"
