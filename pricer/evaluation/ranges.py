"""Price ranges, and whether they hold what they promise.

A range comes from a run's own distribution where it keeps one, otherwise from its guess; either is moved by how far
validation's prices were from theirs, by split conformal prediction (Papadopoulos et al., 2002; Lei et al., 2018):
validation and the natural exam are draws of one market, so a range that would have held a share of validation's prices
holds that share of the exam's, up to chance. A distribution whose validation was not kept is taken at its word.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from pricer.catalogue.roles import BANDS
from pricer.evaluation.errors import weighted_median, weights
from pricer.items import HIGHEST_SLOT, LOWEST_SLOT

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
USUAL_LEVEL = 0.8
FEWEST = 50  # validation items of a part that has distances of its own
LOWEST, HIGHEST = LOWEST_SLOT - 0.5, HIGHEST_SLOT + 0.5  # dollars; no price of a catalogue lies outside
ROUNDING = 1e-9  # by which a price that stands exactly at an end, as many do at $9.99, must not fall out


@dataclass(frozen=True)
class Ranges:
    """The low and high end of each item's range in dollars, NaN where there is none, at one level."""

    level: float
    low: np.ndarray  # float64 (items,)
    high: np.ndarray
    calibrated_on: float | None = None  # items of validation that they were made from

    def only(self, rows: np.ndarray) -> "Ranges":
        """Those of some items (places or a mask), made from as large a part of validation."""
        low, high = self.low[rows], self.high[rows]
        share = len(low) / max(1, len(self.low))
        return Ranges(self.level, low, high, self.calibrated_on and self.calibrated_on * share)


# From validation


def conformal_ranges(
    guesses: np.ndarray, categories: Sequence[str], validation: pl.DataFrame, level: float = USUAL_LEVEL
) -> Ranges:
    """Ranges around guesses from how far validation's prices were from theirs.

    `validation` has price, guess (dollars, null or not finite where there is none) and category. Distances are those
    of the logarithms, since a guess of $500 is off by more dollars than one of $5; they are taken by side, as prices
    reach further up than down. Of each side the ceil((n + 1) (1 + level) / 2)-th smallest is used, which keeps the
    promise for any n. They are taken by cell, category and price band of the guess (Mondrian; Vovk et al., 2005), or
    the promise would be kept by easy items alone. Cells of fewer than 50 validation items are one with the others of
    their band, and where these are still fewer, with all that is left: no item lends its distances to two cells, which
    would make promises on behalf of harder ones. NaN where validation is too small to promise so much.
    """
    known = validation.filter(pl.col("guess").is_finite().fill_null(False))
    base = np.clip(known["guess"].to_numpy(), LOWEST_SLOT, HIGHEST_SLOT)
    guesses = np.clip(np.asarray(guesses, dtype=np.float64), LOWEST_SLOT, HIGHEST_SLOT)
    points, bases = (Ranges(level, point, point) for point in (guesses, base))
    return _moved(
        points, _cells(categories, guesses), bases, _cells(known["category"], base), known["price"].to_numpy()
    )


def conformal_quantiles(
    ranges: Ranges, guesses: np.ndarray, categories: Sequence[str], of_validation: Ranges, validation: pl.DataFrame
) -> Ranges:
    """Ranges of distributions, moved by how far validation's prices were beyond theirs, as `conformal_ranges` moves
    guesses; what was too narrow is widened, and what was too wide narrowed.

    This is conformalised quantile regression (Romano, Patterson and Candès, 2019, theorem 2: each side by itself), on
    logarithms and by cell. `of_validation` has a range for each row of `validation`, of the same level.
    """
    cells, own = _cells(categories, guesses), _cells(validation["category"], validation["guess"].to_numpy())
    return _moved(ranges, cells, of_validation, own, validation["price"].to_numpy())


def _cells(categories: Iterable[str], guesses: np.ndarray) -> list[tuple[str, int]]:
    return list(zip(categories, _band_of(guesses), strict=True))


def _moved(
    ranges: Ranges,
    cells: list[tuple[str, int]],
    of_validation: Ranges,
    own_cells: list[tuple[str, int]],
    prices: np.ndarray,
) -> Ranges:
    """Both ends of ranges, moved by those distances of validation's prices from theirs that keep the promise."""
    below, above = np.log(prices) - np.log(of_validation.low), np.log(prices) - np.log(of_validation.high)
    part_of = _parts(own_cells)
    by_part: dict[object, list[int]] = {}
    for place, cell in enumerate(own_cells):
        by_part.setdefault(part_of(cell), []).append(place)
    ends_of = {part: _ends(below[places], above[places], ranges.level) for part, places in by_part.items()}
    of_all = _ends(below, above, ranges.level)
    ends = np.array([ends_of.get(part_of(cell), of_all) for cell in cells], dtype=np.float64).reshape(len(cells), 2)
    low = np.clip(ranges.low * np.exp(ends[:, 0]) * (1 - ROUNDING), LOWEST, HIGHEST)
    high = np.clip(ranges.high * np.exp(ends[:, 1]) * (1 + ROUNDING), LOWEST, HIGHEST)
    crossed = low > high  # where both ends are moved inwards, past each other, what is left is their middle
    middle = np.sqrt(low * high)
    return Ranges(ranges.level, np.where(crossed, middle, low), np.where(crossed, middle, high), len(prices))


def _band_of(guesses: np.ndarray) -> list[int]:
    return np.clip(np.searchsorted(BANDS, np.nan_to_num(guesses), side="right") - 1, 0, len(BANDS) - 2).tolist()


def _parts(cells: list[tuple[str, int]]) -> Callable[[tuple[str, int]], object]:
    """Which part a cell of category and band belongs to: itself, the rest of its band, or the rest of all (None)."""
    whole = {cell for cell, count in Counter(cells).items() if count >= FEWEST}
    bands = {band for band, count in Counter(cell[1] for cell in cells if cell not in whole).items() if count >= FEWEST}
    return lambda cell: cell if cell in whole else cell[1] if cell[1] in bands else None


def _ends(below: np.ndarray, above: np.ndarray, level: float) -> tuple[float, float]:
    """How far the lower and the upper end move, each to miss at most (1 - level) / 2 of what comes."""
    count = len(below)
    place = math.ceil((count + 1) * (1 + level) / 2)
    if place > count:
        return math.nan, math.nan
    return float(np.sort(below)[count - place]), float(np.sort(above)[place - 1])


# From a distribution


def distribution_ranges(chances: np.ndarray, level: float = USUAL_LEVEL) -> Ranges:
    """Ranges of distributions over slots 0 to 999, float (items, 1000): the slots between which `level` lies.

    Each side is left with at most (1 - level) / 2. An end is a slot's edge, half a dollar from its middle.
    """
    return ranges_between(cumulated(chances), level)


def cumulated(chances: np.ndarray) -> np.ndarray:
    """The chance of each slot or a lower one: float64 (items, 1000), ending at 1 however the chances were rounded."""
    reached = np.cumsum(chances, axis=1, dtype=np.float64)
    reached /= np.maximum(reached[:, -1:], 1e-12)
    return reached


def ranges_between(reached: np.ndarray, level: float) -> Ranges:
    """`distribution_ranges` of what `cumulated` gives, so that several levels add up once."""
    tail = (1 - level) / 2
    low = (reached < tail - 1e-9).sum(axis=1)
    high = (reached < 1 - tail - 1e-9).sum(axis=1)
    return Ranges(level, np.maximum(low - 0.5, LOWEST), np.minimum(high + 0.5, HIGHEST))


def read_point(chances: np.ndarray, point: str, quantile: float = 0.5) -> np.ndarray:
    """One price a row of distributions over slots: float64 (items,) dollars.

    "median", which has the least expected absolute error; "mean"; "mode" (the likeliest slot, the lowest of equals);
    "top 3", the mean of the three likeliest slots by their chances, as the first notebook reads a tuned Llama; or the
    "quantile".
    """
    chances = chances.astype(np.float64)
    if point == "mean":
        return chances @ np.arange(chances.shape[1]) / np.maximum(chances.sum(axis=1), 1e-12)
    if point == "mode":
        return chances.argmax(axis=1).astype(np.float64)
    if point == "top 3":
        slots = np.argsort(-chances, axis=1, kind="stable")[:, :3]
        shares = np.take_along_axis(chances, slots, axis=1)
        return (slots * shares).sum(axis=1) / np.maximum(shares.sum(axis=1), 1e-12)
    quantile = 0.5 if point == "median" else quantile
    reached = np.cumsum(chances, axis=1)
    return (reached < quantile * reached[:, -1:] - 1e-9).sum(axis=1).astype(np.float64)


def ranked_probability_score(chances: np.ndarray, prices: np.ndarray) -> np.ndarray:
    """The continuous ranked probability score of each distribution in dollars: float64 (items,), less is better.

    The sum over whole dollars of the squared difference between the distribution's and the price's step (Matheson and
    Winkler, 1976; Gneiting and Raftery, 2007). Of a certain guess it is the absolute error.
    """
    reached = cumulated(chances)
    stands = np.arange(chances.shape[1])[None, :] >= np.round(prices)[:, None]
    return ((reached - stands) ** 2).sum(axis=1)


# What they are worth


@dataclass(frozen=True)
class Coverage:
    """How many prices lie within their ranges, of those that have one, and how wide the ranges are."""

    level: float  # what was promised
    items: int
    covered: float | None  # share, 0 to 1
    low: float | None  # its 95 % interval, by chance in the items asked and in those of validation
    high: float | None
    median_width: float | None  # dollars
    median_ratio: float | None  # high end over low end
    score: float | None  # mean interval score in dollars, less is better

    @property
    def keeps_promise(self) -> bool | None:
        """Whether what was promised lies in the interval of what was seen."""
        return None if self.low is None else self.low <= self.level <= self.high


def coverage(prices: np.ndarray, ranges: Ranges, parts: np.ndarray | None = None) -> Coverage:
    """Hold ranges against the prices; with (items,) price bands as `parts`, each of these weighs the same.

    The interval is Wilson's (1927) for a share. Ranges from n items of validation would themselves hold more or less
    by chance, which adds as much to the variance as n items asked, so it is that of 1 / (1/items + 1/n) items; of
    items that weigh differently as many are counted as would tell as much alike (Kish, 1965). The interval score adds
    to the width 2 / (1 - level) dollars for every dollar that the price lies outside (Gneiting and Raftery, 2007,
    equation 43): neither wide nor bold ranges win it.
    """
    known = np.isfinite(ranges.low) & np.isfinite(ranges.high)
    count = int(known.sum())
    if not count:
        return Coverage(ranges.level, 0, None, None, None, None, None, None)
    price, low, high = prices[known], ranges.low[known], ranges.high[known]
    inside = (low <= price) & (price <= high)
    outside = np.maximum(low - price, 0) + np.maximum(price - high, 0)
    score = (high - low) + 2 / (1 - ranges.level) * outside
    weight = weights(np.zeros(count, dtype=np.int64) if parts is None else parts[known])
    covered, told = float(weight @ inside), 1 / (weight @ weight)
    return Coverage(
        ranges.level,
        count,
        covered,
        *wilson(covered, 1 / (1 / told + (1 / ranges.calibrated_on if ranges.calibrated_on else 0))),
        weighted_median(high - low, weight),
        weighted_median(high / low, weight),
        float(weight @ score),
    )


def wilson(share: float, count: float, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % interval of what a share of `count` items stands for (Wilson, 1927)."""
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * math.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return max(0.0, middle - half), min(1.0, middle + half)
