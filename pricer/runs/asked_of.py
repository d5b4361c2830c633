"""Whom a command asks: what asks a provider waits more than it works, and shares the provider's key with others."""

from collections.abc import Sequence

from pricer.errors import PricerError
from pricer.llm.providers import Provider, find_provider
from pricer.models.hosted_kind import HOSTED
from pricer.runs.orders import EXTEND, read_order
from pricer.runs.store import open_run


def provider_asked(arguments: Sequence[str]) -> Provider | None:
    """The provider that a launched command asks; None where it asks none, or one that there is not."""
    usual = HOSTED.check_settings({})
    try:
        order = read_order(arguments)
        if order and order.model == HOSTED.name:
            return find_provider((usual | order.settings)["provider"])
        if len(arguments) > 1 and arguments[0] == EXTEND and open_run(arguments[1]).manifest.model == HOSTED.name:
            return find_provider((usual | open_run(arguments[1]).manifest.model_settings)["provider"])
        stated = dict(argument.partition("=")[::2] for argument in arguments)
        return find_provider(stated["--provider"]) if stated.get("--provider") else None
    except PricerError:
        return None
