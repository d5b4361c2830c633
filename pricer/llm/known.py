"""The providers that everyone knows: where each is asked, by which key, and what it does that others do not."""

from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, ConfigDict


class Price(NamedTuple):
    """Dollars for a million tokens."""

    tokens_in: float
    tokens_out: float

    def dollars(self, tokens_in: float, tokens_out: float) -> float:
        """What so many tokens cost.

        >>> Price(2.5, 10.0).dollars(1000, 100)
        0.0035
        """
        return (tokens_in * self.tokens_in + tokens_out * self.tokens_out) / 1e6


class Provider(BaseModel):
    """Who is asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    base_url: str  # ends before /chat/completions; empty where it is each customer's own
    key: str | None = None  # name of the key, as in `pricer.keys`
    batches: bool = False  # answers whole files within a day
    batch_share: float = 0.5  # of the price, for an answer in a batch
    tunes: str | None = None  # name of the adapter that tunes models there
    token_limit: str = "max_tokens"  # what the protocol calls it here
    leaves_out: tuple[str, ...] = ()  # parameters that it would refuse
    own: bool = False
    prices: dict[str, Price] = {}  # by model, as someone has stated them
    per_minute: int | None = None  # requests that the account may send

    @property
    def host(self) -> str:
        return host_of(urlsplit(self.base_url))

    @property
    def is_here(self) -> bool:
        """Whether it runs on this machine."""
        return is_loopback(urlsplit(self.base_url).hostname or "")

    @property
    def is_free(self) -> bool:
        """Whether asking costs nothing: it runs here, and takes no key by which somebody might charge for it."""
        return self.is_here and self.key is None

    @property
    def identity(self) -> str:
        """What its answers are kept under: another server under the same name is another provider."""
        return self.name if self.base_url == _USUAL.get(self.name) else f"{self.name} {self.base_url}"

    def price(self, model: str) -> Price | None:
        """What a model costs; None where nobody has said so."""
        return self.prices.get(model) or (Price(0.0, 0.0) if self.is_free else None)


KNOWN = (
    Provider(
        name="openai",
        title="OpenAI",
        base_url="https://api.openai.com/v1",
        key="OPENAI_API_KEY",
        batches=True,
        tunes="openai",
        token_limit="max_completion_tokens",
    ),
    Provider(
        name="azure",
        title="Azure OpenAI",
        base_url="",
        key="AZURE_OPENAI_API_KEY",
        batches=True,
        tunes="azure",
        token_limit="max_completion_tokens",
    ),
    Provider(
        name="anthropic",
        title="Anthropic",
        base_url="https://api.anthropic.com/v1",
        key="ANTHROPIC_API_KEY",
        leaves_out=("seed",),
    ),
    Provider(
        name="gemini",
        title="Google Gemini",
        base_url="https://generativelanguage.googleapis.com/v1beta/openai",
        key="GEMINI_API_KEY",
        leaves_out=("seed",),
    ),
    Provider(name="groq", title="Groq", base_url="https://api.groq.com/openai/v1", key="GROQ_API_KEY", batches=True),
    Provider(name="openrouter", title="OpenRouter", base_url="https://openrouter.ai/api/v1", key="OPENROUTER_API_KEY"),
    Provider(
        name="together",
        title="Together",
        base_url="https://api.together.xyz/v1",
        key="TOGETHER_API_KEY",
        tunes="together",
    ),
    Provider(
        name="mistral",
        title="Mistral",
        base_url="https://api.mistral.ai/v1",
        key="MISTRAL_API_KEY",
        leaves_out=("seed",),
    ),
    Provider(name="ollama", title="Ollama on this machine", base_url="http://127.0.0.1:11434/v1"),
    Provider(name="vllm", title="vLLM on this machine", base_url="http://127.0.0.1:8000/v1"),
    Provider(name="transformers", title="transformers serve on this machine", base_url="http://127.0.0.1:8000/v1"),
)
_USUAL = {provider.name: provider.base_url for provider in KNOWN}
# What the environment calls an address that it changes, and what stands behind it there.
BASES = {provider.name: (f"{provider.name.upper()}_BASE_URL", "") for provider in KNOWN}
BASES |= {"azure": ("AZURE_OPENAI_BASE_URL", ""), "anthropic": ("ANTHROPIC_BASE_URL", "/v1")}


def host_of(parts: SplitResult) -> str:
    """A host, with its port where that is not the usual one."""
    usual = parts.port in (None, 443 if parts.scheme == "https" else 80)
    return f"{parts.hostname}" if usual else f"{parts.hostname}:{parts.port}"


def is_loopback(hostname: str) -> bool:
    try:
        return hostname == "localhost" or ip_address(hostname).is_loopback
    except ValueError:
        return False
