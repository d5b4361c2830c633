"""Many questions in one file, answered within a day at a lower price: intended, uploaded, created, watched, collected.

    replies = ask_batch(calls, provider, key, report=report)

What is intended is on record before anything is sent, with a mark that the batch carries at its provider, and the
provider's id of it afterwards. Whoever comes back after a crash looks there for the mark, for most of a minute, and
creates a batch only where none is listed, so that none is paid for twice. Before anything is sent, what is under way
in other batches, with more questions or fewer, is waited for. Replies are kept as all others are: nothing is asked
again.
"""

import hashlib
import itertools
import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from pricer.errors import PricerError
from pricer.keys import Key, need_key
from pricer.llm.batch_records import Batch, batches_of, batches_under_way, find_batch, intend_batch, note_batch
from pricer.llm.calls import FAILED, Call, most_dollars_of, paid, prices_of
from pricer.llm.providers import Provider, find_provider
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


def ask_batch(
    calls: Sequence[Call],
    provider: Provider,
    key: Key | None,
    *,
    most_dollars: float | None = None,
    kept_count: bool = True,
    report: Report = silent,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Reply]:
    """Every call's reply, in the order of the calls; those that were answered before are not in any batch.

    PricerError where the provider has no batches, they might cost more than `most_dollars` (together with those
    that were answered before, if `kept_count`), or nobody can say whether
    one was created. A call that the batch did not answer is a failed reply.
    """
    if not provider.batches:
        raise PricerError(f"{provider.title} answers no batches that Pricer knows of; ask it question by question")
    unique = {call.key: call for call in calls}
    prices = prices_of(provider, calls, most_dollars)
    every = list(unique.values())
    parts = [every[start : start + MOST_CALLS] for start in range(0, len(every), MOST_CALLS)]
    named = {_name_of(part, provider): part for part in parts}  # the same in each attempt, so that each finds its batch
    left = {name: call for name, call in unique.items() if name not in find_replies(unique)}
    for batch in batches_under_way():
        if batch.provider == provider.name and (batch.key in named or not left.keys().isdisjoint(batch.models)):
            stubs = {name: Call(provider.identity, model, []) for name, model in batch.models.items()}
            calls_of_it = stubs | {call.key: call for call in every if not stubs or call.key in stubs}
            _Asking(batch.key, calls_of_it, provider, key, report, sleep).go_on(batch)
    found = find_replies(unique)
    left = {name: call for name, call in unique.items() if name not in found}
    dollars = sum(reply.cost_dollars for reply in found.values()) if kept_count else 0.0
    dollars += provider.batch_share * sum(most_dollars_of(call, prices[call.model]) for call in left.values())
    if most_dollars is not None and dollars > most_dollars:
        raise PricerError(f"the batch might cost ${dollars:,.2f}, and ${most_dollars:,.2f} are allowed")
    for name, part in named.items():
        wanted = {call.key: call for call in part if call.key in left}
        if wanted:
            _Asking(name, wanted, provider, key, report, sleep).begin()
    found |= find_replies(left)
    return [found.get(call.key) or Reply(None, "the batch did not answer it", finish=FAILED) for call in calls]


def cancel_of_job(*jobs: str | None) -> None:
    """Tell the providers to end the batches for which these jobs waited, as nothing else would.

    What they have answered until then is paid, and is collected by whoever asks one of its questions next.
    """
    for batch in batches_of(jobs):
        provider = find_provider(batch.provider)
        asking = _Asking(batch.key, {}, provider, need_key(provider.key) if provider.key else None, silent, time.sleep)
        asking.cancel(batch)


def _name_of(calls: Sequence[Call], provider: Provider) -> str:
    said = json.dumps([provider.identity, sorted(call.key for call in calls)])
    return hashlib.sha256(said.encode()).hexdigest()


class _Asking:
    """One batch, from its file to its replies."""

    def __init__(
        self, name: str, calls: dict[str, Call], provider: Provider, key: Key | None, report: Report,
        sleep: Callable[[float], None],
    ):  # fmt: skip
        self._name, self._calls = name, calls
        self._provider, self._key, self._report, self._sleep = provider, key, report, sleep

    def begin(self) -> None:
        """Send these calls, and wait for their replies."""
        before = find_batch(self._name)
        number = before.round + (before.state != "intended") if before else 1
        batch = intend_batch(self._name, self._provider.name, number, self._calls.values())
        self._await(self._create(batch))

    def go_on(self, batch: Batch) -> None:
        """Wait for the replies of a batch that was sent before; an earlier attempt may not have come to create it."""
        remote_id = batch.remote_id or self._look_for_it(batch)
        if remote_id is None:
            note_batch(self._name, "collected", None)
        else:
            self._await(remote_id)

    def cancel(self, batch: Batch) -> None:
        remote_id = batch.remote_id or self._find_marked(batch)
        if remote_id:
            with suppress(Unsuccessful):  # it is over
                self._ask("POST", f"/batches/{remote_id}/cancel")

    def _await(self, remote_id: str) -> None:
        note_batch(self._name, "created", remote_id)
        over = self._watch(remote_id)
        self._collect(over)
        note_batch(self._name, "collected", remote_id)
        if over["status"] == "failed":
            said = redacted(json.dumps(over.get("errors"), ensure_ascii=False), self._key)
            raise PricerError(f"{self._provider.title} refused the batch: {said}; start again to send a new one")

    def _look_for_it(self, batch: Batch) -> str | None:
        """The provider's id of the batch with this mark; None where it has none, as it shows for most of a minute."""
        for number in range(1, _TRIES + 1):
            remote_id = self._find_marked(batch)
            if remote_id:
                return remote_id
            if number < _TRIES:
                self._sleep(UNSURE_SECONDS / _TRIES)
        return None

    def _find_marked(self, batch: Batch) -> str | None:
        """The id of the listed batch with this mark, whichever page of the list it is on."""
        wanted: dict[str, str | int] = {"limit": 100}
        while True:
            listed = self._ask("GET", "/batches", params=wanted)
            some = [each for each in listed.get("data") or () if isinstance(each, dict) and each.get("id")]
            for each in some:
                if (each.get("metadata") or {}).get(MARK) == batch.mark:
                    return each["id"]
            if not some or not listed.get("has_more") or wanted.get("after") == some[-1]["id"]:
                return None
            wanted["after"] = some[-1]["id"]

    def _create(self, batch: Batch) -> str:
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
        note_batch(self._name, "sent", None)
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
        """Look at the batch until it is over, or its provider does not know it any more."""
        while True:
            try:
                batch = self._ask("GET", f"/batches/{remote_id}")
            except Unsuccessful as error:
                if error.status == 404:
                    return {"status": "gone"}
                raise
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
        return said["custom_id"], replace(reply, cost_dollars=self._provider.batch_share * reply.cost_dollars)

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
