"""Error against what it costs: which runs no other one beats in both."""

import polars as pl

COSTS = ("fit_seconds", "seconds_per_1000", "dollars_per_1000")


def cost_table(facts: list[dict]) -> pl.DataFrame:
    """One row a run from its facts: run, name, family, error, fit_seconds, guess_seconds, cost_dollars, asked_items.

    Adds seconds and dollars per 1,000 guesses, and for each of the three costs whether the run stands on the frontier.
    A cost is null where nobody measured it; such a run neither stands there nor beats another.
    """
    measured = dict.fromkeys(("fit_seconds", "guess_seconds", "cost_dollars"), pl.Float64)
    table = pl.DataFrame(facts, schema_overrides=measured).with_columns(
        (1000 * pl.col("guess_seconds") / pl.col("asked_items").clip(1)).alias("seconds_per_1000"),
        (1000 * pl.col("cost_dollars") / pl.col("asked_items").clip(1)).alias("dollars_per_1000"),
    )
    return table.with_columns(on_frontier(table, cost).alias(f"{cost}_frontier") for cost in COSTS).sort("error")


def on_frontier(table: pl.DataFrame, cost: str) -> pl.Series:
    """Whether no other run errs less and costs no more, or costs less and errs no more (Pareto); not without a cost."""
    pairs = list(zip(table[cost].to_list(), table["error"].to_list(), strict=True))
    known = [pair for pair in pairs if pair[0] is not None]
    beaten = [
        own_cost is None
        or any(
            (other_cost <= own_cost and other_error < own_error) or (other_cost < own_cost and other_error <= own_error)
            for other_cost, other_error in known
        )
        for own_cost, own_error in pairs
    ]
    return pl.Series([not each for each in beaten], dtype=pl.Boolean)
