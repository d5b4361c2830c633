"""What long work reports while it runs; who shows it is not its business."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One report: in `stage`, `count` units are done, which is `fraction` (0 to 1) of the stage where that is known."""

    stage: str
    count: int
    unit: str
    fraction: float | None = None


Report = Callable[[Step], None]


def silent(step: Step) -> None:
    """Report to nobody."""
