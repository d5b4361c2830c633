"""An experiment: orders that belong together, and what stands of them by the record of runs and jobs.

    parts = read_parts(orders)    # each with its run, or with the job that will make it, or with neither
    launch_missing(parts)         # ordinary `train` jobs, one after the other

Nothing of it is stored: who opens it a week later, or on the command line, reads the same runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import psutil

from pricer.curation.dataset import Dataset, list_datasets
from pricer.errors import PricerError
from pricer.models.registry import find_kind
from pricer.runs.launch import Launch, launch, list_launches
from pricer.runs.orders import VERB, order_arguments, read_order
from pricer.runs.store import Run, list_runs
from pricer.runs.training import Order, default_name, trained_on

LabelledOrder = tuple[str, Order, Dataset]  # what tells it from the experiment's others, the order, its dataset


@dataclass(frozen=True)
class Part:
    """An order of an experiment, and what became of it."""

    label: str  # what tells it from the experiment's other parts
    order: Order
    dataset: Dataset
    run: Run | None  # the last that carried out this order
    job: Launch | None  # without a run: the last job with this order

    @property
    def train_items(self) -> int:
        return trained_on(self.order, self.dataset)

    @property
    def state(self) -> str:
        """done, missing, or the state of its job: queued, running, failed, cancelled, crashed."""
        if self.run:
            return "done"
        return self.job.state if self.job and self.job.state != "done" else "missing"

    @property
    def is_missing(self) -> bool:
        """Whether a job must be launched for it."""
        return self.run is None and not (self.job and self.job.alive)

    @property
    def name(self) -> str:
        """What its run is called."""
        return self.run.name if self.run else self.order.name or default_name(self.order, self.dataset.name)

    @property
    def seconds(self) -> float:
        """How long its fit will take, by the model's estimate."""
        return self._estimate().seconds

    @property
    def bytes_needed(self) -> int:
        return self._estimate().bytes

    def _estimate(self):
        return find_kind(self.order.model).estimate(self.train_items, **self.order.settings)


def dataset_label(dataset: Dataset) -> str:
    """How a command names a dataset: by its id where a later one has taken its name."""
    newest = next((each for each in list_datasets() if each.name == dataset.name), dataset)
    return dataset.name if newest.id == dataset.id else dataset.id


def read_parts(orders: Sequence[LabelledOrder]) -> list[Part]:
    """What stands of these orders."""
    runs = list_runs()
    ids = {label: run.id for run in reversed(runs) for label in (run.name, run.id)}  # of a name the last, as open_run
    launched = [(job, order) for job in list_launches() if (order := _order_of(job))]
    parts = []
    for label, order, dataset in orders:
        run = next((run for run in runs if carries_out(run, order, dataset, ids)), None)
        jobs = (job for job, other in launched if _is_same(other, order, dataset, ids))
        parts.append(Part(label, order, dataset, run, None if run else next(jobs, None)))
    return parts


def _order_of(job: Launch) -> Order | None:
    return read_order(job.arguments) if job.arguments[:1] == (VERB,) else None


def carries_out(run: Run, order: Order, dataset: Dataset, ids: Mapping[str, str] = MappingProxyType({})) -> bool:
    """Whether a run is what an order asks for; of train it is the number of items that counts, not how it was told.

    `ids` says which run each label means that the order of a stack may name.
    """
    of = run.manifest
    if (of.dataset_id, of.model, of.seed, of.asked, of.first_k) != (
        dataset.id, order.model, order.seed, order.asked, order.first_k,
    ):  # fmt: skip
        return False
    if order.of:
        return set(of.of) == _ids_of(order, ids)
    return of.model_settings == _settings(order) and of.train_items == trained_on(order, dataset)


def _settings(order: Order) -> dict[str, int | float]:
    return find_kind(order.model).check_settings(order.settings)


def _ids_of(order: Order, ids: Mapping[str, str]) -> set[str]:
    return {ids.get(label, label) for label in order.of}


def _is_same(one: Order, other: Order, dataset: Dataset, ids: Mapping[str, str]) -> bool:
    """Whether two orders for a dataset ask for the same run."""
    if one.dataset not in (dataset.name, dataset.id) or _ids_of(one, ids) != _ids_of(other, ids):
        return False
    try:
        alike = (_settings(one), trained_on(one, dataset)) == (_settings(other), trained_on(other, dataset))
    except PricerError:  # a setting that this version does not know
        return False
    return alike and replace(one, **_LEFT_OUT) == replace(other, **_LEFT_OUT)


_LEFT_OUT = {"dataset": "", "settings": {}, "first_n": None, "name": None, "of": ()}


def missing(parts: Sequence[Part]) -> list[Part]:
    return [part for part in parts if part.is_missing]


def check_memory_of(parts: Sequence[Part]) -> None:
    """PricerError where a part would need more memory than is free; one is fitted at a time."""
    free = psutil.virtual_memory().available
    for part in parts:
        if part.bytes_needed > free:
            raise PricerError(
                f"{part.name} needs about {part.bytes_needed / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are free"
            )


def launch_missing(parts: Sequence[Part]) -> list[Launch]:
    """Launch a job for every part that has neither run nor living job; PricerError where memory will not do."""
    wanted = missing(parts)
    check_memory_of(wanted)
    return [launch(order_arguments(part.order)) for part in wanted]
