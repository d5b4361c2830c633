"""What every host of fine-tuning must be able to do, and the words in which adapters answer."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from pricer.keys import Key
from pricer.llm.providers import Provider
from pricer.progress import Point

RemoteState = Literal["queued", "running", "paused", "done", "failed", "cancelled", "unfamiliar"]
ENDED: tuple[RemoteState, ...] = ("done", "failed", "cancelled")
UNIT = "steps"


@dataclass(frozen=True)
class Wish:
    """A fine-tuning as it is asked for; files are named by the ids that the host gave them."""

    model: str
    training_file: str
    validation_file: str | None
    mark: str  # what tells this job from all others, ours or not
    suffix: str
    epochs: int
    batch_size: int | None  # None leaves it to the host
    learning_rate_multiplier: float | None
    seed: int | None
    wandb_project: str | None


@dataclass(frozen=True)
class RemoteJob:
    """A job as the host tells of it."""

    id: str
    state: RemoteState
    said: str  # the host's own word for its state
    base_model: str
    tuned_model: str | None = None
    error: str | None = None
    trained_tokens: int | None = None
    created_at: datetime | None = None
    finishes_at: datetime | None = None  # as the host estimates


@dataclass(frozen=True)
class Event:
    """Something that the host tells of a job: words, a point of its loss curves, or both."""

    id: str
    words: str
    at: datetime | None = None
    point: Point | None = None  # after so many steps
    total_steps: int | None = None


@dataclass(frozen=True)
class Checkpoint:
    """A state of the model that can be asked like the tuned one."""

    step: int
    model: str
    validation_loss: float | None = None


@dataclass(frozen=True)
class Probe:
    """Whether this key may tune a model, as far as looking costs nothing; lines of preflight."""

    lines: tuple[tuple[Literal["pass", "look", "stop"], str, str], ...]  # verdict, words, value

    @property
    def may_tune(self) -> bool:
        return all(verdict != "stop" for verdict, _, _ in self.lines)


class Adapter(Protocol):
    """A host. A call that fails raises one of the errors of `pricer.llm.tuning.host`; only `create` is never repeated.

    `create` costs money. It must send the wish's mark in a place where `find` will see it again: that is how a job is
    found whose answer was lost, and why there are never two.
    """

    longest_suffix: int  # characters, our mark included
    can_pause: bool
    takes_wandb: bool
    afterwards: str  # what a person must do before the tuned model answers; empty if nothing

    def __init__(self, provider: Provider, key: Key | None): ...

    def probe(self, model: str) -> Probe:
        """Find out what the key may do; reads only, creates nothing."""

    def upload(self, name: str, content: bytes) -> str:
        """Send a file of JSON lines; gives its id."""

    def estimate(self, wish: Wish) -> float | None:
        """The price in dollars by the host's own count; None where it tells none beforehand."""

    def create(self, wish: Wish) -> RemoteJob:
        """Start the job, by one request that is sent once."""

    def find(self, mark: str) -> list[RemoteJob]:
        """The jobs that carry this mark, whatever became of them."""

    def poll(self, job_id: str) -> RemoteJob:
        """A job as it stands."""

    def news(self, job_id: str, known: Set[str]) -> list[Event]:
        """What happened, the oldest first, without the events whose ids are known."""

    def checkpoints(self, job_id: str) -> list[Checkpoint]: ...

    def pause(self, job_id: str) -> RemoteJob:
        """PricerError where the host cannot."""

    def resume(self, job_id: str) -> RemoteJob: ...

    def cancel(self, job_id: str) -> RemoteJob: ...
