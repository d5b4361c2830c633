"""A line of what is looked at before something long, paid or public starts."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Check:
    """Whether it may start (pass), would disappoint (look) or cannot end well (stop), what was looked at, its value."""

    verdict: Literal["pass", "look", "stop"]
    words: str
    value: str
