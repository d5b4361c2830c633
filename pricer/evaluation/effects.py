"""What a change of train does to a run's errors: two runs side by side, by price band and by category, on one exam."""

from dataclasses import dataclass
from typing import Literal

import polars as pl

from pricer.evaluation.comparison import NOTHING, Paired, paired, require_same_exam
from pricer.evaluation.errors import GradedRun, Reading, asked, metrics, parts_of, price_bands, weights
from pricer.evaluation.intervals import mean_interval
from pricer.evaluation.scoring import scored
from pricer.evaluation.slices import BAND_NAMES

By = Literal["band", "category"]

MOST_SLICES = 12  # categories beyond the largest eleven are taken together
OTHERS = "others"
SCHEMA = {
    "slice": pl.String,  # a price band as in `BAND_NAMES`, or a category
    "items": pl.Int64,
    "error_reference": pl.Float64,  # dollars
    "error": pl.Float64,
    "difference": pl.Float64,  # error less error_reference, on the same items
    "low": pl.Float64,  # its interval; null where too few groups differ to tell
    "high": pl.Float64,
    "verdict": pl.String,  # "better", "worse" or "tie", of the run beside the reference
}


@dataclass(frozen=True)
class Effect:
    """How a run differs from a reference on the same exam; differences are its error less the reference's."""

    natural: Paired
    balanced: Paired
    bands: pl.DataFrame  # as SCHEMA, cheapest first
    categories: pl.DataFrame  # as SCHEMA, most items first


def effect(reference: GradedRun, other: GradedRun, reading: Reading = "natural", seed: int = 0) -> Effect:
    """Set a run beside a reference; the slices are of one reading, the totals of both.

    PricerError where the two were graded on different exams.
    """
    return Effect(
        natural=paired(other, reference, "natural", seed=seed),
        balanced=paired(other, reference, "balanced", seed=seed),
        bands=slices(reference, other, "band", reading, seed),
        categories=slices(reference, other, "category", reading, seed),
    )


def slices(reference: GradedRun, other: GradedRun, by: By, reading: Reading = "natural", seed: int = 0) -> pl.DataFrame:
    """One row a slice of the items that both were asked; columns as in `SCHEMA`.

    The intervals hold together: of all slices none misses its true difference, 19 times in 20 (Bonferroni). With one
    interval of 95 % each, of eight slices one would look different by chance alone in every third comparison.
    """
    require_same_exam([reference, other])
    table = _common(reference, other, reading)
    names = _slice_names(table, by)
    found = [table.filter(names == name) for name in _in_order(names, by)]
    confidence = 1 - 0.05 / max(1, len(found))
    rows = [_row(part, name, reading, confidence, seed) for part, name in zip(found, _in_order(names, by), strict=True)]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _common(reference: GradedRun, other: GradedRun, reading: Reading) -> pl.DataFrame:
    ours, theirs = (scored(asked(run.table, reading), run.train_median) for run in (other, reference))
    theirs = theirs.select("item_id", pl.col("error").alias("error_reference"))
    return ours.join(theirs, on="item_id", maintain_order="left")


def _slice_names(table: pl.DataFrame, by: By) -> pl.Series:
    if by == "band":
        return pl.Series([BAND_NAMES[place] for place in price_bands(table)], dtype=pl.String)
    counted = table["category"].value_counts().sort(["count", "category"], descending=[True, False])["category"]
    kept = counted if len(counted) <= MOST_SLICES else counted[: MOST_SLICES - 1]
    return table.select(
        pl.when(pl.col("category").is_in(kept.implode())).then("category").otherwise(pl.lit(OTHERS)).alias("slice")
    )["slice"]


def _in_order(names: pl.Series, by: By) -> list[str]:
    """Bands by price; categories by their items, the others last."""
    if by == "band":
        occurring = set(names)
        return [name for name in BAND_NAMES if name in occurring]
    counted = names.alias("slice").value_counts().sort(["count", "slice"], descending=[True, False])["slice"].to_list()
    return sorted(counted, key=lambda name: name == OTHERS)


def _row(part: pl.DataFrame, name: str, reading: Reading, confidence: float, seed: int) -> tuple:
    weight = weights(parts_of(part, reading))
    reference, error = (float(weight @ part[column].to_numpy()) for column in ("error_reference", "error"))
    difference = (part["error"] - part["error_reference"]).to_numpy()
    bands = price_bands(part) if reading == "balanced" else None
    found = mean_interval(difference, part["group"].to_numpy(), bands, seed, confidence)
    return (name, len(part), reference, error, found.mean, found.low, found.high, _verdict(*found))


def _verdict(difference: float, low: float | None, high: float | None) -> str:
    if low is None or high is None or low <= 0 <= high or abs(difference) < NOTHING:
        return "tie"
    return "better" if difference < 0 else "worse"


STEP_SCHEMA = {
    "rung": pl.String,
    "family": pl.String,
    "error": pl.Float64,  # dollars
    "error_low": pl.Float64,
    "error_high": pl.Float64,
    "difference": pl.Float64,  # error less that of the rung before, on the same items; null for the first
    "low": pl.Float64,
    "high": pl.Float64,
    "verdict": pl.String,  # "better", "worse" or "tie"; null for the first
    "items_to_settle": pl.Int64,
}


def steps(rungs: list[tuple[str, GradedRun]], reading: Reading = "natural", seed: int = 0) -> pl.DataFrame:
    """What each rung of a ladder bought over the one before; columns as in `STEP_SCHEMA`.

    PricerError where they were graded on different exams.
    """
    rows = []
    for place, (label, run) in enumerate(rungs):
        found = metrics(run.table, run.train_median, reading, seed=seed)
        step = paired(run, rungs[place - 1][1], reading, seed=seed) if place else None
        rows.append(
            {
                "rung": label,
                "family": run.family,
                "error": found.error,
                "error_low": found.error_low,
                "error_high": found.error_high,
                "difference": step and step.difference,
                "low": step and step.low,
                "high": step and step.high,
                "verdict": step and ("tie" if step.tied else "better" if step.difference < 0 else "worse"),
                "items_to_settle": step and step.items_to_settle,
            }
        )
    return pl.DataFrame(rows, schema=STEP_SCHEMA)
