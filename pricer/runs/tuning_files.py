"""Before a fine-tuning: its two files, what they cost, and whether anything stands in the way."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from pricer.checks import Check
from pricer.curation.dataset import Dataset
from pricer.errors import PricerError
from pricer.keys import find_key
from pricer.llm.providers import Provider
from pricer.llm.tuning import adapter_class, make_adapter
from pricer.llm.tuning.adapter import Probe
from pricer.llm.tuning.closing import CLOSINGS, days_left
from pricer.llm.tuning.prices import usual_price
from pricer.publish.messages import FileCheck, Limits, check_both, message_files
from pricer.runs.spending import cap, check_cap
from pricer.runs.tunings import TuneOrder, find_same

FEW_ROWS = 2_000  # with fewer, tuned models were often worse than their base


@dataclass(frozen=True)
class Files:
    """Both files of a tuning: their content by part, and what checking them found."""

    contents: dict[str, bytes]
    checks: tuple[FileCheck, ...]
    cost_dollars: float | None  # None where nobody has said what a token costs

    @property
    def train_rows(self) -> int:
        return self.checks[0].rows

    @property
    def train_tokens(self) -> int:
        return self.checks[0].tokens

    def check_price(self, dollars: float | None) -> None:
        """PricerError where it would cost more than the cap, or nobody knows what it costs."""
        if dollars is None:
            raise PricerError("nobody has said what this tuning costs: state it with --dollars, for a million tokens")
        check_cap(dollars, f"the tuning would cost about ${dollars:,.2f}", "tune on fewer rows")


def training_price(order: TuneOrder, provider: Provider) -> float | None:
    """Dollars for a million training tokens, as stated or as usual; None where nobody has said."""
    return order.dollars if order.dollars is not None else usual_price(provider, order.model)


def make_files(order: TuneOrder, dataset: Dataset, provider: Provider) -> Files:
    """Both files, with whatever is wrong with them; PricerError where the dataset has too few rows."""
    counts = {"train": order.train, "validation": order.validation}
    named = message_files(dataset, counts, order.choice, order.prompt)
    price = training_price(order, provider)
    checks = check_both(named, Limits(order.most_tokens, price or 0.0, order.epochs))
    contents = {name.removesuffix(".jsonl"): content for name, content in named.items()}
    return Files(contents, tuple(checks), None if price is None else checks[0].cost_dollars)


def build_files(order: TuneOrder, dataset: Dataset, provider: Provider) -> Files:
    """Both files, fit to be sent and paid for; PricerError where they are not."""
    files = make_files(order, dataset, provider)
    for found in files.checks:
        if not found.can_be_sent:
            first = found.problems[0]
            raise PricerError(f"{found.name}{f', line {first.line:,}' if first.line else ''}: {first.reason}")
    files.check_price(files.cost_dollars)
    return files


def tune_preflight(
    order: TuneOrder, dataset: Dataset, provider: Provider, files: Files, again: bool = False
) -> list[Check]:
    """What will be sent and paid, and what may stand in the way; nobody is asked."""
    return [
        *_closing(provider, datetime.now(UTC).date()),
        *_key(provider),
        *_rows(order, files),
        *_price(files),
        *_wandb(order, provider),
        *_grading(order, provider),
        *_same_before(order, dataset, again),
    ]


def _closing(provider: Provider, today: date) -> Iterator[Check]:
    closing = CLOSINGS.get(provider.tunes or "") if not provider.is_here else None
    if closing:
        days = days_left(closing, today)
        left = f"{days:,} days left" if days else "closed"
        yield Check("look", f"{provider.title} lets nobody begin a tuning from {closing.last_new_job:%-d %b %Y}", left)


def _key(provider: Provider) -> Iterator[Check]:
    if provider.key:
        found = find_key(provider.key)
        yield Check("pass" if found else "stop", f"Key {provider.key}", found.place if found else "none")


def _rows(order: TuneOrder, files: Files) -> Iterator[Check]:
    for found, wished in zip(files.checks, (order.train, order.validation), strict=True):
        for problem in found.problems[:3]:
            yield Check("stop", f"{found.name}, line {problem.line:,}: {problem.reason}", "")
        if not found.problems:
            fewer = f", fewer than the {wished:,} wished: the dataset has no more" if found.rows < wished else ""
            verdict = "look" if fewer else "pass"
            yield Check(verdict, f"{found.name}: every line has its roles and an answer{fewer}", f"{found.rows:,} rows")
    if files.train_rows < FEW_ROWS:
        words = "Few rows: models tuned on some hundred were often no better than their base"
        yield Check("look", words, f"{files.train_rows:,}")


def _price(files: Files) -> Iterator[Check]:
    dollars, most = files.cost_dollars, cap()
    if dollars is None:
        yield Check("stop", "Nobody has said what a million training tokens cost", "unknown")
    elif dollars == 0:
        yield Check("pass", "Price", "nothing")
    else:
        words = "Price, and what a run may cost at most"
        yield Check("pass" if dollars <= most else "stop", words, f"about ${dollars:,.2f} of ${most:,.2f}")


def _wandb(order: TuneOrder, provider: Provider) -> Iterator[Check]:
    if order.wandb and not adapter_class(provider.tunes or "").takes_wandb:
        yield Check("look", f"{provider.title} passes nothing on to Weights & Biases through Pricer", "left out")


def _grading(order: TuneOrder, provider: Provider) -> Iterator[Check]:
    if order.grade and provider.price(order.model) is None:
        words = f"It cannot be graded until the price of asking {order.model} is stated: python -m pricer providers "
        yield Check("look", f"{words}price {provider.name} {order.model} IN OUT", "unknown")


def _same_before(order: TuneOrder, dataset: Dataset, again: bool) -> Iterator[Check]:
    same = find_same(order, dataset)
    if same is None:
        return
    if not same.is_over:
        yield Check("look", "The same is under way: starting it follows that one, and pays nothing", same.mark)
    elif again:
        yield Check("look", "The same was tuned before; it is paid once more", same.mark)
    else:
        yield Check("look", "The same was tuned before: starting it gives that one, and pays nothing", same.mark)


def probe(order: TuneOrder, provider: Provider) -> Probe:
    """Ask the host whether the key may tune the model; what stands in the way of asking is a line too."""
    key = find_key(provider.key)
    if provider.key and key is None:
        return Probe((("stop", f"{provider.title} is not asked without {provider.key}", "no key"),))
    try:
        return make_adapter(provider, key).probe(order.model)
    except PricerError as error:
        return Probe((("stop", str(error), ""),))
