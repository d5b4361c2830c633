"""Errors by part of an exam: by category, by price band, by both, and the parts where a run is weak."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from itertools import pairwise

import numpy as np
import polars as pl

from pricer.catalogue.roles import BANDS
from pricer.evaluation.errors import Metrics, Reading, parts_of, point_metrics, price_bands, weights
from pricer.evaluation.intervals import CONFIDENCE, mean_interval

FEWEST = 30  # items of a part that is looked at for weakness; with fewer an interval says little
MOST_STORES = 20
BAND_NAMES = tuple(f"${low:g} to ${high:,g}" for low, high in pairwise(BANDS))
TEXT_COLUMNS = ("store", "characters", "weight_pounds", "rank")  # of an exam, which parts may be made of


_INTERVAL = ("error_low", "error_high")
_BY_PART = {"part": pl.String, "items": pl.Int64} | dict.fromkeys(("error", "low", "high"), pl.Float64)
_BY_PART |= {it.name: pl.Float64 for it in fields(Metrics) if it.name not in (*_BY_PART, *_INTERVAL, "bands")}


def by_part(table: pl.DataFrame, part: str, reading: Reading = "natural") -> pl.DataFrame:
    """Every figure of a scored table in every value of a column: part, items, error, low and high, and the further
    fields of `Metrics`.

    `part` is a column, or "band" for the price bands. Parts come by their number of items, bands by price. In the
    balanced reading a part's figures are means of the means of the price bands that it has; where one of these has a
    single group, there is no interval.
    """
    named = _with_band(table)
    rows = []
    for [value], items in named.group_by(part, maintain_order=True):
        bands = parts_of(items, reading)
        _, low, high = mean_interval(items["error"].to_numpy(), items["group"].to_numpy(), bands)
        low = None if low is None else max(0.0, low)
        rows.append(asdict(point_metrics(items, reading)) | {"part": value, "low": low, "high": high})
    found = pl.DataFrame([{name: row[name] for name in _BY_PART} for row in rows], schema=_BY_PART)
    if part == "band":
        return found.sort(pl.col("part").replace_strict({name: i for i, name in enumerate(BAND_NAMES)}))
    return found.sort("items", "part", descending=[True, False])


def in_order(tables: Iterable[pl.DataFrame], part: str) -> list[str]:
    """The parts that occur in tables of `by_part`: bands by price, others by the most items that a table has of them.

    >>> one, other = pl.DataFrame({"part": ["a", "b"], "items": [9, 2]}), pl.DataFrame({"part": ["c"], "items": [5]})
    >>> in_order([one, other], "category")
    ['a', 'c', 'b']
    """
    found = pl.concat([table.select("part", "items") for table in tables]).group_by("part").agg(pl.col("items").max())
    if part == "band":
        return [band for band in BAND_NAMES if band in set(found["part"])]
    return found.sort("items", "part", descending=[True, False])["part"].to_list()


def grid(table: pl.DataFrame, most_categories: int = 10) -> pl.DataFrame:
    """The error of a scored table by category and price band: category, band, items, error, ratio.

    The ratio is the cell's error over the mean error of its band: dollars grow with price, so that the error itself
    would only tell dear from cheap. The smaller categories are one, named None.
    """
    largest = table["category"].value_counts(sort=True)["category"].head(most_categories).to_list()
    named = _with_band(table).with_columns(
        pl.when(pl.col("category").is_in(largest)).then("category").alias("category"),
        (pl.col("error") / pl.col("error").mean().over("band")).alias("ratio"),
    )
    return named.group_by("category", "band").agg(pl.len().alias("items"), pl.col("error", "ratio").mean())


def weak_parts(
    table: pl.DataFrame, reading: Reading = "natural", columns: Sequence[str] = TEXT_COLUMNS
) -> pl.DataFrame:
    """The parts of a scored table where it errs more than their prices explain, the weakest first.

    Parts: categories, large stores, quarters by length of text, items that state a weight or a rank or do not. Every
    error is taken as a share of the mean error of items of like price (forty bands of equal size), and a part is weak
    where the mean of these is above 1 with an interval that leaves 1 outside; as many parts are looked at, each
    interval is Bonferroni's, so that the chance of a single false alarm among all stays at 5 %. What is usual is that
    of like prices, so every item counts the same there; `error` is the part's in the reading.
    Columns: part, items, error (dollars), times (of what is usual at such prices), low, high.
    """
    schema = {"part": pl.String, "items": pl.Int64, "error": pl.Float64}
    schema |= dict.fromkeys(("times", "low", "high"), pl.Float64)
    parts = parts_to_look_at(table, columns)
    if not parts:
        return pl.DataFrame(schema=schema)
    usual = table["error"].to_numpy() / _usual_error(table)
    confidence = 1 - (1 - CONFIDENCE) / len(parts)
    groups, errors, weighed = table["group"].to_numpy(), table["error"].to_numpy(), parts_of(table, reading)
    rows = []
    for name, chosen in parts.items():
        times = usual[chosen]
        if times.mean() <= 1:
            continue
        mean, low, high = mean_interval(times, groups[chosen], confidence=confidence)
        if low is not None and low > 1:
            row = {"part": name, "items": int(chosen.sum()), "error": float(weights(weighed[chosen]) @ errors[chosen])}
            rows.append(row | {"times": mean, "low": low, "high": high})
    return pl.DataFrame(rows, schema=schema).sort("times", descending=True)


def parts_to_look_at(table: pl.DataFrame, columns: Sequence[str] = TEXT_COLUMNS) -> dict[str, np.ndarray]:
    """Which items belong to each part that is large enough, and leaves enough outside, to be found weak: bool."""
    if table.is_empty():
        return {}
    return {name: chosen for name, chosen in _parts(table, columns) if FEWEST <= chosen.sum() <= len(table) - FEWEST}


def _usual_error(table: pl.DataFrame, most_bands: int = 40) -> np.ndarray:
    """The mean error of items of like price, one an item: bands of equal size with at least FEWEST items."""
    bands = min(most_bands, max(1, len(table) // FEWEST))
    ranks = np.argsort(np.argsort(table["price"].to_numpy(), kind="stable"), kind="stable")
    place = ranks * bands // len(table)
    errors = table["error"].to_numpy()
    means = np.bincount(place, errors) / np.bincount(place)
    return np.maximum(means[place], 1e-9)


def _parts(table: pl.DataFrame, columns: Sequence[str]):
    """The names of parts, and which items belong to each: (items,) bool."""
    for category in table["category"].unique().sort():
        yield f"category {category}", (table["category"] == category).to_numpy()
    if "store" in columns and "store" in table.columns:
        stores = table.filter(pl.col("store") != "")["store"].value_counts(sort=True).head(MOST_STORES)
        for store in stores["store"].sort():
            yield f"store {store}", (table["store"] == store).fill_null(False).to_numpy()
    if "characters" in columns and "characters" in table.columns:
        length = table["characters"].to_numpy()
        edges = np.quantile(length, [0.25, 0.5, 0.75])
        quarter = np.searchsorted(edges, length)
        names = ("shortest quarter of texts", "second quarter of texts", "third quarter of texts", "longest texts")
        for place, name in enumerate(names):
            yield name, quarter == place
    for column, what in (("weight_pounds", "weight"), ("rank", "best-seller rank")):
        if column in columns and column in table.columns:
            stated = table[column].is_not_null().to_numpy()
            yield f"{what} stated", stated
            yield f"no {what} stated", ~stated


def _with_band(table: pl.DataFrame) -> pl.DataFrame:
    names = [BAND_NAMES[place] for place in price_bands(table)]
    return table.with_columns(band=pl.Series(names, dtype=pl.String))
