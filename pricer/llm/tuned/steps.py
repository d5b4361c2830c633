"""The steps of tuning: a plain loop, so that what is learned, in which order, and what is kept can be read here.

The loop's own, rather than a library's trainer, for three promises: an attempt that was killed goes on to the loss of
an unbroken one, a checkpoint is complete or ignored, and every figure reaches the page as it comes. Each step draws
(rows, dropout) from the seed and its own number, so a checkpoint needs no state of any generator.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pricer import settings
from pricer.checkpoints import latest_complete, save_checkpoint
from pricer.llm.local.loading import choose_compute
from pricer.llm.tuned.kept import restore_weights, save_weights
from pricer.llm.tuned.passes import count_of, summed_loss
from pricer.llm.tuned.presets import Hyperparameters
from pricer.llm.tuned.rows import Batch, Row, lay_out, steps_of
from pricer.progress import LEARNING_RATE, TRAINING_LOSS, Point, Report, Step

if TYPE_CHECKING:
    import torch
    from peft import PeftModel

POINTS = 100  # of the training loss, over all steps
EVALUATIONS = 10  # on validation, besides the one before the first step
SECONDS_BETWEEN_SAVES = 60.0
STOP = "stop-and-keep"  # a file in a job's folder: what was learned until now is enough

Judge = Callable[[], dict[str, float]]  # figures of what was learned so far, on validation


@dataclass
class Tuned:
    """How far tuning has come."""

    step: int = 0
    steps: int = 0
    points: list[dict] = field(default_factory=list)  # of `Point`, to be told again by the next attempt
    losses: list[float] = field(default_factory=list)  # since the last point
    tokens: int = 0  # that were read, without padding
    seconds: float = 0.0
    stopped: bool = False  # by a person, before the last step
    scaling: dict = field(default_factory=dict)  # of losses, on a card that computes in float16


class Learner:
    """An adapter, maybe a slot head, and the optimiser that moves them."""

    def __init__(self, model: "PeftModel", tuning: Hyperparameters, head: "torch.nn.Linear | None" = None):
        import torch

        self.model, self.tuning, self.head = model, tuning, head
        self.trained = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
        if head is not None:
            self.trained |= {f"head.{name}": weight for name, weight in head.named_parameters()}
        self.optimiser = make_optimiser(list(self.trained.values()), tuning)
        self.compute = choose_compute(self.device.type)
        # In float16 small gradients would be nothing, so losses are made larger (Micikevicius et al., 2018).
        scaled = self.device.type == "cuda" and self.compute == "float16"
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=scaled)

    @property
    def device(self) -> "torch.device":
        return next(iter(self.trained.values())).device

    def learn(self, batches: Sequence[Batch], step: int, steps: int, seed: int) -> float:
        """Take one step on batches, and give the mean loss of a token (of a row, with a slot head)."""
        import torch

        rate = learning_rate(self.tuning, step, steps)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        torch.manual_seed(np.random.SeedSequence([seed, step]).generate_state(1, np.uint64)[0] >> np.uint64(1))
        self.model.train()
        told = sum(count_of(self.head, batch) for batch in batches)
        total = 0.0
        for batch in batches:
            with torch.autocast(self.device.type, getattr(torch, self.compute), enabled=self.device.type == "cuda"):
                loss = summed_loss(self.model, self.head, batch) / told
            self.scaler.scale(loss).backward()
            total += float(loss.detach())
        self.scaler.unscale_(self.optimiser)
        torch.nn.utils.clip_grad_norm_(self.trained.values(), self.tuning.longest_gradient)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.optimiser.zero_grad(set_to_none=True)
        return total

    def save(self, folder: Path, state: Tuned) -> None:
        state.scaling = self.scaler.state_dict()
        save_weights(folder, self.trained, self.optimiser, asdict(state))

    def restore(self, folder: Path) -> Tuned:
        state = Tuned(**restore_weights(folder, self.trained, self.optimiser))
        if state.scaling:  # else they were not scaled until now
            self.scaler.load_state_dict(state.scaling)
        return state


def make_optimiser(weights: list, tuning: Hyperparameters) -> "torch.optim.Optimizer":
    """AdamW; the paged ones, which move to main memory what a graphics card has no room for, only on such a card."""
    import torch

    options = {"lr": tuning.learning_rate, "weight_decay": tuning.weight_decay}
    if tuning.optimiser == "adamw" or weights[0].device.type != "cuda":
        return torch.optim.AdamW(weights, **options)
    from bitsandbytes.optim import PagedAdamW8bit, PagedAdamW32bit

    return {"paged-adamw-32bit": PagedAdamW32bit, "paged-adamw-8bit": PagedAdamW8bit}[tuning.optimiser](
        weights, **options
    )


def learning_rate(tuning: Hyperparameters, step: int, steps: int) -> float:
    """The learning rate of a step, counted from 0: it rises over the warm-up and then follows the schedule to zero."""
    rising = math.ceil(tuning.warmup * steps)
    if step < rising:
        return tuning.learning_rate * (step + 1) / rising
    done = (step - rising) / max(1, steps - rising)
    shape = {"cosine": 0.5 * (1 + math.cos(math.pi * done)), "linear": 1 - done, "constant": 1.0}
    return tuning.learning_rate * shape[tuning.schedule]


def tune(
    learner: Learner,
    rows: Sequence[Row],
    seed: int,
    report: Report,
    judge: Judge = dict,
    folder: Path | None = None,
    seconds_between_saves: float = SECONDS_BETWEEN_SAVES,
) -> Tuned:
    """Take all steps, from the last complete checkpoint in a folder if there is one, and leave checkpoints there.

    Until a person asks to stop and keep: then what was learned until now is what the run has. The same rows, seed and
    machine give the same losses, whether broken off or not.
    """
    tuning, lengths = learner.tuning, np.array([len(row) for row in rows])
    found = latest_complete(folder) if folder else None
    state = learner.restore(found) if found else Tuned()
    state.steps = tuning.steps(len(rows))
    for point in state.points:
        _tell(state, report, point)
    if not found:
        _add_point(state, report, judge())
    saved = time.monotonic()
    for batches in steps_of(lengths, tuning, seed, state.step):
        if state.stopped or stop_asked():
            state.stopped = state.step < state.steps
            if folder:
                save_checkpoint(folder, lambda place: learner.save(place, state))
            break
        started = time.monotonic()
        laid = [lay_out([rows[place] for place in batch], tuning.packing) for batch in batches]
        state.losses.append(learner.learn(laid, state.step, state.steps, seed))
        state.step += 1
        state.tokens += sum(batch.tokens for batch in laid)
        figures: dict[str, float] = {}
        if _is_due(state, POINTS):
            rate = learning_rate(tuning, state.step - 1, state.steps)
            figures = {TRAINING_LOSS: float(np.mean(state.losses)), LEARNING_RATE: rate}
            state.losses = []
        evaluated = _is_due(state, EVALUATIONS)
        if evaluated:
            figures |= judge()
        state.seconds += time.monotonic() - started
        if figures:
            _add_point(state, report, figures)
        else:
            _tell(state, report)
        if folder and (evaluated or time.monotonic() - saved >= seconds_between_saves):
            save_checkpoint(folder, lambda place: learner.save(place, state))
            saved = time.monotonic()
    learner.model.eval()
    return state


def stop_asked() -> bool:
    """Whether a person has asked the job that this is to stop and keep what it has."""
    folder = settings.job_folder()
    return folder is not None and (folder / STOP).exists()


def _is_due(state: Tuned, times: int) -> bool:
    """Whether this step is one of so many, evenly spread; the last one always is."""
    return state.step * times // state.steps > (state.step - 1) * times // state.steps


def _add_point(state: Tuned, report: Report, figures: dict[str, float]) -> None:
    if figures:
        state.points.append({"at": state.step, "figures": figures})
    _tell(state, report, state.points[-1] if figures else None)


def _tell(state: Tuned, report: Report, point: dict | None = None) -> None:
    told = Point(point["at"], "steps", point["figures"]) if point else None
    report(Step("Tuning", state.step, "steps", state.step / state.steps, told))
