"""What a job keeps of its work, so that the next attempt need not begin again: the fitted model, and guesses so far.

The same work, attempted again, finds it under the same name; other work, or other code, does not. Outside of a job
nothing is kept.
"""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from pricer import settings
from pricer.checkpoints import latest_complete, save_checkpoint
from pricer.errors import PricerError
from pricer.files import write_json
from pricer.models import Model, load
from pricer.runs.curves import read_curves, write_curves

SECONDS_BETWEEN_SAVES = 10.0
_FACTS = "facts.json"
_MODEL = "model"
_GUESSES = "guesses.parquet"
_CHANCES = "chances.npy"


@dataclass(frozen=True)
class Guessed:
    """What was guessed of the first items of an exam, and how long it took."""

    table: pl.DataFrame  # as `pricer.runs.asking` has it
    chances: np.ndarray | None  # float16 (items, 1000), of a model that gives a distribution
    seconds: float

    def and_then(self, table: pl.DataFrame, chances: np.ndarray | None, seconds: float) -> "Guessed":
        """The same with the items that came next; `seconds` are those of all."""
        if chances is not None and self.chances is not None:
            chances = np.concatenate([self.chances, chances])
        return Guessed(pl.concat([self.table, table]), chances, seconds)


class Kept:
    """The checkpoints of one piece of work, named by all that its outcome depends on."""

    def __init__(self, *work: object):
        folder = settings.checkpoints_folder()
        name = hashlib.sha256(json.dumps(work, default=str).encode()).hexdigest()[:16]
        self._folder = folder and folder / name
        self._saved = time.monotonic()

    def fitted(self) -> tuple[Model, float, pl.DataFrame | None] | None:
        """The fitted model, the seconds that its fit took, and its curves; None where it was not kept."""
        found = self._latest("fitted")
        try:
            return found and (load(found / _MODEL), _facts(found)["seconds"], read_curves(found))
        except PricerError:  # the model's file has another form now
            return None

    def keep_fitted(self, model: Model, seconds: float, curves: pl.DataFrame | None) -> None:
        def write(folder: Path) -> None:
            model.save(folder / _MODEL)
            write_json(folder / _FACTS, {"seconds": seconds})
            write_curves(folder, curves)

        if self._folder:
            save_checkpoint(self._folder / "fitted", write)

    def guessed(self) -> Guessed | None:
        """The guesses that were kept, of a model that fits the same; None where there are none."""
        found = self._latest("guessed")
        if not found:
            return None
        chances = np.load(found / _CHANCES, allow_pickle=False) if (found / _CHANCES).exists() else None
        return Guessed(pl.read_parquet(found / _GUESSES), chances, _facts(found)["seconds"])

    def is_due(self) -> bool:
        """Whether guesses are to be kept: in a job, a while after they last were."""
        return self._folder is not None and time.monotonic() - self._saved >= SECONDS_BETWEEN_SAVES

    def keep_guessed(self, so_far: Guessed) -> None:
        def write(folder: Path) -> None:
            so_far.table.write_parquet(folder / _GUESSES)
            if so_far.chances is not None:
                np.save(folder / _CHANCES, so_far.chances, allow_pickle=False)
            write_json(folder / _FACTS, {"seconds": so_far.seconds})

        save_checkpoint(self._folder / "guessed", write)
        self._saved = time.monotonic()

    def _latest(self, what: str) -> Path | None:
        return latest_complete(self._folder / what) if self._folder else None


def once(name: str, make: Callable[[], dict]) -> dict:
    """What a job makes once, however often it is attempted; `make` says in JSON what it has made."""
    folder = settings.checkpoints_folder()
    note = folder / f"{name}.json" if folder else None
    if note and note.exists():
        return json.loads(note.read_bytes())
    made = make()
    if note:
        write_json(note, made)
    return made


def _facts(checkpoint: Path) -> dict:
    return json.loads((checkpoint / _FACTS).read_bytes())
