"""What may go wrong with a push, looked at before anything is sent: token, place, history, disk, licence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pricer import settings
from pricer.catalogue.download import SPARE_BYTES, check_disk, gigabytes
from pricer.catalogue.hub import connect, told
from pricer.checks import Check
from pricer.curation.dataset import Dataset
from pricer.errors import PricerError
from pricer.keys import HUB_TOKEN, Key
from pricer.publish.card import write_metadata
from pricer.publish.folder import estimated_bytes
from pricer.publish.forms import Options, check_licence
from pricer.publish.places import Found, Place, find_exam_prices, look
from pricer.publish.rights import Rights, read_rights

if TYPE_CHECKING:
    from huggingface_hub import HfApi

LICENCES = "https://huggingface.co/docs/hub/repositories-licenses"
_NAMED = 5  # files, before the others are only counted


@dataclass(frozen=True)
class Preflight:
    """What was looked at, and what stood at the place then; None where the hub did not say."""

    checks: list[Check]
    found: Found | None = None

    @property
    def stops(self) -> list[Check]:
        return [check for check in self.checks if check.verdict == "stop"]

    @property
    def follows(self) -> str | None:
        """The revision that a push follows which relies on this look."""
        return self.found.revision if self.found else None


def preflight(dataset: Dataset, options: Options, place: Place, key: Key | None, replace: bool = False) -> Preflight:
    """Look at everything that may go wrong, and send nothing but the card's metadata, for the hub to check.

    PricerError where the hub cannot be asked at all.
    """
    made, size = dataset.manifest, estimated_bytes(dataset)
    rights = read_rights(connect(key)) if key else None
    api = connect(key) if rights else None
    found = look(place, api) if api else None
    checks = _of_token(rights, place, key)
    if found:
        checks += [_of_name(found, place, dataset, replace), *_of_files(found, dataset, replace)]
    checks.append(Check("pass", "About so much is written here, then sent", gigabytes(size)))
    checks.append(_of_disk(size))
    checks.append(_of_licence(dataset, options, api))
    checks.append(_of_exam(dataset, options, place, found, api))
    if made.split == "naive":
        checks.append(Check("look", "Own exam, may leak: the card says how many items do", f"{made.leaked:,}"))
    return Preflight(checks, found)


def _of_token(rights: Rights | None, place: Place, key: Key | None) -> list[Check]:
    if key is None:
        return [Check("stop", f"No token: set {HUB_TOKEN}, or type one under Keys", "none")]
    if rights is None:
        return [Check("stop", f"The hub does not accept the token (from {key.place})", "rejected")]
    owner = place.repo.split("/")[0]
    known = Check("pass", f"Token of {rights.user}, from {key.place}", rights.told)
    if rights.may_write(place.repo):
        return [known]
    return [known, Check("stop", f"The token may not write to {owner}", "no right")]


def _of_name(found: Found, place: Place, dataset: Dataset, replace: bool) -> Check:
    branch = "" if found.has_branch or found.standing == "free" else f", new branch {place.branch}"
    seen = "private" if found.is_private else "public: everyone will see it"
    word = "pass" if found.is_private else "look"
    if found.standing == "free":
        seen = "private" if place.private else "public: everyone will see it"
        return Check("pass" if place.private else "look", f"{place.repo} is free and will be made", seen)
    if found.standing == "empty":
        return Check(word, f"{place.repo} is there and empty{branch}", seen)
    if _is_earlier(found, dataset):
        return Check(word, f"{place.repo} holds an earlier revision, which stays in its history{branch}", seen)
    what = _name_of(found, dataset)
    if replace:
        return Check("look", f"{place.repo} holds {what}, which stays in its history{branch}", seen)
    return Check("stop", f"{place.repo} is taken: it holds {what}", "taken")


def _is_earlier(found: Found, dataset: Dataset) -> bool:
    return found.manifest is not None and found.manifest.dataset_id == dataset.id


def _name_of(found: Found, dataset: Dataset) -> str:
    """What stands there, if it is not this dataset."""
    if found.manifest is None:
        return "something that Pricer did not publish"
    if found.manifest.name == dataset.name:
        return f"another set named {dataset.name}, of another recipe or catalogue"
    return f"the set {found.manifest.name}"


def _of_files(found: Found, dataset: Dataset, replace: bool) -> list[Check]:
    """What becomes of files that someone else put there, where the name is not taken anyway."""
    if not found.foreign or not (replace or _is_earlier(found, dataset)):
        return []
    if replace:
        return [Check("look", "Files that Pricer did not put there are removed from it", _listed(found.foreign))]
    kept = Check("look", "Files that Pricer did not put there stay", _listed(found.foreign))
    if not found.foreign_rows:
        return [kept]
    return [kept, Check("stop", "Among them are rows, which would be read with the set", _listed(found.foreign_rows))]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _of_disk(size: int) -> Check:
    try:
        check_disk(settings.cache_folder(), size)
    except PricerError as error:
        return Check("stop", str(error), "too small")
    return Check("pass", "The disk has room for it", f"{gigabytes(size + SPARE_BYTES)} needed")


def _of_licence(dataset: Dataset, options: Options, api: "HfApi | None") -> Check:
    """Whether the licence is one that the hub knows, and whose terms hold; asked of the hub where it can be asked."""
    try:
        check_licence(options.licence)
    except PricerError as error:
        return Check("stop", f"Licence: {error}", options.licence)
    if refused := _refused(f"---\n{write_metadata(dataset.manifest, options)}---\n", api) if api else "":
        what = f"it is not on the hub's list, {LICENCES}" if '"license"' in refused else f"the hub says {refused}"
        return Check("stop", f"Licence: {what}", options.licence)
    if dataset.manifest.generated:
        return Check("pass", "Licence: the data is generated, nobody has rights in it", options.licence)
    return Check("look", "Licence: the terms of the raw files hold; the card says so", options.licence)


def _refused(card: str, api: "HfApi") -> str:
    """Why the hub refuses a card; empty where it takes it."""
    from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

    with told("asking the hub whether it takes the card"):
        asked = {"content": card, "repoType": "dataset"}
        headers = build_hf_headers(token=api.token)
        answer = get_session().post(f"{api.endpoint}/api/validate-yaml", json=asked, headers=headers, timeout=30)
        if answer.status_code != 400:
            hf_raise_for_status(answer)
            return ""
    return "; ".join(str(each.get("message")) for each in answer.json().get("errors", ()))[:300] or "it is no card"


def _of_exam(dataset: Dataset, options: Options, place: Place, found: Found | None, api: "HfApi | None") -> Check:
    if options.exam_prices:
        is_private = found.is_private if found and found.is_private is not None else place.private
        word = "pass" if is_private else "look"
        words = "The exam's prices go too: who reads them can train on them"
        return Check(word, words, f"{dataset.manifest.exam:,}")
    if found and found.standing != "free" and (commit := find_exam_prices(place, api)):
        told_there = f"Its history has an exam's prices, and they stay readable at {commit[:7]}: take a new repository"
        return Check("stop", told_there, "not withheld")
    return Check("pass", "The exam's prices stay here", "withheld")
