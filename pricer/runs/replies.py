"""What the model of a run replied to each item, and why it was read as it was."""

import polars as pl

from pricer.evaluation.errors import Reading
from pricer.llm.reading import read_price
from pricer.runs.store import GUESSES, Run


def answers_in_words(run: Run) -> bool:
    """Whether the run's model answers in words."""
    raw = pl.scan_parquet(run.folder / GUESSES).select(pl.col("raw_answer").is_not_null().any())
    return bool(raw.collect().item())


def replies_of(run: Run, reading: Reading) -> pl.DataFrame:
    """item_id, title, price, status, guess, reply, why: an item of this exam in each row, no-answers first.

    `why` is told anew by the reader of today, so an answer that was read long ago may have another reason now.
    """
    exam = run.dataset().exam().filter(pl.col(reading)).select("item_id", "title", "price").collect()
    given = run.guesses().select("item_id", "status", "guess", reply="raw_answer")
    table = exam.join(given, on="item_id", how="inner", maintain_order="left")
    why = [_why(status, reply) for status, reply in table.select("status", "reply").iter_rows()]
    table = table.with_columns(why=pl.Series(why, dtype=pl.String))
    columns = ["item_id", "title", "price", "status", "guess", "reply", "why"]
    return table.sort(pl.col("status") == "answer", maintain_order=True).select(columns)


def _why(status: str, reply: str | None) -> str:
    if status == "failed":
        return "nothing came back"
    if not reply:
        return "its provider filtered it" if status == "refusal" else "it is empty"
    read = read_price(reply)
    if read.status == "answer" and status == "unparsable":
        return "it was cut off where the price may go on"
    if read.status == "answer" and status == "refusal":
        return "its provider says that it refuses"
    return read.why
