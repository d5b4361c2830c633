"""What a key may do, found out by one cheap call; and whether a gated model opens to it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pricer import settings
from pricer.catalogue.hub import connect, told
from pricer.keys import HUB_TOKEN, KNOWN, Key, find_key
from pricer.llm.offered import list_models
from pricer.llm.providers import list_providers, provider_of
from pricer.llm.wire import NotAccepted

if TYPE_CHECKING:
    from huggingface_hub import HfApi

GATED = ("meta-llama/Llama-3.1-8B", "meta-llama/Llama-3.2-3B")  # of the notebooks, both behind a form


def every_key() -> dict[str, str]:
    """The names of all keys that something here may ask for, and of whom: those known, and own providers'."""
    own = {provider.key: provider.title for provider in list_providers() if provider.own and provider.key}
    return KNOWN | {name: title for name, title in own.items() if name not in KNOWN}


@dataclass(frozen=True)
class Rights:
    """Whose a token of the hub is, and where it may write."""

    user: str
    role: str  # "read", "write" or "fineGrained"
    organisations: tuple[str, ...]  # in which the user may write
    scoped: tuple[str, ...]  # of a fine-grained token: users, organisations and repositories that it may write to

    @property
    def owners(self) -> tuple[str, ...]:
        """The users and organisations under which a new set can be made."""
        if self.role == "fineGrained":
            return tuple(name for name in self.scoped if "/" not in name)
        return (self.user, *self.organisations) if self.role in ("write", "admin") else ()

    def may_write(self, repo: str) -> bool:
        return repo.split("/")[0] in self.owners or repo in self.scoped

    @property
    def told(self) -> str:
        if self.role == "fineGrained":
            return f"may write to {', '.join(self.scoped)}" if self.scoped else "may only read"
        return "may write" if self.owners else "may only read"


@dataclass(frozen=True)
class KeyCheck:
    """What one cheap call told of a key."""

    name: str
    accepted: bool
    told: str


def read_rights(api: "HfApi") -> Rights | None:
    """Ask the hub whose the token is; None where it does not accept it, PricerError where it cannot be asked."""
    from huggingface_hub.errors import HfHubHTTPError

    with told("asking the hub what the token may do"):
        try:
            who = api.whoami()
        except HfHubHTTPError as error:
            if error.response.status_code in (401, 403):
                return None
            raise
    token = who.get("auth", {}).get("accessToken", {})
    writing = [org["name"] for org in who.get("orgs", ()) if org.get("roleInOrg") in ("admin", "write", "contributor")]
    granted = token.get("fineGrained", {}).get("scoped", ())
    scoped = [each["entity"].get("name", "") for each in granted if "repo.write" in each.get("permissions", ())]
    return Rights(who["name"], token.get("role", "read"), tuple(writing), tuple(name for name in scoped if name))


def check_key(key: Key) -> KeyCheck:
    """One cheap call with a key: is it accepted, and what may it do? PricerError where nobody answers."""
    if key.name == HUB_TOKEN:
        rights = read_rights(connect(key))
        if rights is None:
            return KeyCheck(key.name, False, "the hub does not accept it")
        where = f"; new sets under {', '.join(rights.owners)}" if rights.owners else ""
        return KeyCheck(key.name, True, f"{rights.user}: {rights.told}{where}")
    try:
        return KeyCheck(key.name, True, f"{len(list_models(provider_of(key.name), key)):,} models")
    except NotAccepted:
        return KeyCheck(key.name, False, "it is not accepted")


def check_model(model: str) -> str:
    """Say whether a model on the hub opens to the token, if there is one; PricerError, with the way in, where not."""
    key = find_key(HUB_TOKEN)
    api = connect(key)
    with told(f"opening {model}", f"{settings.hub_endpoint()}/{model}"):
        api.auth_check(model)
    return f"{model} is open to {'this token' if key else 'everyone'}"
