"""Items whose price is likely wrong: models that agree with each other do not agree with it."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from pricer.evaluation.errors import GradedRun, Reading, asked
from pricer.evaluation.scoring import DEFAULT, Scoring, scored

FEWEST_RUNS = 3
LEAST_TIMES = 2.5  # the price over what models say, or the other way round
MOST_SPREAD = 1.5  # the dearest of the models' guesses over the cheapest


@dataclass(frozen=True)
class Suspects:
    """Items whose price models doubt together, the most doubtful first, and among how many they were looked for.

    Columns: item_id, title, category, price, middle (dollars), cheapest, dearest, times (price over middle).
    """

    found: pl.DataFrame
    items: int  # that all of the runs answered
    agreed: int  # on which no guess is more than 1.5 times another


def suspects(runs: list[GradedRun], reading: Reading = "natural", scoring: Scoring = DEFAULT) -> Suspects:
    """Items on which all of these runs agree and the price does not.

    The runs should be good ones of different kinds, as `pricer.runs.doubters` chooses them: at least three, none a
    yardstick. An item is listed where no guess is more than 1.5 times another, and the price is 2.5 times their middle
    or less than its 2.5th part.
    """
    schema = dict.fromkeys(("item_id", "title", "category"), pl.String)
    schema |= dict.fromkeys(("price", "middle", "cheapest", "dearest", "times"), pl.Float64)
    if len(runs) < FEWEST_RUNS:
        return Suspects(pl.DataFrame(schema=schema), 0, 0)
    tables = [scored(asked(run.table, reading), run.train_median, scoring).filter("answered") for run in runs]
    joined = tables[0].select("item_id", "title", "category", "price", pl.col("scored_guess").alias("0"))
    for place, table in enumerate(tables[1:], start=1):
        guess = table.select("item_id", pl.col("scored_guess").alias(str(place)))
        joined = joined.join(guess, on="item_id", how="inner", maintain_order="left")
    guesses = np.maximum(joined.select(str(place) for place in range(len(runs))).to_numpy(), 0.01)
    middle = np.exp(np.median(np.log(guesses), axis=1)) if len(joined) else np.zeros(0)
    cheapest, dearest = (guesses.min(axis=1), guesses.max(axis=1)) if len(joined) else (middle, middle)
    found = joined.select("item_id", "title", "category", "price").with_columns(
        middle=pl.Series(middle), cheapest=pl.Series(cheapest), dearest=pl.Series(dearest)
    )
    found = found.with_columns(times=pl.col("price") / pl.col("middle"))
    agreed = found.filter(pl.col("dearest") <= MOST_SPREAD * pl.col("cheapest"))
    off = pl.max_horizontal("times", 1 / pl.col("times")) >= LEAST_TIMES
    doubt = pl.col("times").log().abs()
    doubted = agreed.filter(off).sort(doubt, descending=True).select(list(schema)).cast(schema)
    return Suspects(doubted, len(found), len(agreed))


def one_item(runs: list[GradedRun], item_id: str, scoring: Scoring = DEFAULT) -> pl.DataFrame:
    """What every run said of one exam item, the least error first.

    Columns: run, name, family, guess, status, scored_guess, error (dollars), colour.
    """
    rows = []
    for run in runs:
        table = scored(run.table.filter(pl.col("item_id") == item_id), run.train_median, scoring)
        for row in table.iter_rows(named=True):
            facts = {name: row[name] for name in ("guess", "status", "scored_guess", "error", "colour")}
            rows.append({"run": run.id, "name": run.name, "family": run.family} | facts)
    schema = dict.fromkeys(("run", "name", "family"), pl.String)
    schema |= {"guess": pl.Float64, "status": pl.String, "scored_guess": pl.Float64}
    schema |= {"error": pl.Float64, "colour": pl.String}
    return pl.DataFrame(rows, schema=schema).sort("error", "name")
