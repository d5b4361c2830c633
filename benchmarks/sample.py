"""What carrying a recipe out costs: the size of the index, and the speed beside a plain copy of the same files.

    python benchmarks/sample.py                            # makes 2.8 million items first: a few minutes, 4 GB
    python benchmarks/sample.py --catalogue big --json     # a catalogue of this home, see benchmarks/enlarge.py

In turn, a recipe of 400,000 items is carried out to a dataset (every item is read and decided, those of train are
hashed and written, the exam and a card beside them), and PyArrow copies the catalogue's Parquet files, row group by row
group, with the same compression. Figures are medians of the rounds.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from shutil import rmtree
from statistics import median

import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.enlarge import enlarge
from pricer.__main__ import main as pricer
from pricer.catalogue.store import Catalogue, open_catalogue
from pricer.curation.dataset import make_dataset
from pricer.curation.index import ARRAYS, open_index
from pricer.curation.recipe import Recipe, Target
from pricer.progress import silent

ITEMS, CATEGORIES, SAMPLE = 2_800_000, 33, 400_000
DEMO_ROWS = 60_000
JSON_KEYS = ("bytes_per_item", "share_of_copy_speed")


def measure(catalogue: Catalogue, rounds: int) -> dict:
    index = open_index(catalogue)
    stored = sum((catalogue.folder / "index" / "42" / f"{name}.npy").stat().st_size for name in ARRAYS)
    size = min(SAMPLE, len(index) // 7)
    carrying, copying = [], []
    for _ in range(rounds):
        carrying.append(_seconds(lambda: carry_out(catalogue, size)))
        copying.append(_seconds(lambda: copy_items(catalogue)))
    return {
        "items": catalogue.manifest.items,
        "sample": size,
        "bytes_per_item": stored / len(index),
        "carrying_out_seconds": median(carrying),
        "copy_seconds": median(copying),
        "share_of_copy_speed": median(copying) / median(carrying),
        "rounds": rounds,
    }


def carry_out(catalogue: Catalogue, size: int) -> None:
    recipe = Recipe(cutoff=1000, target=Target(shape="flat", size=size))
    rmtree(make_dataset(catalogue, recipe, "benchmark-of-sample").folder)


def copy_items(catalogue: Catalogue) -> None:
    """Read the items' files and write them again, as PyArrow does it."""
    with tempfile.TemporaryDirectory(dir=catalogue.folder.parent) as folder:
        for path in sorted((catalogue.folder / "items").glob("*.parquet")):
            with (
                pq.ParquetFile(path) as file,
                pq.ParquetWriter(Path(folder) / path.name, file.schema_arrow, compression="zstd") as writer,
            ):
                for group in range(file.num_row_groups):
                    writer.write_table(file.read_row_group(group))


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def made_catalogue() -> Catalogue:
    """2.8 million items out of a demo, in the home that PRICER_HOME names."""
    if pricer(["demo", "--rows", str(DEMO_ROWS), "--catalogue", "small"]):
        raise SystemExit("the demo could not be made")
    return enlarge(open_catalogue("small"), "big", ITEMS, CATEGORIES, silent)


def words(found: dict) -> str:
    return (
        f"{found['sample']:,} of {found['items']:,} items; the index takes {found['bytes_per_item']:.1f} bytes an "
        f"item\n"
        f"carried out in {found['carrying_out_seconds']:.1f} s, copied in {found['copy_seconds']:.1f} s: "
        f"{found['share_of_copy_speed']:.2f} of the speed of a copy ({found['rounds']} rounds in turn)"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--catalogue", metavar="NAME", help="of this home")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if not options.catalogue:
            os.environ["PRICER_HOME"] = folder
        chosen = open_catalogue(options.catalogue) if options.catalogue else made_catalogue()
        found = measure(chosen, options.rounds)
    print(json.dumps({name: found[name] for name in JSON_KEYS}) if options.json else words(found))
