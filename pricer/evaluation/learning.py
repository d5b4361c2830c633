"""Learning curves: how the error falls with items of train, and a forecast of more, with a band.

The error of n items is taken to follow a + b·n^(-c): a floor, and a gap to it that shrinks by a power (Cortes et al.,
1994, "Learning curves: asymptotic values and rate of convergence"; Hestness et al., 2017, "Deep learning scaling is
predictable, empirically"). Curves need not be of that form, nor fall at all (Viering and Loog, 2023, "The shape of
learning curves: a review"), so that what does not fall steadily is not forecast, nor what lies too far ahead.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from pricer.errors import PricerError
from pricer.evaluation.comparison import error_matrix, require_same_exam
from pricer.evaluation.errors import GradedRun, Reading, asked, price_bands
from pricer.evaluation.intervals import CONFIDENCE, mean_intervals
from pricer.evaluation.scoring import scored

FEWEST_SIZES = 5  # the curve has three numbers to find; of four sizes the band is too wide to be of use
FARTHEST = 8  # times the largest size; beyond it the band says nothing that helps
RESAMPLES = 1_000
# Two draws of train of one size differ by about this share of the error, however well the curve fits the sizes at hand
# (tfidf-ridge, six draws of each size of a demo and of real products: 1.0 to 2.1 %).
DRAW_NOISE = 0.01
_POWERS = np.geomspace(0.05, 2, 40)  # c; below, the curve is a logarithm; above, it has fallen already
CURVE_SCHEMA = {"train_items": pl.Int64, "error": pl.Float64, "low": pl.Float64, "high": pl.Float64}
FORECAST_SCHEMA = {
    "train_items": pl.Int64,
    "error": pl.Float64,  # dollars, on the same exam
    "low": pl.Float64,  # 95 % band of what a run of that size will err on the same exam
    "high": pl.Float64,
    "gain": pl.Float64,  # dollars less than the largest run errs; its band is gain_low to gain_high
    "gain_low": pl.Float64,
    "gain_high": pl.Float64,
}


@dataclass(frozen=True)
class Curve:
    """Errors on the exam items that all runs of a curve were asked, smallest train first."""

    sizes: np.ndarray  # (sizes,) items of train
    errors: np.ndarray  # (items, sizes) dollars
    groups: np.ndarray  # (items,)
    bands: np.ndarray | None  # (items,) price bands, in the balanced reading


def curve_of(runs: list[tuple[int, GradedRun]], reading: Reading = "natural") -> Curve:
    """Put runs, each with its number of train items, on one curve; PricerError where their exams differ."""
    require_same_exam([run for _, run in runs])
    runs = sorted(runs, key=lambda each: each[0])
    items, errors = error_matrix([scored(asked(run.table, reading), run.train_median) for _, run in runs])
    common = ~np.isnan(errors).any(axis=1)
    items, errors = items.filter(common), errors[common]
    bands = price_bands(items) if reading == "balanced" else None
    return Curve(np.array([size for size, _ in runs], dtype=float), errors, items["group"].to_numpy(), bands)


@dataclass(frozen=True)
class Learning:
    """What stands of a learning curve, and what lies ahead of it."""

    measured: pl.DataFrame  # as CURVE_SCHEMA
    ahead: pl.DataFrame | None  # as FORECAST_SCHEMA
    refused: str | None  # why nothing is said of what lies ahead


def look_ahead(
    runs: list[tuple[int, GradedRun]], train_items: int, reading: Reading = "natural", seed: int = 0
) -> Learning:
    """The curve of runs, each with its number of train items; and its forecast, for all of train among others."""
    curve = curve_of(runs, reading)
    refused = why_no_forecast(curve)
    ahead = None if refused else forecast(curve, sizes_ahead(int(curve.sizes[-1]), train_items), seed)
    return Learning(measured(curve, seed), ahead, refused)


def measured(curve: Curve, seed: int = 0) -> pl.DataFrame:
    """The mean error of each size with its 95 % interval; columns as in `CURVE_SCHEMA`."""
    found = mean_intervals(curve.errors, curve.groups, curve.bands, seed)
    rows = [(int(size), *interval) for size, interval in zip(curve.sizes, found, strict=True)]
    return pl.DataFrame(rows, schema=CURVE_SCHEMA, orient="row")


def why_no_forecast(curve: Curve) -> str | None:
    """Why nothing can be said of more items, in a sentence; None where it can."""
    sizes = len(set(curve.sizes))
    if sizes < FEWEST_SIZES:
        return f"a forecast needs {FEWEST_SIZES} sizes or more; {sizes} stand"
    if curve.sizes[-1] < 4 * curve.sizes[0]:
        return "a forecast needs sizes from one to at least four times as many items"
    means = _means(curve)[0]
    if (np.diff(means) > DRAW_NOISE * means[:-1]).any() or means[-1] >= means[0]:
        return "the errors do not fall steadily with more items, so no curve that falls can be trusted to go on"
    return None


def sizes_ahead(largest: int, train_items: int) -> list[int]:
    """Where a forecast is of use: two and four times the largest size, and all of train where that is not too far.

    >>> sizes_ahead(1000, 1000), sizes_ahead(1000, 2010), sizes_ahead(1000, 7000)
    ([2000, 4000], [2010, 4000], [2000, 4000, 7000])
    """
    ahead = [2 * largest, 4 * largest]
    if largest < train_items <= FARTHEST * largest:
        ahead = [size for size in ahead if not 0.8 < size / train_items < 1.25] + [train_items]
    return sorted(ahead)


def forecast(curve: Curve, at: list[int], seed: int = 0) -> pl.DataFrame:
    """What runs of other sizes will err on the same exam, with a band; columns as in `FORECAST_SCHEMA`.

    The curve is fitted anew to resamples: groups of exam items are drawn with replacement, the same for all sizes, and
    each size's error is moved by a noise as large as what the curve leaves over, of as few sizes as there are (a
    t-distribution), yet at least `DRAW_NOISE`. A forecast is moved by it too. Its band is that of its difference from
    the largest run, which the exam's own chance hardly touches. It widens with the distance and holds only if the curve
    goes on as it was. PricerError where nothing can be said, or beyond `FARTHEST` times the largest size.
    """
    refused = why_no_forecast(curve)
    if refused:
        raise PricerError(refused)
    farthest = int(FARTHEST * curve.sizes[-1])
    if max(at) > farthest:
        raise PricerError(
            f"{max(at):,} items are more than {FARTHEST} times the largest run; a forecast ends at {farthest:,}"
        )
    rng = np.random.default_rng(seed)
    ahead = np.array(at, dtype=float)
    means = _means(curve)
    weights = 1 / means[0] ** 2  # errors of few items are larger, and so is their noise
    point, left_over = _fit(curve.sizes, means, weights, ahead)
    resampled = _resampled(curve, rng)
    freedom = len(curve.sizes) - 3
    squares = left_over[0] + freedom * DRAW_NOISE**2
    noise = np.sqrt(squares / rng.chisquare(freedom, RESAMPLES))[:, None]
    moved = resampled * (1 + noise * rng.standard_normal(resampled.shape))
    found, _ = _fit(curve.sizes, moved, weights, ahead)
    found = found * (1 + noise * rng.standard_normal(found.shape))
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(resampled[:, [-1]] - found, [tail, 100 - tail], axis=0)
    largest = means[0, -1]
    gain = largest - point[0]
    return pl.DataFrame(
        {
            "train_items": at,
            "error": point[0],
            "low": np.maximum(largest - high, 0),
            "high": largest - low,
            "gain": gain,
            "gain_low": low,
            "gain_high": np.minimum(high, largest),
        },
        schema=FORECAST_SCHEMA,
    )


def _resampled(curve: Curve, rng: np.random.Generator) -> np.ndarray:
    """The mean errors in RESAMPLES draws of groups with replacement: (resamples, sizes)."""
    count = len(np.unique(curve.groups))
    drawn = [np.bincount(rng.integers(count, size=count), minlength=count).astype(np.float32) for _ in range(RESAMPLES)]
    return _means(curve, np.stack(drawn))


def _means(curve: Curve, times: np.ndarray | None = None) -> np.ndarray:
    """The mean error of every size where groups count so many times, (draws, groups): (draws, sizes).

    In the balanced reading the mean of the bands' means; a band that a draw misses is left out of it.
    """
    names, place = np.unique(curve.groups, return_inverse=True)
    times = np.ones((1, len(names)), dtype=np.float32) if times is None else times
    bands = np.zeros(len(place), dtype=np.int64) if curve.bands is None else curve.bands
    total, there = 0.0, 0.0
    for band in np.unique(bands):
        inside = bands == band
        sums = np.zeros((len(names), curve.errors.shape[1]))
        np.add.at(sums, place[inside], curve.errors[inside])
        items = times @ np.bincount(place[inside], minlength=len(names)).astype(float)
        total = total + (times @ sums) / np.maximum(items, 1)[:, None]
        there = there + (items > 0)
    return total / there[:, None]


def _fit(
    sizes: np.ndarray, errors: np.ndarray, weights: np.ndarray, ahead: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Fit a + b·n^(-c) with a, b ≥ 0 to each row of (draws, sizes) errors by weighted least squares.

    For every c of a grid a and b follow in closed form. Gives the curves at the sizes ahead, (draws, sizes ahead), and
    the weighted squares that are left over, (draws,).
    """
    best = np.full(len(errors), np.inf)
    found = np.zeros((len(errors), len(ahead)))
    total = weights.sum()
    middle = errors @ weights / total
    for power in _POWERS:
        x, x_ahead = (sizes / sizes[0]) ** -power, (ahead / sizes[0]) ** -power
        x_middle = weights @ x / total
        spread = weights @ (x - x_middle) ** 2
        slope = np.maximum((errors - middle[:, None]) @ (weights * (x - x_middle)) / spread, 0)
        floor = middle - slope * x_middle
        through_zero = errors @ (weights * x) / (weights @ x**2)
        slope, floor = np.where(floor < 0, through_zero, slope), np.maximum(floor, 0)
        squares = ((errors - floor[:, None] - slope[:, None] * x) ** 2) @ weights
        better = squares < best
        best[better] = squares[better]
        found[better] = (floor[:, None] + slope[:, None] * x_ahead)[better]
    return found, best
