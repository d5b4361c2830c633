"""Products from anywhere to a catalogue: files of this machine, categories of the hub, curated sets of either."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pricer import settings
from pricer.catalogue.build import AUTO, build_catalogue
from pricer.catalogue.categories import CATEGORIES, REPOSITORY, disk_of_catalogue, file_of
from pricer.catalogue.download import Fetched, check_disk, fetch, look_up
from pricer.catalogue.hub import Address, is_address, read_address
from pricer.catalogue.sources import Origin, unzipped_bytes
from pricer.catalogue.store import Catalogue, check_name
from pricer.errors import PricerError
from pricer.files import staged_folder
from pricer.progress import Report, silent
from pricer.publish.reading import ReadSplit, read_set


@dataclass(frozen=True)
class Loaded:
    """A catalogue, and what is known of where it came from."""

    catalogue: Catalogue
    splits: dict[str, ReadSplit]  # of a curated set; empty for raw files


def load(sources: Sequence[str], name: str, rules: str = AUTO, report: Report = silent) -> Loaded:
    """Load files, "hub:OWNER/NAME/CATEGORY", or one curated set ("hub:OWNER/NAME" or a folder) as a catalogue.

    PricerError where something cannot be had or read, or where the disk is too small; nothing is kept of a catalogue
    that is not whole, while files from the hub stay in the cache.
    """
    check_name(name)
    sets = [source for source in sources if _is_set(source)]
    if sets:
        if len(sources) > 1:
            raise PricerError(f"a curated set is loaded alone, and {sets[0]} came with {len(sources) - 1} more")
        if rules != AUTO:
            raise PricerError(
                f"the texts of a curated set are taken as they are: rules {rules!r} go with raw files only"
            )
        return _load_set(sets[0], name, report)
    files = _gather(sources, report)
    paths, origins = [path for path, _ in files], [origin for _, origin in files]
    return Loaded(build_catalogue(paths, name, rules, report, origins), {})


def _is_set(source: str) -> bool:
    if is_address(source):
        address = read_address(source)
        return not _is_category(address)
    return Path(source).expanduser().is_dir()


def _is_category(address: Address) -> bool:
    """Whether an address names a raw file of Amazon Reviews 2023, or of a data set that is laid out like it."""
    if address.repo == REPOSITORY and address.part not in CATEGORIES:
        near = difflib.get_close_matches(address.part, CATEGORIES, 3, 0.3) or ["Appliances"]
        what = f"has no category {address.part!r}" if address.part else "is loaded by category"
        raise PricerError(f"{REPOSITORY} {what}; take hub:{REPOSITORY}/{' or …/'.join(near)}")
    return bool(address.part) and "/" not in address.part and "." not in address.part


def _load_set(source: str, name: str, report: Report) -> Loaded:
    settings.make_home()
    place = read_address(source) if is_address(source) else Path(source).expanduser()
    its_name = place.repo.split("/")[1] if isinstance(place, Address) else place.resolve().name
    if isinstance(place, Path):  # its rows are written beside, and then the catalogue
        check_disk(settings.cache_folder(), 3 * sum(file.stat().st_size for file in place.rglob("*.parquet")))
    with staged_folder(settings.cache_folder()) as folder:
        rows = folder / f"{its_name}.jsonl"
        read = read_set(place, rows, report)
        catalogue = build_catalogue([rows], name, AUTO, report, [read.origin], read.roles)
    return Loaded(catalogue, read.splits)


def _gather(sources: Sequence[str], report: Report) -> list[tuple[Path, Origin]]:
    """The paths of all sources, those from the hub downloaded; told before the first byte if the disk is too small."""
    remotes = {}
    for source in sources:
        if is_address(source):
            address = read_address(source)
            remotes[source] = look_up(address, file_of(address.part))
    raw = sum(remote.size for remote in remotes.values())
    raw += sum(unzipped_bytes(Path(source).expanduser()) for source in sources if source not in remotes)
    settings.make_home()
    missing = sum(remote.missing_bytes for remote in remotes.values())
    check_disk(settings.cache_folder(), missing + disk_of_catalogue(raw))
    fetched: dict[str, Fetched] = {source: fetch(remote, report) for source, remote in remotes.items()}
    return [
        (fetched[source].path, Origin(fetched[source].remote.origin, fetched[source].seconds))
        if source in fetched
        else (Path(source).expanduser(), Origin())
        for source in sources
    ]
