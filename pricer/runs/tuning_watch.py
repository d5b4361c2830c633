"""Watching the remote job of a fine-tuning: its state, what its host tells, and its curves, kept as they come."""

import io
import time
from contextlib import suppress
from dataclasses import asdict

import polars as pl

from pricer.errors import PricerError
from pricer.files import write_whole
from pricer.llm.providers import Provider
from pricer.llm.tuning.adapter import ENDED, Adapter, Event, RemoteJob
from pricer.llm.tuning.host import NoAnswer, NotSent, Refused
from pricer.progress import TRAINING_LOSS, Point, Step
from pricer.runs.curves import CURVES, Curves
from pricer.runs.tunings import Tuning, change, open_tuning

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0  # seconds between looks, which grow
PATIENCE = 6 * 3600.0  # seconds with a host that does not answer
MOST_POINTS = 1_000  # of a curve


class Watch:
    """Looks at a remote job again and again, and writes down what it sees."""

    def __init__(self, tuning: Tuning, adapter: Adapter, provider: Provider, curves: Curves):
        self._tuning = tuning
        self._adapter = adapter
        self._title = provider.title
        self._curves = curves
        self._known: set[str] = set()
        self._was_told_to_cancel = False

    def until_over(self) -> Tuning:
        pause, heard = FIRST_PAUSE, time.monotonic()
        while not self._tuning.is_over:
            try:
                self.look()
                heard = time.monotonic()
            except (NoAnswer, NotSent, Refused) as error:
                self._bear(error, time.monotonic() - heard)
            if not self._tuning.is_over:
                time.sleep(pause)
                pause = min(LONGEST_PAUSE, pause * 1.3)
        return self._tuning

    def _bear(self, error: PricerError, silence_seconds: float) -> None:
        """Ask again later where that may help; PricerError otherwise, which leaves the tuning at its host as it is."""
        follow = f"the tuning goes on there; follow it again: python -m pricer tune follow {self._tuning.mark}"
        if isinstance(error, Refused) and error.status != 429:
            change(self._tuning.id, why=str(error))
            raise PricerError(f"{error}; {follow}") from None
        if silence_seconds > PATIENCE:
            raise PricerError(f"{error}; {follow}") from None
        self._report(f"{self._title} does not answer; asking again")

    def look(self) -> Tuning:
        """Look once: what happened, then the state, so that no last event is missed once it is over."""
        self._tuning = open_tuning(self._tuning.id)
        if self._tuning.kept.is_to_cancel and not self._was_told_to_cancel:
            with suppress(Refused):  # it is over, or was told already; the look below says which
                self._adapter.cancel(self._tuning.remote_id)
            self._was_told_to_cancel = True
        remote = self._adapter.poll(self._tuning.remote_id)
        news = self._adapter.news(self._tuning.remote_id, self._known)
        self._known |= {event.id for event in news}
        self._keep(remote, news)
        return self._tuning

    def _keep(self, remote: RemoteJob, news: list[Event]) -> None:
        kept = self._tuning.kept
        facts: dict = {"total_steps": max((e.total_steps for e in news if e.total_steps), default=kept.total_steps)}
        facts["events"] = [*_new_words(kept.events, news)]
        points = _thinned(news, facts["total_steps"])
        facts["step"] = int(max((point.at for point in points), default=kept.step))
        if remote.state in ENDED or remote.state == "paused":
            facts["checkpoints"] = [asdict(each) for each in self._adapter.checkpoints(remote.id)]
        self._tuning = change(
            self._tuning.id, state=remote.state, said=remote.said, tuned_model=remote.tuned_model,
            trained_tokens=remote.trained_tokens, finishes_at=remote.finishes_at, why=remote.error or "", **facts,
        )  # fmt: skip
        for point in points:
            self._report(None, point)
        self._report()
        if points:
            _write_curves(self._tuning, self._curves.table)

    def _report(self, stage: str | None = None, point: Point | None = None) -> None:
        kept = self._tuning.kept
        step = int(point.at) if point else kept.step
        fraction = min(1.0, step / kept.total_steps) if kept.total_steps else None
        self._curves(Step(stage or f"Tuning at {self._title}: {kept.said}", step, "steps", fraction, point))


def _new_words(before: list[str], news: list[Event]) -> list[str]:
    """What was told, each once: a process that goes on after another reads the host's list from its beginning."""
    return list(dict.fromkeys([*before, *(event.words for event in news if event.words)]))


def _thinned(news: list[Event], total_steps: int | None) -> list[Point]:
    """The points among the events, of long trainings every nth; those on validation stay."""
    every = -(-(total_steps or 0) // MOST_POINTS) or 1
    points = [event.point for event in news if event.point]
    return [point for point in points if point.at % every == 0 or set(point.figures) != {TRAINING_LOSS}]


def _write_curves(tuning: Tuning, table: pl.DataFrame | None) -> None:
    if table is not None:
        content = io.BytesIO()
        table.write_parquet(content)
        write_whole(tuning.folder / CURVES, content.getvalue())
