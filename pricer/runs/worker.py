"""The worker: claims jobs, starts each as a process, sees it through to its end.

    python -m pricer worker      # the app starts one itself when there is none

There is at most one worker for a home on a machine, by a kernel lock that dies with it. Its jobs do not die with it:
the next one takes them over, and what became of them follows from their processes and folders. Workers of several homes
or machines may share a database; what one of them leaves behind, the others try again.
"""

import hashlib
import os
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy.exc import DBAPIError

from pricer import settings
from pricer.checkpoints import checkpoints_of
from pricer.database import engine
from pricer.errors import PricerError
from pricer.files import write_json
from pricer.progress import Report, Step
from pricer.runs import jobs, processes
from pricer.runs.jobs import Crash, Job, State
from pricer.runs.watched import SECONDS_TO_END, Watched

SECONDS_BETWEEN_LOOKS = 0.25
SECONDS_BETWEEN_BEATS = jobs.LEASE.total_seconds() / 4
IDLE_SECONDS = 600.0  # then a worker ends: the next job, or the app, starts another
SECONDS_TO_START = 20.0  # a worker, on a machine that is busy with jobs


def ensure_worker() -> None:
    """See that a worker serves this home; PricerError if it cannot be started.

    A new one has a session of its own, so it outlives whoever asked for it. It replaces one that is frozen.
    """
    home = settings.make_home()
    with FileLock(home / "worker-start.lock"):  # those who ask at the same moment start one
        _end_frozen_worker()
        if _is_served():
            return
        with (home / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "pricer", "worker"],
                cwd=processes.PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        threading.Thread(target=process.wait, daemon=True).start()  # or it would stay a zombie while we live
        deadline = time.monotonic() + SECONDS_TO_START
        while not _is_served():
            if process.poll() is not None or time.monotonic() > deadline:
                raise PricerError(f"no worker could be started; its last words are in {home / 'worker.log'}")
            time.sleep(0.02)


def _end_frozen_worker() -> None:
    """Kill the worker that holds the lock of this home but was stopped, or lets the leases of its jobs run out."""
    known = processes.record(_worker_file())
    pid = known.get("pid")
    if not processes.lives(pid, known.get("pid_created")):
        return
    if processes.is_stopped(pid) or jobs.has_lapsed(_place_of_work()):
        os.kill(pid, signal.SIGKILL)  # its jobs live on, and its successor finds them
        deadline = time.monotonic() + SECONDS_TO_END
        while _is_served() and time.monotonic() < deadline:  # it holds the lock until its last thread has ended
            time.sleep(0.02)


def has_work() -> bool:
    """Whether there are jobs that a worker must see to."""
    return bool(jobs.list_jobs(*jobs.ALIVE))


def run_worker(report: Report, idle_seconds: float = IDLE_SECONDS) -> dict:
    """Carry jobs out until there was none for so long; PricerError if another worker serves this home.

    Gives the number of jobs that it saw to their end, by state.
    """
    engine()  # a database that cannot be used is said at once
    worker = Worker(report)
    while True:
        with _only_worker():
            worker.serve(idle_seconds)
        # Whoever submits a job starts a worker if the lock is free. So look once more, now that it is.
        if not jobs.list_jobs("queued") or _is_served():
            return dict(worker.ended)


@contextmanager
def _only_worker() -> Iterator[None]:
    lock = _lock()
    try:
        lock.acquire(timeout=1)  # who only looks whether it is held holds it for an instant
    except Timeout:
        raise PricerError(f"another worker serves {settings.home()}") from None
    try:
        write_json(_worker_file(), {"pid": os.getpid(), "pid_created": processes.born(os.getpid())})
        yield
    finally:
        lock.release()


def _is_served() -> bool:
    try:
        with _lock().acquire(blocking=False):
            return False
    except Timeout:
        return True


def _lock() -> FileLock:
    return FileLock(settings.make_home() / f"worker-{_machine()}.lock")


def _worker_file() -> Path:
    """Which process the worker of this home on this machine is."""
    return settings.make_home() / f"worker-{_machine()}.json"


def _machine() -> str:
    return "".join(letter for letter in socket.gethostname()[:64] if letter.isalnum() or letter in "-._") or "unnamed"


def _place_of_work() -> str:
    """What the names of all workers of this home on this machine begin with."""
    home = hashlib.sha256(os.fsencode(settings.home())).hexdigest()[:8]
    return f"{_machine()}:{home}:"


class Worker:
    """Looks after the jobs that it claimed or took over, one short step at a time."""

    def __init__(self, report: Report):
        self.owner = f"{_place_of_work()}{os.getpid()}:{secrets.token_hex(4)}"
        self.ended: Counter[State] = Counter()
        self._report = report
        self._watched: list[Watched] = []
        self._next_beat = 0.0
        self._leased_until = 0.0  # by our own clock, which no one sets

    def serve(self, idle_seconds: float) -> None:
        """Work until there was nothing to do for so long."""
        busy_at = time.monotonic()
        while time.monotonic() - busy_at < idle_seconds:
            self.serve_once()
            if self._watched:
                busy_at = time.monotonic()
            time.sleep(SECONDS_BETWEEN_LOOKS)

    def serve_once(self) -> None:
        """Take one step; where the database does not answer, it may go better soon."""
        try:
            self.step()
        except DBAPIError as error:
            self._tell(f"The database does not answer: {error.orig}")
            self._fence_off()

    def step(self) -> None:
        """Look once: at the leases, at the jobs that run, at the queue."""
        if time.monotonic() >= self._next_beat:
            self._keep_leases()
            self._look_for_abandoned()
            self._next_beat = time.monotonic() + SECONDS_BETWEEN_BEATS
        unwanted = jobs.cancel_requests(self.owner) if self._watched else set()
        for watched in list(self._watched):
            if self._has_ended(watched, watched.job.id in unwanted):
                self._watched.remove(watched)
        while job := jobs.claim(self.owner):
            self._start(job)

    def _keep_leases(self) -> None:
        """Renew every lease; a job that was lost to another worker must not run twice, so its process ends here."""
        until = time.monotonic() + jobs.LEASE.total_seconds()
        for watched in list(self._watched):
            if not jobs.beat(watched.job):
                watched.send(signal.SIGKILL)
                self._watched.remove(watched)
                self._tell(f"Too late for {watched.job.id}: another worker has it")
        self._leased_until = until

    def _fence_off(self) -> None:
        """End all processes once our leases may have run out: another worker may have begun the same work."""
        if time.monotonic() > self._leased_until:
            for watched in self._watched:
                watched.send(signal.SIGKILL)

    def _look_for_abandoned(self) -> None:
        here = _place_of_work()
        self._watched += [Watched(job) for job in jobs.take_over(self.owner, here)]
        for job in jobs.end_lapsed(here):
            if job.owner and job.owner.startswith(f"{_machine()}:"):  # of another home on this machine
                Watched(job).send(signal.SIGKILL)
            self._tell(f"Lost by its worker: {job.id}")

    def _start(self, job: Job) -> None:
        folder = settings.jobs_folder() / job.id
        try:
            process = processes.start(job.arguments, folder, job.attempt, checkpoints_of(job.continues or job.id))
        except (OSError, ValueError) as error:  # no room on the disk, no more processes, a NUL in an argument
            self._finish(job, "failed", f"it could not be started: {error}")
            return
        pid_created = processes.born(process.pid)
        self._watched.append(Watched(replace(job, pid=process.pid, pid_created=pid_created), process))
        if jobs.record_process(job, process.pid, pid_created):
            processes.open_gate(process)
        else:
            process.stdin.close()  # lost while we slept: it ends behind its gate
        self._tell(f"Started {job.id}: {shlex.join(job.arguments)}")

    def _has_ended(self, watched: Watched, unwanted: bool) -> bool:
        """Look after one job; whether its process has ended, and its end is on record."""
        lives = watched.lives()  # asked first: what it writes as it ends is then seen below
        result = watched.result()
        if lives:
            if unwanted or result:
                watched.see_off(asked=unwanted)
            else:
                watched.end_if_frozen()
            return False
        watched.send(signal.SIGKILL)  # what it left behind
        if result.get("exit_code") == 0:
            if self._finish(watched.job, "done", result=result["result"]):
                shutil.rmtree(checkpoints_of(watched.job.continues or watched.job.id), ignore_errors=True)
        elif unwanted:
            self._finish(watched.job, "cancelled")
        elif crash := result.get("crash"):
            evidence = crash == "killed" and watched.evidence_of_memory()
            self._end_attempt(watched.job, "out of memory" if evidence else crash, result["error"])
        elif result:
            self._finish(watched.job, "failed", result["error"])
        else:
            crash, why = watched.how_it_ended()
            if crash:
                self._end_attempt(watched.job, crash, why)
            else:
                self._finish(watched.job, "failed", why)
        return True

    def _end_attempt(self, job: Job, crash: Crash, why: str) -> None:
        state = jobs.end_attempt(job, crash, why)
        if state in ("crashed", "cancelled"):
            self.ended[state] += 1
        self._tell(f"Attempt {job.attempt} of {job.id} ended by force, {crash}: {state or 'too late'}")

    def _finish(self, job: Job, state: State, error: str | None = None, result: dict | None = None) -> bool:
        """End a job; whether it was still ours to end."""
        ours = jobs.finish(job, state, error, result)
        if ours:
            self.ended[state] += 1
        self._tell(f"Ended {job.id}: {state}" if ours else f"Too late for the end of {job.id}: {state}")
        return ours

    def _tell(self, event: str) -> None:
        self._report(Step(event, self.ended.total(), "jobs ended"))
