"""Rewriting a catalogue's texts by a provider's model: priced first, held by the cap, and never asked twice.

Every reply is kept under its question, so that what was ended in the middle goes on where it stood.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from pricer.catalogue.rewritten import write_rewritten
from pricer.catalogue.store import Catalogue, Rewriting, check_name, open_catalogue
from pricer.draws import ROLE_STREAM, draw
from pricer.errors import PricerError
from pricer.keys import wait_for_key
from pricer.llm.batches import MOST_CALLS, ask_batch
from pricer.llm.calling import CONCURRENCY, DEADLINE_SECONDS, ask_all
from pricer.llm.calls import FAILED, Call
from pricer.llm.providers import Provider, check_model_id, find_provider
from pricer.llm.replies import Reply, find_replies
from pricer.llm.rewriting import REWRITE, read_rewrite, rewrite_call
from pricer.progress import Report, Step, silent
from pricer.runs.spending import cap, check_cap

VERB = "rewrite"
_READ_AT_ONCE = 30_000  # items whose texts are held in memory
_AT_ONCE = 500  # items whose questions are
_ORDER = {"exam": 0, "validation": 1, "pool": 2}  # sealed items are in nothing, and are not asked


@dataclass(frozen=True)
class RewriteOrder:
    """What is to be rewritten, by whom, and what the new catalogue is called."""

    catalogue: str
    provider: str
    model: str
    name: str
    first: int | None = None
    effort: str | None = None
    batch: bool = False  # all questions in files that the provider answers within a day, at a lower price
    concurrency: int = CONCURRENCY
    seconds: float = DEADLINE_SECONDS


@dataclass(frozen=True)
class RewriteQuote:
    """What a rewriting will take at most; dollars are None where nobody has stated what the model costs."""

    items: int
    kept: int  # replies that are there already
    tokens_in: int
    tokens_out: int
    dollars: float | None
    key: str | None
    host: str


@dataclass
class _Done:
    """What came of the replies so far."""

    texts: dict[str, str] = field(default_factory=dict)
    failed: int = 0
    unusable: int = 0
    dollars: float = 0.0  # for what was asked now
    kept_dollars: float = 0.0  # that replies have cost which were there already


def rewrite_arguments(order: RewriteOrder) -> list[str]:
    """The command of an order, without `python -m pricer`."""
    stated = [f"--provider={order.provider}", f"--model={order.model}", f"--name={order.name}"]
    stated += [f"--first={order.first}"] if order.first is not None else []
    stated += [f"--effort={order.effort}"] if order.effort else []
    stated += ["--batch"] if order.batch else []
    stated += [f"--concurrency={order.concurrency}"] if order.concurrency != CONCURRENCY else []
    stated += [f"--seconds={order.seconds:g}"] if order.seconds != DEADLINE_SECONDS else []
    return [VERB, order.catalogue, *stated]


def quote_rewrite(order: RewriteOrder, report: Report = silent) -> RewriteQuote:
    """What an order will take at most, less what has been answered; PricerError where it cannot be asked."""
    catalogue, provider = _opened(order)
    price = provider.price(order.model)
    items = kept = tokens_in = tokens_out = 0
    for some in _slices(catalogue, order):
        calls = {call.key: call for _, call in _calls(some, order, provider)}
        found = find_replies(calls)
        items, kept = items + len(some), kept + len(found)
        for key in calls.keys() - found.keys():
            most = calls[key].most_tokens
            tokens_in, tokens_out = tokens_in + most[0], tokens_out + most[1]
        report(Step("Counting tokens", items, "items"))
    share = provider.batch_share if order.batch else 1.0
    dollars = share * price.dollars(tokens_in, tokens_out) if price else None
    return RewriteQuote(items, kept, tokens_in, tokens_out, dollars, provider.key, provider.host)


def rewrite(order: RewriteOrder, report: Report = silent) -> Catalogue:
    """Rewrite a catalogue as a new one; an item whose reply is none of five lines keeps its text, and is counted.

    PricerError where it would cost more than the cap, nobody has stated its price, or all further asking would fail:
    what was answered is kept, and is not asked again.
    """
    catalogue, provider = _opened(order)
    check_quote(quote_rewrite(order, report), order)
    key = wait_for_key(provider.key, report)
    most, done, total = cap(), _Done(), 0
    wanted = _wanted(catalogue, order)

    def count(call: Call, reply: Reply) -> None:
        nonlocal total
        total += 1
        report(Step("Rewriting", total, "items", min(1.0, total / max(1, wanted))))

    for some in _slices(catalogue, order):
        calls = _calls(some, order, provider)
        asked, left = [call for _, call in calls], max(0.0, most - done.dollars)
        if order.batch:
            replies = ask_batch(asked, provider, key, most_dollars=left, kept_count=False, report=report)
        else:
            replies = ask_all(
                asked,
                provider,
                key,
                concurrency=order.concurrency,
                deadline_seconds=order.seconds,
                most_dollars=left,
                kept_count=False,
                on_reply=count,
            )
        _take(done, calls, replies)
        total = sum((len(done.texts), done.failed, done.unusable))
    if not done.texts:
        raise PricerError(f"none of {wanted:,} replies was a text in five lines, so there is no new catalogue")
    about = Rewriting(
        catalogue=f"{catalogue.name}@{catalogue.version}",
        provider=provider.name,
        model=order.model,
        prompt_id=REWRITE.id,
        asked=wanted,
        rewritten=len(done.texts),
        unusable=done.unusable,
        failed=done.failed,
        cost_dollars=done.dollars,
        kept_dollars=done.kept_dollars,
    )
    return write_rewritten(catalogue, done.texts, order.name, about, report)


def check_quote(quote: RewriteQuote, order: RewriteOrder) -> None:
    """PricerError where an order may cost more than the cap, or nobody knows what it costs."""
    if quote.dollars is None:
        raise PricerError(
            f"nobody has stated what {order.model} costs; look it up and state dollars for a million tokens, in and "
            f"out: python -m pricer providers price {order.provider} {order.model} IN OUT"
        )
    words = f"rewriting {quote.items - quote.kept:,} items may cost ${quote.dollars:,.2f}"
    check_cap(quote.dollars, words, "rewrite fewer with --first")


def _opened(order: RewriteOrder) -> tuple[Catalogue, Provider]:
    check_name(order.name)
    check_model_id(order.model)
    if order.first is not None and order.first < 1:
        raise PricerError(f"the first items are 1 or more, got {order.first}")
    if order.concurrency < 1 or not math.isfinite(order.seconds) or order.seconds <= 0:
        raise PricerError("concurrency and seconds are positive numbers")
    provider = find_provider(order.provider)
    if order.batch and not provider.batches:
        raise PricerError(f"{provider.title} answers no batches that Pricer knows of; leave --batch out")
    return open_catalogue(order.catalogue), provider


def _wanted(catalogue: Catalogue, order: RewriteOrder) -> int:
    there = catalogue.manifest.items - catalogue.manifest.sealed
    return min(there, order.first or there)


def _slices(catalogue: Catalogue, order: RewriteOrder) -> Iterator[pl.DataFrame]:
    """The items to rewrite, exam first, then validation and pool, each in the order of its draw."""
    ids = catalogue.items().filter(pl.col("role") != "sealed").select("item_id", "key", "role").collect()
    place = ids["role"].replace_strict(_ORDER, return_dtype=pl.Int8).to_numpy()
    sorted_ids = ids["item_id"][np.lexsort((draw(ids["key"].to_numpy(), ROLE_STREAM, seed=0), place))]
    texts = catalogue.items().select("item_id", "full_text")
    for many in sorted_ids[: order.first].to_frame().iter_slices(_READ_AT_ONCE):
        read = many.lazy().join(texts, on="item_id", how="left", maintain_order="left").collect()
        yield from read.iter_slices(MOST_CALLS if order.batch else _AT_ONCE)


def _calls(items: pl.DataFrame, order: RewriteOrder, provider: Provider) -> list[tuple[str, Call]]:
    return [
        (identifier, rewrite_call(text, provider, order.model, order.effort))
        for identifier, text in items.select("item_id", "full_text").iter_rows()
    ]


def _take(done: _Done, calls: list[tuple[str, Call]], replies: list[Reply]) -> None:
    paid = set()
    for (identifier, call), reply in zip(calls, replies, strict=True):
        dollars = 0.0 if call.key in paid else reply.cost_dollars
        paid.add(call.key)
        done.dollars += 0.0 if reply.cached else dollars
        done.kept_dollars += dollars if reply.cached else 0.0
        text = None if reply.finish in (FAILED, "length") else read_rewrite(reply.text)
        if text:
            done.texts[identifier] = text
        elif reply.finish == FAILED:
            done.failed += 1
        else:
            done.unusable += 1
