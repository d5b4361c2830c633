"""The effect of balance: one model trained on equally many items of several datasets that share an exam."""

from collections.abc import Sequence

from pricer.curation.dataset import Dataset
from pricer.errors import PricerError
from pricer.runs.experiments import LabelledOrder, dataset_label
from pricer.runs.training import Order


def sharing_an_exam(datasets: Sequence[Dataset]) -> dict[str, list[Dataset]]:
    """Datasets by the hash of their exam, those alone with theirs left out; the exam of a naive split is its own."""
    by_exam: dict[str, list[Dataset]] = {}
    for dataset in datasets:
        if dataset.manifest.split != "naive":
            by_exam.setdefault(dataset.manifest.exam_hash, []).append(dataset)
    return {exam: sharing for exam, sharing in by_exam.items() if len(sharing) > 1}


def balance_orders(
    model: str,
    datasets: Sequence[Dataset],
    settings: dict[str, int | float] | None = None,
    seed: int = Order.seed,
    first_n: int | None = None,
) -> list[LabelledOrder]:
    """One order a dataset, all for the same number of items: `first_n`, or as many as the smallest train has.

    They are the first by a draw that depends on the item and the recipe's seed alone, so what two trains of one seed
    have in common mostly stays in common. PricerError where the datasets cannot be set side by side.
    """
    if len({dataset.id for dataset in datasets}) < max(2, len(datasets)):
        raise PricerError("the effect of balance needs two datasets or more, each once: --dataset A --dataset B")
    own = next((dataset for dataset in datasets if dataset.manifest.split == "naive"), None)
    if own:
        raise PricerError(f"{own.name!r} has an exam of its own, which may leak; it can be set beside no other")
    other = next((each for each in datasets if each.manifest.exam_hash != datasets[0].manifest.exam_hash), None)
    if other:
        raise PricerError(
            f"{datasets[0].name!r} and {other.name!r} have different exams ({datasets[0].manifest.exam_hash[:8]} and "
            f"{other.manifest.exam_hash[:8]}); make both from one catalogue"
        )
    items = equal_size(datasets) if first_n is None else first_n
    if not 1 <= items <= equal_size(datasets):
        raise PricerError(f"each train needs at least {items:,} items; the smallest has {equal_size(datasets):,}")
    return [
        (dataset.name, _order(model, dataset, settings or {}, seed, items), dataset) for dataset in datasets
    ]  # fmt: skip


def equal_size(datasets: Sequence[Dataset]) -> int:
    """How many items the smallest of their trains has."""
    return min(dataset.manifest.train for dataset in datasets)


def _order(model: str, dataset: Dataset, settings: dict[str, int | float], seed: int, items: int) -> Order:
    first_n = items if items < dataset.manifest.train else None
    return Order(model, dataset_label(dataset), settings, seed, first_n)
