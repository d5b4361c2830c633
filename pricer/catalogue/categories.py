"""The categories of Amazon Reviews 2023: which there are, how large; and what loading them, or files, takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pricer.catalogue.download import cache_of
from pricer.catalogue.hub import Address
from pricer.catalogue.sources import unzipped_bytes
from pricer.catalogue.store import list_catalogues

REPOSITORY = "McAuley-Lab/Amazon-Reviews-2023"
# The eight of the first notebook, in its order; rows and bytes of the raw files as it met them.
NOTEBOOK = {
    "Automotive": (2_004_000, 5_350_000_000),
    "Electronics": (1_611_000, 5_250_000_000),
    "Office_Products": (711_000, 2_150_000_000),
    "Tools_and_Home_Improvement": (1_474_000, 4_850_000_000),
    "Cell_Phones_and_Accessories": (1_289_000, 4_020_000_000),
    "Toys_and_Games": (891_000, 2_640_000_000),
    "Appliances": (94_327, 285_000_000),
    "Musical_Instruments": (214_000, 632_000_000),
}
LITE = ("Appliances",)
# The others, with the items that the data set's own page names; their bytes are estimated.
_OTHERS = {
    "All_Beauty": 112_600, "Amazon_Fashion": 826_000, "Arts_Crafts_and_Sewing": 801_300, "Baby_Products": 217_700,
    "Beauty_and_Personal_Care": 1_000_000, "Books": 4_400_000, "CDs_and_Vinyl": 701_700,
    "Clothing_Shoes_and_Jewelry": 7_200_000, "Digital_Music": 70_500, "Gift_Cards": 1_100,
    "Grocery_and_Gourmet_Food": 603_200, "Handmade_Products": 164_700, "Health_and_Household": 797_400,
    "Health_and_Personal_Care": 60_300, "Home_and_Kitchen": 3_700_000, "Industrial_and_Scientific": 427_500,
    "Kindle_Store": 1_600_000, "Magazine_Subscriptions": 3_400, "Movies_and_TV": 747_800,
    "Patio_Lawn_and_Garden": 851_700, "Pet_Supplies": 492_700, "Software": 89_200, "Sports_and_Outdoors": 1_600_000,
    "Subscription_Boxes": 641, "Video_Games": 137_200,
}  # fmt: skip
_BYTES_A_ROW = 3_040  # of the eight together
CATEGORIES = {name: rows for name, (rows, _) in NOTEBOOK.items()} | _OTHERS
_USUAL_ROWS_PER_SECOND = 4_000  # on two cores
_DISK_SHARE = 0.5  # of the raw files: what a catalogue of them takes at most, measured


@dataclass(frozen=True)
class Told:
    """What loading some categories takes, beforehand and about."""

    rows: int
    bytes: int  # of all raw files
    missing_bytes: int  # of those that are not in the cache, and so must be downloaded
    rows_per_second: float
    measured_on: str  # the catalogue whose load went at this rate; empty is a guess

    @property
    def reading_seconds(self) -> float:
        return self.rows / self.rows_per_second

    @property
    def disk_bytes(self) -> int:
        """For the files that are missing and the catalogue together."""
        return self.missing_bytes + disk_of_catalogue(self.bytes)


def size_of(category: str) -> int:
    """About how many bytes a category's raw file has."""
    return NOTEBOOK[category][1] if category in NOTEBOOK else CATEGORIES[category] * _BYTES_A_ROW


def disk_of_catalogue(raw_bytes: int) -> int:
    return int(raw_bytes * _DISK_SHARE)


def file_of(category: str) -> str:
    """The raw file of a category in the repository."""
    return f"raw/meta_categories/meta_{category}.jsonl"


def is_cached(category: str) -> bool:
    """Whether some revision of a category's raw file was downloaded before."""
    return any((cache_of(REPOSITORY) / "files").glob(f"*/meta_{category}.jsonl"))


def address_of(category: str) -> str:
    return str(Address(REPOSITORY, category))


def told_beforehand(categories: Sequence[str]) -> Told:
    """Rows, size and time of these categories; the time at the rate of the largest load on this machine."""
    return _told(
        rows=sum(CATEGORIES[category] for category in categories),
        size=sum(size_of(category) for category in categories),
        missing=sum(size_of(category) for category in categories if not is_cached(category)),
    )


def told_of_files(paths: Sequence[Path]) -> Told:
    """The same of files on this machine, by their size; PricerError where one is no file that can be read."""
    size = sum(unzipped_bytes(path) for path in paths)
    return _told(rows=size // _BYTES_A_ROW, size=size, missing=0)


def _told(rows: int, size: int, missing: int) -> Told:
    loads = [catalogue.manifest for catalogue in list_catalogues()]
    largest = max(loads, key=lambda load: load.rows, default=None)
    is_measured = largest is not None and largest.rows >= 10_000 and largest.seconds > 0
    return Told(
        rows=rows,
        bytes=size,
        missing_bytes=missing,
        rows_per_second=largest.rows / largest.seconds if is_measured else _USUAL_ROWS_PER_SECOND,
        measured_on=largest.name if is_measured else "",
    )
