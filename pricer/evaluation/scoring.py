"""How stored guesses are read before anything is computed from them: judged, clipped, and what a no-answer counts as.

A guess that was stored is never asked again: another `Scoring` gives other figures at once.
"""

from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from pricer.errors import PricerError
from pricer.items import HIGHEST_SLOT, LOWEST_SLOT

NoAnswer = Literal["train median", "left out"]
Point = Literal["as guessed", "median", "mean", "mode", "top 3", "quantile"]


@dataclass(frozen=True)
class Thresholds:
    """When a guess is good or fair: its error is below so many dollars, or below such a share of the price.

    The defaults are the first notebook's: green below $40 or 20 %, orange below $80 or 40 %, otherwise red.
    """

    good_dollars: float = 40
    good_share: float = 0.2
    fair_dollars: float = 80
    fair_share: float = 0.4


@dataclass(frozen=True)
class Scoring:
    """The switches of the page Compare; the defaults are those of the leaderboard."""

    thresholds: Thresholds = field(default_factory=Thresholds)
    clipped: bool = True  # guesses below $1 count as $1, those above $999 as $999
    no_answer: NoAnswer = "train median"  # what a refusal, an unparsable or a failed answer is scored as
    point: Point = "as guessed"  # which point of a distribution is read, where a run keeps one
    quantile: float = 0.5  # with the point "quantile": 0 to 1

    def __post_init__(self) -> None:
        if not 0 < self.quantile < 1:
            raise PricerError(f"a quantile lies between 0 and 1, got {self.quantile:g}")

    @property
    def is_default(self) -> bool:
        return self == Scoring()

    def in_words(self) -> str:
        """What differs from the leaderboard's own rules; empty where nothing does.

        >>> Scoring(clipped=False, no_answer="left out").in_words()
        'guesses not clipped, no-answers left out'
        """
        points = {
            "as guessed": "",
            "top 3": "the mean of the three likeliest dollars",
            "quantile": f"the {100 * self.quantile:g}% quantile",
        }
        read = points.get(self.point, f"the {self.point}")
        parts = [
            "" if self.clipped else "guesses not clipped",
            "" if self.no_answer == "train median" else "no-answers left out",
            f"{read} of distributions" if read else "",
            "" if self.thresholds == Thresholds() else "other thresholds of good and fair",
        ]
        return ", ".join(part for part in parts if part)


DEFAULT = Scoring()


def scored(graded: pl.DataFrame, train_median: float, scoring: Scoring = DEFAULT) -> pl.DataFrame:
    """Add answered, scored_guess (dollars), error (dollars) and colour ("good", "fair" or "poor") to a graded table.

    By default guesses are clipped to $1 to $999, and a no-answer is scored as the train median, or refusing hard items
    would pay; its colour is poor. Where no-answers are left out, their rows are.
    """
    answered = ((pl.col("status") == "answer") & pl.col("guess").is_finite()).fill_null(False)
    if scoring.no_answer == "left out":
        graded = graded.filter(answered)
    guess = pl.when(answered).then("guess").otherwise(pl.lit(train_median, pl.Float64))
    if scoring.clipped:
        guess = guess.clip(LOWEST_SLOT, HIGHEST_SLOT)
    table = graded.with_columns(answered.alias("answered"), guess.alias("scored_guess"))
    table = table.with_columns((pl.col("scored_guess") - pl.col("price")).abs().alias("error"))
    return table.with_columns(_colour(scoring.thresholds).alias("colour"))


def _colour(thresholds: Thresholds) -> pl.Expr:
    error, share = pl.col("error"), pl.col("error") / pl.col("price")
    good = (error < thresholds.good_dollars) | (share < thresholds.good_share)
    fair = (error < thresholds.fair_dollars) | (share < thresholds.fair_share)
    answered = pl.col("answered")
    return (
        pl.when(answered & good)
        .then(pl.lit("good"))
        .when(answered & fair)
        .then(pl.lit("fair"))
        .otherwise(pl.lit("poor"))
    )


def answer_counts(graded: pl.DataFrame) -> dict[str, int]:
    """How many of a graded table's guesses were what: answers, of which so many below $1 or above $999; refusals,
    unparsable ones, and failed ones, which are neither.
    """
    answered = ((pl.col("status") == "answer") & pl.col("guess").is_finite()).fill_null(False)
    counts = graded.select(
        asked=pl.len(),
        answers=answered.sum(),
        below=(answered & (pl.col("guess") < LOWEST_SLOT)).sum(),
        above=(answered & (pl.col("guess") > HIGHEST_SLOT)).sum(),
        refusals=(pl.col("status") == "refusal").sum(),
        unparsable=(pl.col("status") == "unparsable").sum(),
    ).row(0, named=True)
    counts["failed"] = counts["asked"] - counts["answers"] - counts["refusals"] - counts["unparsable"]
    return counts
