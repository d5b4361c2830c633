"""Look into a catalogue: its raw rows page by page, what became of one of them, and why."""

from dataclasses import dataclass

import polars as pl

from pricer.catalogue.scrub import REASONS, Check, Rules, explain
from pricer.catalogue.store import Catalogue
from pricer.catalogue.tokens import llama3

PAGE_ROWS = 50
OUTCOMES = {"item": "Item", "duplicate": "Duplicate", **REASONS}


@dataclass(frozen=True)
class Wanted:
    """Which rows to show; "" means all. `words` is part of a title, or an item id."""

    outcome: str = ""
    category: str = ""
    words: str = ""


def reasons_in_words(rules: Rules) -> dict[str, str]:
    """Why rows are rejected, in the order in which it is asked, with the numbers of these rules."""
    limits = {
        "price-too-low": f"Price below ${rules.lowest_price:,.2f}",
        "price-too-high": f"Price above ${rules.highest_price:,.2f}",
        "too-few-characters": f"{rules.least_characters - 1:,} characters or fewer",
        "too-few-tokens": f"{rules.least_tokens - 1:,} tokens or fewer",
    }
    return REASONS | limits


def count_rows(catalogue: Catalogue, wanted: Wanted) -> int:
    return catalogue.rows().filter(_condition(wanted)).select(pl.len()).collect().item()


def page_of_rows(catalogue: Catalogue, wanted: Wanted, page: int) -> pl.DataFrame:
    """The rows of a page (from 1), at most 50, in the order of the files: without their raw text."""
    columns = ("row_number", "title", "item_id", "category", "outcome", "price", "characters", "tokens")
    rows = catalogue.rows().filter(_condition(wanted)).select(columns)
    return rows.slice((page - 1) * PAGE_ROWS, PAGE_ROWS).collect()


def find_row(catalogue: Catalogue, row_number: int) -> dict:
    """One raw row with everything that is known of it."""
    return catalogue.rows().filter(pl.col("row_number") == row_number).collect().row(0, named=True)


def find_item(catalogue: Catalogue, item_id: str) -> dict | None:
    """An item by its id; None if no item has it."""
    found = catalogue.items().filter(pl.col("item_id") == item_id).collect()
    return found.row(0, named=True) if len(found) else None


def explain_row(catalogue: Catalogue, row: dict) -> list[Check]:
    """Say of each rule, in order, what it found in a row of `find_row`; the last is whether it was a duplicate."""
    checks = explain(row["raw"], catalogue.manifest.rules, llama3())
    value, passed = "not reached", None
    if row["outcome"] == "item":
        value, passed = "stands for itself", True
    elif row["outcome"] == "duplicate":
        value, passed = f"same as {row['duplicate_of']}", False
    return [*checks, Check("Not a duplicate", value, "id, or title and text", passed)]


def _condition(wanted: Wanted) -> pl.Expr:
    condition = pl.lit(True)
    if wanted.outcome:
        condition &= pl.col("outcome") == wanted.outcome
    if wanted.category:
        condition &= pl.col("category") == wanted.category
    if words := wanted.words.strip():
        in_title = pl.col("title").str.to_lowercase().str.contains(words.lower(), literal=True)
        condition &= in_title | (pl.col("item_id") == words)
    return condition
