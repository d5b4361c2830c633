"""One request to a provider: bounded in time and size, never redirected, its key in a header and nowhere else."""

import asyncio
import json
import math
import random
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pricer import settings
from pricer.errors import PricerError
from pricer.keys import Key
from pricer.llm.providers import Provider

if TYPE_CHECKING:
    import httpx2

LONGEST_BODY = 4 << 20  # bytes, of an answer to a question; a file's may be longer
SECONDS_TO_CONNECT = 10.0
LONGEST_WAIT = 120.0  # a provider that asks for a longer pause is asked another day
_LONGEST_WORDS = 300
_NO_MONEY = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "credit balance is too low")
_FILTERED = ("content_filter", "content_policy_violation", "input was flagged")
_BAD_KEY = ("API_KEY_INVALID", "API key not valid")  # Gemini says so with 400


T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Carry a coroutine out; in a thread of its own where this one has a loop that runs, as a notebook's has."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(max_workers=1) as threads:
        return threads.submit(asyncio.run, work).result()


class Unanswered(Exception):
    """There is no whole answer; `sent` says whether the provider may have worked, and so charge for it."""

    def __init__(self, words: str, sent: bool, again: bool = True):
        super().__init__(words)
        self.sent, self.again = sent, again


@dataclass(frozen=True)
class Answered:
    """An answer as it came."""

    status: int
    headers: dict[str, str]  # names in small letters
    content: bytes

    def json(self) -> dict:
        """The answer as an object; ValueError where it is none, or one nested too deeply."""
        try:
            read = json.loads(self.content)
        except RecursionError as error:
            raise ValueError("JSON in thousands of layers") from error
        if not isinstance(read, dict):
            raise ValueError("no JSON object")
        return read


@dataclass(frozen=True)
class Verdict:
    """What an answer that is no success means: ask again, this question has failed, or all further ones would."""

    kind: Literal["again", "failed", "filtered", "stop"]
    words: str
    seconds: float | None = None  # to wait, where the provider says so


class Unsuccessful(PricerError):
    """The provider has answered, without success; `verdict` says what that means."""

    def __init__(self, verdict: Verdict, status: int):
        super().__init__(verdict.words)
        self.verdict, self.status = verdict, status


class NotAccepted(Unsuccessful):
    """The provider does not accept the key."""


def open_client(
    provider: Provider, key: Key | None, connections: int = 1, headers: dict[str, str] | None = None
) -> "httpx2.AsyncClient":
    """A client of this provider alone; each request carries the key, in `headers` where it is not to be the usual one.

    What is not packed cannot unpack to gigabytes, and a proxy for the world is none for this machine.
    """
    settings.quieten_hub()
    import httpx2  # comes with the hub's library

    if headers is None:
        headers = {"Authorization": f"Bearer {key.text.get_secret_value()}"} if key else {}
    return httpx2.AsyncClient(
        headers={"Accept-Encoding": "identity", "User-Agent": "pricer"} | headers,
        timeout=httpx2.Timeout(None, connect=SECONDS_TO_CONNECT),
        limits=httpx2.Limits(max_connections=connections, max_keepalive_connections=connections),
        follow_redirects=False,
        trust_env=not provider.is_here,
    )


async def exchange(
    client: "httpx2.AsyncClient", method: str, url: str, deadline_seconds: float, longest: int = LONGEST_BODY, **content
) -> Answered:
    """Send one request and read its whole answer; Unanswered where none comes before the deadline, or it is too long.

    `content` is what httpx2 takes: json, files, data, params.
    """
    import httpx2

    try:
        async with asyncio.timeout(deadline_seconds), client.stream(method, url, **content) as response:
            body = bytearray()
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > longest:
                    raise Unanswered(f"its answer is longer than {longest:,} bytes", sent=True, again=False)
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answered(response.status_code, headers, bytes(body))
    except TimeoutError:
        raise Unanswered(f"no whole answer in {deadline_seconds:g} seconds", sent=True, again=False) from None
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout):
        raise Unanswered("it cannot be reached", sent=False) from None
    except (httpx2.HTTPError, httpx2.StreamError):
        raise Unanswered("the connection broke before the answer was whole", sent=True) from None


def ask(
    provider: Provider, key: Key | None, method: str, path: str, deadline_seconds: float = 30.0,
    longest: int = LONGEST_BODY, headers: dict[str, str] | None = None, **content
) -> Answered:  # fmt: skip
    """One request, asked once; `path` follows the base address.

    Unsuccessful, in words for a person, where it is not answered with success, NotAccepted where the key is why.
    Unanswered where one cannot know what became of it, which matters when something is created.
    """

    async def once() -> Answered:
        async with open_client(provider, key, headers=headers) as client:
            return await exchange(client, method, provider.base_url + path, deadline_seconds, longest, **content)

    answered = run(once())
    if answered.status // 100 != 2:
        kind = NotAccepted if answered.status in (401, 403) else Unsuccessful
        raise kind(judge(answered, provider, key), answered.status)
    return answered


def judge(answered: Answered, provider: Provider, key: Key | None) -> Verdict:
    """What an answer without success means."""
    status, (message, codes) = answered.status, read_error(answered)
    said = " ".join([*codes, message]).strip()
    words = redacted(said, key) or "it does not say why"
    who = provider.title
    if 400 <= status < 500 and any(sign in said for sign in _FILTERED):
        return Verdict("filtered", words)
    if status in (401, 403) or any(sign in said for sign in _BAD_KEY):
        named = f"the key {key.name}" if key else "to be asked without a key"
        return Verdict("stop", f"{who} does not accept {named} ({status}); nothing more is asked with it")
    if status == 402 or any(sign in said for sign in _NO_MONEY):
        return Verdict("stop", f"the quota or credit at {who} is used up ({status}); waiting does not help")
    if 300 <= status < 400:
        return Verdict("stop", f"{provider.base_url} answers with a redirect, which is never followed ({status})")
    if status == 404:
        return Verdict("stop", f"{who} has no such model or address (404): {words}")
    if status in (408, 409, 425, 429) or status >= 500:
        seconds = asked_pause(answered)
        if seconds is not None and seconds > LONGEST_WAIT:
            return Verdict("stop", f"{who} asks for a pause of {seconds:,.0f} seconds; go on after that")
        fault = "is asked too often" if status == 429 else "has a fault"
        return Verdict("again", f"{who} {fault} ({status})", seconds)
    return Verdict("failed", f"{who} refuses the request ({status}): {words}")


def without_key(words: str, key: Key | None) -> str:
    """A text with stars where the key stood."""
    secret = key.text.get_secret_value() if key else ""
    return words.replace(secret, "***") if secret else words


def redacted(words: str, key: Key | None) -> str:
    """What a provider said, in one short line without the key."""
    shown = "".join(sign if sign.isprintable() else " " for sign in without_key(words, key))
    line = " ".join(shown.split())
    return line if len(line) <= _LONGEST_WORDS else f"{line[:_LONGEST_WORDS]}…"


def backoff(number: int, first_seconds: float) -> float:
    """Seconds before the next try, twice as many each time, drawn so that tries do not fall together (full jitter)."""
    return random.uniform(0.5, 1.0) * first_seconds * 2 ** (number - 1)


def read_error(answered: Answered) -> tuple[str, list[str]]:
    """What an error says and its codes, in whichever form it comes; nothing where the body is something else.

    OpenAI has {"error": {"message", "code", "type"}}, Gemini such objects in a list, Mistral the same without "error",
    and servers made with FastAPI {"detail": words, or a list of faults}.
    """
    try:
        body = json.loads(answered.content)
        body = body[0] if isinstance(body, list) and body else body
        error = body.get("error", body) if isinstance(body, dict) else body
        facts = error if isinstance(error, dict) else {}
        codes = [facts.get("code"), facts.get("type"), facts.get("status")]
        codes += [each.get("reason") for each in facts.get("details") or () if isinstance(each, dict)]
        return _words_of(error), [str(code) for code in codes if code]
    except (ValueError, TypeError, RecursionError):
        return "", []


def _words_of(said: object) -> str:
    if isinstance(said, list):
        return "; ".join(filter(None, map(_words_of, said)))
    if isinstance(said, dict):
        words = _words_of(said.get("message") or said.get("detail") or said.get("msg"))
        place = said.get("loc")
        return f"{place[-1]}: {words}" if isinstance(place, list) and place else words
    return said if isinstance(said, str) else ""


def asked_pause(answered: Answered) -> float | None:
    """Seconds that the provider asks to wait (RFC 9110, 10.2.3: a number of seconds or a date); None for none."""
    text = answered.headers.get("retry-after", "")
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
