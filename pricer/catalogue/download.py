"""Files from the hub into the cache: resumed where they broke off, checked against their hash, kept for the next time.

The hub's own library begins a broken file anew in the next process, so five gigabytes may never arrive on a bad line.
Here a file's first part stays in the cache under the name of its content, and the rest is asked for by range.
"""

import hashlib
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from filelock import FileLock

from pricer import settings
from pricer.catalogue.hub import Address, connect, in_words, told
from pricer.errors import PricerError
from pricer.files import force_to_disk, write_json
from pricer.progress import Report, Step, duration

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.file_download import HfFileMetadata

# Seconds before each new try, some ten minutes in all, as the hub is away now and then; what arrives starts them anew.
WAITS = (1, 2, 4, 8, 16, 32, *[60] * 9)
LONGEST_WAIT = 300.0
SILENT_SECONDS = 30.0
SLOW_SECONDS, SLOW_BYTES = 60.0, 60_000  # a connection that brings less in so long is opened anew
SPARE_BYTES = 200_000_000  # of the disk, left free
_PIECE = 1 << 20
_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Remote:
    """A file on the hub as it stands now, or as the cache knows it."""

    address: Address  # its part is the file's path
    commit: str
    etag: str  # SHA-256 of a large file, else git's name of the content
    size: int  # bytes

    @property
    def folder(self) -> Path:
        return cache_of(self.address.repo) / "files" / self.etag

    @property
    def file(self) -> Path:
        return self.folder / Path(self.address.part).name

    @property
    def is_cached(self) -> bool:
        return self.file.is_file()

    @property
    def missing_bytes(self) -> int:
        """What is still to be downloaded."""
        part = _part_of(self.file)
        return 0 if self.is_cached else self.size - (min(part.stat().st_size, self.size) if part.is_file() else 0)

    @property
    def origin(self) -> str:
        """Where it came from, to the commit."""
        return str(Address(self.address.repo, self.address.part, self.commit))


@dataclass(frozen=True)
class Fetched:
    """A file that is in the cache now."""

    remote: Remote
    seconds: float
    downloaded: int  # bytes, less than its size where a part or the whole was there

    @property
    def path(self) -> Path:
        return self.remote.file


def cache_of(repo: str) -> Path:
    return settings.cache_folder() / "hub" / repo.replace("/", "--")


def look_up(address: Address, path: str) -> Remote:
    """Find a file of a data set; in offline mode as it was when it was last looked up.

    PricerError where there is none, it may not be read, or the hub cannot be reached.
    """
    wanted = Address(address.repo, path, address.revision)
    note = cache_of(address.repo) / "known" / f"{hashlib.sha256(str(wanted).encode()).hexdigest()[:32]}.json"
    if settings.hub_is_offline():
        if not note.is_file():
            raise PricerError(f"{wanted}: HF_HUB_OFFLINE is set, and this file was never downloaded here")
        known = orjson.loads(note.read_bytes())
        return Remote(wanted, known["commit"], known["etag"], known["size"])
    with told(f"looking for {wanted}", wanted.url):
        found = _head(connect(), wanted)
    if not found.etag or not found.commit_hash or found.size is None or not re.fullmatch(r"[\w-]{4,100}", found.etag):
        raise PricerError(f"{wanted}: {settings.hub_endpoint()} does not answer as a hub does; check HF_ENDPOINT")
    remote = Remote(wanted, found.commit_hash, found.etag, found.size)
    write_json(note, {"commit": remote.commit, "etag": remote.etag, "size": remote.size})
    return remote


def _head(api: "HfApi", address: Address) -> "HfFileMetadata":
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    place = {"repo_type": "dataset", "revision": address.revision, "endpoint": api.endpoint}
    url = hf_hub_url(address.repo, address.part, **place)
    return get_hf_file_metadata(url, token=api.token, endpoint=api.endpoint, retry_on_errors=True)


def check_disk(folder: Path, wanted: int) -> None:
    """PricerError unless so many bytes, and some spare, are free where a folder is or will be."""
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if wanted + SPARE_BYTES > free:
        raise PricerError(
            f"this needs {gigabytes(wanted)} more on the disk of {folder}, where {gigabytes(free)} are free: "
            "make room, or set PRICER_HOME to a folder on a larger disk"
        )


def gigabytes(size: float) -> str:
    """A size in words: "5.4 GB", "285 MB", "<1 MB"."""
    if size >= 1e9:
        return f"{size / 1e9:,.1f} GB"
    return f"{size / 1e6:,.0f} MB" if size >= 1e6 else "<1 MB"


def fetch(remote: Remote, report: Report) -> Fetched:
    """Bring a file into the cache, from where an earlier try broke off.

    Reports megabytes. PricerError where it cannot be had, where the disk is too small, or where what arrived is not
    what the hub said. Cut off in the middle, the part that has arrived stays for the next try.
    """
    started = time.monotonic()
    if remote.is_cached:
        return Fetched(remote, 0.0, 0)
    if settings.hub_is_offline():
        raise PricerError(f"{remote.address}: HF_HUB_OFFLINE is set, and this file was never downloaded whole")
    remote.folder.mkdir(parents=True, exist_ok=True)
    with FileLock(remote.folder / ".lock"):
        if remote.is_cached:  # by another process, while this one waited
            return Fetched(remote, time.monotonic() - started, 0)
        check_disk(remote.folder, remote.missing_bytes)
        part = _Part(remote, report)
        had = part.size
        _with_patience(part, connect())
        part.check()
        force_to_disk(part.path)
        part.path.rename(remote.file)
        force_to_disk(remote.folder)
    return Fetched(remote, time.monotonic() - started, remote.size - had)


def _part_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.part")


class _Part:
    """The beginning of a file, and the hash of what there is of it."""

    def __init__(self, remote: Remote, report: Report):
        self.remote = remote
        self.path = _part_of(remote.file)
        self._report = report
        self._name = Path(remote.address.part).name
        self._hash = hashlib.sha256() if len(remote.etag) == 64 else hashlib.sha1(b"blob %d\0" % remote.size)
        self.size = 0
        self.path.touch()
        with self.path.open("rb") as file:
            while piece := file.read(_PIECE):
                self._hash.update(piece)
                self.size += len(piece)
        self.told()

    def extend(self, pieces: Iterator[bytes]) -> None:
        """Add what arrives; _Slow where that is next to nothing."""
        window, arrived = time.monotonic(), 0
        with self.path.open("ab") as file:
            for piece in pieces:
                file.write(piece)
                self._hash.update(piece)
                self.size += len(piece)
                arrived += len(piece)
                self.told()
                if time.monotonic() - window > SLOW_SECONDS:
                    if arrived < SLOW_BYTES:
                        raise _Slow
                    window, arrived = time.monotonic(), 0

    def told(self) -> None:
        fraction = min(1.0, self.size / self.remote.size) if self.remote.size else 1.0
        self._report(Step(f"Downloading {self._name}", self.size // _MEGABYTE, "MB", fraction))

    def waits(self, seconds: float) -> None:
        fraction = self.size / self.remote.size
        words = f"The hub does not send {self._name}; asked again in {duration(seconds)}"
        self._report(Step(words, self.size // _MEGABYTE, "MB", fraction))

    def begin_anew(self) -> None:
        self.path.unlink()
        self.__init__(self.remote, self._report)

    def check(self) -> None:
        is_named_by_hash = len(self.remote.etag) in (40, 64)
        if self.size != self.remote.size or (is_named_by_hash and self._hash.hexdigest() != self.remote.etag):
            self.path.unlink()
            raise PricerError(f"{self.remote.address} arrived damaged, so it was thrown away; load again")


class _Slow(Exception):
    """The connection brings next to nothing."""


def _with_patience(part: _Part, api: "HfApi", sleep: Callable[[float], None] = time.sleep) -> None:
    """Ask for what is missing until it is all there; PricerError after as many tries in a row without a byte."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError

    tries = 0
    while part.size < part.remote.size:
        before, wait = part.size, 0.0
        try:
            _receive(part, api)
        except (httpx2.TransportError, HfHubHTTPError, _Slow) as error:
            lost, wait = error, _wait_asked_for(error)
            if not _may_pass(error):
                raise _unread(part, error) from None
        else:
            lost = httpx2.ReadError("the answer ended early")
        if part.size > before:
            tries = 0
        elif tries == len(WAITS):
            raise _unread(part, lost) from None
        if part.size < part.remote.size:
            seconds = min(LONGEST_WAIT, max(wait, WAITS[tries]))
            part.waits(seconds)
            sleep(seconds)
            tries += 1


def _unread(part: _Part, error: Exception) -> PricerError:
    return PricerError(f"reading {part.remote.address}: {in_words(error, part.remote.address.url)}")


def _may_pass(error: Exception) -> bool:
    """Whether the same request may go better in a while."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status is None or status in (408, 416, 429) or status >= 500


def _wait_asked_for(error: Exception) -> float:
    asked = getattr(getattr(error, "response", None), "headers", {}).get("Retry-After", "")
    return float(asked) if asked.isdecimal() else 0.0


def _is_of(endpoint: str, address: str) -> bool:
    """Whether an address lies at this endpoint, and not on a host whose name only begins like it."""
    return address.startswith(f"{endpoint.rstrip('/')}/")


def _receive(part: _Part, api: "HfApi") -> None:
    """One request for what is missing."""
    from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

    found = _head(api, Address(part.remote.address.repo, part.remote.address.part, part.remote.commit))
    # Elsewhere the address itself is signed, and the token must not go.
    own = _is_of(api.endpoint, found.location)
    headers = build_hf_headers(token=api.token if own else False, library_name="pricer")
    headers |= {"Range": f"bytes={part.size}-", "Accept-Encoding": "identity"}
    with get_session().stream("GET", found.location, headers=headers, timeout=SILENT_SECONDS) as response:
        if response.status_code == 416:
            part.begin_anew()
        hf_raise_for_status(response)
        if response.status_code != 206 and part.size:
            part.begin_anew()  # this server knows no ranges
        part.extend(response.iter_raw())


def list_files(address: Address) -> tuple[Address, list[str]]:
    """The files of a data set, and its address at the commit that holds them; offline those of the last listing."""
    note = cache_of(address.repo) / "known" / f"{hashlib.sha256(f'{address} files'.encode()).hexdigest()[:32]}.json"
    if settings.hub_is_offline():
        if not note.is_file():
            raise PricerError(f"{address}: HF_HUB_OFFLINE is set, and this data set was never looked at here")
        known = orjson.loads(note.read_bytes())
    else:
        with told(f"looking for {address}", address.url):
            found = connect().dataset_info(address.repo, revision=address.revision)
        known = {"commit": found.sha, "files": [sibling.rfilename for sibling in found.siblings or ()]}
        write_json(note, known)
    return Address(address.repo, "", known["commit"]), known["files"]
