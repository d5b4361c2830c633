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
from pricer.checkpoints import checkpoints_of, holds_checkpoint
from pricer.errors import PricerError
from pricer.llm.batches import cancel_of_job as cancel_batches
from pricer.llm.tuned.steps import STOP
from pricer.progress import Progress
from pricer.runs import jobs, processes, queue
from pricer.runs.asked_of import provider_asked
from pricer.runs.jobs import Crash, Job, Resources, State
from pricer.runs.queue import Place
from pricer.runs.tuning import cancel_of_job as cancel_tuning
from pricer.runs.worker import ensure_worker

# Verbs that take little memory, so they may run beside a heavy one. An unknown verb is heavy.
LIGHT = {"demo", "plan", "sample", "predict", "compare", "catalogues", "datasets", "runs", "export", "keys",
         "import-guesses"}  # fmt: skip
# Verbs that wait for a service more than they work, and the key that each uses: one job at a time for each key.
# One that only looks now and then, as `tune` does, keeps no other from its key.
KEY_OF = {"publish": "HF_TOKEN", "push-adapter": "HF_TOKEN", "tune": None}
SECONDS_TO_CANCEL = 15.0
DISMISSED = "dismissed"  # a file in a job's folder


@dataclass(frozen=True)
class Launch:
    """A launched command, as it stood when it was looked at."""

    id: str
    arguments: tuple[str, ...]
    started: datetime  # while it is queued: when it was launched
    ended: datetime | None
    pid: int | None  # none while it is queued
    state: State
    result: dict | None  # what the command reports with --json, once it is done
    error: str | None  # why it failed or crashed, in one line
    attempt: int = 0  # how often it was started; what crashes is tried again by itself
    crash: Crash | None = None  # how its last attempt ended, where that was by force
    why: str | None = None  # what became of its earlier attempts, a line for each
    next_at: datetime | None = None  # while it is queued after a crash: when it is tried again
    place: int = 0  # in the queue, the smallest first
    deleted: bool = False
    continues: str | None = None  # the job whose checkpoints it goes on from

    @property
    def alive(self) -> bool:
        """Whether it will still change: it is queued or runs."""
        return self.state in jobs.ALIVE

    @property
    def resumable(self) -> bool:
        """Whether it ended without success and left a checkpoint that `resume` goes on from."""
        return self.left_nothing and holds_checkpoint(checkpoints_of(self.continues or self.id))

    @property
    def left_nothing(self) -> bool:
        """Whether it ended without its result: it failed, crashed or was cancelled."""
        return not self.alive and self.state != "done"

    @property
    def dismissed(self) -> bool:
        """Whether someone has read how it ended, so that pages need not say it again."""
        return (_folder(self.id) / DISMISSED).exists()

    @property
    def progress(self) -> Progress | None:
        """How far it is, by its own last word; None before the first."""
        told = processes.record(_folder(self.id) / "progress.json")
        return Progress(**{field.name: told[field.name] for field in fields(Progress)}) if told else None

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
    provider = provider_asked(arguments)
    key = provider.key if provider else KEY_OF.get(arguments[0])
    return _launched(jobs.submit(arguments, resources_of(arguments), key))


def resources_of(arguments: Sequence[str]) -> Resources:
    """What a command takes up; of the heavy ones, one runs at a time."""
    if arguments[0] in KEY_OF or provider_asked(arguments):
        return "network"
    is_light = arguments[0] in LIGHT and "--catalogue" not in arguments  # `demo --catalogue` loads
    return "light" if is_light else "heavy"


def list_launches(deleted: bool = False) -> list[Launch]:
    """Every job that was launched and not deleted, the newest first; the deleted ones instead, if asked."""
    return [_read(job) for job in jobs.list_jobs(deleted=deleted)]


def alive_launches() -> list[Launch]:
    """The jobs that are not over: what runs, then what is queued in the order of the queue."""
    alive = sorted(jobs.list_jobs(*jobs.ALIVE), key=lambda job: (job.state == "queued", job.place, job.number))
    return [_read(job) for job in alive]


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
    if job.kind == "tune":
        cancel_tuning(job.continues or job.id)
    cancel_batches(job.id, job.continues)
    return _read(job)


def may_stop_and_keep(job: Launch) -> bool:
    """Whether a job tunes a model here and now, so that what it has learned until now can be kept."""
    return job.state == "running" and job.arguments[:2] == ("train", "qlora")


def stop_and_keep(job_id: str) -> Launch:
    """Let a job that tunes a model end after its step, and keep what it has learned as its run.

    PricerError where the job is over, or none that can.
    """
    job = open_launch(job_id)
    if not may_stop_and_keep(job):
        raise PricerError(f"{job.command} is no tuning that runs, so it cannot stop and keep what it has")
    folder = _folder(job.id)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / STOP).touch()
    return job


def retry(job_id: str) -> Launch:
    """Launch what a job that did not succeed was to do once more, from the start; PricerError if it did, or lives."""
    return _launched(queue.retry_job(job_id))


def resume(job_id: str) -> Launch:
    """As `retry`, but from the last complete checkpoint, where one stands; the result is the same, only sooner."""
    return _launched(queue.retry_job(job_id, resume=True))


def last_unread(verbs: Sequence[str]) -> Launch | None:
    """The job with one of these verbs that is at work; else the last, if it left nothing and nobody dismissed it."""
    of_verbs = [job for job in list_launches() if job.arguments[0] in verbs]
    alive = next((job for job in of_verbs if job.alive), None)
    if alive or not of_verbs:
        return alive
    last = of_verbs[0]
    return last if last.left_nothing and not last.dismissed else None


def dismiss(job_id: str) -> None:
    """Note that how a job ended was read; it stays in every list."""
    folder = _folder(jobs.open_job(job_id).id)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DISMISSED).touch()


def move(job_id: str, place: Place) -> Launch:
    """Move a queued job up, down, first or last in the queue; PricerError if it is not queued."""
    return _read(queue.move_job(job_id, place))


def delete(job_id: str) -> Launch:
    """Take an ended job out of the lists, so that `undelete` can bring it back; PricerError while it is alive."""
    return _read(queue.delete_job(job_id))


def undelete(job_id: str) -> Launch:
    """Bring a deleted job back."""
    return _read(queue.undelete_job(job_id))


def _launched(job: Job) -> Launch:
    ensure_worker()
    return _read(job)


def _read(job: Job) -> Launch:
    return Launch(
        id=job.id,
        arguments=job.arguments,
        started=job.started_at or job.created_at,
        ended=job.ended_at,
        pid=job.pid,
        state=job.state,
        result=job.result,
        error=job.error,
        attempt=job.attempt,
        crash=job.crash,
        why=job.why,
        next_at=job.next_at if job.state == "queued" else None,
        place=job.place,
        deleted=job.deleted_at is not None,
        continues=job.continues,
    )


def _folder(job_id: str) -> Path:
    return settings.jobs_folder() / job_id
