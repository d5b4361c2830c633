"""Providers of language models, known and own ones: where each is asked, by which key, and at what price.

All speak the protocol of OpenAI. Which models a provider has is asked of its server, and a price that nobody stated is
unknown, never zero; on this machine asking is free. A key is sent to the host that it belongs to and nowhere else: own
providers stand on this machine, on a host of a known provider, or on one that whoever runs the server allows
(`PRICER_PROVIDER_HOSTS`). The environment may change a known address: `OPENAI_BASE_URL`, say.
"""

import math
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, ValidationError

from pricer import settings
from pricer.errors import PricerError
from pricer.files import write_json
from pricer.llm.known import BASES, KNOWN, Price, Provider, host_of, is_loopback

FILE = "providers.json"  # in the home folder: own providers, prices and limits
LONGEST_MODEL = 200
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_OWN_KEY = re.compile(r"[A-Z][A-Z0-9_]{0,60}_API_KEY")
_AZURE = ".openai.azure.com"


class _Kept(BaseModel):
    """What the file of own choices holds."""

    model_config = ConfigDict(extra="forbid")

    own: dict[str, Provider] = {}
    prices: dict[str, dict[str, Price]] = {}  # by provider and model
    per_minute: dict[str, int] = {}  # by provider


def list_providers() -> list[Provider]:
    """Every provider, the known ones first, with the prices and limits that someone has stated."""
    kept = _read()
    every = [*map(_at_its_address, KNOWN), *kept.own.values()]
    return [
        provider.model_copy(
            update={"prices": kept.prices.get(provider.name, {}), "per_minute": kept.per_minute.get(provider.name)}
        )
        for provider in every
    ]


def find_provider(name: str) -> Provider:
    """The provider of that name; PricerError where there is none, or it has no address yet."""
    found = {provider.name: provider for provider in list_providers()}
    if name not in found:
        raise PricerError(f"there is no provider {name!r}; providers: {', '.join(found)}")
    if not found[name].base_url:
        raise PricerError(
            f"{found[name].title} has an address for each customer: set {BASES[name][0]} to "
            f"https://RESOURCE{_AZURE}/openai/v1, or add it: python -m pricer providers add NAME --base ADDRESS"
        )
    if found[name].own:
        check_address(found[name].base_url)  # what the file says, and who is allowed, may have changed
    return found[name]


def provider_of(key_name: str) -> Provider:
    """The provider whose key is called so, a known one first; PricerError as with `find_provider`."""
    return find_provider(next(provider.name for provider in list_providers() if provider.key == key_name))


def add_provider(name: str, base_url: str, key: str | None = None, title: str = "", batches: bool = False) -> Provider:
    """Keep an own provider, or change one.

    PricerError for a name that is taken or none, an address that is not allowed, or a key that belongs elsewhere.
    """
    if not _NAME.fullmatch(name):
        raise PricerError(f"a provider's name is small letters, digits and hyphens, got {name!r}")
    if any(name == provider.name for provider in KNOWN):
        raise PricerError(f"{name} is known already, and its address stays; take another name")
    base_url = base_url.strip().rstrip("/")
    parts = check_address(base_url)
    known = _known_on(host_of(parts))
    about = known.model_dump(include={"token_limit", "leaves_out", "tunes"}) if known else {}
    provider = Provider(
        name=name,
        title=title.strip()[:80] or name,
        base_url=base_url,
        key=_checked_key(key, known, host_of(parts)),
        batches=batches or bool(known and known.batches),
        own=True,
        **about,
    )
    _change(lambda kept: kept.own.update({name: provider}))
    return provider


def remove_provider(name: str) -> None:
    """Forget an own provider with its prices; answers that it gave are kept. PricerError where there is none."""
    if name not in _read().own:
        raise PricerError(f"there is no provider of your own called {name!r}")

    def remove(kept: _Kept) -> None:
        kept.own.pop(name, None)
        kept.prices.pop(name, None)
        kept.per_minute.pop(name, None)

    _change(remove)


def set_price(name: str, model: str, price: Price | None) -> None:
    """State what a model costs; None makes it unknown again. PricerError for what is no price or no model's name."""
    find_provider(name)
    model = check_model_id(model)
    if price and not all(math.isfinite(each) and each >= 0 for each in price):
        raise PricerError(f"a price is dollars for a million tokens from 0 upwards, got {price[0]!r} and {price[1]!r}")

    def change(kept: _Kept) -> None:
        prices = kept.prices.setdefault(name, {})
        prices.pop(model, None)
        if price:
            prices[model] = price

    _change(change)


def set_limit(name: str, per_minute: int | None) -> None:
    """State how many requests a minute an account may send; None where nobody knows."""
    find_provider(name)
    if per_minute is not None and per_minute < 1:
        raise PricerError(f"a limit is a number of requests a minute from 1 upwards, got {per_minute}")

    def change(kept: _Kept) -> None:
        kept.per_minute.pop(name, None)
        if per_minute:
            kept.per_minute[name] = per_minute

    _change(change)


def check_model_id(model: str) -> str:
    """A model's name as the provider has it; PricerError where it cannot be one."""
    model = model.strip()
    if not model:
        raise PricerError("say which model, as its provider names it")
    if len(model) > LONGEST_MODEL or not model.isprintable() or " " in model:
        raise PricerError(f"a model is named in one word, as its provider lists it; got {model[:80]!r}")
    return model


# Where it may be


def check_address(base_url: str) -> SplitResult:
    """The parts of a base address; PricerError where it is none, or may not be asked.

    >>> check_address("http://127.0.0.1:8000/v1").port
    8000
    """
    try:
        parts = urlsplit(base_url)
        parts.port  # noqa: B018
    except ValueError:
        parts = urlsplit("")
    plain = base_url.isascii() and base_url.isprintable() and not set(base_url) & set(" \\@?#%")
    if not plain or parts.scheme not in ("http", "https") or not parts.hostname or ".." in parts.path:
        raise PricerError(f"a base address is like https://HOST/v1, got {base_url[:200]!r}")
    host = host_of(parts)
    if is_loopback(parts.hostname):
        return parts
    if parts.scheme != "https":
        raise PricerError(f"{host} is asked by https only, for a key must not be read on the way")
    if _known_on(host) or host in settings.provider_hosts():
        return parts
    raise PricerError(
        f"{host} is no known provider's host, nor this machine; whoever runs the server can allow it: "
        f"PRICER_PROVIDER_HOSTS={host}"
    )


def _checked_key(key: str | None, known: Provider | None, host: str) -> str | None:
    """The key of an own provider: the host's own, or one that is nobody else's."""
    if known:
        if key not in (None, known.key):
            raise PricerError(f"{host} is asked with {known.key} and no other key")
        return known.key
    if key is None:
        return None
    if not _OWN_KEY.fullmatch(key) or any(key == provider.key for provider in KNOWN):
        raise PricerError(f"a key of your own is named like LAB_API_KEY and belongs to no known provider, got {key!r}")
    return key


def _known_on(host: str) -> Provider | None:
    """The known provider whose host this is."""
    if host.endswith(_AZURE):
        return next(provider for provider in KNOWN if provider.name == "azure")
    return next((known for known in KNOWN if known.key and known.base_url and known.host == host), None)


def _at_its_address(provider: Provider) -> Provider:
    name, behind = BASES[provider.name]
    changed = settings.base_url(name, "")
    return provider.model_copy(update={"base_url": changed.removesuffix(behind) + behind}) if changed else provider


# The file


def _path() -> Path:
    return settings.home() / FILE


def _read() -> _Kept:
    path = _path()
    try:
        return _Kept.model_validate_json(path.read_bytes()) if path.is_file() else _Kept()
    except (OSError, ValidationError) as error:
        raise PricerError(f"{path} is damaged; remove it, and state providers and prices again") from error


def _change(change: Callable[[_Kept], None]) -> None:
    settings.make_home()
    with FileLock(_path().with_suffix(".lock")):
        kept = _read()
        change(kept)
        write_json(_path(), kept.model_dump(mode="json"))
