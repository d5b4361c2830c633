"""What long work reports while it runs, and at what rate it goes; who shows it is not its business."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

TRAINING_LOSS, VALIDATION_LOSS = "training loss", "validation loss"  # of whatever the model makes less
LEARNING_RATE = "learning rate"
VALIDATION_ERROR = "validation error"  # mean absolute error, in dollars


@dataclass(frozen=True)
class Point:
    """How good a fit is after `at` of a `unit` ("epochs", "trees"): figures by name, the same names or fewer."""

    at: float
    unit: str
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Step:
    """One report: in `stage`, `count` units are done, which is `fraction` (0 to 1) of the stage where that is known.

    Now and then a fit adds how good it is; a model does so at most some hundred times.
    """

    stage: str
    count: int
    unit: str
    fraction: float | None = None
    point: Point | None = None


Report = Callable[[Step], None]


def silent(step: Step) -> None:
    """Report to nobody."""


@dataclass(frozen=True)
class Progress:
    """A step with its rate and, where the fraction is known, the time that its stage still takes."""

    stage: str
    count: int
    unit: str
    fraction: float | None
    rate_per_second: float
    elapsed_seconds: float
    remaining_seconds: float | None


class Pace:
    """Measures the pace of the stage that is running."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._first = Step("", 0, "")
        self._started = 0.0

    def of(self, step: Step) -> Progress:
        """Give a step its pace; a new stage starts the clock anew, from what of it was done already."""
        now = self._clock()
        if step.stage != self._first.stage:
            self._first, self._started = step, now
        elapsed = now - self._started
        rate = max(0, step.count - self._first.count) / elapsed if elapsed > 0 else 0.0
        won = (step.fraction or 0.0) - (self._first.fraction or 0.0)
        remaining = elapsed * (1 - step.fraction) / won if won > 0 and elapsed > 0 else None
        return Progress(step.stage, step.count, step.unit, step.fraction, rate, elapsed, remaining)


def duration(seconds: float) -> str:
    """A time in words: "48 s", "11 min", "6 h 52 min".

    >>> duration(0.4), duration(48), duration(660), duration(24720)
    ('<1 s', '48 s', '11 min', '6 h 52 min')
    """
    if seconds < 1:
        return "<1 s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
