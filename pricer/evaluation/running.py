"""The mean error after every guess, with its band: how fast a run's error settles."""

import numpy as np
import polars as pl


def running_error(errors: np.ndarray, bands: np.ndarray | None = None) -> pl.DataFrame:
    """The mean of the first 1, 2, … errors, in the order of asking: count, mean, low, high.

    With (items,) price bands it is the mean of the means of those bands that have been met, so that either ends at the
    run's error. The band is 1.96 standard errors to either side, as the second notebook draws it, with the sample's
    deviation; it is null until every band that was met has two guesses, and ends at zero. It looks at one place of the
    line and takes items as independent: the leaderboard's interval is the one to judge by.
    """
    names, place = np.unique(np.zeros(len(errors)) if bands is None else bands, return_inverse=True)
    met, means, variances = (np.zeros(len(errors)) for _ in range(3))
    known = np.ones(len(errors), dtype=bool)
    for band in range(len(names)):
        own = place == band
        count = np.cumsum(own)
        seen = np.maximum(count, 1)
        middle = errors[own].mean()
        rest = np.where(own, errors - middle, 0)  # squares of large errors would lose digits
        shift = np.cumsum(rest) / seen
        spread = np.maximum(np.cumsum(rest**2) - count * shift**2, 0)
        met += count > 0
        means += np.where(count > 0, middle + shift, 0)
        variances += spread / np.maximum(count - 1, 1) / seen
        known &= count != 1
    met = np.maximum(met, 1)
    mean, half_width = means / met, 1.96 * np.sqrt(variances) / met
    count = np.arange(1, len(errors) + 1)
    table = pl.DataFrame(
        {"count": count, "mean": mean, "low": np.maximum(mean - half_width, 0), "high": mean + half_width}
    )
    return table.with_columns(pl.when(pl.Series(known)).then(name).alias(name) for name in ("low", "high"))
