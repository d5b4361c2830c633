"""Adapters that were tuned before, here or elsewhere: found in a folder or on the hub, by revision."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pricer import settings
from pricer.catalogue.hub import connect, told
from pricer.errors import PricerError
from pricer.llm.local.bases import folder_named, is_commit, is_on_hub
from pricer.llm.tuned.adapter import CONFIG, HEAD
from pricer.progress import Report, Step, silent

WEIGHTS = "adapter_model.safetensors"


@dataclass(frozen=True)
class Found:
    """An adapter on this machine, and which one it is to the letter."""

    folder: Path
    revision: str  # a commit of the hub, or 16 hex digits of a folder's weights


def find_adapter(place: str, report: Report = silent) -> Found:
    """The adapter of a folder, or of OWNER/NAME or OWNER/NAME@REVISION of the hub, downloaded if it is not here.

    PricerError where there is none, access is not granted, its weights may hold code, or it has a slot head, which is
    asked through its run alone.
    """
    name, _, revision = place.strip().partition("@")
    found = _on_hub(name, revision, report) if is_on_hub(name) else _in_folder(place.strip())
    if (found.folder / HEAD).is_file():
        raise PricerError(f"{place} was tuned with a slot head, which is no part of a language model: ask its run")
    return found


def pinned(place: str, revision: str) -> str:
    """The same adapter at one commit, whatever its repository holds later; a folder has none to choose."""
    name = place.strip().partition("@")[0]
    return f"{name}@{revision}" if is_on_hub(name) else place


def _in_folder(place: str) -> Found:
    folder = folder_named(place)
    if folder is None or not (folder / CONFIG).is_file() or not (folder / WEIGHTS).is_file():
        files = f"{CONFIG} and {WEIGHTS}"
        raise PricerError(f"{place!r} is no folder with an adapter ({files}), and no OWNER/NAME[@REVISION]")
    digest = hashlib.sha256((folder / CONFIG).read_bytes() + (folder / WEIGHTS).read_bytes())
    return Found(folder, digest.hexdigest()[:16])


def _on_hub(name: str, revision: str, report: Report) -> Found:
    here = _downloaded(name, revision)
    if here and is_commit(revision):  # the same commit is never another
        return here
    try:
        return _asked(name, revision, report)
    except PricerError:
        if here:
            return here
        raise


def _downloaded(name: str, revision: str) -> Found | None:
    """The adapter as it was downloaded, without asking anybody."""
    settings.quieten_hub()
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        paths = [
            Path(hf_hub_download(name, each, revision=revision or None, local_files_only=True))
            for each in (CONFIG, WEIGHTS)
        ]
    except LocalEntryNotFoundError:
        return None
    return Found(paths[0].parent, paths[0].parent.name)


def _asked(name: str, revision: str, report: Report) -> Found:
    """What the hub has of an adapter now, downloaded."""
    api, url = connect(), f"{settings.hub_endpoint()}/{name}"
    report(Step(f"Looking at the adapter {name}", 0, "files"))
    with told(f"looking at {name}", url, "model"):
        commit = api.model_info(name, revision=revision or None).sha
        files = set(api.list_repo_files(name, revision=commit))
        if not {CONFIG, WEIGHTS} <= files:
            raise PricerError(f"{name} has no {CONFIG} and {WEIGHTS}; other weights may hold code, and are not read")
        wanted = [each for each in (CONFIG, WEIGHTS, HEAD) if each in files]
        paths = [Path(api.hf_hub_download(name, each, revision=commit)) for each in wanted]
    return Found(paths[0].parent, commit)
