"""Learning curves: one model on parts of one train, each part within the next, graded on one exam."""

from collections.abc import Sequence

from pricer.curation.dataset import Dataset
from pricer.errors import PricerError
from pricer.models.registry import STACK, find_kind
from pricer.runs.experiments import LabelledOrder, dataset_label
from pricer.runs.store import Run
from pricer.runs.training import Order

SIZES = 5  # of a curve: each half of the next
SHARES = {"1/8": 8, "1/4": 4, "1/2": 2, "all": 1}  # the largest size is all of train divided by this
LEAST = 30  # items of train; of fewer, most models learn nothing


def halved(largest: int, sizes: int = SIZES) -> list[int]:
    """So many sizes, each half of the next, the largest last; those of fewer than `LEAST` items are left out.

    >>> halved(1000), halved(100)
    ([62, 125, 250, 500, 1000], [50, 100])
    """
    return [largest >> step for step in reversed(range(sizes)) if largest >> step >= LEAST]


def learning_orders(
    model: str,
    dataset: Dataset,
    settings: dict[str, int | float] | None = None,
    seed: int = Order.seed,
    largest: int | None = None,
) -> list[LabelledOrder]:
    """One order a size, smallest first, up to the `largest` (default: all of train).

    The parts are the first by one draw, so each holds those before it. PricerError for a model that is not fitted on
    train, a size that train does not have, or an exam that may leak.
    """
    if find_kind(model) is STACK:
        raise PricerError("a stack is weighed on validation and has no size of train; take one of its models")
    if dataset.manifest.split == "naive":
        raise PricerError(f"{dataset.name!r} has an exam of its own, which may leak; take a dataset split by roles")
    most = dataset.manifest.train
    largest = most if largest is None else largest
    if not LEAST <= largest <= most:
        raise PricerError(
            f"the largest size must lie from {LEAST} to the {most:,} items of {dataset.name!r}, got {largest:,}"
        )
    label = dataset_label(dataset)
    return [
        (f"{size:,} items", Order(model, label, settings or {}, seed, size if size < most else None), dataset)
        for size in halved(largest)
    ]


def runs_of_curve(order: Order, dataset: Dataset, runs: Sequence[Run]) -> list[tuple[int, Run]]:
    """Runs that differ from an order in the number of train items at most, one a size, smallest first.

    These need not be of one launch: whoever trained on parts of a train before has a learning curve already.
    """
    settings = find_kind(order.model).check_settings(order.settings)
    wanted = (dataset.id, order.model, settings, order.seed, order.asked, order.first_k)
    found: dict[int, Run] = {}
    for run in runs:
        of = run.manifest
        if (of.dataset_id, of.model, of.model_settings, of.seed, of.asked, of.first_k) == wanted:
            found.setdefault(of.train_items, run)
    return sorted(found.items())
