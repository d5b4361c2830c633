"""A dry run: twenty real steps on the longest rows, thrown away: memory and time measured before they are spent."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import psutil

from pricer.errors import PricerError
from pricer.llm.local.loading import free_bytes
from pricer.llm.tuned.presets import Hyperparameters
from pricer.llm.tuned.rows import Row, lay_out, make_rows
from pricer.llm.tuned.steps import Learner
from pricer.llm.tuned.tuner import BaseChoice, PricedTexts, start
from pricer.progress import Report, Step

STEPS = 20
WARM = 2  # steps that are not timed: the first ones wait for memory and for kernels
SPARE = 0.9  # of the free memory that a batch may fill


@dataclass(frozen=True)
class DryRun:
    """What twenty steps took."""

    device: str
    longest_row: int  # tokens
    trained_parameters: int
    bytes_before: int  # with base and adapter in memory
    bytes_peak: int  # the most that was held from then on
    bytes_free: int  # before the steps
    seconds_per_step: float
    tokens_per_second: float
    steps: int  # that tuning will take with this batch
    seconds: float  # that tuning will take, without validation
    batch: int
    largest_batch: int  # that memory allows, about; tried out on a graphics card
    losses: tuple[float, ...]


def dry_run(base: BaseChoice, tuning: Hyperparameters, train: PricedTexts, seed: int, report: Report) -> DryRun:
    """Load a base, take twenty steps on the longest rows of train, and say what they took; nothing is kept.

    PricerError as with tuning; a batch that does not fit in a graphics card's memory is told as the largest that does.
    """
    tuned = start(base, tuning, seed, report)
    learner = Learner(tuned.model, tuning, tuned.head)
    rows = _longest_rows(tuned.tokenizer, tuning, train)
    device = learner.device.type
    before, free = _bytes_now(device), free_bytes(device)
    _steps(learner, rows, 1, 1, seed)
    alone = _peak(device, partial(_steps, learner, rows, 1, 2, seed))
    batch, peak, took = _whole_batch(learner, rows, seed, report)
    timed = [each for each, _ in took[WARM:]]
    seconds = sum(timed) / len(timed)
    largest = _largest_batch(alone, peak, batch, free + before, len(train.texts))
    if device == "cuda":
        largest = _tried(learner, rows, largest, batch, seed)
    steps = replace(tuning, batch=batch).steps(len(train.texts))  # of the batch that was timed
    told = sum(len(rows[place % len(rows)]) for place in range(batch))
    return DryRun(
        device=device,
        longest_row=len(rows[0]),
        trained_parameters=tuned.trained_parameters,
        bytes_before=before,
        bytes_peak=max(before, peak),  # on a processor, what was held before may have been given back by then
        bytes_free=free,
        seconds_per_step=seconds * tuning.accumulation,
        tokens_per_second=told / seconds,
        steps=steps,
        seconds=steps * seconds * tuning.accumulation,
        batch=batch,
        largest_batch=largest,
        losses=tuple(loss for _, loss in took),
    )


def _whole_batch(
    learner: Learner, rows: Sequence[Row], seed: int, report: Report
) -> tuple[int, int, list[tuple[float, float]]]:
    """Twenty steps of the batch that is wanted, or of the largest half of it that fits: rows, peak, what they took."""
    batch = learner.tuning.batch
    while True:
        took: list[tuple[float, float]] = []
        try:
            peak = _peak(learner.device.type, partial(_timed, took, learner, rows, batch, seed, report))
        except _out_of_memory():
            if batch == 1:
                raise PricerError("not even one row fits beside this base: choose a lower precision") from None
            batch //= 2
        else:
            return batch, peak, took


def _longest_rows(tokenizer, tuning: Hyperparameters, train: PricedTexts) -> list[Row]:
    """Enough of the longest rows for a batch, the longest first."""
    places = sorted(range(len(train.texts)), key=lambda place: -len(train.texts[place]))[: max(64, 2 * tuning.batch)]
    rows = make_rows(
        tokenizer, [train.texts[place] for place in places], [train.prices[place] for place in places], tuning
    )
    return sorted(rows, key=len, reverse=True)[: tuning.batch]


def _timed(took: list, learner: Learner, rows: Sequence[Row], batch: int, seed: int, report: Report) -> None:
    """Add the seconds and the loss of each of twenty steps to what they took."""
    for step in range(STEPS):
        started = time.monotonic()
        loss = _steps(learner, rows, batch, 1, seed + step)
        took.append((time.monotonic() - started, loss))
        report(Step("Dry run", step + 1, "steps", (step + 1) / STEPS))


def _steps(learner: Learner, rows: Sequence[Row], batch: int, count: int, seed: int) -> float:
    some = [rows[place % len(rows)] for place in range(batch)]
    for step in range(count):
        loss = learner.learn([lay_out(some, learner.tuning.packing)], step + 1, STEPS * 100, seed)
    return loss


def _largest_batch(alone: int, peak: int, batch: int, room: int, rows: int) -> int:
    """By a straight line through what one row and a whole batch took."""
    if batch == 1 or peak <= alone:
        return min(rows, max(batch, 1))
    each = (peak - alone) / (batch - 1)
    return max(1, min(rows, int((SPARE * room - alone) / each) + 1))


def _tried(learner: Learner, rows: Sequence[Row], largest: int, fits: int, seed: int) -> int:
    """The largest batch up to this one with which a step goes through."""
    while largest > fits:
        try:
            _steps(learner, rows, largest, 1, seed)
            return largest
        except _out_of_memory():
            largest = int(0.9 * largest)
    return fits


def _out_of_memory() -> type[BaseException]:
    import torch

    return torch.cuda.OutOfMemoryError


def _bytes_now(device: str) -> int:
    import torch

    return torch.cuda.memory_allocated() if device == "cuda" else psutil.Process().memory_info().rss


def _peak(device: str, work) -> int:
    """The most bytes that were held while something was done."""
    import torch

    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        work()
        return torch.cuda.max_memory_allocated()
    status = Path("/proc/self/status")
    if not status.exists():  # macOS, Windows
        work()
        return psutil.Process().memory_info().rss
    Path("/proc/self/clear_refs").write_text("5")  # the peak is measured from here (proc(5))
    work()
    return next(int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
