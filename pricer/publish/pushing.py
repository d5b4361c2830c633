"""A published set to the hub: looked at before anything is sent, then sent as one commit, never seen half.

Large files are uploaded first and belong to no revision until the commit names them; broken off, the next push sends
what is missing. The commit states which revision it follows, so someone else's change in between refuses it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pricer import settings
from pricer.catalogue.hub import connect, told
from pricer.curation.dataset import Dataset
from pricer.errors import PricerError
from pricer.files import staged_folder
from pricer.keys import Key
from pricer.progress import Report, Step
from pricer.publish.folder import MANIFEST, PublishedFolder, PublishedManifest, write_set
from pricer.publish.forms import Options
from pricer.publish.places import Found, Place, look
from pricer.publish.preflight import preflight

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, HfApi

_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Pushed:
    url: str
    commit: str
    sent_bytes: int  # 0 where everything was there already
    manifest: PublishedManifest


def push(
    dataset: Dataset,
    options: Options,
    place: Place,
    key: Key,
    report: Report,
    replace: bool = False,
    follows: str | None = None,
) -> Pushed:
    """Write the set beside the cache, send it, and commit it at once.

    `follows` is the revision that someone has looked at before (`Preflight.follows`); without it that of a look now.
    PricerError where the preflight would stop, where the hub refuses, or where someone else has changed the place in
    the meantime. Then the place holds what it held before, and the next push sends only what is missing.
    """
    looked = preflight(dataset, options, place, key, replace)
    if looked.stops:
        raise PricerError("; ".join(check.words for check in looked.stops))
    with staged_folder(settings.cache_folder()) as folder:
        written = write_set(dataset, options, folder, place.repo, report)
        before = looked.found
        gone = before.to_remove({MANIFEST, *written.manifest.files}, replace)
        if before.manifest == written.manifest and before.has_branch and not gone:
            return Pushed(place.url, before.head, 0, written.manifest)
        if follows and not before.is_at(follows):
            raise PricerError(
                f"{place.repo} is not at {follows} any more: someone has changed it since it was looked at; nothing "
                "was overwritten: look again"
            )
        return _send(written, gone, place, before, connect(key), report)


def _send(
    written: PublishedFolder, gone: list[str], place: Place, before: Found, api: "HfApi", report: Report
) -> Pushed:
    """Upload what was written, and commit it together with the files that go."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    with told(f"publishing {place.repo}", place.address.url):
        head = before.head or _make_repository(api, place)
        if not before.has_branch and place.branch != "main":
            api.create_branch(place.repo, branch=place.branch, repo_type="dataset", revision=head, exist_ok=True)
        names = [*sorted(written.manifest.files), MANIFEST]
        additions = [CommitOperationAdd(name, written.folder / name) for name in names]
        sent = _upload(api, place, additions, report)
        old = [CommitOperationDelete(name) for name in gone]
        report(Step("Committing", len(additions), "files", 1.0))
        commit = _commit(api, place, [*old, *additions], head, written.manifest)
    return Pushed(place.url, commit, sent, written.manifest)


def _make_repository(api: "HfApi", place: Place) -> str:
    api.create_repo(place.repo, repo_type="dataset", private=place.private)
    return api.dataset_info(place.repo).sha


def _upload(api: "HfApi", place: Place, additions: list["CommitOperationAdd"], report: Report) -> int:
    """Upload the large files one by one; the hub skips what it has. Gives the bytes of all."""
    total = sum(addition.upload_info.size for addition in additions)
    done = 0
    report(Step("Uploading", 0, "MB", 0.0))
    for addition in additions:
        size = addition.upload_info.size
        api.preupload_lfs_files(place.repo, [addition], repo_type="dataset", revision=place.branch, free_memory=False)
        done += size
        report(Step("Uploading", done // _MEGABYTE, "MB", done / total))
    return total


def _commit(api: "HfApi", place: Place, operations: list, head: str, manifest: PublishedManifest) -> str:
    """Make the one commit; where its answer is lost, or a repeat of it refused, the branch's head tells."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError

    options = {"repo_type": "dataset", "revision": place.branch, "parent_commit": head}
    message = f"{manifest.name}: {manifest.items['train']:,} items to train on"
    try:
        return api.create_commit(place.repo, operations, commit_message=message, **options).oid
    except (HfHubHTTPError, httpx2.TransportError):
        now = look(place, api)
        if now.manifest != manifest:
            raise
        return now.head
