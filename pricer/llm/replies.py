"""Replies that were given, each kept under the hash of its question, so that nothing is asked or paid for twice."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import insert, select

from pricer.database import engine, replies

_AT_ONCE = 500
_MOST_TOKENS = 10**9  # what is above is no count


@dataclass(frozen=True)
class Reply:
    """What came back of a call: a text, which may be a refusal, or the reason why there is none."""

    text: str | None
    error: str | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    cost_dollars: float = 0.0
    seconds: float = 0.0
    finish: str = ""  # why the model ended, as its provider says: stop, length, content_filter; or refusal
    cached: bool = False  # whether it was there already


class BrokenOff(ValueError):
    """The answer is one of the protocol, and holds no reply."""


def read_answer(answer: dict) -> Reply:
    """The reply in an answer to a chat, its tokens as its provider counts them, 0 where it does not.

    ValueError where it is no such answer, BrokenOff where the model has ended with an error.
    """
    try:
        choice = answer["choices"][0]
        message, finish = choice["message"], choice.get("finish_reason") or ""
        content, refusal = message.get("content"), message.get("refusal")
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError("no answer to a chat") from error
    if finish == "error":
        raise BrokenOff("the model broke off with an error")
    if isinstance(content, list):  # in parts, of which some hold what the model thought
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    is_refusal = isinstance(refusal, str) and bool(refusal)
    text = refusal if is_refusal else content if isinstance(content, str) else ""
    usage = answer.get("usage")
    tokens_in, tokens_out, total = (_whole(usage, f"{name}_tokens") for name in ("prompt", "completion", "total"))
    tokens_out = max(tokens_out, total - tokens_in)  # Gemini counts what the model thought in the total alone
    finish = "refusal" if is_refusal else str(finish)
    return Reply(text.encode("utf-8", "replace").decode(), None, tokens_in, tokens_out, finish=finish)


def _whole(usage: object, name: str) -> int:
    value = usage.get(name) if isinstance(usage, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _MOST_TOKENS else 0


def find_replies(keys: Iterable[str]) -> dict[str, Reply]:
    """Those of these calls that were answered before, by key."""
    found, wanted = {}, list(keys)
    with engine().begin() as connection:
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            rows = connection.execute(select(replies.c.key, replies.c.body).where(replies.c.key.in_(some)))
            found |= {key: replace(Reply(**json.loads(body)), cached=True) for key, body in rows}
    return found


def keep_replies(given: Mapping[str, tuple[str, str, Reply]]) -> None:
    """Keep provider, model and reply by key; what is there already stays as it is."""
    with engine().begin() as connection:
        there = set(connection.scalars(select(replies.c.key).where(replies.c.key.in_(given))))
        rows = [
            {
                "key": key,
                "provider": provider,
                "model": model,
                "body": json.dumps(asdict(reply), ensure_ascii=False),
                "cost_dollars": reply.cost_dollars,
                "created_at": datetime.now(UTC),
            }
            for key, (provider, model, reply) in given.items()
            if key not in there
        ]
        if rows:
            connection.execute(insert(replies), rows)
