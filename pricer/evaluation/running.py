"""The mean error after every guess, with its band: how fast a run's error settles."""

import numpy as np
import polars as pl


def running_error(errors: np.ndarray) -> pl.DataFrame:
    """The mean of the first 1, 2, … errors, in the order of asking: count, mean, low, high.

    The band is 1.96 standard errors to either side, as the second notebook draws it, with the sample's deviation; it is
    null after one guess, and ends at zero. It looks at one place of the line and takes items as independent: the
    leaderboard's interval is the one to judge by.
    """
    count = np.arange(1, len(errors) + 1)
    middle = errors.mean() if len(errors) else 0.0
    rest = errors - middle  # squares of large errors would lose digits
    shift = np.cumsum(rest) / count
    spread = np.maximum(np.cumsum(rest**2) - count * shift**2, 0)
    half_width = 1.96 * np.sqrt(spread / np.maximum(count - 1, 1) / count)
    mean = middle + shift
    table = pl.DataFrame(
        {"count": count, "mean": mean, "low": np.maximum(mean - half_width, 0), "high": mean + half_width}
    )
    first = pl.col("count") == 1
    return table.with_columns(pl.when(~first).then(name).alias(name) for name in ("low", "high"))
