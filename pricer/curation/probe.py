"""A fixed random part of a pool: it shows at once, about, what reading every item would show."""

from dataclasses import dataclass

import numpy as np
import polars as pl
import xxhash

from pricer.catalogue.roles import BANDS
from pricer.catalogue.store import Catalogue
from pricer.curation.sampler import Plan, in_sample
from pricer.draws import draw
from pricer.items import LOWEST_SLOT

PROBE_STREAM = xxhash.xxh3_64_intdigest(b"probe")  # independent of exams and samples
MOST_ITEMS = 20_000
COLUMNS = ("key", "slot", "category", "price", "title", "characters", "weight_pounds")


@dataclass(frozen=True, eq=False)
class Probe:
    """A simple random sample of the pool's slots 1 to 999, the same for every recipe."""

    items: pl.DataFrame  # the columns of COLUMNS, by key, so the first few are of all categories; null is unknown
    pool: int  # the items that it was drawn from


def probe_pool(catalogue: Catalogue, most_items: int = MOST_ITEMS) -> Probe:
    """Draw at most so many items of a catalogue's pool: those with the smallest draws of a stream of their own."""
    pool = catalogue.pool().filter(pl.col("slot") >= LOWEST_SLOT)
    keys = pool.select("key").collect()["key"]
    draws = draw(keys.to_numpy(), PROBE_STREAM, 0)
    if len(keys) > most_items:
        keys = keys.filter(pl.Series(draws < np.partition(draws, most_items)[most_items]))
    chosen = pool.filter(pl.col("key").is_in(keys.implode()))
    return Probe(chosen.select(COLUMNS).collect().sort("key"), len(draws))


def by_band(probe: Probe, plan: Plan, column: str) -> pl.DataFrame:
    """One row per price band that has a value: lowest, highest (dollars), and of these before and after:

    `_known` counts the values, `_low`, `_median` and `_high` are their quartiles; after means: in the plan's sample.
    """
    kept = _kept(probe.items, plan)
    bands = np.searchsorted(BANDS, probe.items["price"].to_numpy(), side="right") - 1
    known = probe.items.select(value=column).with_columns(band=bands, kept=kept).drop_nulls("value")
    before, after = (_quartiles(part, name) for name, part in (("before", known), ("after", known.filter("kept"))))
    joined = before.join(after, on="band", how="left").sort("band")
    edges = np.array(BANDS)[[joined["band"], joined["band"] + 1]]
    return joined.select(pl.Series("lowest", edges[0]), pl.Series("highest", edges[1] - 1), pl.exclude("band"))


def changed_items(probe: Probe, plan: Plan, other: Plan, most: int = 10) -> pl.DataFrame:
    """Some items that another plan adds, and some that it removes: change, title, category, price; by price."""
    here, there = _kept(probe.items, plan), _kept(probe.items, other)
    shown = probe.items.select("title", "category", "price")
    parts = {"added": there & ~here, "removed": here & ~there}
    some = [shown.filter(part).head(most).sort("price", "title") for part in parts.values()]
    return pl.concat(
        part.insert_column(0, pl.repeat(change, len(part), dtype=pl.String, eager=True).alias("change"))
        for change, part in zip(parts, some, strict=True)
    )


def share_unknown(probe: Probe, column: str) -> float:
    """The share (0 to 1) of the items without a value."""
    return probe.items[column].null_count() / max(1, len(probe.items))


def _kept(items: pl.DataFrame, plan: Plan) -> np.ndarray:
    codes = items["category"].cast(pl.Enum(plan.categories)).to_physical().to_numpy()
    return in_sample(items["key"].to_numpy(), items["slot"].to_numpy(), codes, plan)


def _quartiles(items: pl.DataFrame, name: str) -> pl.DataFrame:
    value = pl.col("value").cast(pl.Float64)
    return items.group_by("band").agg(
        pl.len().cast(pl.Int64).alias(f"{name}_known"),
        value.quantile(0.25, "linear").alias(f"{name}_low"),
        value.median().alias(f"{name}_median"),
        value.quantile(0.75, "linear").alias(f"{name}_high"),
    )
