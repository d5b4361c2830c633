"""Compare's failures: weak parts found by themselves, likely wrong prices, and one item across all models."""

import polars as pl
import streamlit as st

from pages.shared import cached
from pages.shared.comparison.names import choose_one
from pages.shared.widgets import Html, chart_head, downloads, empty_card, escaped, judgement, page_of, table
from pricer.evaluation.scoring import Scoring
from pricer.evaluation.slices import FEWEST
from pricer.evaluation.suspects import FEWEST_RUNS, LEAST_TIMES, MOST_SPREAD, one_item
from pricer.figures.formats import category_name, count, count_of, dollars, guess_in_words, in_words
from pricer.runs.doubters import doubters
from pricer.runs.store import Run, names_of

MOST_FOUND = 200
LONGEST = 90


def show(runs: list[Run], reading: str, scoring: Scoring) -> None:
    board = cached.board(runs, reading, scoring)
    by_id = {run.id: run for run in runs}
    run = by_id[choose_one(board)]
    name = names_of(runs)[run.id]
    _show_weak(run, name, reading, scoring)
    _show_doubtful(doubters(by_id[row["run"]] for row in board.iter_rows(named=True) if row["place"]), reading, scoring)
    _show_item(runs, run, name, reading, scoring)


def _show_weak(run: Run, name: str, reading: str, scoring: Scoring) -> None:
    found, looked_at = cached.weakest(run, reading, scoring)
    if not looked_at:
        chart_head("Parts that are hard", "")
        with st.container(border=True):
            empty_card(
                f"{name} was asked too few items.",
                f"A part is looked at where {FEWEST} items or more belong to it, and as many do not.",
            )
        return
    title = f"No part is certain to be hard for {name} beyond its prices"
    if len(found):
        verb = "is" if len(found) == 1 else "are"
        title = f"{in_words(len(found)).capitalize()} {'part' if len(found) == 1 else 'parts'} {verb} hard for {name}"
    chart_head(
        title,
        f"where it errs more than on other items of such prices; {count_of(looked_at, 'part')} by category, store, "
        "length of text, and what is stated were looked at, and the intervals hold for all of them together",
    )
    if found.is_empty():
        return
    rows = [
        (
            category_name(row["part"]),
            dollars(row["error"]),
            f"{row['times']:.2f} times",
            f"{row['low']:.2f} to {row['high']:.2f}",
            count(row["items"]),
        )
        for row in page_of(found.to_dicts(), "part", "weak_page")
    ]
    table(["Part", "Error", "Of what is usual", "Interval", "Items"], rows, right=(1, 2, 3, 4))
    downloads(found, f"weak-parts-{reading}")


def _show_doubtful(best: list[Run], reading: str, scoring: Scoring) -> None:
    if len(best) < FEWEST_RUNS:
        chart_head("Prices that may be wrong")
        with st.container(border=True):
            empty_card(
                f"{in_words(FEWEST_RUNS).capitalize()} models of different kinds are needed.",
                "Where good models agree with each other and not with the price, the price is worth a look.",
            )
        return
    looked = cached.doubtful_prices(best, reading, scoring)
    found = looked.found
    names = ", ".join(names_of(best).values())
    title = f"{in_words(len(found)).capitalize()} {'price' if len(found) == 1 else 'prices'} may be wrong"
    chart_head(
        title if len(found) else "No price is doubted by models that agree",
        f"looked for: a price {LEAST_TIMES:g} times off, where {names} are within {MOST_SPREAD:g} times of each other, "
        f"as on {count(looked.agreed)} of the {count_of(looked.items, 'item')} that all answered",
    )
    if found.is_empty():
        return
    rows = [
        (
            _cut(row["title"]),
            category_name(row["category"]),
            dollars(row["price"]),
            f"{dollars(row['cheapest'])} to {dollars(row['dearest'])}",
            f"{row['times']:.1f} times" if row["times"] >= 1 else f"1 / {1 / row['times']:.1f}",
        )
        for row in page_of(found.to_dicts(), "item", "doubtful_page")
    ]
    table(["Product", "Category", "Price", "Models say", "Price over models"], rows, right=(2, 3, 4))
    downloads(found, f"doubtful-prices-{reading}")


def _show_item(runs: list[Run], run: Run, name: str, reading: str, scoring: Scoring) -> None:
    """One item of the exam, and what every run said of it."""
    chart_head("One item, all models", "words of its title, or its id")
    judged = cached.scored_exam(run, reading, scoring)
    wanted = st.text_input("Find an item", key="compare_item", persist_state="session", label_visibility="collapsed")
    found = _find(judged, wanted)
    if found.is_empty():
        st.html(f'<p class="pr-note">No item that {escaped(name)} was asked has these words.</p>')
        return
    shown = found.head(MOST_FOUND)
    titles = dict(shown.select("item_id", pl.col("title").str.slice(0, LONGEST)).iter_rows())
    if len(shown) > 1:
        st.html(f'<p class="pr-note">{escaped(_which(len(shown), len(found), wanted, name))}</p>')
    if st.session_state.get("compare_item_id") not in titles:
        st.session_state["compare_item_id"] = next(iter(titles))
    item_id = st.selectbox(
        "Item", list(titles), format_func=lambda key: f"{titles[key]} · {key}", key="compare_item_id",
        label_visibility="collapsed", persist_state="session",
    )  # fmt: skip
    item = found.filter(item_id=item_id).row(0, named=True)
    said = one_item(cached.told_apart(runs, scoring), item_id, scoring)
    st.html(
        f'<p class="pr-said">{escaped(_cut(item["title"]))}: <b>{dollars(item["price"])}</b>, '
        f"{escaped(category_name(item['category']))}</p>"
    )
    rows = [
        (
            Html(f"<b>{escaped(row['name'])}</b>"),
            row["family"],
            guess_in_words(row["guess"], row["status"], row["scored_guess"]),
            dollars(row["error"]),
            judgement(row["colour"]),
        )
        for row in page_of(said.to_dicts(), "run", "item_page")
    ]
    table(["Run", "Family", "Guess", "Error", ""], rows, right=(2, 3))
    downloads(said, f"item-{item_id}")


def _find(judged: pl.DataFrame, words: str) -> pl.DataFrame:
    """Items whose title has all of these words, or whose id is this; without words, those that err most."""
    if not words.strip():
        return judged.sort("error", descending=True)
    title = pl.col("title").str.to_lowercase()
    has_all = pl.all_horizontal([title.str.contains(word, literal=True) for word in words.lower().split()])
    return judged.filter(has_all | (pl.col("item_id") == words.strip()))


def _which(shown: int, found: int, words: str, name: str) -> str:
    """What the items are that can be chosen from."""
    if not words.strip():
        return f"the {count(shown)} items on which {name} errs most; type words to find others"
    return f"{count_of(found, 'item')} found" + (f", the first {count(shown)} listed" if found > shown else "")


def _cut(title: str) -> str:
    return title if len(title) <= LONGEST else title[: LONGEST - 1].rstrip() + "…"
