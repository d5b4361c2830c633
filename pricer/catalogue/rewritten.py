"""A catalogue with other texts: the same items under the same ids, in the same groups and roles, at the same prices.

So its exam has the hash that it had, and a model that reads the new texts is compared with one that read the old.
"""

import os
import shutil
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

import pricer
from pricer import settings
from pricer.catalogue.build import publish_catalogue
from pricer.catalogue.store import Catalogue, Rewriting, check_name
from pricer.catalogue.tokens import llama3
from pricer.files import staged_folder
from pricer.items import ITEM_SCHEMA, content_hash, merge_hashes
from pricer.progress import Report, Step, silent

_KEPT = ("rows", "exam.parquet", "duplicates.parquet")


def write_rewritten(
    catalogue: Catalogue, texts: Mapping[str, str], name: str, about: Rewriting, report: Report = silent
) -> Catalogue:
    """The next version of catalogue `name`: that catalogue with these texts by item id; other items keep theirs.

    Only `text` and what is counted of it change: `full_text`, which was read to write them, stays.
    """
    started = time.monotonic()
    check_name(name)
    manifest = catalogue.manifest
    with staged_folder(settings.catalogues_folder()) as folder:
        for each in _KEPT:
            _copy(catalogue.folder / each, folder / each)
        (folder / "items").mkdir()
        hashes, tokens, done = [], 0, 0
        for file in sorted((catalogue.folder / "items").glob("*.parquet")):
            with pq.ParquetWriter(folder / "items" / file.name, ITEM_SCHEMA, compression="zstd") as writer:
                for batch in pq.ParquetFile(file).iter_batches(8192):
                    items = _with_texts(pl.from_arrow(batch), texts)
                    hashes.append(content_hash(items.select("item_id", "price", "text").iter_rows()))
                    writer.write_table(items.to_arrow().cast(ITEM_SCHEMA))
                    tokens, done = tokens + int(items["tokens"].sum()), done + len(items)
                    report(Step("Writing items", done, "items", done / manifest.items))
        changed = {
            "name": name,
            "created": datetime.now(UTC),
            "pricer_version": pricer.__version__,
            "content_hash": merge_hashes(hashes),
            "tokens_mean": tokens / manifest.items,
            "rewriting": about,
        }
        return publish_catalogue(folder, manifest.model_copy(update=changed), started)


def changed_texts(catalogue: Catalogue, before: Catalogue, most: int = 100) -> pl.DataFrame:
    """Some items whose text is another than in the catalogue before: item_id, text, old; by id."""
    old, new = (
        pl.scan_parquet(each.folder / "items" / "*.parquet").select("item_id", "text") for each in (before, catalogue)
    )
    joined = new.join(old.rename({"text": "old"}), on="item_id").filter(pl.col("text") != pl.col("old"))
    return joined.sort("item_id").head(most).collect()


def _with_texts(items: pl.DataFrame, texts: Mapping[str, str]) -> pl.DataFrame:
    new = [texts.get(identifier) for identifier in items["item_id"]]
    counted = [None if text is None else len(ids) for text, ids in zip(new, _encoded(new), strict=True)]
    return items.with_columns(
        pl.coalesce(pl.Series(new, dtype=pl.String), "text").alias("text"),
        pl.coalesce(pl.Series(counted, dtype=pl.Int32), "tokens").alias("tokens"),
    )


def _encoded(texts: list[str | None]) -> list[list[int]]:
    return llama3().encode_ordinary_batch([text or "" for text in texts], num_threads=1)


def _copy(source: Path, target: Path) -> None:
    """What never changes is linked where the file system can, and takes no room."""
    if source.is_dir():
        shutil.copytree(source, target, copy_function=_link)
    else:
        _link(source, target)


def _link(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
