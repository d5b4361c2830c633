"""What every model promises, and what is known of a kind of model before one is made."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, Self, runtime_checkable

import numpy as np
import polars as pl

from pricer.errors import PricerError
from pricer.progress import Report, silent

PRICE_COLUMNS = ("price", "price_spread", "slot")

Value = int | float | str  # of a setting
LONGEST_SETTING = 300  # characters
USUAL_TOKENS = 180.0  # of a product's text, where nobody has counted them


class Model(Protocol):
    """A way to guess prices.

    A constructor takes `seed` and the settings of the model's kind by name, and stores them, no more. What `fit` learns
    ends in `_`. Heavy imports live where they are used.
    """

    name: str  # key in MODELS

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame | None = None, report: Report = silent) -> Self:
        """Learn from items with prices; the same seed, items and order give the same guesses.

        Validation may be missing or empty. PricerError if train has no items.
        """

    def predict(self, items: pl.DataFrame) -> np.ndarray:
        """Guess each item's price: float64 dollars, finite and not negative, in the order of the items.

        The price columns are not read: see `without_price`.
        """

    def save(self, folder: Path) -> None:
        """Write `model.json` and what was learned; the folder is made if there is none."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote, without running code from it; PricerError where it is damaged."""


@runtime_checkable
class GivesDistribution(Protocol):
    """A model that also says how likely each price is; its guess is the median of that."""

    def predict_distribution(self, items: pl.DataFrame) -> np.ndarray:
        """How likely each slot is for each item: float64 (n, 1000) over slots 0 to 999, not negative, rows add up to 1.

        The price columns are not read, and items come in the order of the items, as with `predict`.
        """


@runtime_checkable
class Answers(Protocol):
    """A model that answers in words, of which a price is read; an answer may be none, and may cost money."""

    most_dollars: float  # what all its answers may cost together; 0 until it is set
    items_at_once: int | None  # how many items to ask together; None for all

    def answers(self, items: pl.DataFrame, report: Report = silent) -> pl.DataFrame:
        """A row for each item, in the order of the items.

        guess (float64 dollars, null unless the status is answer), status (answer, refusal, unparsable, failed),
        seconds, cost_dollars, raw_answer. The price columns are not read. PricerError where no more may be asked.
        """


class Quote(NamedTuple):
    """What asking a model may cost at most, and what it needs."""

    dollars: float
    key: str | None = None  # name of the key, as in `pricer.keys`


@dataclass(frozen=True)
class Setting:
    """What a person may choose: a number, whole if its default is an int, or text, one of the choices if it has any."""

    name: str
    default: Value
    least: int | float = 0
    most: int | float = 0
    explanation: str = ""
    choices: tuple[str, ...] = ()
    unset: str = ""  # what the default comes to where it is no value of its own: "as the preset"

    def check(self, value: object) -> Value:
        """Give the value back as the default's type; PricerError if it is not of its kind or out of range."""
        if isinstance(self.default, str):
            return self._check_text(value)
        whole = isinstance(self.default, int)
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not is_number or (whole and value != int(value)) or not self.least <= value <= self.most:
            kind = "a whole number" if whole else "a number"
            raise PricerError(f"{self.name} must be {kind} from {self.least:,} to {self.most:,}, got {value!r}")
        return type(self.default)(value)

    def _check_text(self, value: object) -> str:
        if not isinstance(value, str) or (self.choices and value not in self.choices):
            raise PricerError(f"{self.name} must be {' or '.join(self.choices) or 'text'}, got {value!r}")
        if len(value) > LONGEST_SETTING or not value.isprintable():
            raise PricerError(f"{self.name} must be one line of at most {LONGEST_SETTING} characters")
        return value

    def parse(self, text: str) -> Value:
        """Read a value that was typed.

        >>> Setting("alpha", 0.3, 0.001, 100.0, "").parse("1")
        1.0
        >>> Setting("precision", "4bit", choices=("4bit", "8bit")).parse("8bit")
        '8bit'
        """
        if isinstance(self.default, str):
            return self.check(text)
        try:
            return self.check(float(text))
        except ValueError:
            return self.check(text)  # which tells what was expected


def in_words(name: str, value: Value) -> str:
    """A setting and its value, as names of runs and tables have them.

    >>> in_words("alpha", 0.3), in_words("base", "tiny-llama")
    ('alpha 0.3', 'base tiny-llama')
    """
    if isinstance(value, str):
        return f"{name} {value}"
    return f"{name} {value:,}" if isinstance(value, int) else f"{name} {value:,g}"


@dataclass(frozen=True)
class Estimate:
    """What fitting will take, about: time on one core, and the most memory that the process holds, train included."""

    seconds: float
    bytes: int
    instead: str = "train on fewer items"  # what to do where that is more than is free


@dataclass(frozen=True)
class ModelKind:
    """An entry of `MODELS`: what can be said of a model without importing it."""

    name: str
    title: str
    family: Literal["yardstick", "words", "trees", "networks", "open-weight", "hosted", "human", "stack"]
    reads: Literal["nothing", "text", "full_text"]
    explanation: str
    place: str  # "module:class"
    estimate: Callable[..., Estimate]  # of the number of items in train, and of settings by name
    settings: tuple[Setting, ...] = ()
    quotes: bool = False  # whether its class says what asking costs, by its settings: `quote(settings, items, tokens)`
    learns: bool = True  # from train; those that do not come fitted from elsewhere, and are only asked
    asks_validation: bool = True  # where each answer is paid for or slow, validation is not asked
    # What settings that are left open come to, given the others: by name, in words.
    left_open: Callable[[Mapping[str, Value]], dict[str, str]] | None = None
    # Seconds that guessing takes, of items, their mean tokens, and settings by name; where it counts. Of validation no
    # more is asked than of the exam then.
    seconds_to_ask: Callable[..., float] | None = None

    @property
    def label(self) -> str:
        """How it is offered for choice: its title, and the name that runs and commands have."""
        return f"{self.title} ({self.name})"

    def find_class(self) -> type[Model]:
        """Import the class that the entry names."""
        module, _, name = self.place.partition(":")
        return getattr(import_module(module), name)

    def check_settings(self, stated: dict) -> dict[str, Value]:
        """Every setting with its stated or default value; PricerError for one that is unknown or out of range."""
        known = {setting.name: setting for setting in self.settings}
        for name in stated:
            if name not in known:
                has = f"it has {', '.join(known)}" if known else "it has none"
                raise PricerError(f"{self.name} has no setting {name!r}; {has}")
        return {name: setting.check(stated.get(name, setting.default)) for name, setting in known.items()}


def without_price(items: pl.DataFrame) -> pl.DataFrame:
    """Items as a model may see them when it guesses: without price, price_spread and slot."""
    return items.drop(PRICE_COLUMNS, strict=False)
