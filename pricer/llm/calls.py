"""One question to one model: what names it, what it may cost, and what its reply has cost."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from pricer.errors import PricerError
from pricer.keys import Key
from pricer.llm.providers import Price, Provider
from pricer.llm.replies import Reply
from pricer.llm.wire import without_key

FAILED = "failed"  # how a reply ended that is none
_WORDS = re.compile(r"(?: ?[a-z])+")  # of which three characters and more make a token, in tokenizers of this kind


@dataclass(frozen=True)
class Call:
    """One question to one model."""

    provider: str  # its identity
    model: str
    messages: list[dict]
    parameters: dict = field(default_factory=dict)
    repeat: int = 0  # the same question is asked again where this differs; it is not sent

    @cached_property
    def key(self) -> str:
        """64 hex digits that name the question: the SHA-256 of its canonical JSON."""
        said = [self.provider, self.model, self.messages, self.parameters, self.repeat]
        text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def body(self) -> dict:
        """What is sent."""
        return {"model": self.model, "messages": self.messages, **self.parameters}

    @property
    def most_tokens(self) -> tuple[int, int]:
        """As many tokens as it may have, and may be answered with, at most."""
        limits = [self.parameters[name] for name in ("max_tokens", "max_completion_tokens") if name in self.parameters]
        return most_tokens_of(json.dumps(self.messages, ensure_ascii=False)), max(limits, default=4096)


def most_tokens_of(text: str) -> int:
    """As many tokens as a text may have at most, whatever its language: what is not counted is not underrated.

    A tokenizer of bytes makes no more of them than there are bytes, which Chinese, emoji and figures come near; only
    small Latin letters are known to go together. Texts of shops in English have half as many.

    >>> most_tokens_of("a brass kettle"), most_tokens_of("1.7"), most_tokens_of("铜")
    (5, 3, 3)
    """
    others = _WORDS.sub("", text)
    return -(-(len(text) - len(others)) // 3) + len(others.encode("utf-8", "replace"))


def price_of(provider: Provider, model: str, most_dollars: float | None) -> Price | None:
    """What a model costs; PricerError where nobody said so although there is a cap to keep."""
    price = provider.price(model)
    if price is None and most_dollars is not None:
        raise PricerError(
            f"nobody has stated what {model} costs at {provider.title}, so no cap can be kept; look it up and state "
            f"dollars for a million tokens, in and out: python -m pricer providers price {provider.name} {model} IN OUT"
        )
    return price


def prices_of(provider: Provider, calls: Sequence[Call], most_dollars: float | None) -> dict[str, Price | None]:
    """What the models of these calls cost, by name; PricerError as with `price_of`."""
    return {model: price_of(provider, model, most_dollars) for model in {call.model for call in calls}}


def most_dollars_of(call: Call, price: Price | None) -> float:
    """What a call may cost at most; 0 where nobody knows."""
    return price.dollars(*call.most_tokens) if price else 0.0


def paid(reply: Reply, call: Call, price: Price | None, key: Key | None) -> Reply:
    """A reply as it is kept: at its price, its tokens counted here where its provider does not, the key blotted out."""
    tokens_in = reply.tokens_in or call.most_tokens[0]
    tokens_out = reply.tokens_out or most_tokens_of(reply.text)
    dollars = price.dollars(tokens_in, tokens_out) if price else 0.0
    text = without_key(reply.text, key)
    return replace(reply, text=text, tokens_in=tokens_in, tokens_out=tokens_out, cost_dollars=dollars)
