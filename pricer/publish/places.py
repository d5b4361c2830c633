"""A place on the hub for a set: its name, what stands there now, and whether its history tells the exam's prices."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pricer.catalogue.hub import Address, told
from pricer.errors import PricerError
from pricer.publish.folder import MANIFEST, PublishedManifest, read_manifest
from pricer.publish.forms import SPLITS

if TYPE_CHECKING:
    from huggingface_hub import HfApi

NOTHING = "nothing"  # the revision of a place where nothing stands
_SHORT, _SHORTEST = 12, 7  # characters of a commit's name: those shown, and those needed to tell it from all others
HUBS_OWN = {".gitattributes"}  # what the hub puts into every repository
_ROWS = re.compile(rf"data/({'|'.join(SPLITS.values())})-.*\.parquet")  # what the card names as rows of a split

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

    @property
    def revision(self) -> str:
        """What a push that relies on this look follows."""
        return self.head[:_SHORT] if self.head else NOTHING

    @property
    def foreign(self) -> list[str]:
        """The files that the set which stands here did not bring."""
        own = {MANIFEST, *self.manifest.files} if self.manifest else set()
        return sorted(set(self.files) - own - HUBS_OWN)

    @property
    def foreign_rows(self) -> list[str]:
        """Those of them that would be read as rows of a set that is put beside them."""
        return [name for name in self.foreign if _ROWS.fullmatch(name)]

    def is_at(self, revision: str) -> bool:
        """Whether this is what stood there when the place was at that revision."""
        if revision == NOTHING:  # a push that broke off may have made the repository
            return self.standing in ("free", "empty")
        return self.head is not None and len(revision) >= _SHORTEST and self.head.startswith(revision)

    def to_remove(self, names: set[str], replace: bool) -> list[str]:
        """The files that go when these come: the earlier set's, and everyone else's only where that is wanted."""
        gone = set(self.files) - HUBS_OWN - names
        return sorted(gone if replace else gone - set(self.foreign))


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
    if not set(names) - HUBS_OWN:
        standing: Standing = "empty"
    else:
        standing = "earlier" if manifest else "taken"
    return Found(standing, bool(info.private), at.sha, has_branch, names, manifest)


def find_exam_prices(place: Place, api: "HfApi") -> str | None:
    """A commit of any branch, tag or pull request whose set has its exam's prices: whoever may read loads them there.

    None where there is none. The commits are looked at one by one.
    """
    from huggingface_hub.errors import EntryNotFoundError

    with told(f"looking at the history of {place.repo}", place.address.url):
        for commit in _every_commit(place.repo, api):
            try:
                manifest = _manifest_at(api, place.repo, commit)
            except EntryNotFoundError:
                continue
            if manifest and manifest.options.exam_prices:
                return commit
    return None


def _every_commit(repo: str, api: "HfApi") -> Iterator[str]:
    refs = api.list_repo_refs(repo, repo_type="dataset", include_pull_requests=True)
    seen = set()
    for ref in (*refs.branches, *refs.tags, *(refs.pull_requests or ())):
        for commit in api.list_repo_commits(repo, repo_type="dataset", revision=ref.target_commit):
            if commit.commit_id not in seen:
                seen.add(commit.commit_id)
                yield commit.commit_id


def _manifest_at(api: "HfApi", repo: str, commit: str) -> PublishedManifest | None:
    return read_manifest(content_at(api, repo, MANIFEST, commit, "dataset"))


def content_at(api: "HfApi", repo: str, path: str, commit: str, kind: Literal["dataset", "model"]) -> bytes:
    """A small file of a repository as it was at a commit; the hub's errors where there is none."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

    url = hf_hub_url(repo, path, repo_type=kind, revision=commit, endpoint=api.endpoint)
    answer = get_session().get(url, headers=build_hf_headers(token=api.token), timeout=30, follow_redirects=True)
    hf_raise_for_status(answer)
    return answer.content
