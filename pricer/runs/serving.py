"""Serving a run's language model: what it answers, and starting the process that does."""

import subprocess
import sys
from collections.abc import Sequence

from pricer import settings
from pricer.errors import PricerError
from pricer.items import HIGHEST_SLOT, LOWEST_SLOT
from pricer.llm.local import serving
from pricer.llm.local.serving import Answer, Serving
from pricer.models.bins import distribution_median
from pricer.runs.guessing import describe, is_served
from pricer.runs.processes import PROJECT
from pricer.runs.store import Run, open_run

VERB = "serve"
LOG = "serving.log"


def serve_run(label: str, idle_seconds: float = serving.IDLE_SECONDS) -> int:
    """Load a run's model and answer until nobody asks; gives how many products it was asked.

    PricerError for a run of another family, and as `pricer.llm.local.serving.serve`.
    """
    run = open_run(label)
    if not is_served(run):
        raise PricerError(f"{run.name} needs no process of its own: the page Predict asks it directly")
    return serving.serve(run.id, lambda: _load(run), idle_seconds)


def _load(run: Run) -> tuple[str, Answer]:
    from pricer.llm.local.loading import held

    model = run.model()

    def answer(texts: Sequence[str]) -> dict:
        chances = model.predict_distribution(describe(texts))
        guesses = distribution_median(chances).clip(LOWEST_SLOT, HIGHEST_SLOT)
        return {"guesses": guesses.tolist(), "chances": chances.round(7).tolist()}

    answer(["A brass lamp"])  # which loads it
    return held().in_words if held() else run.name, answer


def start_serving(run: Run) -> None:
    """Start the process that serves a run, after the one that served another has been told to end."""
    serving.stop()
    with (settings.make_home() / LOG).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "pricer", VERB, run.id],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    serving.expect(run.id, process.pid)


def ask_served(found: Serving, text: str) -> tuple[float, list[float]]:
    """The guess in dollars of a described product, and how likely the model thinks each slot."""
    said = serving.ask(found, [text])
    return said["guesses"][0], said["chances"][0]
