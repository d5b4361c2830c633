"""95 % intervals of a mean error: a bootstrap that resamples groups of near-duplicates, not items."""

from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

CONFIDENCE = 0.95
RESAMPLES = 2_000
_CHUNK = 200_000  # draws held at once, so that memory stays small and they stay in the processor's cache


class Interval(NamedTuple):
    """A mean with its 95 % interval; the mean is None without items, the ends where too few groups differ to tell."""

    mean: float | None
    low: float | None
    high: float | None


def mean_interval(
    values: np.ndarray,
    groups: np.ndarray,
    bands: np.ndarray | None = None,
    seed: int = 0,
    confidence: float = CONFIDENCE,
) -> Interval:
    """The mean of (items,) values, or with (items,) bands the mean of the bands' means, and its 95 % interval.

    Several intervals that are read together need more `confidence` each. Items of a group err together, so whole groups
    are drawn, with bands within each band. The interval is the symmetric bootstrap-t (Hall, 1988, "On symmetric
    bootstrap confidence intervals"): mean ± q · standard error, where q is the 95 % quantile of |mean* - mean| /
    standard error* over the resamples. It covers log-normal errors and differences of two models alike
    (tests/test_intervals.py), where percentile and BCa intervals fall to 85 % at 30 items. Where a dear band of ten
    items decides the mean, it covers 92 to 94 %.
    """
    return mean_intervals(values[:, None], groups, bands, seed, confidence)[0]


def mean_intervals(
    values: np.ndarray,
    groups: np.ndarray,
    bands: np.ndarray | None = None,
    seed: int = 0,
    confidence: float = CONFIDENCE,
    joint: bool = False,
) -> list[Interval]:
    """`mean_interval` of every column of (items, columns) values, from the same resamples.

    Joint intervals hold all true means at once with the given confidence: q is the quantile of the largest of the
    columns' ratios (Romano and Wolf, 2005, "Stepwise multiple testing", single step).
    """
    items, columns = values.shape
    if not items:
        return [Interval(None, None, None)] * columns
    if bands is None:
        bands = np.zeros(items, dtype=np.int64)
    rng = np.random.default_rng(seed)
    names = np.unique(bands)
    # The products are small: a second thread waits more than it works, by up to a hundred times on a busy machine.
    with threadpool_limits(1, "blas"):
        parts = [_resample(values[bands == band], groups[bands == band], rng) for band in names]
    mean = np.mean([part.mean for part in parts], axis=0)
    if any(part.groups < 2 for part in parts):
        return [Interval(float(value), None, None) for value in mean]
    error = np.sqrt(sum(part.variance for part in parts)) / len(names)
    shifts = sum(part.shifts for part in parts) / len(names)
    errors = np.sqrt(sum(part.variances for part in parts)) / len(names)
    equal = error <= 1e-12 * np.abs(values).max(axis=0)  # values, apart from rounding
    ratios = _ratios(np.abs(shifts), errors)
    ratios[:, equal] = 0
    quantile = _quantile(ratios.max(axis=1, keepdims=True) if joint else ratios, confidence)
    half_width = np.where(equal, 0, quantile * error)
    return [_interval(float(middle), float(half)) for middle, half in zip(mean, half_width, strict=True)]


class _Resampled(NamedTuple):
    """A band's mean and the square of its standard error, in the sample and in every resample."""

    groups: int
    mean: np.ndarray  # (columns,)
    variance: np.ndarray  # (columns,)
    shifts: np.ndarray  # (resamples, columns): the resample's mean less the mean
    variances: np.ndarray  # (resamples, columns)


def _resample(values: np.ndarray, groups: np.ndarray, rng: np.random.Generator) -> _Resampled:
    """Draw as many groups as there are, with replacement, RESAMPLES times.

    The mean is a ratio, values over items, of sums over groups; its variance is that of the ratio's linear part
    (Cochran, 1977, "Sampling Techniques", 6.4), which is the ordinary one where every group is a single item.
    """
    _, place, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    count, columns = len(sizes), values.shape[1]
    mean = values.mean(axis=0)
    rest = np.zeros((count, columns))
    np.add.at(rest, place, values - mean)
    scale = np.abs(rest).max(axis=0)
    scale[scale == 0] = 1.0
    rest /= scale  # single precision is enough for what is left
    sizes = sizes[:, None].astype(float)
    sums = np.hstack([rest, rest**2, rest * sizes, sizes, sizes**2])
    drawn = _draw_sums(sums.astype(np.float32), rng)
    drawn_rest, squares, products = (drawn[:, i * columns : (i + 1) * columns] for i in range(3))
    drawn_sizes, square_sizes = drawn[:, -2:-1], drawn[:, -1:]
    shifts = drawn_rest / drawn_sizes
    spread = np.maximum(squares - 2 * shifts * products + shifts**2 * square_sizes, 0)
    fair = scale**2 * count / max(1, count - 1)
    variance = fair * (rest**2).sum(axis=0) / sizes.sum() ** 2
    return _Resampled(count, mean, variance, shifts * scale, fair * spread / drawn_sizes**2)


def _draw_sums(sums: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The column sums of (groups, columns) rows in every resample: (RESAMPLES, columns)."""
    count = len(sums)
    totals = np.empty((RESAMPLES, sums.shape[1]))
    step = max(1, _CHUNK // count)
    for start in range(0, RESAMPLES, step):
        rows = min(step, RESAMPLES - start)
        drawn = rng.integers(count, size=(rows, count)) + count * np.arange(rows)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count)
        totals[start : start + rows] = times.astype(np.float32) @ sums
    return totals


def _ratios(shifts: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """How many of its own standard errors every resample is off; infinite where it has none."""
    ratios = np.full(shifts.shape, np.inf)
    np.divide(shifts, errors, out=ratios, where=errors > 1e-3 * shifts)  # less is the rounding of single precision
    return ratios


def _quantile(ratios: np.ndarray, confidence: float) -> np.ndarray:
    """The quantile of every column; infinite where too many resamples are, the largest where there are too few."""
    place = min(int(np.ceil(confidence * (RESAMPLES + 1))), RESAMPLES) - 1
    return np.partition(ratios, place, axis=0)[place]


def _interval(mean: float, half_width: float) -> Interval:
    known = np.isfinite(half_width)
    return Interval(mean, mean - half_width if known else None, mean + half_width if known else None)
