"""Price ranges of recorded runs: from the distribution that a run keeps, or from what it guessed of validation."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace

import numpy as np
import polars as pl

from pricer.evaluation.errors import Reading, asked, parts_of, price_bands, weights
from pricer.evaluation.ranges import (
    LEVELS,
    Ranges,
    conformal_quantiles,
    conformal_ranges,
    coverage,
    cumulated,
    ranges_between,
    ranked_probability_score,
)
from pricer.evaluation.slices import BAND_NAMES
from pricer.models import GivesDistribution, Model
from pricer.models.registry import find_kind
from pricer.runs.store import IMPORTED, Run

_STRIP = {
    "part": pl.String,
    "level": pl.Float64,
    "items": pl.Int64,
    "covered": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "median_width": pl.Float64,
    "median_ratio": pl.Float64,
    "score": pl.Float64,
    "keeps_promise": pl.Boolean,
}


def has_ranges(run: Run) -> bool:
    """Whether a run keeps what ranges are made of; imported guesses do not, nor do runs of early versions."""
    return run.distribution() is not None or run.validation_guesses() is not None


def ranges_of(run: Run, levels: Iterable[float]) -> tuple[pl.DataFrame, list[Ranges]]:
    """The guessed exam items of a run, with price and ranks, and their ranges at each level; none where there are none.

    Where an item has no answer it has no range.
    """
    table, chances, validation = run.graded().table, run.distribution(), run.validation_guesses()
    guesses, categories = table["guess"].fill_null(np.nan).to_numpy(), table["category"].to_list()
    if chances is not None:
        reached, own = cumulated(chances), _reached_of_validation(run)
        found = [_of_chances(reached, guesses, categories, validation, own, level) for level in levels]
        return table, [_where(np.isfinite(guesses), each) for each in found]
    if validation is None:
        return table, []
    return table, [conformal_ranges(guesses, categories, validation, level) for level in levels]


def why_none(run: Run) -> str:
    """Why a run has no ranges, in a few words."""
    if run.manifest.model == IMPORTED:
        return "imported, and so without guesses of validation"
    if not find_kind(run.manifest.model).asks_validation:
        return "not asked validation, as its answers are paid for or slow"
    if run.validation_guesses() is None:
        return "of a version that kept no guesses of validation; train anew for ranges"
    return "with too few items of validation"


def origin(run: Run) -> str:
    """What a run's ranges are made from, in a few words."""
    if run.distribution() is None:
        return "validation"
    return "its distribution alone" if run.validation_distribution() is None else "its distribution and validation"


def _of_chances(
    reached: np.ndarray,
    guesses: np.ndarray,
    categories: Sequence[str],
    validation: pl.DataFrame | None,
    own: np.ndarray | None,
    level: float,
) -> Ranges:
    """The ranges of distributions, moved by validation's where these were kept: each as `cumulated` gives it."""
    ranges = ranges_between(reached, level)
    if validation is None or own is None:
        return ranges
    return conformal_quantiles(ranges, guesses, categories, ranges_between(own, level), validation)


def _reached_of_validation(run: Run) -> np.ndarray | None:
    """The cumulated chances of each row of `Run.validation_guesses`; None where they were not kept."""
    chances = run.validation_distribution()
    return None if chances is None else cumulated(chances)


def range_of_guess(
    run: Run, model: Model, items: pl.DataFrame, guesses: np.ndarray, validation: pl.DataFrame | None, level: float
) -> Ranges | None:
    """The ranges of described products: of the model's distribution, or from the run's guesses of validation.

    None where the run has neither, or its validation is too small to promise so much; a distribution whose validation
    is too small is taken at its word.
    """
    if isinstance(model, GivesDistribution):
        reached = cumulated(model.predict_distribution(items))
        own = _reached_of_validation(run)
        found = _of_chances(reached, guesses, items["category"].to_list(), validation, own, level)
        return found if np.isfinite(found.low).all() else ranges_between(reached, level)
    if validation is None:
        return None
    found = conformal_ranges(guesses, items["category"].to_list(), validation, level)
    return found if np.isfinite(found.low).all() else None


def strip_of(run: Run, reading: Reading = "natural") -> pl.DataFrame:
    """What a run's ranges hold at each level, one row a level: part (the reading), then `Coverage`."""
    table, found = ranges_of(run, LEVELS)
    rows = [_row(reading, *_of_reading(table, ranges, reading), reading) for ranges in found]
    return pl.DataFrame(rows, schema=_STRIP)


def ranked_score(run: Run, reading: Reading = "natural") -> float | None:
    """The ranked probability score of a run's own distributions in dollars; None of a run without, or of no item."""
    chances = run.distribution()
    if chances is None:
        return None
    chosen = asked(run.graded().table.with_row_index("row"), reading)
    if chosen.is_empty():
        return None
    scores = ranked_probability_score(chances[chosen["row"].to_numpy()], chosen["price"].to_numpy())
    return float(weights(parts_of(chosen, reading)) @ scores)


def coverage_of_parts(run: Run, reading: Reading, level: float, part: str) -> pl.DataFrame:
    """What a run's ranges of one level hold in every category or price band: one row a part."""
    rows = []
    for table, ranges in zip(*_pair(ranges_of(run, [level])), strict=True):
        chosen, within = _of_reading(table, ranges, reading)
        names = _names(chosen, part)
        for name in sorted(set(names), key=list(BAND_NAMES).index if part == "band" else str):
            own = np.array([each == name for each in names])
            rows.append(_row(name, chosen.filter(own), within.only(own), reading))
    return pl.DataFrame(rows, schema=_STRIP)


def _pair(found: tuple[pl.DataFrame, list[Ranges]]) -> tuple[list[pl.DataFrame], list[Ranges]]:
    table, ranges = found
    return [table] * len(ranges), ranges


def _names(table: pl.DataFrame, part: str) -> list[str]:
    if part == "band":
        return [BAND_NAMES[place] for place in price_bands(table)]
    return table[part].to_list()


def _of_reading(table: pl.DataFrame, ranges: Ranges, reading: Reading) -> tuple[pl.DataFrame, Ranges]:
    """The items of an exam, and their ranges."""
    chosen = asked(table.with_row_index("row"), reading)
    return chosen, ranges.only(chosen["row"].to_numpy())


def _row(part: str, table: pl.DataFrame, ranges: Ranges, reading: Reading) -> dict:
    found = coverage(table["price"].to_numpy(), ranges, parts_of(table, reading))
    return {"part": part} | asdict(found) | {"keeps_promise": found.keeps_promise}


def _where(known: np.ndarray, ranges: Ranges) -> Ranges:
    return replace(ranges, low=np.where(known, ranges.low, np.nan), high=np.where(known, ranges.high, np.nan))
