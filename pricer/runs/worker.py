"""The worker: claims jobs, starts each as a process, sees it through to its end.

    python -m pricer worker      # the app starts one itself when there is none

There is at most one worker for a home, by a kernel lock that dies with it. Its jobs do not die with it: the next one
takes them over, and what became of them follows from their processes and folders.
"""

import hashlib
import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from pricer import settings
from pricer.errors import PricerError
from pricer.progress import Report, Step
from pricer.runs import jobs, processes
from pricer.runs.jobs import Job, State

SECONDS_BETWEEN_LOOKS = 0.25
SECONDS_BETWEEN_BEATS = jobs.LEASE.total_seconds() / 3
SECONDS_TO_END = 5.0  # between asking a process to end and forcing it, and for its last steps after its result
IDLE_SECONDS = 600.0  # then a worker ends: the next job, or the app, starts another
SECONDS_TO_START = 20.0  # a worker, on a machine that is busy with jobs


def ensure_worker() -> None:
    """See that a worker serves this home; PricerError if it cannot be started.

    A new one has a session of its own, so it outlives whoever asked for it.
    """
    home = settings.make_home()
    with FileLock(home / "worker-start.lock"):  # those who ask at the same moment start one
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


def has_work() -> bool:
    """Whether there are jobs that a worker must see to."""
    return bool(jobs.list_jobs(*jobs.ALIVE))


def run_worker(report: Report, idle_seconds: float = IDLE_SECONDS) -> dict:
    """Carry jobs out until there was none for so long; PricerError if another worker serves this home.

    Gives the number of jobs that it saw to their end, by state.
    """
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
    return FileLock(settings.make_home() / "worker.lock")


def _place_of_work() -> str:
    """What the names of all workers of this home on this machine begin with."""
    home = hashlib.sha256(os.fsencode(settings.home())).hexdigest()[:8]
    return f"{socket.gethostname()[:64]}:{home}:"


@dataclass
class Watched:
    """A job whose process is looked after."""

    job: Job
    process: subprocess.Popen | None = None  # none if another worker started it
    ending_since: float | None = None

    @property
    def folder(self) -> Path:
        return settings.jobs_folder() / self.job.id

    def lives(self) -> bool:
        if self.process is not None:
            return self.process.poll() is None
        return processes.lives(self.job.pid, self.job.pid_created)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process and all that it started."""
        if self.job.pid is not None:
            processes.end_all(self.job.pid, self.job.pid_created, number)

    def see_off(self, asked: bool) -> None:
        """Bring the process to its end: asked first, if it was to work on, then forced."""
        if self.ending_since is None:
            self.ending_since = time.monotonic()
            if asked:
                self.send(signal.SIGTERM)
        elif time.monotonic() - self.ending_since > SECONDS_TO_END:
            self.send(signal.SIGKILL)


class Worker:
    """Looks after the jobs that it claimed or took over, one short step at a time."""

    def __init__(self, report: Report):
        self.owner = f"{_place_of_work()}{os.getpid()}:{secrets.token_hex(4)}"
        self.ended: Counter[State] = Counter()
        self._report = report
        self._watched: list[Watched] = []
        self._next_beat = 0.0

    def serve(self, idle_seconds: float) -> None:
        """Work until there was nothing to do for so long."""
        busy_at = time.monotonic()
        while time.monotonic() - busy_at < idle_seconds:
            self.step()
            if self._watched:
                busy_at = time.monotonic()
            time.sleep(SECONDS_BETWEEN_LOOKS)

    def step(self) -> None:
        """Look once: at the leases, at the jobs that run, at the queue."""
        if time.monotonic() >= self._next_beat:
            self._next_beat = time.monotonic() + SECONDS_BETWEEN_BEATS
            self._keep_leases()
            self._watched += [Watched(job) for job in jobs.take_over(self.owner, _place_of_work())]
        unwanted = jobs.cancel_requests(self.owner) if self._watched else set()
        for watched in list(self._watched):
            if self._has_ended(watched, watched.job.id in unwanted):
                self._watched.remove(watched)
        while job := jobs.claim(self.owner):
            self._start(job)

    def _keep_leases(self) -> None:
        """Renew every lease; a job that was lost to another worker must not run twice, so its process ends here."""
        for watched in list(self._watched):
            if not jobs.beat(watched.job):
                watched.send(signal.SIGKILL)
                self._watched.remove(watched)

    def _start(self, job: Job) -> None:
        folder = settings.jobs_folder() / job.id
        try:
            process = processes.start(job.arguments, folder)
        except (OSError, ValueError) as error:  # no room on the disk, no more processes, a NUL in an argument
            self._finish(job, "failed", f"it could not be started: {error}")
            return
        pid_created = processes.born(process.pid)
        if jobs.record_process(job, process.pid, pid_created):
            processes.open_gate(process)
        else:
            process.stdin.close()  # lost while we slept: it ends behind its gate
        self._watched.append(Watched(replace(job, pid=process.pid, pid_created=pid_created), process))
        self._tell(f"Started {job.id}: {shlex.join(job.arguments)}")

    def _has_ended(self, watched: Watched, unwanted: bool) -> bool:
        """Look after one job; whether its process has ended, and its end is on record."""
        lives = watched.lives()  # asked first: what it writes as it ends is then seen below
        result = processes.record(watched.folder / "result.json")
        if lives:
            if unwanted or result:
                watched.see_off(asked=unwanted)
            return False
        watched.send(signal.SIGKILL)  # what it left behind
        if result.get("exit_code") == 0:
            self._finish(watched.job, "done", result=result["result"])
        elif unwanted:
            self._finish(watched.job, "cancelled")
        elif result:
            self._finish(watched.job, "failed", result["error"])
        elif watched.job.pid is None and watched.job.attempt < jobs.MOST_ATTEMPTS:
            jobs.give_back(watched.job)  # the worker that claimed it died before the work began
        else:
            self._finish(watched.job, "crashed", _last_words(watched))
        return True

    def _finish(self, job: Job, state: State, error: str | None = None, result: dict | None = None) -> None:
        if jobs.finish(job, state, error, result):
            self.ended[state] += 1
            self._tell(f"Ended {job.id}: {state}")

    def _tell(self, event: str) -> None:
        self._report(Step(event, self.ended.total(), "jobs ended"))


def _last_words(watched: Watched) -> str:
    """Why a job may have ended without a result, in one line."""
    code = watched.process.poll() if watched.process else None
    how = ""
    if code is not None and code < 0:
        how = f", killed by {signal.Signals(-code).name}"
        how += " (perhaps memory ran out)" if code == -signal.SIGKILL else ""
    last = processes.log_tail(watched.folder).strip().rpartition("\n")[2]
    return f"it ended without a result{how}; its last words: {last or 'none'}"
