"""What hosts take for a million training tokens, as their price lists said in November 2026: a start for the form.

Prices age. What a person states goes before these, and a price that neither states is unknown, never zero.
"""

from pricer.llm.providers import Provider

DOLLARS_PER_MILLION = {
    "openai": {
        "gpt-4.1-nano": 1.5,
        "gpt-4.1-mini": 5.0,
        "gpt-4.1": 25.0,
        "gpt-4o-mini": 3.0,
        "gpt-4o": 25.0,
        "gpt-3.5-turbo": 8.0,
    },
}
SUGGESTED = {  # base models to begin with, by adapter; any other can be typed
    "openai": ("gpt-4o-mini-2024-07-18", "gpt-4.1-mini-2025-04-14", "gpt-4.1-2025-04-14", "gpt-4o-2024-08-06"),
    "azure": ("gpt-4o-mini-2024-07-18", "gpt-4.1-mini-2025-04-14"),
    "together": ("meta-llama/Meta-Llama-3.1-8B-Instruct-Reference", "Qwen/Qwen2.5-7B-Instruct"),
}


def usual_price(provider: Provider, model: str) -> float | None:
    """Dollars for a million training tokens; of names that begin alike the longest counts. None where unknown."""
    known = DOLLARS_PER_MILLION.get(provider.name, {})
    name = max((each for each in known if model.startswith(each)), key=len, default=None)
    if name:
        return known[name]
    return 0.0 if provider.is_free else None
