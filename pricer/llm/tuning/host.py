"""Requests to a host of fine-tuning: a deadline for each call as a whole, no redirects, and its key in no message.

What costs money is sent once. Where no answer came, `NoAnswer` says that the host may have done it all the same; only
`Refused` and `NotSent` say that it has not.
"""

import time
from collections.abc import Mapping
from dataclasses import replace

from pricer.errors import PricerError
from pricer.keys import Key
from pricer.llm.providers import Provider
from pricer.llm.wire import Answered, Unanswered, asked_pause, backoff, exchange, open_client, read_error, redacted, run

SECONDS = 30.0  # for a call
UPLOAD_SECONDS = 600.0
CREATE_SECONDS = 120.0
MOST_TRIES = 5
MOST_SECONDS = 120.0  # for all tries of a call together
MOST_BYTES = 64_000_000  # of an answer


class Refused(PricerError):
    """The host said no, so nothing was done."""

    def __init__(self, message: str, status: int, code: str | None):
        super().__init__(message)
        self.status = status
        self.code = code

    @property
    def is_about_key(self) -> bool:
        return self.status == 401


class NotSent(PricerError):
    """The host could not be reached, so nothing was done."""


class NoAnswer(PricerError):
    """The request went out and no answer came that can be read: it may have been carried out."""


class _Again(Exception):
    """An answer that may be another one soon."""

    def __init__(self, error: PricerError, seconds: float | None = None):
        self.error = error
        self.seconds = seconds


class Host:
    """A host's address with what every request to it carries."""

    def __init__(
        self,
        provider: Provider,
        key: Key | None,
        headers: dict[str, str] | None = None,
        parameters: Mapping[str, str] | None = None,
    ):
        """`headers` carry the key where it is not to be the usual one; `parameters` stand in each address."""
        self.title = provider.title
        self._provider = provider
        self._key = key
        self._headers = headers
        self._parameters = dict(parameters or {})

    def get(self, path: str, **parameters: str | int) -> dict:
        """Ask, and ask again where the host is busy or the line breaks: reading costs nothing."""
        return self._repeat("GET", path, {"params": self._parameters | parameters})

    def tell(self, path: str, body: dict | None = None) -> dict:
        """Post something that may be told twice, such as the wish to cancel."""
        return self._repeat("POST", path, {"params": self._parameters} | ({"json": body} if body else {}))

    def upload(self, path: str, fields: Mapping[str, str], name: str, content: bytes) -> dict:
        """Send a file; a second copy, where the answer to the first was lost, costs nothing."""
        form = {"data": dict(fields), "files": {"file": (name, content, "application/jsonl")}}
        return self._repeat("POST", path, {"params": self._parameters, **form}, UPLOAD_SECONDS)

    def post_once(self, path: str, body: dict, seconds: float | None = None) -> dict:
        """Post what may cost money: sent once, whatever happens."""
        try:
            return self._send("POST", path, {"params": self._parameters, "json": body}, seconds or CREATE_SECONDS)
        except _Again as again:
            raise again.error from None

    def _repeat(self, method: str, path: str, parts: dict, seconds: float = SECONDS) -> dict:
        end = time.monotonic() + max(MOST_SECONDS, seconds)
        for number in range(1, MOST_TRIES + 1):
            try:
                return self._send(method, path, parts, seconds)
            except _Again as again:
                error, wait = again.error, again.seconds
            except (NotSent, NoAnswer) as lost:
                error, wait = lost, None
            wait = backoff(number, 1.0) if wait is None else wait
            if number == MOST_TRIES or time.monotonic() + wait > end:
                break
            time.sleep(wait)
        raise error

    def _send(self, method: str, path: str, parts: dict, seconds: float) -> dict:
        try:
            answered = run(self._fetch(method, path, parts, seconds))
        except Unanswered as lost:
            if lost.sent:
                raise NoAnswer(f"{self.title} was asked to {method} {path}, and {lost}") from None
            raise NotSent(
                f"{self.title} cannot be reached at {self._provider.base_url}: check the connection"
            ) from None
        return self._read(f"{method} {path}", self._without_key(answered))

    async def _fetch(self, method: str, path: str, parts: dict, seconds: float) -> Answered:
        async with open_client(self._provider, self._key, headers=self._headers) as client:
            return await exchange(client, method, self._provider.base_url + path, seconds, MOST_BYTES, **parts)

    def _without_key(self, answered: Answered) -> Answered:
        """An answer with stars where it repeats the key: what a host tells of a job is kept."""
        secret = self._key.text.get_secret_value().encode() if self._key else b""
        return replace(answered, content=answered.content.replace(secret, b"***")) if secret else answered

    def _read(self, request: str, answered: Answered) -> dict:
        status, body = answered.status, _object_in(answered)
        if 200 <= status < 300:
            if body is None:
                raise _Again(NoAnswer(f"{self.title} answered {request} with something other than JSON"))
            return body
        message, codes = read_error(answered)
        message = redacted(message, self._key) or "no reason given"
        code = redacted(codes[0], self._key) if codes else None
        told = f"{self.title} refused {request} ({status}{f', {code}' if code else ''}): {message}"
        if 300 <= status < 400:
            raise Refused(f"{self.title} points elsewhere ({status}), and no redirect is followed", status, code)
        if status >= 500 or status == 408:
            raise _Again(NoAnswer(f"{self.title} answered {request} with an error of its own ({status}): {message}"))
        if status == 429 and code != "insufficient_quota":
            raise _Again(Refused(told, status, code), asked_pause(answered))
        raise Refused(told, status, code)


def _object_in(answered: Answered) -> dict | None:
    try:
        return answered.json()
    except ValueError:
        return None


def id_of(told: dict) -> str:
    """The id in an answer; NoAnswer where it has none, as something may have been made."""
    if not isinstance(told.get("id"), str) or not told["id"]:
        raise NoAnswer("the host's answer names no id")
    return told["id"]
