"""Batches on record: what was sent in one file, under which mark, and how far it has come."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Row, insert, select, update

from pricer import settings
from pricer.database import batches, engine
from pricer.llm.calls import Call

UNDER_WAY = ("sent", "created")  # from the moment that its provider may have it until its replies are kept


@dataclass(frozen=True)
class Batch:
    """A batch on record."""

    key: str  # the hash of the provider and of all questions, those that were answered before too
    provider: str
    round: int  # how often these calls had a batch, for what one leaves unanswered another is asked
    state: str  # intended, sent, created, collected
    remote_id: str | None
    models: dict[str, str]  # of the calls in its file, by key; empty in old records
    job: str | None  # the job that waits for it

    @property
    def mark(self) -> str:
        return f"{self.key[:32]}-{self.round}"


def find_batch(key: str) -> Batch | None:
    with engine().begin() as connection:
        row = connection.execute(select(batches).where(batches.c.key == key)).first()
    return row and _read(row)


def batches_under_way() -> list[Batch]:
    """Those whose replies are still to be collected, the oldest first."""
    with engine().begin() as connection:
        wanted = select(batches).where(batches.c.state.in_(UNDER_WAY)).order_by(batches.c.created_at)
        return [_read(row) for row in connection.execute(wanted)]


def intend_batch(key: str, provider: str, number: int, calls: Collection[Call]) -> Batch:
    """Write down that these calls are going to be sent."""
    now, models = datetime.now(UTC), {call.key: call.model for call in calls}
    body = json.dumps({"round": number, "models": models, "job": _job()})
    facts = {"provider": provider, "body": body, "state": "intended", "remote_id": None, "changed_at": now}
    with engine().begin() as connection:
        if connection.execute(select(batches.c.key).where(batches.c.key == key)).first():
            connection.execute(update(batches).where(batches.c.key == key).values(**facts))
        else:
            connection.execute(insert(batches).values(key=key, created_at=now, **facts))
    return Batch(key, provider, number, "intended", None, models, _job())


def note_batch(key: str, state: str, remote_id: str | None) -> None:
    """Write down how far it has come, and that this job waits for it."""
    with engine().begin() as connection:
        body = json.loads(connection.execute(select(batches.c.body).where(batches.c.key == key)).scalar_one())
        kept = {"round": body["round"]} if state == "collected" else body | {"job": _job()}
        changed = {"state": state, "remote_id": remote_id, "body": json.dumps(kept), "changed_at": datetime.now(UTC)}
        connection.execute(update(batches).where(batches.c.key == key).values(**changed))


def batches_of(jobs: Sequence[str | None]) -> list[Batch]:
    """Those for which one of these jobs waits."""
    return [batch for batch in batches_under_way() if batch.job is not None and batch.job in jobs]


def _job() -> str | None:
    folder = settings.job_folder()
    return folder.name if folder else None


def _read(row: Row) -> Batch:
    body = json.loads(row.body)
    return Batch(
        row.key, row.provider, body["round"], row.state, row.remote_id, body.get("models", {}), body.get("job")
    )
