"""What the models of recorded runs say of products that somebody describes: one text, or a CSV of them."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from pricer.catalogue.scrub import RULES, best_sellers_rank, full_text, make_texts, read_product, weight_pounds
from pricer.catalogue.tokens import llama3
from pricer.errors import PricerError
from pricer.items import HIGHEST_SLOT, LOWEST_SLOT
from pricer.models import Answers, Model
from pricer.models.registry import find_kind
from pricer.runs.spending import cap, quote
from pricer.runs.store import MODEL, Run, list_runs

SERVED = "open-weight"  # the family of models that are loaded by `serve`
LONGEST_TEXT = 20_000  # characters that are read of a description
_ANY_LENGTH = RULES["short-texts"].model_copy(update={"least_characters": 0})
_ITEM = {
    "item_id": pl.String,
    "category": pl.String,
    "title": pl.String,
    "text": pl.String,
    "full_text": pl.String,
    "details": pl.String,
    "store": pl.String,
    "weight_pounds": pl.Float64,
    "rank": pl.Float64,
    "tokens": pl.Int32,
    "characters": pl.Int32,
}


def describe(texts: Sequence[str]) -> pl.DataFrame:
    """Items without prices from descriptions: the first line of each is its title.

    They are scrubbed as a load would, so that a model reads what it has learned to read. PricerError for an empty one.
    """
    return pl.DataFrame([_item(number, text) for number, text in enumerate(texts)], schema=_ITEM)


def _item(number: int, text: str) -> dict:
    title, _, rest = text.strip()[:LONGEST_TEXT].partition("\n")
    if not title:
        raise PricerError("describe the product in a few words: the text is empty")
    product = read_product({"title": title, "description": [line for line in rest.splitlines() if line.strip()]}, None)
    texts = make_texts(product, _ANY_LENGTH, llama3())
    return {
        "item_id": f"described {number}",
        "category": product.category,
        "title": product.title,
        "text": texts.text,
        "full_text": full_text(product),
        "details": "{}",
        "store": "",
        "weight_pounds": weight_pounds(product.details),
        "rank": best_sellers_rank(product.details),
        "tokens": texts.tokens,
        "characters": texts.characters,
    }


def worked_examples(exam: pl.DataFrame, number: int) -> pl.DataFrame:
    """The first items of the natural exam whose price is worth a guess, $20 to $500; any where there are none.

    They are taken by the exam's own order, whatever models say of them.
    """
    natural = exam.filter(pl.col("natural_rank").is_not_null()).sort("natural_rank")
    middling = natural.filter(pl.col("price").is_between(20, 500))
    return (natural if middling.is_empty() else middling).head(number)


def runs_that_price() -> list[Run]:
    """The last run of every name on an exam whose model is kept here: first those that answer at once, then those that
    are served, then those that ask; the newest first in each.
    """
    newest: dict[tuple[str, str], Run] = {}
    for run in list_runs():
        if (run.folder / MODEL).is_dir():
            newest.setdefault((run.manifest.exam_hash, run.name), run)
    return sorted(newest.values(), key=lambda run: (asks(run), is_served(run)))


def runs_that_guess() -> list[Run]:
    """Those of `runs_that_price` that answer at once."""
    return [run for run in runs_that_price() if answers_at_once(run)]


def answers_at_once(run: Run) -> bool:
    """Whether a run's model guesses in passing: it neither takes long to load, nor may cost money."""
    return not is_served(run) and not asks(run)


def asks(run: Run) -> bool:
    """Whether a run's model asks a provider, who may take money for each guess."""
    return find_kind(run.manifest.model).quotes


def is_served(run: Run) -> bool:
    """Whether a run's model answers pages from a process of its own only; see `pricer.runs.serving`."""
    return run.manifest.family == SERVED


def quote_asking(run: Run, items: pl.DataFrame) -> float:
    """What a run that asks a provider may cost for these items, in dollars; PricerError where it cannot be asked."""
    tokens = float(items["tokens"].mean() or 0)
    return quote(run.manifest.model, len(items), run.manifest.model_settings, tokens).dollars


def ask_prices(items: pl.DataFrame, run: Run) -> pl.DataFrame:
    """What a run that asks a provider is answered, as `Answers` says; it may cost as much as a run may.

    PricerError where it would cost more, or cannot be asked.
    """
    model = run.model()
    model.most_dollars = cap()
    return model.answers(items)


def guess_prices(
    items: pl.DataFrame, runs: Sequence[Run], load_model: Callable[[Run], Model] = Run.model
) -> dict[str, list[float]]:
    """Each run's guesses for items without prices, by run id; clipped to $1 to $999.

    A run that asks a provider is asked, for it was named; where it does not answer, its guess is train's median.
    """
    return {run.id: _guesses(load_model(run), items).clip(LOWEST_SLOT, HIGHEST_SLOT).tolist() for run in runs}


def _guesses(model: Model, items: pl.DataFrame) -> np.ndarray:
    if isinstance(model, Answers):
        model.most_dollars = cap()
    return model.predict(items)


def read_descriptions(path: Path, column: str | None = None) -> tuple[list[dict[str, str]], list[str]]:
    """The rows of a CSV file and the description in each: of `column`, or of title and description, or of text."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows, names = list(reader), reader.fieldnames or []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PricerError(f"{path}: cannot be read as CSV ({error})") from error
    wanted = [column] if column else [name for name in ("title", "description", "text") if name in names]
    if not wanted or not set(wanted) <= set(names):
        has = ", ".join(names) or "none"
        raise PricerError(f"{path}: no column {column or 'title, description or text'}; it has {has}")
    if not rows:
        raise PricerError(f"{path}: no rows")
    return rows, ["\n".join(row[name] or "" for name in wanted).strip() for row in rows]
