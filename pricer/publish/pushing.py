"""A published set to the hub: looked at before anything is sent, then sent as one commit, never seen half.

Large files are uploaded first and belong to no revision until the commit names them; broken off, the next push sends
what is missing. The commit states which revision it follows, so someone else's change in between refuses it.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pricer import settings
from pricer.catalogue.download import SPARE_BYTES, check_disk, gigabytes
from pricer.catalogue.hub import Address, connect, told
from pricer.curation.dataset import Dataset
from pricer.errors import PricerError
from pricer.keys import HUB_TOKEN, Key
from pricer.progress import Report, Step
from pricer.publish.folder import (
    MANIFEST,
    PublishedFolder,
    PublishedManifest,
    estimated_bytes,
    read_manifest,
    write_set,
)
from pricer.publish.forms import Options
from pricer.publish.rights import Rights, read_rights

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, HfApi

_MEGABYTE = 1_000_000
_OWN = (".gitattributes",)  # what the hub puts into every repository

Standing = Literal["free", "empty", "earlier", "taken"]


@dataclass(frozen=True)
class Place:
    """Where a set goes on the hub."""

    repo: str  # OWNER/NAME
    branch: str = "main"
    private: bool = True  # of a repository that is made; one that stands keeps what it is

    @property
    def address(self) -> Address:
        return Address(self.repo, revision=self.branch)

    @property
    def url(self) -> str:
        return self.address.url + ("" if self.branch == "main" else f"/tree/{self.branch}")


@dataclass(frozen=True)
class Found:
    """What stands at a place."""

    standing: Standing
    is_private: bool | None  # None where nothing stands
    head: str | None  # the commit that the branch, or the one that it will start from, points to
    has_branch: bool
    files: tuple[str, ...] = ()
    manifest: PublishedManifest | None = None


@dataclass(frozen=True)
class Check:
    """A line of the preflight: pass, look or stop, what was looked at, and its value."""

    word: Literal["pass", "look", "stop"]
    words: str
    value: str


@dataclass(frozen=True)
class Pushed:
    url: str
    commit: str
    sent_bytes: int  # 0 where everything was there already
    manifest: PublishedManifest


def read_place(repo: str, branch: str = "main", private: bool = True) -> Place:
    """A place on the hub; PricerError where a name is not OWNER/NAME, or a branch could not be one."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(repo)
    except HFValidationError:
        raise _not_a_name(repo) from None
    if repo.count("/") != 1:
        raise _not_a_name(repo)
    if (
        not branch
        or branch.startswith(("-", "/", "refs/"))
        or ".." in branch
        or not branch.replace("/", "").isprintable()
    ):
        raise PricerError(f"a branch is a word such as main, got {branch!r}")
    return Place(repo, branch, private)


def _not_a_name(repo: str) -> PricerError:
    return PricerError(
        "a set on the hub is named USER/NAME or ORGANISATION/NAME, in letters, digits, dots, dashes and underscores, "
        f"got {repo!r}"
    )


def look(place: Place, api: "HfApi") -> Found:
    """What stands at a place now."""
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    with told(f"looking at {place.repo}", place.address.url):
        try:
            info = api.dataset_info(place.repo)
        except RepositoryNotFoundError:
            return Found("free", None, None, False)
        has_branch = True
        try:
            at = info if place.branch == "main" else api.dataset_info(place.repo, revision=place.branch)
        except RevisionNotFoundError:
            at, has_branch = info, False
        names = tuple(sibling.rfilename for sibling in at.siblings or ())
        manifest = _manifest_at(api, place.repo, at.sha) if MANIFEST in names else None
    if not set(names) - set(_OWN):
        standing: Standing = "empty"
    else:
        standing = "earlier" if manifest else "taken"
    return Found(standing, bool(info.private), at.sha, has_branch, names, manifest)


def _manifest_at(api: "HfApi", repo: str, commit: str) -> PublishedManifest | None:
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

    url = hf_hub_url(repo, MANIFEST, repo_type="dataset", revision=commit, endpoint=api.endpoint)
    answer = get_session().get(url, headers=build_hf_headers(token=api.token), timeout=30, follow_redirects=True)
    hf_raise_for_status(answer)
    return read_manifest(answer.content)


# Before anything is sent


def preflight(dataset: Dataset, options: Options, place: Place, key: Key | None, replace: bool = False) -> list[Check]:
    """Look at everything that may go wrong, and send nothing.

    PricerError where the hub cannot be asked at all.
    """
    made, size = dataset.manifest, estimated_bytes(dataset)
    checks = []
    if key is None:
        checks.append(Check("stop", f"No token: set {HUB_TOKEN}, or type one under Keys", "none"))
    else:
        api = connect(key)
        rights = read_rights(api)
        checks += _of_token(rights, place, key)
        if rights is not None:
            checks.append(_of_name(look(place, api), place, made.name, replace))
    checks.append(Check("pass", "About so much is written here, then sent", gigabytes(size)))
    checks.append(_of_disk(size))
    if made.generated:
        checks.append(Check("pass", "Licence: the data is generated, nobody has rights in it", options.licence))
    else:
        checks.append(Check("look", "Licence: the terms of the raw files hold; the card says so", options.licence))
    if options.exam_prices:
        word = "pass" if place.private else "look"
        checks.append(Check(word, "The exam's prices go too: who reads them can train on them", f"{made.exam:,}"))
    else:
        checks.append(Check("pass", "The exam's prices stay here", "withheld"))
    if made.split == "naive":
        checks.append(Check("look", "Own exam, may leak: the card says how many items do", f"{made.leaked:,}"))
    return checks


def _of_token(rights: Rights | None, place: Place, key: Key) -> list[Check]:
    if rights is None:
        return [Check("stop", f"The hub does not accept the token (from {key.place})", "rejected")]
    owner = place.repo.split("/")[0]
    known = Check("pass", f"Token of {rights.user}, from {key.place}", rights.told)
    if rights.may_write(place.repo):
        return [known]
    return [known, Check("stop", f"The token may not write to {owner}", "no right")]


def _of_name(found: Found, place: Place, name: str, replace: bool) -> Check:
    branch = "" if found.has_branch or found.standing == "free" else f", new branch {place.branch}"
    seen = "private" if found.is_private else "public: everyone will see it"
    word = "pass" if found.is_private else "look"
    if found.standing == "free":
        seen = "private" if place.private else "public: everyone will see it"
        return Check("pass" if place.private else "look", f"{place.repo} is free and will be made", seen)
    if found.standing == "empty":
        return Check(word, f"{place.repo} is there and empty{branch}", seen)
    if found.standing == "earlier" and found.manifest.name == name:
        return Check(word, f"{place.repo} holds an earlier revision, which stays in its history{branch}", seen)
    what = f"the set {found.manifest.name}" if found.manifest else "something that Pricer did not publish"
    if replace:
        return Check("look", f"{place.repo} holds {what}, which stays in its history{branch}", seen)
    return Check("stop", f"{place.repo} is taken: it holds {what}", "taken")


def _of_disk(size: int) -> Check:
    try:
        check_disk(settings.cache_folder(), size)
    except PricerError as error:
        return Check("stop", str(error), "too small")
    return Check("pass", "The disk has room for it", f"{gigabytes(size + SPARE_BYTES)} needed")


# Sending


def push(dataset: Dataset, options: Options, place: Place, key: Key, report: Report, replace: bool = False) -> Pushed:
    """Write the set beside the cache, send it, and commit it at once.

    PricerError where the preflight would stop, where the hub refuses, or where someone else has changed the place in
    the meantime. Then the place holds what it held before, and the next push sends only what is missing.
    """
    stops = [check for check in preflight(dataset, options, place, key, replace) if check.word == "stop"]
    if stops:
        raise PricerError("; ".join(check.words for check in stops))
    api = connect(key)
    before = look(place, api)
    settings.cache_folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.cache_folder()) as folder:
        written = write_set(dataset, options, Path(folder), place.repo, report)
        return _send(written, place, before, api, report)


def _send(written: PublishedFolder, place: Place, before: Found, api: "HfApi", report: Report) -> Pushed:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    if before.manifest == written.manifest and before.has_branch:
        return Pushed(place.url, before.head, 0, written.manifest)
    with told(f"publishing {place.repo}", place.address.url):
        head = before.head or _make_repository(api, place)
        if not before.has_branch and place.branch != "main":
            api.create_branch(place.repo, branch=place.branch, repo_type="dataset", revision=head, exist_ok=True)
        names = [*sorted(written.manifest.files), MANIFEST]
        additions = [CommitOperationAdd(name, written.folder / name) for name in names]
        sent = _upload(api, place, additions, report)
        stale = set(before.files) - set(names) - set(_OWN)
        old = [CommitOperationDelete(name) for name in sorted(stale)]
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
        try:
            api.preupload_lfs_files(
                place.repo, [addition], repo_type="dataset", revision=place.branch, free_memory=False
            )
        except (ConnectionError, TimeoutError) as error:  # of the hub's faster way, which has errors of its own
            raise PricerError(
                f"uploading {addition.path_in_repo} broke off; publish again, it goes on there"
            ) from error
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
