"""Every run with the job that made it, and every job of training that has made none: what the page Runs lists."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pricer.runs.launch import Launch, list_launches
from pricer.runs.orders import VERB, read_order
from pricer.runs.store import Run, list_runs
from pricer.runs.training import default_name


@dataclass(frozen=True)
class Entry:
    """A job of training, the run that came of it, or both; runs that were typed have no job."""

    job: Launch | None
    run: Run | None

    @property
    def id(self) -> str:
        return self.job.id if self.job else self.run.id

    @property
    def name(self) -> str:
        return self.run.name if self.run else job_name(self.job)

    @property
    def state(self) -> str:
        return self.job.state if self.job else "done"

    @property
    def alive(self) -> bool:
        return self.job is not None and self.job.alive

    @property
    def began(self) -> datetime:
        return self.job.started if self.job else self.run.created


def history() -> list[Entry]:
    """Every job of training and every run, each once, the last first."""
    runs = list_runs()
    by_job = {run.manifest.job_id: run for run in runs if run.manifest.job_id}
    trainings = [job for job in list_launches() if job.arguments[0] == VERB]
    entries = [Entry(job, by_job.pop(job.id, None)) for job in trainings]
    launched = {entry.run.id for entry in entries if entry.run}
    entries += [Entry(None, run) for run in runs if run.id not in launched]
    return sorted(entries, key=lambda entry: entry.began, reverse=True)


def job_name(job: Launch) -> str:
    """What a job is about, in few words."""
    order = read_order(job.arguments)
    if order is None:
        return " ".join(Path(argument).name for argument in job.arguments if not argument.startswith("-"))
    return order.name or default_name(order, order.dataset)
