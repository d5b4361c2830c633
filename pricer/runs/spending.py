"""What a run costs whose model asks a service that takes money, and the cap that the user sets for every run.

The cap is $0 until someone raises it, so nothing is spent that was not allowed.
"""

import json
import math
from pathlib import Path

from pricer import settings
from pricer.errors import PricerError
from pricer.files import write_json
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


def quote(model: str, items: int) -> float:
    """About what it costs in dollars to ask a model so many items."""
    return find_kind(model).dollars_per_1000 * items / 1000


def check_spending(model: str, items: int) -> None:
    """PricerError where asking so many items would cost more than the cap."""
    dollars, most = quote(model, items), cap()
    if dollars > most:
        raise PricerError(
            f"{model} would cost about ${dollars:,.2f} for {items:,} items, and a run may cost ${most:,.2f}; ask fewer "
            "items, or raise the cap: python -m pricer cap DOLLARS"
        )


def _path() -> Path:
    return settings.home() / FILE
