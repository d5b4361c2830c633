"""Every run with the job that made it, and every job that is at work or ended without a result: what Runs lists."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from pricer.errors import PricerError
from pricer.models.registry import find_kind
from pricer.runs.launch import Launch, delete, list_launches, undelete
from pricer.runs.orders import EXTEND, VERB, read_order
from pricer.runs.store import Run, list_runs, set_deleted
from pricer.runs.training import default_name

_MAKES = {"load": ("--catalogue",), "demo": ("--catalogue", "--output"), "sample": ("--dataset",)}


@dataclass(frozen=True)
class Entry:
    """A job, the run that came of it, or both; runs that were typed have no job."""

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

    @property
    def family(self) -> str | None:
        """The model's family; None where the job does not say which model."""
        if self.run:
            return self.run.manifest.family
        order = read_order(self.job.arguments)
        return find_kind(order.model).family if order else None

    @property
    def tags(self) -> tuple[str, ...]:
        return self.run.tags if self.run else ()

    @property
    def words(self) -> str:
        """All that a search looks through, in lower case."""
        if self.run is None:
            return " ".join((self.name, self.id, *self.job.arguments)).lower()
        of = self.run.manifest
        facts = (of.name, of.model, of.dataset_name, of.catalogue_name, of.id, *self.tags, self.run.note)
        return " ".join(facts).lower()


def history(deleted: bool = False) -> list[Entry]:
    """Every run and every job that made or makes one or has made nothing, each once, the last first.

    What another job has made, a catalogue say, stands on its own page. The deleted ones instead, if asked.
    """
    runs = list_runs(deleted)
    by_job = {run.manifest.job_id: run for run in runs if run.manifest.job_id}
    entries = [
        Entry(job, by_job.pop(job.id, None))
        for job in list_launches(deleted)
        if job.state != "done" or job.arguments[0] in (VERB, EXTEND) or job.id in by_job
    ]
    launched = {entry.run.id for entry in entries if entry.run}
    entries += [Entry(None, run) for run in runs if run.id not in launched]
    return sorted(entries, key=lambda entry: entry.began, reverse=True)


def search(
    entries: Iterable[Entry],
    words: str = "",
    state: str | None = None,
    family: str | None = None,
    tag: str | None = None,
) -> list[Entry]:
    """The entries that have every word in their name, model, dataset, tags or note, and are what else is asked."""
    wanted = words.lower().split()
    return [
        entry
        for entry in entries
        if all(word in entry.words for word in wanted)
        and state in (None, entry.state)
        and family in (None, entry.family)
        and (tag is None or tag in entry.tags)
    ]


def delete_entry(label: str) -> Entry:
    """Take a run and its job out of every list, until `undelete_entry`; PricerError while the job is alive."""
    entry = _find(label, history())
    if entry.job:
        delete(entry.job.id)
    if entry.run:
        set_deleted(entry.run.id, True)
    return entry


def undelete_entry(label: str) -> Entry:
    """Bring a deleted run and its job back."""
    entry = _find(label, history(deleted=True))
    if entry.job:
        undelete(entry.job.id)
    if entry.run:
        set_deleted(entry.run.id, False)
    return entry


def _find(label: str, entries: list[Entry]) -> Entry:
    """The entry of a job's or run's id, or the last one of a run's name."""
    for entry in entries:
        if label == entry.id or (entry.run and label in (entry.run.id, entry.run.name)):
            return entry
    raise PricerError(f"there is no run {label!r} among these {len(entries):,}: see the page Runs for names and ids")


def job_name(job: Launch) -> str:
    """What a job is about, in few words: "load appliances", or how the run would be called."""
    order = read_order(job.arguments)
    if order:
        return order.name or default_name(order, order.dataset)
    verb, *rest = job.arguments
    options = [part for each in rest for part in (each.split("=", 1) if each.startswith("--") else [each])]
    stated = dict(pairwise(options))  # each option with what follows it
    made = [stated[option] for option in _MAKES.get(verb, ()) if option in stated]
    told = made or [each for each in rest if not each.startswith("-")][:3]
    return " ".join([verb, *(Path(each).name if each.startswith(("/", ".", "~")) else each for each in told)])
