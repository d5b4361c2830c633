"""Asking a provider many questions at once: each answered, or failed for a stated reason, and none paid for twice.

A question is asked at most five times within two minutes, then it counts as failed and the others go on. What would
fail for all of them (a key that is not accepted, a quota that is used up, the cap reached) stops the asking: what is
on its way is waited for, and every reply that came is kept before it counts.
"""

import asyncio
import re
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pricer.errors import PricerError
from pricer.keys import Key
from pricer.llm.calls import FAILED, Call, most_dollars_of, paid, prices_of
from pricer.llm.limiter import Limiter, limiter_of
from pricer.llm.providers import Price, Provider
from pricer.llm.replies import BrokenOff, Reply, find_replies, keep_replies, read_answer
from pricer.llm.wire import Answered, Unanswered, backoff, exchange, judge, open_client, read_error, run

if TYPE_CHECKING:
    import httpx2

CONCURRENCY = 8
DEADLINE_SECONDS = 120.0  # for one answer, however it drips
FAILURES_IN_A_ROW = 25  # after which all others are expected to fail too
SECONDS_TOGETHER = 0.25  # replies of so long a time are kept in one transaction: one each would take longer than asking
WISHES = ("temperature", "seed")  # parameters without which a question is still the same
PATIENCE = 4  # so many times longer one waits where one is asked to ask less, and not told when


class Stopped(PricerError):
    """Nothing more is asked; what was answered is kept."""


@dataclass(frozen=True)
class Tries:
    """How often one question is asked."""

    most: int = 5
    seconds: float = 120.0  # after the first, no further one is begun
    first_wait_seconds: float = 0.5


OnReply = Callable[[Call, Reply], None]


def ask_all(
    calls: Sequence[Call],
    provider: Provider,
    key: Key | None,
    *,
    concurrency: int = CONCURRENCY,
    deadline_seconds: float = DEADLINE_SECONDS,
    most_dollars: float | None = None,
    kept_count: bool = True,
    on_reply: OnReply = lambda call, reply: None,
    tries: Tries | None = None,
) -> list[Reply]:
    """Every call's reply, in the order of the calls; what was answered before is not asked again.

    `most_dollars` bounds what all of them have cost, those that were answered before too if `kept_count`; no try of a
    call is begun while it might lead above it, and a try whose answer is lost counts as one that was charged. A
    temperature or seed that a model refuses is left out. `on_reply` is told of each reply as soon as it is kept, in the
    order in which they come.
    Stopped where all further calls would fail; PricerError where a model's price is not known and there is a cap.
    """
    unique = {call.key: call for call in calls}
    prices = prices_of(provider, calls, most_dollars)
    found = find_replies(unique)
    for name, reply in found.items():
        on_reply(unique[name], reply)
    asking = _Asking(provider, key, prices, deadline_seconds, most_dollars, on_reply, tries or Tries())
    asking.spent = sum(reply.cost_dollars for reply in found.values()) if kept_count else 0.0
    left = [call for name, call in unique.items() if name not in found]
    if left:
        run(asking.all_of(left, concurrency))
    if asking.stopped:
        raise Stopped(f"{asking.stopped}; {len(found) + asking.kept:,} of {len(unique):,} answers are kept")
    replies = found | asking.replies
    return [replies[call.key] for call in calls]


@dataclass(frozen=True)
class _Failed:
    """Why a try gave no reply."""

    words: str
    again: bool  # whether asking again may help
    seconds: float | None = None  # to wait before, where the provider says so
    too_often: bool = False  # so that all calls of this key have to wait
    cost_dollars: float = 0.0  # at most, where the provider has worked and its answer cannot be read


class _Asking:
    """Calls on their way."""

    def __init__(
        self, provider: Provider, key: Key | None, prices: dict[str, Price | None], deadline_seconds: float,
        most_dollars: float | None, on_reply: OnReply, tries: Tries,
    ):  # fmt: skip
        self._provider, self._key, self._prices = provider, key, prices
        self._deadline, self._most, self._on_reply, self._tries = deadline_seconds, most_dollars, on_reply, tries
        self._limiter: Limiter = limiter_of(provider.key or provider.base_url)
        self._limiter.set_rate(provider.per_minute)
        self._failures = 0  # in a row
        self._under_way: list[float] = []  # dollars that each try on its way may cost at most
        self._refused: dict[str, set[str]] = {}  # wishes that a model does not grant, by model
        self._arrived: list[tuple[Call, Reply]] = []  # and not yet kept
        self._broken: BaseException | None = None  # why replies cannot be kept
        self.spent = 0.0
        self.kept = 0
        self.replies: dict[str, Reply] = {}
        self.stopped = ""

    async def all_of(self, calls: list[Call], concurrency: int) -> None:
        """Ask these calls, so many at a time."""
        self._left = deque(calls)
        self._news, self._returned, self._end = asyncio.Event(), asyncio.Event(), asyncio.Event()
        keeper = asyncio.create_task(self._keep_on())
        try:
            async with open_client(self._provider, self._key, concurrency) as client:
                if not self._limiter.is_trusted:  # one call shows whether the key is any good, before many do
                    await self._work(client, most=1)
                async with asyncio.TaskGroup() as group:
                    for _ in range(concurrency):
                        group.create_task(self._work(client))
        finally:
            keeper.cancel()
            self._keep()  # what came meanwhile, even where somebody has interrupted
        if self._broken:
            raise self._broken

    def _stop(self, why: str) -> None:
        self.stopped = self.stopped or why
        self._end.set()

    async def _rest(self, seconds: float) -> None:
        """Wait, unless all is to stop."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._end.wait(), seconds)

    async def _work(self, client: "httpx2.AsyncClient", most: int | None = None) -> None:
        """Ask one call after the other while there are any."""
        done = 0
        while self._left and done != most:
            call = self._left.popleft()
            reply = await self._ask(client, call)
            if reply is None:
                return
            done += 1
            self._arrived.append((call, reply))
            self._news.set()
            self._failures = self._failures + 1 if reply.finish == FAILED else 0
            if self._failures >= FAILURES_IN_A_ROW:
                self._stop(f"{self._failures} calls failed one after the other, the last: {reply.error}")

    async def _afford(self, dollars: float) -> bool:
        """Whether a try of at most so many dollars keeps the cap, once those on their way have told what they cost."""
        while not self.stopped and self._most is not None and self.spent + sum(self._under_way) + dollars > self._most:
            if not self._under_way:
                self._stop(f"the cap of ${self._most:,.2f} is reached: ${self.spent:,.2f} are spent")
                break
            self._returned.clear()
            await self._returned.wait()
        return not self.stopped

    async def _ask(self, client: "httpx2.AsyncClient", call: Call) -> Reply | None:
        """The call's reply; None where all asking is to stop."""
        began, lost_dollars = time.monotonic(), 0.0
        for number in range(1, self._tries.most + 1):
            outcome = await self._try(client, call)
            if outcome is None:
                return None
            if isinstance(outcome, Reply):
                return replace(outcome, cost_dollars=outcome.cost_dollars + lost_dollars)
            lost_dollars += outcome.cost_dollars
            wait = self._wait(outcome, number)
            if not outcome.again or time.monotonic() - began + wait > self._tries.seconds:
                break
            if number < self._tries.most:
                await self._rest(wait)
        words = f"{outcome.words} (asked {number} times)" if number > 1 else outcome.words
        return Reply(None, words, cost_dollars=lost_dollars, seconds=time.monotonic() - began, finish=FAILED)

    async def _try(self, client: "httpx2.AsyncClient", call: Call) -> "Reply | _Failed | None":
        """Ask once, as soon as the cap and the limiter allow; None where all asking is to stop."""
        dollars = self._most_dollars(call)
        if not await self._afford(dollars):
            return None
        self._under_way.append(dollars)
        try:
            while not self.stopped and (seconds := self._limiter.take()):
                await self._rest(seconds)
            if self.stopped:
                return None
            started, url = time.monotonic(), f"{self._provider.base_url}/chat/completions"
            outcome = self._read(call, await exchange(client, "POST", url, self._deadline, json=self._body(call)))
            if isinstance(outcome, Reply):
                outcome = replace(outcome, seconds=time.monotonic() - started)
        except Unanswered as error:
            words = f"{self._provider.title}: {error}"
            outcome = _Failed(words, error.again, cost_dollars=dollars if error.sent else 0.0)
        finally:
            self._under_way.remove(dollars)
            self._returned.set()
        self.spent += outcome.cost_dollars if outcome else 0.0
        return outcome

    def _wait(self, failed: _Failed, number: int) -> float:
        """Seconds before the next try; all calls of the key wait where it is asked too often."""
        first = self._tries.first_wait_seconds * (PATIENCE if failed.too_often else 1)
        seconds = backoff(number, first) if failed.seconds is None else failed.seconds
        if failed.again and (failed.too_often or failed.seconds is not None):
            self._limiter.pause(seconds)
        return seconds

    def _read(self, call: Call, answered: Answered) -> Reply | _Failed | None:
        """A reply, or why there is none; None where all asking is to stop."""
        if answered.status != 200:
            verdict = judge(answered, self._provider, self._key)
            if verdict.kind == "stop":
                return self._stop(verdict.words)
            if verdict.kind == "filtered":
                return Reply("", verdict.words, finish="content_filter")
            again = verdict.kind == "again" or self._is_refused_wish(call, answered)
            return _Failed(verdict.words, again, verdict.seconds, answered.status == 429)
        self._limiter.is_trusted = True
        try:
            reply = read_answer(answered.json())
        except ValueError as error:
            what = error if isinstance(error, BrokenOff) else "it answers with something else than the protocol has"
            words = f"{self._provider.title}: {what}"
            return _Failed(words, again=True, cost_dollars=self._most_dollars(call))
        return paid(reply, call, self._prices[call.model], self._key)

    def _body(self, call: Call) -> dict:
        return {name: value for name, value in call.body.items() if name not in self._refused.get(call.model, ())}

    def _is_refused_wish(self, call: Call, answered: Answered) -> bool:
        """Whether a request is refused for a wish that was sent; the model is not told it again."""
        message, codes = read_error(answered)
        named = {wish for wish in WISHES if re.search(rf"\b{wish}\b", " ".join([message, *codes]))}
        named &= call.body.keys()
        if answered.status not in (400, 422) or not named:
            return False
        self._refused.setdefault(call.model, set()).update(named)
        return True

    def _most_dollars(self, call: Call) -> float:
        return most_dollars_of(call, self._prices[call.model])

    # Keeping

    async def _keep_on(self) -> None:
        """Keep what has arrived, together what arrives while others are being kept; without that nothing is asked."""
        try:
            while True:
                await self._news.wait()
                await asyncio.sleep(SECONDS_TOGETHER)
                self._news.clear()
                some = list(self._arrived)
                await asyncio.to_thread(self._store, some)
                del self._arrived[: len(some)]
                self._tell(some)
        except Exception as error:
            self._broken = error
            self._stop("replies cannot be kept")

    def _keep(self) -> None:
        self._store(self._arrived)
        self._tell(self._arrived)

    def _store(self, arrived: list[tuple[Call, Reply]]) -> None:
        """Answers are kept for good; a failure is none, and is asked again another time."""
        name = self._provider.name
        given = {call.key: (name, call.model, reply) for call, reply in arrived if reply.finish != FAILED}
        if given:
            keep_replies(given)

    def _tell(self, arrived: list[tuple[Call, Reply]]) -> None:
        for call, reply in arrived:
            self.kept += reply.finish != FAILED
            self.replies[call.key] = reply
            self._on_reply(call, reply)
