"""An order for a fine-tuning as the command line states it, and back; and the orders that grade what came of it."""

from collections.abc import Sequence

from pydantic import ValidationError

from pricer.curation.dataset import Dataset, open_dataset
from pricer.errors import PricerError
from pricer.llm.known import Price
from pricer.llm.providers import find_provider, set_price
from pricer.models.hosted_kind import HOSTED
from pricer.runs.experiments import Part, dataset_label, launch_missing, read_parts
from pricer.runs.store import Run, list_runs
from pricer.runs.training import Order
from pricer.runs.tunings import TuneOrder, Tuning, change

VERB = "tune"
MOST_TIMES_BASE = 2.0  # what tuned models cost to ask, of their base's price, where that was looked up
_OPTIONS = {  # option -> field; in this order they are typed
    "--dataset": "dataset",
    "--train": "train",
    "--validation": "validation",
    "--choose": "choice",
    "--prompt": "prompt",
    "--epochs": "epochs",
    "--batch": "batch_size",
    "--rate": "learning_rate_multiplier",
    "--seed": "seed",
    "--suffix": "suffix",
    "--wandb": "wandb",
    "--dollars": "dollars",
    "--most-tokens": "most_tokens",
    "--grade": "grade",
}


def make_order(**facts: object) -> TuneOrder:
    """An order of what was typed; PricerError, with what was expected, for what cannot be one."""
    try:
        return TuneOrder(**{name: value for name, value in facts.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        option = next((option for option, name in _OPTIONS.items() if name in first["loc"]), "the order")
        said = str(first["ctx"]["error"]) if isinstance(first.get("ctx", {}).get("error"), Exception) else first["msg"]
        raise PricerError(f"{option}: {said[:1].lower()}{said[1:]}, got {first['input']!r}") from None


def start_arguments(order: TuneOrder, again: bool = False) -> list[str]:
    """The command line that carries an order out; what has its default is left out.

    >>> start_arguments(TuneOrder(provider="openai", model="gpt-4o-mini", dataset="even", train=200))
    ['tune', 'start', 'openai', 'gpt-4o-mini', '--dataset=even', '--train=200']
    """
    stated = []
    for option, name in _OPTIONS.items():
        value, field = getattr(order, name), TuneOrder.model_fields[name]
        if field.is_required() or value != field.default:
            stated.append(f"{option}={value:g}" if isinstance(value, float) else f"{option}={value}")
    return [VERB, "start", order.provider, order.model, *stated, *(["--again"] if again else [])]


def read_start(arguments: Sequence[str]) -> TuneOrder | None:
    """The order that `start_arguments` stated; None where these arguments are no such command.

    >>> read_start(["tune", "start", "openai", "gpt-4o-mini", "--dataset=even", "--rate=1.8"]).learning_rate_multiplier
    1.8
    """
    if len(arguments) < 4 or list(arguments[:2]) != [VERB, "start"]:
        return None
    options = [argument.partition("=")[::2] for argument in arguments[4:]]
    facts = {_OPTIONS[option]: value for option, value in options if option in _OPTIONS}
    try:
        return make_order(provider=arguments[2], model=arguments[3], **facts)
    except PricerError:
        return None


# Grading


def grading_orders(tuning: Tuning, dataset: Dataset, first_k: int) -> list[tuple[str, Order, Dataset]]:
    """The orders that ask the tuned model, and its base, the same first part of the exam with the prompt of the tuning.

    PricerError where there is no tuned model yet.
    """
    if not tuning.tuned_model:
        raise PricerError(f"the tuning {tuning.mark} is {tuning.state}, so there is no model to grade yet")
    orders = []
    for label, model in (("tuned", tuning.tuned_model), ("base", tuning.base_model)):
        settings = {"provider": tuning.provider, "model": model, "prompt": tuning.order.prompt}
        orders.append(
            (label, Order(HOSTED.name, dataset_label(dataset), settings, asked="natural", first_k=first_k), dataset)
        )
    return orders


def grade(tuning: Tuning, first_k: int) -> list[Part]:
    """Launch what is missing to see a tuned model beside its base; runs that stand are not asked again.

    PricerError where there is no tuned model, or nobody has stated what asking its base costs.
    """
    orders = grading_orders(tuning, open_dataset(tuning.kept.dataset_id), first_k)
    _price_tuned(tuning)
    launch_missing(read_parts(orders))
    parts = read_parts(orders)
    change(tuning.id, graded=[part.job.id for part in parts if part.job])
    return parts


def graded_runs(tuning: Tuning) -> list[tuple[str, Run]]:
    """The runs of the tuned model and of its base, each with its label, asked as grading asks them, the newest first.

    That is at the tuning's provider, with its prompt, on its dataset; none as long as there is no tuned model.
    """
    labels = {tuning.tuned_model: "tuned", tuning.base_model: "base"} if tuning.tuned_model else {}
    found = []
    for run in list_runs():
        of, asked = run.manifest, run.manifest.model_settings
        same = (of.model, of.dataset_id, asked.get("provider"), asked.get("prompt"))
        wanted = (HOSTED.name, tuning.kept.dataset_id, tuning.provider, tuning.order.prompt)
        if same == wanted and asked["model"] in labels:
            found.append((labels[asked["model"]], run))
    return found


def _price_tuned(tuning: Tuning) -> None:
    """Give a tuned model that has no price twice its base's, the most that hosts take: caps need one."""
    provider = find_provider(tuning.provider)
    base = provider.price(tuning.base_model)
    if base is None:
        raise PricerError(
            f"nobody has stated what asking {tuning.base_model} costs: "
            f"python -m pricer providers price {provider.name} {tuning.base_model} IN OUT"
        )
    if provider.price(tuning.tuned_model) is None:
        twice = Price(MOST_TIMES_BASE * base.tokens_in, MOST_TIMES_BASE * base.tokens_out)
        set_price(provider.name, tuning.tuned_model, twice)
