"""Before a run starts: what it will take, and whether anything stands in its way."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import psutil

from pricer import settings
from pricer.checks import Check
from pricer.curation.dataset import PARTS, Dataset
from pricer.errors import PricerError
from pricer.keys import find_key
from pricer.llm.local.bases import is_on_hub, known_base, look_at
from pricer.llm.providers import find_provider
from pricer.models.contract import Estimate
from pricer.models.registry import STACK, find_kind
from pricer.progress import duration
from pricer.runs.extending import more_of
from pricer.runs.precision import Precision, expected_precision
from pricer.runs.spending import cap, quote, small_dollars, tokens_of
from pricer.runs.stacking import stack_estimate, stack_runs
from pricer.runs.store import Run
from pricer.runs.training import Order, trained_on, validation_asked

FEW_EXAM_ITEMS = 200  # with fewer an interval is often wider than what separates two models
FEW_TRAIN_ITEMS = 100
WIDE_INTERVAL = 10.0  # dollars to either side; good models lie closer together
USUAL_SECONDS = 1.0  # for an answer of a provider that has answered nothing yet
LONG_SECONDS = 3_600.0  # of asking: worth a look before it starts
LEAST_DISK = 500_000_000  # bytes


@dataclass(frozen=True)
class Preflight:
    train_items: int
    exam_items: dict[str, int]  # by exam that is asked, "natural" or "balanced"
    fit_seconds: float
    bytes_needed: int
    bytes_free: int
    precision: Precision | None  # of the error on the first exam that is asked
    checks: tuple[Check, ...]

    @property
    def may_start(self) -> bool:
        return all(check.verdict != "stop" for check in self.checks)


def preflight(order: Order, dataset: Dataset, runs: Sequence[Run] = ()) -> Preflight:
    """Look at what an order will take on this machine; `runs` are those that stand already."""
    stacked = order.model == STACK.name
    order, weighed, together = _stack(order, dataset) if stacked else (order, [], [])
    train_items = dataset.manifest.validation if stacked else trained_on(order, dataset)
    estimate = _estimate(order, dataset, train_items, weighed)
    free = psutil.virtual_memory().available
    exam_items = _exam_items(order, dataset)
    reading, items = next(iter(exam_items.items()))
    precision = expected_precision(order, dataset, runs, reading, items)
    checks = (
        _stored(dataset),
        *together,
        _enough(
            "Items of validation to weigh by" if stacked else "Items to train on",
            train_items,
            FEW_TRAIN_ITEMS,
            f"{train_items:,}",
        ),
        _exam(exam_items, dataset),
        *_base(order),
        _memory(estimate, free),
        _disk(estimate.bytes),
        *_interval(precision),
        *_price_and_key(order, dataset, sum(exam_items.values())),
        *_time_to_ask(order, sum(exam_items.values()), runs),
        *_time_to_guess(order, sum(exam_items.values()), dataset),
        *_run_before(order, dataset, runs),
    )
    return Preflight(train_items, exam_items, estimate.seconds, estimate.bytes, free, precision, checks)


def _stack(order: Order, dataset: Dataset) -> tuple[Order, list[Run], list[Check]]:
    """The order for the part of the exam that its runs were asked; those runs, and whether they go together."""
    try:
        runs = stack_runs(order, dataset)
    except PricerError as error:
        return order, [], [_stop(error)]
    about = runs[0].manifest
    order = replace(order, asked=about.asked, first_k=about.first_k, of=tuple(run.id for run in runs))
    return order, runs, [Check("pass", "Runs that go together", f"{len(runs)}")]


def _estimate(order: Order, dataset: Dataset, train_items: int, weighed: Sequence[Run]) -> Estimate:
    if order.model == STACK.name:
        return stack_estimate(weighed, dataset)
    return find_kind(order.model).estimate(train_items, **order.settings)


def _exam_items(order: Order, dataset: Dataset) -> dict[str, int]:
    """How many items of each exam will be asked; of both, a part that the exam does not have is left out."""
    whole = {"natural": dataset.manifest.natural, "balanced": dataset.manifest.balanced}
    asked = {name: count for name, count in whole.items() if order.asked == name or (order.asked == "both" and count)}
    return {name: min(order.first_k or count, count) for name, count in (asked or whole).items()}


def _stored(dataset: Dataset) -> Check:
    stands = all((dataset.folder / f"{part}.parquet").is_file() for part in PARTS)
    digest = dataset.manifest.content_hash
    return Check("pass" if stands else "stop", "Dataset and exam are in the store", f"{digest[:4]} {digest[4:8]}")


def _exam(exam_items: dict[str, int], dataset: Dataset) -> Check:
    fewest, value = min(exam_items.values()), _in_words(exam_items)
    if not fewest:
        return Check("stop", "The exam has no such part", value)
    if dataset.manifest.split == "naive":
        return Check("look", "Own exam, may leak: its errors are compared with no others", value)
    return _enough("Exam", fewest, FEW_EXAM_ITEMS, value)


def _enough(what: str, count: int, few: int, value: str) -> Check:
    return (
        Check("pass", what, value) if count >= few else Check("look", f"{what}: few, so expect chance to show", value)
    )


def _base(order: Order) -> Iterator[Check]:
    """Whether the language model is here that is asked or tuned."""
    kind = find_kind(order.model)
    if not any(setting.name == "base" for setting in kind.settings):
        return
    chosen = kind.check_settings(order.settings)
    place, revision = str(chosen["base"]), str(chosen["revision"])
    if base := known_base(place, revision):
        come = f", {_gigabytes(base.download_bytes)} to download" if base.download_bytes else ""
        yield Check("pass", "Base", f"{base.revision[:12]}{come}")
    elif is_on_hub(place):
        yield Check("look", "Base: not looked at yet, so nothing is known of its memory and time", place)
    else:
        try:
            look_at(place)
        except PricerError as error:
            yield _stop(error)


def _memory(estimate: Estimate, free: int) -> Check:
    if not estimate.bytes:
        return Check("look", "Memory: not known yet", f"of {_gigabytes(free)}")
    value = f"{_gigabytes(estimate.bytes)} of {_gigabytes(free)}"
    return (
        Check("pass", "Memory", value)
        if estimate.bytes <= free
        else Check("stop", f"Memory: too little; {estimate.instead}", value)
    )


def _disk(most_written: int) -> Check:
    """A run writes its model and its guesses, together no more than the memory that it held."""
    free = psutil.disk_usage(str(settings.make_home())).free
    enough = free >= LEAST_DISK + most_written
    return Check("pass" if enough else "stop", "Disk", f"up to {_gigabytes(most_written)} of {_gigabytes(free)}")


def _interval(precision: Precision | None) -> Iterator[Check]:
    """How far the error will be known; too wide to tell two good models apart is worth a look."""
    if precision:
        verdict = "pass" if precision.half_width <= WIDE_INTERVAL else "look"
        words = f"95% interval of the error, by {precision.source}"
        yield Check(verdict, words, f"about ± ${precision.half_width:,.2f}")


def checks_to_extend(run: Run, first_k: int | None, runs: Sequence[Run]) -> tuple[Check, ...]:
    """What asking a run the first k of its exam takes, all where k is None; PricerError as `extend_run`."""
    more = more_of(run, first_k)
    dataset, reading = run.dataset(), run.reading
    items = _exam_items(more.order, dataset)
    precision = expected_precision(more.order, dataset, runs, reading, items[reading])
    return (
        Check("pass", "Items that are asked, beside those that were", f"{len(more.new):,}"),
        *_interval(precision),
        *_price_and_key(more.order, dataset, len(more.new)),
        *_time_to_ask(more.order, len(more.new), runs),
    )


def _price_and_key(order: Order, dataset: Dataset, items: int) -> Iterator[Check]:
    """What is paid, held against the cap, and whether the key is there that the model needs."""
    try:
        dollars, key = quote(order.model, items, order.settings, tokens_of(dataset))
    except PricerError as error:
        yield _stop(error)
        return
    if not dollars:
        yield Check("pass", "Price", "nothing: it runs on this machine" if _is_here(order) else "nothing, as stated")
    else:
        most = cap()
        words = "Price, and what a run may cost at most"
        yield Check(
            "pass" if dollars <= most else "stop", words, f"about {small_dollars(dollars)} of {small_dollars(most)}"
        )
    if key:
        found = find_key(key)
        yield Check("pass" if found else "stop", f"Key {key}", found.place if found else "none")


def _is_here(order: Order) -> bool:
    """Whether nobody else is asked who might take money."""
    kind = find_kind(order.model)
    return not kind.quotes or find_provider(str(kind.check_settings(order.settings)["provider"])).is_free


def _time_to_ask(order: Order, items: int, runs: Sequence[Run]) -> Iterator[Check]:
    """How long a provider takes, by the last run that asked the same model there; else by what is usual."""
    kind = find_kind(order.model)
    if not kind.quotes:
        return
    stated = kind.check_settings(order.settings)
    same = ("provider", "model", "prompt")
    before = next(
        (run.manifest for run in runs if run.manifest.model == order.model and run.manifest.asked_items
         and all(run.manifest.model_settings.get(name) == stated[name] for name in same)), None,
    )  # fmt: skip
    if before and before.guess_seconds > before.asked_items / 100:  # else they were kept answers
        seconds = before.guess_seconds / before.asked_items * before.model_settings["concurrency"]
        source = "as in an earlier run"
    else:
        seconds, source = USUAL_SECONDS, "if this one is like others"
    words = f"Time to ask, {stated['concurrency']} at once, {seconds:.2g} s each, {source}"
    yield Check("pass", words, f"about {duration(seconds * items / stated['concurrency'])}")


def _time_to_guess(order: Order, items: int, dataset: Dataset) -> Iterator[Check]:
    """How long a language model takes here, which may be longer than it is tuned."""
    kind = find_kind(order.model)
    if kind.seconds_to_ask:
        items += validation_asked(order, items, dataset)
        seconds = kind.seconds_to_ask(items, tokens_of(dataset), **order.settings)
        verdict = "pass" if seconds < LONG_SECONDS else "look"
        value = f"about {duration(seconds)}" if seconds else "not known yet"
        yield Check(verdict, f"Time to ask {items:,} items, validation included", value)


def _run_before(order: Order, dataset: Dataset, runs: Sequence[Run]) -> Iterator[Check]:
    """A warning where a run with the same order stands: the same seed would give the same guesses."""
    stated = find_kind(order.model).check_settings(order.settings)
    wanted = (order.model, stated, order.seed, dataset.id, order.first_n, order.asked, order.first_k, order.of)
    for run in runs:
        had = run.manifest
        if wanted == (
            had.model, had.model_settings, had.seed, had.dataset_id, had.first_n, had.asked, had.first_k, had.of
        ):  # fmt: skip
            yield Check("look", "The same was run before; it will guess the same", run.name)
            return


def _in_words(exam_items: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in exam_items.items())


def _stop(error: PricerError) -> Check:
    words = str(error)
    return Check("stop", f"{words[0].upper()}{words[1:]}", "")


def _gigabytes(number: float) -> str:
    return f"{number / 1e9:,.1f} GB"
