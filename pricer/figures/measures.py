"""The figures of a leaderboard by their columns: how each is called on a page, and how its values are written."""

from collections.abc import Callable

from pricer.figures.formats import dollars, percent, two_digits

MEASURES: dict[str, tuple[str, Callable[[float | None], str]]] = {
    "error": ("Error", dollars),
    "median_error": ("Median error", dollars),
    "bias": ("Bias", dollars),
    "within_20": ("Within 20%", percent),
    "hits": ("Hits", percent),
    "mape": ("MAPE", percent),
    "rmsle": ("RMSLE", two_digits),
    "rmse": ("RMSE", dollars),
    "r2": ("R²", two_digits),
    "share_answered": ("Answered", percent),
    "error_answered": ("Error of answers", dollars),
}
