"""The columns in which a set is published: those of the notebooks' first edition, or of their second."""

import re
from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict

from pricer.errors import PricerError
from pricer.llm.prompts import COMPLETIONS, PRICE_LINE

Edition = Literal["text-price", "prompt-completion"]
EDITIONS: dict[Edition, str] = {
    "text-price": "text and price, as the first notebook published",
    "prompt-completion": "prompt and completion, as the second notebook published",
}
COLUMNS: dict[Edition, tuple[str, str]] = {
    "text-price": ("text", "price"),
    "prompt-completion": ("prompt", "completion"),
}
SPLITS = {"train": "train", "validation": "validation", "exam": "test"}  # of a dataset, and as they are published
EXTRAS = ("title", "category", "item_id")
_LICENCE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}")


class Options(BaseModel):
    """What is published of a dataset, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    edition: Edition = "text-price"
    extras: bool = False  # title, category and item_id beside these columns
    exam_prices: bool = True
    licence: str = "other"  # an id of the hub's list


def check_licence(licence: str) -> None:
    """PricerError for what has not the form of an id of the hub's list."""
    if not _LICENCE.fullmatch(licence):
        raise PricerError(f"a licence is an id of the hub's list, such as cc-by-4.0 or other, got {licence!r}")


def in_edition(items: pl.DataFrame, part: str, options: Options) -> pl.DataFrame:
    """The rows of a part (train, validation, exam) as they are published.

    Train and validation show the price in whole dollars at the end of the text, or as completion. The exam's text ends
    where the price would stand; its exact price stands in a column of its own, null where it is withheld.
    """
    texts, prices = items["text"].to_list(), items["price"].to_list()
    completion = COMPLETIONS["notebook-1" if options.edition == "text-price" else "notebook-2"]
    prompts = [completion.prompt(text) for text in texts]
    is_exam = part == "exam"
    withheld = is_exam and not options.exam_prices
    if options.edition == "text-price":
        shown = prompts if is_exam else _with_answers(prompts, prices, completion)
        columns = {
            "text": shown,
            "price": pl.Series([None if withheld else price for price in prices], dtype=pl.Float64),
        }
    else:
        answers = [str(price) if is_exam else completion.answer(price) for price in prices]
        columns = {
            "prompt": prompts,
            "completion": pl.Series([None] * len(prices) if withheld else answers, dtype=pl.String),
        }
    table = pl.DataFrame(columns)
    return table.with_columns(items[name] for name in EXTRAS) if options.extras else table


def _with_answers(prompts, prices, completion) -> list[str]:
    return [prompt + completion.answer(price) for prompt, price in zip(prompts, prices, strict=True)]


def shows_price(row: dict) -> bool:
    """Whether a row of the exam, in the form in which it is published, gives its price away in its text."""
    return not (row.get("text") or row.get("prompt")).endswith(PRICE_LINE)
