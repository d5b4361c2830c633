"""The ladder: from a constant guess to a stack, rung by rung, on one dataset and exam."""

from collections.abc import Sequence

from pricer.curation.dataset import Dataset
from pricer.errors import PricerError
from pricer.models.registry import STACK, find_kind
from pricer.runs.experiments import LabelledOrder, dataset_label, read_parts
from pricer.runs.training import Order

# A constant, a few features, words counted, words as vectors, the strongest single model, and all of them weighed.
RUNGS = ("mean", "features", "bag-of-words", "word2vec-linear", "boosting", STACK.name)


def ladder_orders(dataset: Dataset, rungs: Sequence[str] = RUNGS, seed: int = Order.seed) -> list[LabelledOrder]:
    """One order a rung, labelled with the model's name, each for all of train.

    The stack weighs the runs of all other rungs but the yardsticks: those that stand by their ids, the others by what
    they will be called. So it can be launched together with them, as one training runs after the other. PricerError
    where a rung is no model, where a stack would have less than two runs, or where the exam may leak.
    """
    if dataset.manifest.split == "naive":
        raise PricerError(f"{dataset.name!r} has an exam of its own, which may leak; climb on a dataset split by roles")
    label = dataset_label(dataset)
    single = [(rung, Order(rung, label, seed=seed), dataset) for rung in rungs if rung != STACK.name]
    if STACK.name not in rungs:
        return single
    weighed = [each for each in single if find_kind(each[1].model).family != "yardstick"]
    if len(weighed) < 2:
        raise PricerError("a stack needs at least two rungs that read the products; add some, or leave the stack out")
    of = tuple(part.run.id if part.run else part.name for part in read_parts(weighed))
    return [*single, (STACK.name, Order(STACK.name, label, seed=seed, of=of), dataset)]
