"""The record of jobs: submitted by anyone, claimed by one worker under a lease, ended once and for all.

    job = submit(["train", "mean", "--dataset", "even"], "heavy")
    mine = claim("worker-1")            # the first in the queue that may run now
    beat(mine)                          # True while it is still mine
    finish(mine, "done", result={...})  # True once: the end of a job is final
    end_attempt(mine, "killed", "…")    # or back into the queue, while it has attempts left

What else people do with jobs is in `pricer.runs.queue`. A claimed `Job` is also its lease: every write names the
attempt, the owner and the fencing number that it was claimed with, and changes nothing once another worker has taken
the job over. Leases go by the database's clock alone.
"""

import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, Connection, Row, and_, func, insert, not_, or_, select, update
from sqlalchemy.exc import IntegrityError

from pricer import settings
from pricer.database import engine, jobs
from pricer.errors import PricerError

State = Literal["queued", "running", "done", "failed", "cancelled", "crashed"]
Resources = Literal["heavy", "network", "light"]
Crash = Literal["killed", "frozen", "out of memory", "lost"]  # lost: with the worker that had it

ALIVE: tuple[State, ...] = ("queued", "running")
MOST_AT_ONCE: dict[Resources, int] = {"heavy": 1, "network": 2, "light": 2}
MOST_ATTEMPTS = 3
LEASE = timedelta(seconds=20)  # a worker that was silent for longer may lose its jobs
DELAY = timedelta(seconds=2)  # before the second attempt; before the third it is twice as long


@dataclass(frozen=True)
class Job:
    """A job, as it stood when it was looked at; the columns of the table `jobs` explain themselves there."""

    number: int
    id: str
    kind: str
    arguments: tuple[str, ...]
    state: State
    resources: Resources
    key_name: str | None
    place: int
    attempt: int
    owner: str | None
    fence: int
    pid: int | None
    pid_created: float | None
    lease_until: datetime | None
    heartbeat_at: datetime | None
    next_at: datetime | None
    cancel_requested_at: datetime | None
    error: str | None
    crash: Crash | None
    why: str | None
    continues: str | None
    result: dict | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    deleted_at: datetime | None


def database_time(connection: Connection) -> datetime:
    """The moment by the database's clock, the same for all who share it."""
    if connection.dialect.name == "sqlite":
        now = func.strftime("%Y-%m-%dT%H:%M:%f+00:00", "now")
        return datetime.fromisoformat(connection.execute(select(now)).scalar_one())
    return connection.execute(select(func.clock_timestamp())).scalar_one()


# For those who want work done


def submit(
    arguments: Sequence[str], resources: Resources, key_name: str | None = None, continues: str | None = None
) -> Job:
    """Queue `python -m pricer` with these arguments; `continues` names the job from whose checkpoints it goes on.

    While a job with the same arguments is alive, that one is given back: a second click adds nothing.
    """
    same_work = hashlib.sha256(json.dumps(list(arguments)).encode()).hexdigest()
    facts = {"arguments": json.dumps(list(arguments)), "kind": arguments[0], "continues": continues}
    while True:
        with suppress(IntegrityError):  # the key is taken
            return _insert(facts | {"resources": resources, "key_name": key_name, "idempotency_key": same_work})
        with engine().begin() as connection:
            row = connection.execute(select(jobs).where(jobs.c.idempotency_key == same_work)).first()
        if row:  # otherwise it has ended between the two
            return _read(row)


def _insert(facts: dict) -> Job:
    with engine().begin() as connection:
        now = database_time(connection)
        last = connection.execute(select(func.max(jobs.c.place))).scalar()
        new = insert(jobs).values(
            **facts,
            id=f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}",
            state="queued",
            place=(last or 0) + 1,
            attempt=0,
            fence=0,
            created_at=now,
        )
        return _read(connection.execute(new.returning(jobs)).one())


def list_jobs(*states: State, deleted: bool = False) -> list[Job]:
    """All jobs, or those in one of these states, the newest first; the deleted ones instead, if asked."""
    query = select(jobs).where(jobs.c.deleted_at.is_not(None) if deleted else jobs.c.deleted_at.is_(None))
    query = query.order_by(jobs.c.number.desc())
    with engine().begin() as connection:
        return [_read(row) for row in connection.execute(query.where(jobs.c.state.in_(states)) if states else query)]


def open_job(job_id: str) -> Job:
    """Look at one job; PricerError if there is none with this id."""
    with engine().begin() as connection:
        row = connection.execute(select(jobs).where(jobs.c.id == job_id)).first()
    if row is None:
        raise PricerError(f"there is no job {job_id!r}")
    return _read(row)


def cancel_job(job_id: str) -> Job:
    """Cancel a job that is queued; ask for the end of one that runs. One that has ended stays as it is."""
    with engine().begin() as connection:
        now = database_time(connection)
        queued = and_(jobs.c.id == job_id, jobs.c.state == "queued")
        running = and_(jobs.c.id == job_id, jobs.c.state.in_(ALIVE), jobs.c.cancel_requested_at.is_(None))
        connection.execute(update(jobs).where(queued).values(_ended("cancelled", now)))
        connection.execute(update(jobs).where(running).values(cancel_requested_at=now))
    return open_job(job_id)


# For the worker


def claim(owner: str) -> Job | None:
    """Take the first job in the queue that may run beside those that do; None if there is none."""
    with engine().begin() as connection:
        now = database_time(connection)
        first = select(jobs.c.number).where(_may_run(connection, now)).order_by(jobs.c.place, jobs.c.number).limit(1)
        number = connection.execute(first).scalar()
        if number is None:
            return None
        claimed = (
            update(jobs)
            .where(jobs.c.number == number, jobs.c.state == "queued")
            .values(
                **_lease(owner, now),
                state="running",
                attempt=jobs.c.attempt + 1,
                fence=jobs.c.fence + 1,
                pid=None,
                pid_created=None,
                started_at=now,
            )
        )
        row = connection.execute(claimed.returning(jobs)).first()
        return row and _read(row)


def _may_run(connection: Connection, now: datetime) -> ColumnElement[bool]:
    """What holds for a queued job that is due, while no limit of those that run is reached."""
    running = connection.execute(select(jobs.c.resources, jobs.c.key_name).where(jobs.c.state == "running")).all()
    taken = Counter(row.resources for row in running)
    free = [resources for resources, most in MOST_AT_ONCE.items() if taken[resources] < most]
    busy_keys = {row.key_name for row in running} - {None}
    return and_(
        jobs.c.state == "queued",
        jobs.c.resources.in_(free),
        or_(jobs.c.next_at.is_(None), jobs.c.next_at <= now),
        or_(jobs.c.key_name.is_(None), jobs.c.key_name.not_in(busy_keys)),
    )


def take_over(owner: str, place_of_work: str) -> list[Job]:
    """Take the running jobs of those workers that are gone, as their successor.

    Those are all others whose name begins with `place_of_work`, which serves one worker at a time: the one that asks.
    """
    with engine().begin() as connection:
        lease = _lease(owner, database_time(connection))
        theirs = and_(jobs.c.state == "running", jobs.c.owner != owner, _works_at(place_of_work))
        taken = update(jobs).where(theirs).values(**lease, fence=jobs.c.fence + 1)
        return [_read(row) for row in connection.execute(taken.returning(jobs))]


def end_lapsed(place_of_work: str) -> list[Job]:
    """End the attempts of workers elsewhere that let their lease run out; gives the jobs as they stood before.

    Their processes cannot be seen from here. Whatever those still write, their attempt is over.
    """
    with engine().begin() as connection:
        now = database_time(connection)
        lapsed = or_(jobs.c.lease_until < now, jobs.c.lease_until.is_(None))
        abandoned = and_(jobs.c.state == "running", not_(_works_at(place_of_work)), lapsed)
        found = [_read(row) for row in connection.execute(select(jobs).where(abandoned))]
        for job in found:
            why = f"its worker ({job.owner}) was silent for {LEASE.total_seconds():.0f} seconds"
            _end_attempt(connection, job, "lost", why, now)
        return found


def has_lapsed(place_of_work: str) -> bool:
    """Whether a worker of this place let the lease of a job run out: it is dead, frozen or cut off."""
    with engine().begin() as connection:
        lapsed = jobs.c.lease_until < database_time(connection)
        wanted = select(jobs.c.id).where(jobs.c.state == "running", _works_at(place_of_work), lapsed)
        return connection.execute(wanted.limit(1)).first() is not None


def _works_at(place_of_work: str) -> ColumnElement[bool]:
    return jobs.c.owner.startswith(place_of_work, autoescape=True)


def record_process(job: Job, pid: int, pid_created: float | None) -> bool:
    """Say which process carries a job out; False if the job is no longer ours."""
    return _write(job, {"pid": pid, "pid_created": pid_created})


def beat(job: Job) -> bool:
    """Renew the lease; False if the job is no longer ours, and then its process must end."""
    with engine().begin() as connection:
        return _write_held(connection, job, _lease(job.owner, database_time(connection)))


def end_attempt(job: Job, crash: Crash, why: str) -> State | None:
    """Say that an attempt ended by force, and how.

    Gives "queued" where the job is tried again after a short delay, "crashed" after its last attempt (what died of
    memory is tried again once: it would die again), "cancelled" where someone has asked for its end meanwhile, and
    None, with nothing changed, where the job is no longer ours.
    """
    with engine().begin() as connection:
        return _end_attempt(connection, job, crash, why, database_time(connection))


def _end_attempt(connection: Connection, job: Job, crash: Crash, why: str, now: datetime) -> State | None:
    asked = select(jobs.c.cancel_requested_at).where(jobs.c.number == job.number)
    history = "\n".join([*filter(None, [job.why]), f"attempt {job.attempt}: {why}"])
    facts: dict = {"crash": crash, "why": history}
    if connection.execute(asked).scalar():
        state: State = "cancelled"
        facts |= _ended(state, now)
    elif job.attempt >= MOST_ATTEMPTS or job.crash == crash == "out of memory":
        state = "crashed"
        facts |= _ended(state, now) | {"error": why}
    else:
        state = "queued"
        facts |= {"state": state, "lease_until": None, "next_at": now + DELAY * 2 ** (job.attempt - 1)}
    return state if _write_held(connection, job, facts) else None


def finish(job: Job, state: State, error: str | None = None, result: dict | None = None) -> bool:
    """End a job; False, and nothing is changed, if it is no longer ours or has ended already."""
    with engine().begin() as connection:
        facts = {"error": error, "result": None if result is None else json.dumps(result)}
        return _write_held(connection, job, _ended(state, database_time(connection)) | facts)


def check_attempt(connection: Connection, job_id: str | None) -> None:
    """For a job's process, in the transaction that makes its work count: PricerError if its attempt is over."""
    held = select(jobs.c.state, jobs.c.attempt).where(jobs.c.id == job_id)
    job = connection.execute(held).first()
    if job and (job.state, job.attempt) != ("running", settings.job_attempt()):
        raise PricerError(f"attempt {settings.job_attempt()} at job {job_id} is over, so nothing is recorded")


def cancel_requests(owner: str) -> set[str]:
    """The ids of this worker's jobs that someone wants to end."""
    wanted = and_(jobs.c.owner == owner, jobs.c.state == "running", jobs.c.cancel_requested_at.is_not(None))
    with engine().begin() as connection:
        return set(connection.execute(select(jobs.c.id).where(wanted)).scalars())


def _write(job: Job, values: dict) -> bool:
    with engine().begin() as connection:
        return _write_held(connection, job, values)


def _write_held(connection: Connection, job: Job, values: dict) -> bool:
    """Write to a job as its owner; False, and nothing is changed, if the job has changed hands or ended."""
    held = and_(
        jobs.c.number == job.number,
        jobs.c.attempt == job.attempt,
        jobs.c.owner == job.owner,
        jobs.c.fence == job.fence,
        jobs.c.state == "running",
    )
    return connection.execute(update(jobs).where(held).values(values)).rowcount == 1


def _lease(owner: str, now: datetime) -> dict:
    return {"owner": owner, "lease_until": now + LEASE, "heartbeat_at": now}


def _ended(state: State, now: datetime) -> dict:
    """An end; the idempotency key is free again, so that the same work can be asked for anew."""
    return {"state": state, "ended_at": now, "lease_until": None, "idempotency_key": None}


def _read(row: Row) -> Job:
    values = {field.name: getattr(row, field.name) for field in fields(Job)}
    decoded = {"arguments": tuple(json.loads(row.arguments)), "result": row.result and json.loads(row.result)}
    return Job(**values | decoded)
