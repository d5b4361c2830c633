"""Fine-tuning at a host: one protocol for all of them, and an adapter for each kind. See docs/tuning.md for the next.

    adapter = make_adapter(find_provider("openai"), find_key("OPENAI_API_KEY"))
    adapter.probe("gpt-4o-mini-2024-07-18")
    adapter.find("3f2a91c2")

The last gives the jobs that carry our mark, whatever became of the answer to their creation.
"""

from importlib import import_module

from pricer.errors import PricerError
from pricer.keys import Key
from pricer.llm.providers import Provider
from pricer.llm.tuning.adapter import Adapter

ADAPTERS = {  # name -> module:class; a provider names its adapter in `pricer.llm.providers`
    "openai": "pricer.llm.tuning.openai:OpenAI",
    "azure": "pricer.llm.tuning.openai:Azure",
    "together": "pricer.llm.tuning.together:Together",
}


def adapter_class(name: str) -> type[Adapter]:
    """The class of an adapter; PricerError where there is none of this name."""
    if name not in ADAPTERS:
        raise PricerError(f"no adapter for fine-tuning is named {name!r}; there is {', '.join(ADAPTERS)}")
    module, _, wanted = ADAPTERS[name].partition(":")
    return getattr(import_module(module), wanted)


def make_adapter(provider: Provider, key: Key | None) -> Adapter:
    """An adapter that speaks to a provider; nothing is asked yet. PricerError for one that tunes no models."""
    if provider.tunes is None:
        raise PricerError(f"{provider.title} tunes no models, as far as Pricer knows; export the JSON lines instead")
    return adapter_class(provider.tunes)(provider, key)
