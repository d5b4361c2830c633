"""The hub: what an address on it means, how it is reached, and its errors in words that say what to do."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pricer import settings
from pricer.errors import PricerError
from pricer.keys import HUB_TOKEN, Key, find_key

if TYPE_CHECKING:
    from huggingface_hub import HfApi

settings.quieten_hub()  # before anything imports the hub's library

PREFIX = "hub:"
_ADDRESS = re.compile(r"hub:([\w.-]{1,96}/[\w.-]{1,96})(?:/([^@]+))?(?:@([\w./-]{1,120}))?", re.ASCII)


@dataclass(frozen=True)
class Address:
    """A data set on the hub, or one part of it."""

    repo: str  # OWNER/NAME
    part: str = ""  # a category or a file; empty is the whole
    revision: str = "main"

    def __str__(self) -> str:
        part = f"/{self.part}" if self.part else ""
        return f"{PREFIX}{self.repo}{part}{'' if self.revision == 'main' else f'@{self.revision}'}"

    @property
    def url(self) -> str:
        """The page of the data set."""
        return f"{settings.hub_endpoint()}/datasets/{self.repo}"


def is_address(text: str) -> bool:
    return text.startswith(PREFIX)


def read_address(text: str) -> Address:
    """Read "hub:OWNER/NAME", "hub:OWNER/NAME/PART" or either with "@REVISION"; PricerError for anything else.

    >>> read_address("hub:McAuley-Lab/Amazon-Reviews-2023/Appliances").part
    'Appliances'
    """
    match = _ADDRESS.fullmatch(text.strip())
    if not match or ".." in text or "//" in text:
        raise PricerError(f"a data set on the hub is hub:OWNER/NAME, or that with /CATEGORY or @REVISION, got {text!r}")
    return Address(match[1], match[2] or "", match[3] or "main")


def connect(key: Key | None = None) -> "HfApi":
    """The hub's library, with the token that is given or found, or none; PricerError in offline mode."""
    if settings.hub_is_offline():
        raise PricerError("HF_HUB_OFFLINE forbids asking the hub: unset it")
    from huggingface_hub import HfApi

    key = key or find_key(HUB_TOKEN)
    # Without a token of ours it must not look for one of its own: False says so.
    token = key.text.get_secret_value() if key else False
    return HfApi(settings.hub_endpoint(), token=token, library_name="pricer")


@contextmanager
def told(what: str, url: str = "", thing: str = "data set") -> Iterator[None]:
    """Turn the hub's errors into PricerError: what was tried (a phrase: "reading hub:…"), what came, what to do."""
    import httpx2
    from huggingface_hub import errors

    refused = (
        errors.HfHubHTTPError,
        errors.HFValidationError,
        errors.FileMetadataError,
        errors.LocalEntryNotFoundError,
    )
    try:
        yield
    except errors.OfflineModeIsEnabled as error:
        raise PricerError(f"{what}: HF_HUB_OFFLINE forbids asking the hub; unset it") from error
    except (*refused, httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise PricerError(f"{what}: {in_words(error, url, thing)}") from None
    except RuntimeError as error:  # how the library wraps what went wrong in one of several uploads
        if error.__cause__ is None:
            raise PricerError(f"{what}: the transfer broke off; try again, what has arrived is kept") from error
        if not isinstance(error.__cause__, errors.HfHubHTTPError | httpx2.HTTPError):
            raise
        raise PricerError(f"{what}: {in_words(error.__cause__, url, thing)}") from None
    except json.JSONDecodeError as error:
        raise PricerError(f"{what}: the hub's answer cannot be read; try again, what has arrived is kept") from error
    except ValueError as error:  # how the library passes on what the hub says of a card or a file that it refuses
        raise PricerError(f"{what}: {' '.join(str(error).split())[:300]}") from error


def in_words(error: Exception, url: str = "", thing: str = "data set") -> str:
    """What an error of the hub's library means, and the way out; never its own text, which may quote a request."""
    import httpx2
    from huggingface_hub import errors

    where = url or settings.hub_endpoint()
    if isinstance(error, errors.GatedRepoError):
        return (
            f"access is granted to those who ask: open {where} in a browser, ask for access there, and give the token "
            f"of that account as {HUB_TOKEN}"
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return f"there is no such branch or revision; {where} lists those there are"
    if isinstance(error, errors.LocalEntryNotFoundError):
        return f"{settings.hub_endpoint()} cannot be reached, and this was never downloaded here; check the connection"
    if isinstance(error, errors.EntryNotFoundError):
        return f"there is no such file; {where} lists those there are"
    if isinstance(error, errors.RepositoryNotFoundError):
        return f"there is no such {thing}, or it is private and {HUB_TOKEN} is missing or does not open it ({where})"
    if isinstance(error, errors.HFValidationError):
        return "the hub does not allow this name: letters, digits, dots, dashes and underscores, at most 96"
    if isinstance(error, httpx2.TimeoutException):
        return "the hub did not answer in time; try again, what has arrived is kept"
    if isinstance(error, errors.HfHubHTTPError):
        return _status_in_words(error.response.status_code)
    if isinstance(error, httpx2.UnsupportedProtocol | httpx2.InvalidURL):
        return f"{settings.hub_endpoint()!r} is no address: HF_ENDPOINT is like {settings.HUB}"
    if isinstance(error, httpx2.ConnectError):
        return f"{settings.hub_endpoint()} cannot be reached; check the connection, or HF_ENDPOINT"
    return "the connection was lost; try again, what has arrived is kept"


def _status_in_words(status: int) -> str:
    tokens = f"{settings.hub_endpoint()}/settings/tokens"
    words = {
        401: f"the hub does not accept the token; make another at {tokens}",
        403: f"the token has no right to do this; make one with write access at {tokens}",
        409: "something of this name is there already",
        412: "someone else has changed it in the meantime; nothing was overwritten: look at it, and publish again",
        413: "it is larger than the hub takes",
        429: "the hub asks to wait (too many requests); try again in a few minutes",
    }
    if status in words:
        return words[status]
    return f"the hub answered {status}" + ("; try again, what has arrived is kept" if status >= 500 else "")
