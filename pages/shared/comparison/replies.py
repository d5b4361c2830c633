"""Compare's replies: what a language model said of each item, and why that was read as a price or as none."""

import polars as pl
import streamlit as st

from pages.shared import cached
from pages.shared.widgets import Html, chart_head, downloads, escaped, page_of, table
from pricer.figures.formats import NOT_MEASURED, count, dollars
from pricer.runs.store import Run, names_of

LONGEST = 240  # characters of a reply, of which the download has all
LONGEST_TITLE = 80


def show_replies(runs: list[Run], reading: str) -> None:
    """The replies of one run, by status and by words; nothing where no run answers in words."""
    in_words = [run for run in runs if cached.has_replies(run)]
    if not in_words:
        return
    chart_head("What was replied", "each reply, how it was read, and why; those that are no price come first")
    names = {run.id: name for run in in_words for name in [names_of(runs)[run.id]]}
    if st.session_state.get("replies_run") not in names:
        st.session_state["replies_run"] = in_words[0].id
    left, middle, right = st.columns([2, 1, 2])
    chosen = left.selectbox("Run", list(names), format_func=names.get, key="replies_run", persist_state="session")
    every = cached.replies(next(run for run in in_words if run.id == chosen), reading)
    counts = dict(every["status"].value_counts().iter_rows())
    statuses = [None, *sorted(counts)]
    if st.session_state.get("replies_status") not in statuses:
        st.session_state["replies_status"] = None
    status = middle.selectbox(
        "Read as", statuses, key="replies_status", persist_state="session",
        format_func=lambda each: f"{each}, {count(counts[each])}" if each else f"all, {count(len(every))}",
    )  # fmt: skip
    words = right.text_input("Words of a title, a reply or a reason", key="replies_words", persist_state="session")
    found = _with_words(every if status is None else every.filter(status=status), words)
    rows = [
        (
            _cut(row["title"], LONGEST_TITLE),
            dollars(row["price"]),
            Html(f'<div class="pr-words">{escaped(_cut(row["reply"] or NOT_MEASURED, LONGEST))}</div>'),
            row["status"],
            dollars(row["guess"]),
            row["why"],
        )
        for row in page_of(found.to_dicts(), "answer", "replies_page")
    ]
    if rows:
        table(["Product", "Price", "Reply", "Read as", "Guess", "Why"], rows, right=(1, 4))
        downloads(found, f"replies-{chosen}")
    else:
        st.caption("No reply has these words.")


def _with_words(replies: pl.DataFrame, words: str) -> pl.DataFrame:
    said = pl.concat_str("title", "reply", "why", separator="\n", ignore_nulls=True).str.to_lowercase()
    for word in words.lower().split():
        replies = replies.filter(said.str.contains(word, literal=True))
    return replies


def _cut(words: str, longest: int) -> str:
    line = " ".join(words.split())
    return line if len(line) <= longest else f"{line[:longest]}…"
