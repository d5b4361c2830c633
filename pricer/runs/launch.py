"""Launch slow work: a `python -m pricer …` command that outlives the server, queued for the worker.

What a page shows of a job comes from two places: its record in the database says what state it is in, and its folder
holds what the command leaves there itself: how far it is, and what it printed.
"""

import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path

from pricer import settings
from pricer.progress import Progress
from pricer.runs import jobs, processes
from pricer.runs.jobs import Job, Resources, State
from pricer.runs.worker import ensure_worker

# Verbs that take little memory, so they may run beside a heavy one. An unknown verb is heavy.
LIGHT = {"demo", "plan", "sample", "predict", "compare", "catalogues", "datasets", "runs"}
SECONDS_TO_CANCEL = 15.0


@dataclass(frozen=True)
class Launch:
    """A launched command, as it stood when it was looked at."""

    id: str
    arguments: tuple[str, ...]
    started: datetime  # while it is queued: when it was launched
    ended: datetime | None
    pid: int | None  # none while it is queued
    state: State
    progress: Progress | None
    result: dict | None  # what the command reports with --json, once it is done
    error: str | None  # why it failed or crashed, in one line

    @property
    def alive(self) -> bool:
        """Whether it will still change: it is queued, runs or waits."""
        return self.state in jobs.ALIVE

    @property
    def command(self) -> str:
        """What a person could type instead."""
        return shlex.join(["python", "-m", "pricer", *self.arguments])

    @property
    def log_tail(self) -> str:
        """The last lines that the command printed."""
        return processes.log_tail(_folder(self.id))


def launch(arguments: Sequence[str]) -> Launch:
    """Queue `python -m pricer` with these arguments, and see that a worker will start it.

    While a job with the same arguments is queued or runs, that one is given back: a second click adds nothing.
    """
    job = jobs.submit(arguments, resources_of(arguments))
    ensure_worker()
    return _read(job)


def resources_of(arguments: Sequence[str]) -> Resources:
    """What a command takes up; of the heavy ones, one runs at a time."""
    is_light = arguments[0] in LIGHT and "--catalogue" not in arguments  # `demo --catalogue` loads
    return "light" if is_light else "heavy"


def list_launches() -> list[Launch]:
    """Every job that was launched, the newest first."""
    return [_read(job) for job in jobs.list_jobs()]


def open_launch(job_id: str) -> Launch:
    """Look at one job; PricerError if there is none with this id."""
    return _read(jobs.open_job(job_id))


def cancel(job_id: str) -> Launch:
    """End a job and all processes that it started: first asked, then forced. What it had finished stays finished."""
    job = jobs.cancel_job(job_id)
    if job.state in jobs.ALIVE:
        ensure_worker()
    deadline = time.monotonic() + SECONDS_TO_CANCEL
    while job.state in jobs.ALIVE and time.monotonic() < deadline:
        time.sleep(0.05)
        job = jobs.open_job(job_id)
    return _read(job)


def _read(job: Job) -> Launch:
    progress = processes.record(_folder(job.id) / "progress.json")
    return Launch(
        id=job.id,
        arguments=job.arguments,
        started=job.started_at or job.created_at,
        ended=job.ended_at,
        pid=job.pid,
        state=job.state,
        progress=Progress(**{field.name: progress[field.name] for field in fields(Progress)}) if progress else None,
        result=job.result,
        error=job.error,
    )


def _folder(job_id: str) -> Path:
    return settings.jobs_folder() / job_id
