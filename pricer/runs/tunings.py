"""The record of fine-tunings at hosts: what was asked for, on record before anything is created, and what became of it.

    tuning = begin(order, dataset)              # the one that is under way already, if there is one
    claim_creation(tuning.id)                   # True for one process alone, and once: only it may create
    change(tuning.id, remote_id="ftjob-…", state="queued")

So there are never two paid jobs for one wish: whoever starts the same again while one is under way gets that one, and
a tuning whose creation went out without an answer stays `creating` or `unknown` until the host, or a person, knows.
"""

import hashlib
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy import Connection, Row, insert, select, update

from pricer import settings
from pricer.curation.dataset import Dataset
from pricer.database import engine, tunings
from pricer.errors import PricerError
from pricer.llm.providers import check_model_id
from pricer.llm.tuning.adapter import ENDED, RemoteState

State = Literal["preparing", "creating", "unknown"] | RemoteState
UNSURE: tuple[State, ...] = ("creating", "unknown")  # whether the host has a job for it

ROWS: dict[str, tuple[int, int]] = {  # rows to train on, rows to validate on
    "500+50": (500, 50),  # the first notebook's run
    "200+50": (200, 50),  # as it stands now
    "100+50": (100, 50),  # the second notebook
    "20,000+1,000": (20_000, 1_000),  # what its author used to see a gain
}


class TuneOrder(BaseModel):
    """What is to be tuned, on what, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: str
    model: str
    dataset: str
    train: int = Field(500, ge=10, le=1_000_000)
    validation: int = Field(50, ge=10, le=100_000)
    choice: Literal["first", "balanced"] = "first"
    prompt: str = "notebook-1"
    epochs: int = Field(1, ge=1, le=50)
    batch_size: int | None = Field(None, ge=1, le=256)  # None leaves it to the host
    learning_rate_multiplier: float | None = Field(None, gt=0, le=100)
    seed: int = Field(42, ge=0, le=2**31 - 1)
    suffix: str = Field("pricer", pattern=r"^[A-Za-z0-9-]{1,18}$")
    wandb: str | None = Field(None, pattern=r"^[A-Za-z0-9._-]{1,60}$")  # the project
    dollars: float | None = Field(None, ge=0, le=10_000)  # for a million training tokens; None: as usual
    most_tokens: int = Field(65_536, ge=16)  # in an example
    grade: int | None = Field(None, ge=1)  # ask the tuned model and its base so many of the exam, once it is done

    @field_validator("model")
    @classmethod
    def _is_one_word(cls, model: str) -> str:
        return check_model_id(model)

    def key(self, dataset: Dataset) -> str:
        """What two wishes for the same paid work have in common."""
        paid = self.model_dump_json(exclude={"grade", "dollars", "most_tokens", "dataset"})
        return hashlib.sha256(f"{paid} {dataset.id} {dataset.manifest.content_hash}".encode()).hexdigest()[:16]


class Kept(BaseModel):
    """What the record keeps beside its columns."""

    order: TuneOrder
    key: str
    dataset_id: str
    started_by: str | None = None  # id of the job
    followed_by: str | None = None  # id of the job that watches it, or did last
    said: str = ""  # the host's own word for its state
    why: str = ""  # it failed, or is unknown
    files: dict[str, str] = {}  # part -> the host's id of its file
    cost_dollars: float | None = None  # quoted
    train_rows: int = 0
    train_tokens: int = 0
    trained_tokens: int | None = None  # as the host counts
    step: int = 0
    total_steps: int | None = None
    finishes_at: datetime | None = None
    checkpoints: list[dict] = []  # step, model, validation_loss
    events: list[str] = []  # the last ones, in the host's words
    is_to_cancel: bool = False  # a person wants its end, and the host may not know yet
    graded: list[str] = []  # ids of the jobs that grade it and its base


class Tuning(BaseModel):
    """A fine-tuning as it stood when it was looked at."""

    id: str
    provider: str
    base_model: str
    state: State
    remote_id: str | None
    tuned_model: str | None
    created_at: datetime
    changed_at: datetime
    kept: Kept

    @property
    def order(self) -> TuneOrder:
        return self.kept.order

    @property
    def mark(self) -> str:
        """What its remote job carries, so that it is found again."""
        return self.id[-8:]

    @property
    def is_over(self) -> bool:
        return self.state in ENDED

    @property
    def folder(self) -> Path:
        """Where its curves are kept."""
        return settings.home() / "tunings" / self.id


_COLUMNS = {"state", "remote_id", "tuned_model"}
_MOST_EVENTS = 50


def find_same(order: TuneOrder, dataset: Dataset, again: bool = False, job_id: str | None = None) -> Tuning | None:
    """The tuning that was started for this wish, unless it failed or was cancelled; None if there is none.

    With `again` one that is done does not count, unless it is this very job that has made it.
    """
    with engine().begin() as connection:
        return _same(connection, order.key(dataset), again, job_id)


def _same(connection: Connection, key: str, again: bool, job_id: str | None) -> Tuning | None:
    for tuning in map(_read, connection.execute(select(tunings).order_by(tunings.c.created_at.desc()))):
        ours = job_id is not None and tuning.kept.started_by == job_id
        counts = not tuning.is_over or (tuning.state == "done" and not again)
        if tuning.kept.key == key and (ours or counts):
            return tuning
    return None


def begin(
    order: TuneOrder, dataset: Dataset, again: bool = False, job_id: str | None = None, **facts: object
) -> Tuning:
    """Put a tuning on record, before anything is created; or the one that was started for this wish meanwhile."""
    key, now = order.key(dataset), datetime.now(UTC)
    with engine().begin() as connection:  # one at a time, so two that start the same at once get one
        if tuning := _same(connection, key, again, job_id):
            return tuning
        kept = Kept(order=order, key=key, dataset_id=dataset.id, started_by=job_id, followed_by=job_id, **facts)
        values = {
            "id": f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(4)}",
            "provider": order.provider,
            "base_model": order.model,
            "body": kept.model_dump_json(),
            "state": "preparing",
            "created_at": now,
            "changed_at": now,
        }
        return _read(connection.execute(insert(tunings).values(values).returning(tunings)).one())


def claim_creation(tuning_id: str) -> bool:
    """Whether the caller may send the one request that creates the remote job; True once in a tuning's life.

    From here on nobody knows whether there is a remote job, until its id is on record.
    """
    claim = update(tunings).where(tunings.c.id == tuning_id, tunings.c.state == "preparing")
    with engine().begin() as connection:
        return connection.execute(claim.values(state="creating", changed_at=datetime.now(UTC))).rowcount == 1


def change(tuning_id: str, **facts: object) -> Tuning:
    """Write down what has become of a tuning; facts are columns, or fields of `Kept`."""
    with engine().begin() as connection:
        tuning = _find(connection, tuning_id)
        columns = {name: facts.pop(name) for name in _COLUMNS & set(facts)}
        kept = tuning.kept.model_copy(update=facts)
        kept.events = kept.events[-_MOST_EVENTS:]
        values = columns | {"body": kept.model_dump_json(), "changed_at": datetime.now(UTC)}
        changed = update(tunings).where(tunings.c.id == tuning_id).values(values).returning(tunings)
        return _read(connection.execute(changed).one())


def settle(tuning_id: str, was: tuple[State, ...], state: State, why: str) -> Tuning:
    """Give a tuning that has no remote job another state, if it still is in one of these; then as it stands."""
    with engine().begin() as connection:
        tuning = _find(connection, tuning_id)
        if tuning.remote_id is None and tuning.state in was:
            kept = tuning.kept.model_copy(update={"why": why})
            values = {"state": state, "body": kept.model_dump_json(), "changed_at": datetime.now(UTC)}
            connection.execute(update(tunings).where(tunings.c.id == tuning_id).values(values))
        return _find(connection, tuning_id)


def adopt_remote(tuning_id: str, remote_id: str, state: RemoteState, said: str) -> Tuning:
    """Write down which remote job a tuning is; PricerError where it is another one's already."""
    with engine().begin() as connection:
        tuning = _find(connection, tuning_id)
        same = select(tunings.c.id).where(
            tunings.c.remote_id == remote_id, tunings.c.provider == tuning.provider, tunings.c.id != tuning_id
        )
        if taken := connection.execute(same).scalar():
            raise PricerError(f"{remote_id} is the job of tuning {taken}")
        if tuning.remote_id and tuning.remote_id != remote_id:
            raise PricerError(f"tuning {tuning_id} has a job, {tuning.remote_id}")
        kept = tuning.kept.model_copy(update={"said": said, "why": ""})
        values = {"remote_id": remote_id, "state": state, "body": kept.model_dump_json()}
        changed = update(tunings).where(tunings.c.id == tuning_id).values(values | {"changed_at": datetime.now(UTC)})
        return _read(connection.execute(changed.returning(tunings)).one())


def list_tunings() -> list[Tuning]:
    """Every tuning, the newest first."""
    with engine().begin() as connection:
        return [_read(row) for row in connection.execute(select(tunings).order_by(tunings.c.created_at.desc()))]


def open_tuning(label: str) -> Tuning:
    """The tuning of this id, of its last eight signs, or of the host's id; PricerError where there is none."""
    for tuning in list_tunings():
        if label in (tuning.id, tuning.mark, tuning.remote_id):
            return tuning
    raise PricerError(f"there is no tuning {label!r}; list them: python -m pricer tune list")


def _find(connection: Connection, tuning_id: str) -> Tuning:
    return _read(connection.execute(select(tunings).where(tunings.c.id == tuning_id)).one())


def _read(row: Row) -> Tuning:
    columns = {name: getattr(row, name) for name in Tuning.model_fields if name != "kept"}
    return Tuning(**columns, kept=Kept.model_validate_json(row.body))
