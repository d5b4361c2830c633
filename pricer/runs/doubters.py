"""The runs whose agreement makes a price doubtful: good ones that do not agree merely for being of one kind."""

from collections.abc import Iterable

from pricer.models.stack import Stack
from pricer.runs.store import Run

MOST = 5
_YARDSTICK = "yardstick"
_NAMED_BY = ("provider", "model")  # settings of models that ask a language model, which say which one


def doubters(runs: Iterable[Run]) -> list[Run]:
    """The first five of runs, best first: one a model, no yardstick, and no stack, which repeats what its runs say."""
    chosen: dict[tuple, Run] = {}
    for run in runs:
        if run.manifest.family != _YARDSTICK and run.manifest.model != Stack.name:
            chosen.setdefault(_kind(run), run)
    return list(chosen.values())[:MOST]


def _kind(run: Run) -> tuple:
    """What makes a run's model another one; guesses that were imported go by their name."""
    of = run.manifest
    named = tuple(of.model_settings.get(name) for name in _NAMED_BY)
    return of.model, *named, *([of.name] if of.train_items == 0 else [])
