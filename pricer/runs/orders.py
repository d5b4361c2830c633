"""An order as the command line states it, and back: what a page launches is what a person could type."""

from collections.abc import Sequence
from dataclasses import replace

from pricer.errors import PricerError
from pricer.models.registry import find_kind
from pricer.runs.store import Run
from pricer.runs.training import Order, default_name

VERB = "train"
EXTEND = "extend"  # RUN --ask=K: ask a run more of its exam


def order_arguments(order: Order) -> list[str]:
    """The command line that carries an order out; what has its default is left out.

    >>> order_arguments(Order("mean", "even", first_k=200))
    ['train', 'mean', '--dataset=even', '--ask=200']
    """
    default = Order(order.model, order.dataset)
    stated = {
        "--first": order.first_n,
        "--exam": order.asked if order.asked != default.asked else None,
        "--ask": order.first_k,
        "--seed": order.seed if order.seed != default.seed else None,
        "--name": order.name,
    }
    of = [f"--of={run}" for run in order.of]
    settings = [f"--set={name}={value}" for name, value in order.settings.items()]
    options = [f"{option}={value}" for option, value in stated.items() if value is not None]
    return [VERB, order.model, f"--dataset={order.dataset}", *of, *settings, *options]


def order_of(run: Run) -> Order:
    """The order for the same run again; its name is left out where it is the usual one."""
    of = run.manifest
    defaults = {setting.name: setting.default for setting in find_kind(of.model).settings}
    stated = {name: value for name, value in of.model_settings.items() if value != defaults.get(name)}
    order = Order(of.model, of.dataset_name, stated, of.seed, of.first_n, of.asked, of.first_k, of=of.of)
    return order if of.name == default_name(order, of.dataset_name) else replace(order, name=of.name)


def read_order(arguments: Sequence[str]) -> Order | None:
    """The order that `order_arguments` stated; None where these arguments are no such command.

    >>> read_order(["train", "bag-of-words", "--dataset=even", "--set=words=500"]).settings
    {'words': 500}
    """
    if len(arguments) < 3 or arguments[0] != VERB:
        return None
    try:
        known = {setting.name: setting for setting in find_kind(arguments[1]).settings}
        options = [argument.partition("=")[::2] for argument in arguments[2:]]
        settings = [value.partition("=")[::2] for option, value in options if option == "--set"]
        stated = dict(options)
        return Order(
            model=arguments[1],
            dataset=stated["--dataset"],
            settings={name: known[name].parse(value) for name, value in settings},
            seed=int(stated.get("--seed", 42)),
            first_n=_whole(stated.get("--first")),
            asked=stated.get("--exam", "both"),
            first_k=_whole(stated.get("--ask")),
            name=stated.get("--name"),
            of=tuple(value for option, value in options if option == "--of"),
        )
    except (KeyError, ValueError, PricerError):
        return None


def _whole(text: str | None) -> int | None:
    return None if text is None else int(text)
