"""Which models a provider offers, as its own server lists them, with their prices where it says so."""

import math
from typing import NamedTuple

from pricer.errors import PricerError
from pricer.keys import Key
from pricer.llm.providers import LONGEST_MODEL, Price, Provider
from pricer.llm.wire import Unanswered, ask

SECONDS = 15.0
_MOST = 5_000
_LONGEST_LIST = 32 << 20  # bytes: some list hundreds of models with a page on each


class Offered(NamedTuple):
    """A model of a provider's list."""

    id: str
    price: Price | None  # as the list says, if it does


def list_models(provider: Provider, key: Key | None) -> list[Offered]:
    """The models that a provider lists, by name; asking costs nothing.

    NotAccepted where the key is not good for it, PricerError where nobody answers or it is no such service.
    """
    headers = None
    if provider.key == "ANTHROPIC_API_KEY" and key:  # its list has another header for the key
        headers = {"x-api-key": key.text.get_secret_value(), "anthropic-version": "2023-06-01"}
    try:
        answered = ask(provider, key, "GET", "/models", SECONDS, _LONGEST_LIST, headers)
        listed = answered.json()["data"]
        models = [_offered(each) for each in listed[:_MOST] if isinstance(each, dict) and _is_name(each.get("id"))]
    except (Unanswered, ValueError, KeyError, TypeError):
        raise PricerError(
            f"{provider.base_url} cannot be reached, or is no such service; check the connection"
        ) from None
    return sorted(models, key=lambda offered: offered.id)


def _is_name(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name) <= LONGEST_MODEL and name.isprintable() and " " not in name


def _offered(listed: dict) -> Offered:
    """A model with its price, which two forms of list have: dollars for a token as text, or for a million."""
    pricing = listed.get("pricing")
    if not isinstance(pricing, dict):
        return Offered(listed["id"], None)
    million = {"prompt": 1e6, "completion": 1e6, "input": 1.0, "output": 1.0}
    found = [_dollars(pricing[name], times) for name, times in million.items() if name in pricing]
    usable = len(found) == 2 and None not in found
    return Offered(listed["id"], Price(*found) if usable else None)


def _dollars(said: object, times: float) -> float | None:
    try:
        dollars = round(float(said) * times, 6)
    except (TypeError, ValueError, OverflowError):
        return None
    return dollars if math.isfinite(dollars) and dollars >= 0 else None
