"""What people do with jobs that are on record: move them in the queue, try them again, delete them and think again."""

from typing import Literal

from sqlalchemy import select, update

from pricer.database import engine, jobs
from pricer.errors import PricerError
from pricer.runs.jobs import ALIVE, Job, database_time, open_job, submit

Place = Literal["up", "down", "first", "last"]


def move_job(job_id: str, place: Place) -> Job:
    """Move a queued job before or behind its neighbour, or to an end of the queue; PricerError if it is not queued."""
    with engine().begin() as connection:
        queue = select(jobs.c.id, jobs.c.place).where(jobs.c.state == "queued").order_by(jobs.c.place, jobs.c.number)
        rows = connection.execute(queue).all()
        ids = [row.id for row in rows]
        if job_id in ids:
            at = ids.index(job_id)
            to = {"up": max(0, at - 1), "down": at + 1, "first": 0, "last": len(ids)}[place]
            ids.insert(to, ids.pop(at))
            for row, mover in zip(rows, ids, strict=True):
                connection.execute(update(jobs).where(jobs.c.id == mover).values(place=row.place))
    job = open_job(job_id)
    if job_id not in ids:
        raise PricerError(f"only a queued job can be moved; {job_id} is {job.state}")
    return job


def retry_job(job_id: str, resume: bool = False) -> Job:
    """Queue what a job that did not succeed was to do as a new job, from the start or from its last checkpoint.

    PricerError if it is still alive, or has done its work.
    """
    job = open_job(job_id)
    if job.state in ALIVE:
        raise PricerError(f"{job_id} is {job.state}; cancel it before it is tried again")
    if job.state == "done":
        raise PricerError(f"{job_id} has done its work; there is nothing to try again")
    return submit(job.arguments, job.resources, job.key_name, (job.continues or job.id) if resume else None)


def delete_job(job_id: str) -> Job:
    """Take an ended job out of the lists; PricerError while it is alive."""
    job = open_job(job_id)
    if job.state in ALIVE:
        raise PricerError(f"{job_id} is {job.state}; cancel it before it is deleted")
    return _set_deleted(job_id, True)


def undelete_job(job_id: str) -> Job:
    """Bring a deleted job back; PricerError if there is none with this id."""
    return _set_deleted(job_id, False)


def _set_deleted(job_id: str, deleted: bool) -> Job:
    with engine().begin() as connection:
        moment = database_time(connection) if deleted else None
        connection.execute(update(jobs).where(jobs.c.id == job_id).values(deleted_at=moment))
    return open_job(job_id)
