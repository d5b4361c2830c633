"""What a run costs whose model asks a service that takes money, and the cap that the user sets for every run.

The cap is $0 until someone raises it, so nothing is spent that was not allowed.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from pricer import settings
from pricer.curation.dataset import Dataset
from pricer.errors import PricerError
from pricer.files import write_json
from pricer.models import Value
from pricer.models.contract import USUAL_TOKENS, Quote
from pricer.models.registry import find_kind

FILE = "spending.json"  # in the home folder, so that pages, commands and jobs have one cap


def cap() -> float:
    """Dollars that a run may cost at most; 0 until it is set."""
    path = _path()
    try:
        return float(json.loads(path.read_text(encoding="utf-8"))["cap_dollars"]) if path.is_file() else 0.0
    except (ValueError, KeyError, TypeError) as error:
        raise PricerError(f"{path} says no cap; set it again: python -m pricer cap DOLLARS") from error


def set_cap(dollars: float) -> None:
    """Set what a run may cost at most; PricerError for what is no amount."""
    if not math.isfinite(dollars) or dollars < 0:
        raise PricerError(f"a cap is an amount in dollars from 0 upwards, got {dollars!r}")
    settings.make_home()
    write_json(_path(), {"cap_dollars": dollars})


def quote(model: str, items: int, settings: Mapping[str, Value] | None = None, tokens: float = USUAL_TOKENS) -> Quote:
    """What it may cost to ask a model so many items, of so many tokens each, and the key that it needs.

    PricerError where a model with these settings cannot be asked, or nobody has stated what it costs.
    """
    kind = find_kind(model)
    if kind.quotes:
        return kind.find_class().quote(kind.check_settings(dict(settings or {})), items, tokens)
    return Quote(0.0)


def may_cost(model: str, settings: Mapping[str, Value] | None = None) -> bool:
    """Whether asking a model costs money, or might, for all that is known yet."""
    try:
        return quote(model, 1, settings).dollars != 0
    except PricerError:
        return True


def small_dollars(amount: float) -> str:
    """An amount that asking costs, in words: in cents, and less than a dollar in two digits at least.

    >>> small_dollars(12.345), small_dollars(0.075), small_dollars(0.00421), small_dollars(1e-9), small_dollars(0)
    ('$12.35', '$0.075', '$0.0042', 'under $0.0001', '$0.00')
    """
    if amount == 0 or amount >= 1:
        return f"${amount:,.2f}"
    return f"${amount:.{max(2, 1 - math.floor(math.log10(amount)))}f}" if amount >= 1e-4 else "under $0.0001"


def tokens_of(dataset: Dataset) -> float:
    """How many tokens the texts of a dataset's exam have, on average; the usual number where the exam is gone."""
    try:
        return float(dataset.exam().select(pl.col("tokens").mean()).collect().item() or USUAL_TOKENS)
    except OSError:
        return USUAL_TOKENS


def check_spending(
    model: str, items: int, settings: Mapping[str, Value] | None = None, tokens: float = USUAL_TOKENS
) -> None:
    """PricerError where asking so many items would cost more than the cap, or as `quote`."""
    dollars = quote(model, items, settings, tokens).dollars
    check_cap(dollars, f"{model} would cost about {small_dollars(dollars)} for {items:,} items", "ask fewer items")


def check_cap(dollars: float, words: str, instead: str) -> None:
    """PricerError where so much is more than the cap: what would cost it, in words, and what to do instead."""
    if dollars > (most := cap()):
        raise PricerError(
            f"{words}, and a run may cost {small_dollars(most)}; {instead}, or raise the cap: "
            "python -m pricer cap DOLLARS"
        )


def _path() -> Path:
    return settings.home() / FILE
