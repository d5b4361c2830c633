"""Many questions in one file, answered within a day at a lower price: intended, uploaded, created, watched, collected.

    replies = ask_batch(calls, provider, key, report=report)

What is intended is on record before anything is sent, with a mark that the batch carries at its provider, and the
provider's id of it afterwards. Whoever comes back after a crash looks there for the mark, for most of a minute, and
creates a batch only where none is listed, so that none is paid for twice. Its replies are kept as all others are:
nothing is asked again.
"""

import hashlib
import itertools
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Row, insert, select, update

from pricer.database import batches, engine
from pricer.errors import PricerError
from pricer.keys import Key
from pricer.llm.calls import FAILED, Call, most_dollars_of, paid, prices_of
from pricer.llm.providers import Provider
from pricer.llm.replies import Reply, find_replies, keep_replies, read_answer
from pricer.llm.wire import Answered, Unanswered, Unsuccessful, ask, backoff, redacted
from pricer.progress import Report, Step, silent

MOST_CALLS = 10_000  # in one file; OpenAI takes 50,000 and 200 MB
LONGEST_FILE = 190 << 20  # bytes
WINDOW = "24h"
SECONDS_BETWEEN_LOOKS = 30.0
SECONDS_TO_UPLOAD = 600.0
SECONDS_TO_CREATE = 120.0
UNSURE_SECONDS = 60.0  # a batch that was created may not be listed at once
MARK = "pricer_batch"  # in the batch's metadata
_OVER = ("completed", "expired", "cancelled", "failed")
_TRIES = 5


@dataclass(frozen=True)
class _Batch:
    """A batch on record."""

    key: str
    round: int  # how often these calls had a batch, for what one leaves unanswered another is asked
    state: str  # intended, sent, created, collected
    remote_id: str | None

    @property
    def mark(self) -> str:
        return f"{self.key[:32]}-{self.round}"


def ask_batch(
    calls: Sequence[Call],
    provider: Provider,
    key: Key | None,
    *,
    most_dollars: float | None = None,
    report: Report = silent,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Reply]:
    """Every call's reply, in the order of the calls; those that were answered before are not in any batch.

    PricerError where the provider has no batches, they might cost more than `most_dollars`, or nobody can say whether
    one was created. A call that the batch did not answer is a failed reply.
    """
    if not provider.batches:
        raise PricerError(f"{provider.title} answers no batches that Pricer knows of; ask it question by question")
    unique = {call.key: call for call in calls}
    prices = prices_of(provider, calls, most_dollars)
    found = find_replies(unique)
    left = [call for name, call in unique.items() if name not in found]
    dollars = sum(reply.cost_dollars for reply in found.values())
    dollars += provider.batch_share * sum(most_dollars_of(call, prices[call.model]) for call in left)
    if most_dollars is not None and dollars > most_dollars:
        raise PricerError(f"the batch might cost ${dollars:,.2f}, and ${most_dollars:,.2f} are allowed")
    every = list(unique.values())
    for start in range(0, len(every), MOST_CALLS):  # the same parts in each attempt, so that each finds its batch
        part = every[start : start + MOST_CALLS]
        if any(call.key not in found for call in part):
            _Asking(part, found, provider, key, report, sleep).carry_out()
    found |= find_replies(call.key for call in left)
    return [found.get(call.key) or Reply(None, "the batch did not answer it", finish=FAILED) for call in calls]


class _Asking:
    """One batch, from its file to its replies."""

    def __init__(
        self, calls: list[Call], found: dict[str, Reply], provider: Provider, key: Key | None, report: Report,
        sleep: Callable[[float], None],
    ):  # fmt: skip
        said = json.dumps([provider.identity, sorted(call.key for call in calls)])
        self._name = hashlib.sha256(said.encode()).hexdigest()
        self._calls = {call.key: call for call in calls if call.key not in found}
        self._provider, self._key, self._report, self._sleep = provider, key, report, sleep

    def carry_out(self) -> None:
        batch = _find(self._name)
        if batch is None or batch.state == "collected":
            batch = _intend(self._name, self._provider.name, batch.round + 1 if batch else 1)
        remote_id = batch.remote_id
        if batch.state == "sent":  # an earlier attempt may have created it
            remote_id = self._look_for_it(batch)
        remote_id = remote_id or self._create(batch)
        _note(self._name, "created", remote_id)
        over = self._watch(remote_id)
        self._collect(over)
        _note(self._name, "collected", remote_id)
        if over["status"] == "failed":
            said = redacted(json.dumps(over.get("errors"), ensure_ascii=False), self._key)
            raise PricerError(f"{self._provider.title} refused the batch: {said}; start again to send a new one")

    def _look_for_it(self, batch: _Batch) -> str | None:
        """The provider's id of the batch with this mark; None where it has none."""
        for number in range(1, _TRIES + 1):
            listed = self._ask("GET", "/batches", params={"limit": 100})
            for each in listed.get("data", ()):
                if (each.get("metadata") or {}).get(MARK) == batch.mark:
                    return each["id"]
            if number < _TRIES:
                self._sleep(UNSURE_SECONDS / _TRIES)
        return None

    def _create(self, batch: _Batch) -> str:
        """Upload the file, which costs nothing, then create the batch: sent once, whatever happens."""
        self._report(Step("Uploading the batch", len(self._calls), "items"))
        lines = [
            {"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": call.body}
            for name, call in self._calls.items()
        ]
        content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
        if len(content) > LONGEST_FILE:
            raise PricerError(f"the batch has {len(content):,} bytes, more than a file may have; ask fewer at once")
        file = self._ask(
            "POST", "/files", SECONDS_TO_UPLOAD, data={"purpose": "batch"}, files={"file": ("batch.jsonl", content)}
        )
        _note(self._name, "sent", None)
        wish = {
            "input_file_id": file["id"],
            "endpoint": "/v1/chat/completions",
            "completion_window": WINDOW,
            "metadata": {MARK: batch.mark},
        }
        try:
            return ask(self._provider, self._key, "POST", "/batches", SECONDS_TO_CREATE, json=wish).json()["id"]
        except (Unanswered, ValueError, KeyError) as error:
            found = self._look_for_it(batch)
            if found is None:
                raise PricerError(
                    f"nobody can say whether {self._provider.title} has created the batch ({error}); look there for "
                    f"{MARK} {batch.mark}, and start again: Pricer looks for it first"
                ) from None
            return found

    def _watch(self, remote_id: str) -> dict:
        """Look at the batch until it is over."""
        while True:
            batch = self._ask("GET", f"/batches/{remote_id}")
            counts = batch.get("request_counts") or {}
            done = int(counts.get("completed") or 0) + int(counts.get("failed") or 0)
            self._report(Step("Waiting for the batch", done, "items", done / len(self._calls)))
            if batch.get("status") in _OVER:
                return batch
            self._sleep(SECONDS_BETWEEN_LOOKS)

    def _collect(self, batch: dict) -> None:
        """Keep every reply of the batch; what it did not answer is no reply."""
        for name in ("output_file_id", "error_file_id"):
            if batch.get(name):
                content = self._content(f"/files/{batch[name]}/content")
                replies = dict(filter(None, map(self._read, content.splitlines())))
                keep_replies({
                    key: (self._provider.name, self._calls[key].model, reply) for key, reply in replies.items()
                })  # fmt: skip

    def _read(self, line: bytes) -> tuple[str, Reply] | None:
        try:
            said = json.loads(line)
            call, answer = self._calls[said["custom_id"]], said["response"]
            if answer["status_code"] != 200:
                return None
            reply = read_answer(answer["body"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        reply = paid(reply, call, self._provider.price(call.model), self._key)
        return call.key, replace(reply, cost_dollars=self._provider.batch_share * reply.cost_dollars)

    def _ask(self, method: str, path: str, seconds: float = 60.0, **content) -> dict:
        answered = self._again(method, path, seconds, 4 << 20, content)
        try:
            return answered.json()
        except ValueError:
            raise PricerError(f"{self._provider.title} answers with something else than the protocol has") from None

    def _content(self, path: str) -> bytes:
        return self._again("GET", path, SECONDS_TO_UPLOAD, 1 << 30, {}).content

    def _again(self, method: str, path: str, seconds: float, longest: int, content: dict) -> Answered:
        """Ask what may be asked twice, and ask again where no answer comes or the provider has a fault."""
        for number in itertools.count(1):
            wait = None
            try:
                return ask(self._provider, self._key, method, path, seconds, longest, **content)
            except Unsuccessful as error:
                if error.verdict.kind != "again" or number == _TRIES:
                    raise
                wait = error.verdict.seconds
            except Unanswered as error:
                if number == _TRIES:
                    raise PricerError(f"{self._provider.title}: {error}") from None
            self._sleep(backoff(number, 2.0) if wait is None else wait)


# On record


def _find(name: str) -> _Batch | None:
    with engine().begin() as connection:
        row = connection.execute(select(batches).where(batches.c.key == name)).first()
    return row and _read_row(row)


def _read_row(row: Row) -> _Batch:
    return _Batch(row.key, json.loads(row.body)["round"], row.state, row.remote_id)


def _intend(name: str, provider: str, number: int) -> _Batch:
    now = datetime.now(UTC)
    facts = {"provider": provider, "body": json.dumps({"round": number}), "state": "intended", "remote_id": None}
    with engine().begin() as connection:
        if connection.execute(select(batches.c.key).where(batches.c.key == name)).first():
            connection.execute(update(batches).where(batches.c.key == name).values(changed_at=now, **facts))
        else:
            connection.execute(insert(batches).values(key=name, created_at=now, changed_at=now, **facts))
    return _Batch(name, number, "intended", None)


def _note(name: str, state: str, remote_id: str | None) -> None:
    with engine().begin() as connection:
        changed = {"state": state, "remote_id": remote_id, "changed_at": datetime.now(UTC)}
        connection.execute(update(batches).where(batches.c.key == name).values(**changed))
