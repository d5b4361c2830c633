"""Catalogue: load products and see what became of every row."""

import json

import numpy as np
import polars as pl
import streamlit as st

from pages.shared import cached, shelf
from pages.shared.load_table import show_load_table
from pages.shared.loading import show_job, show_loading
from pages.shared.look import look
from pages.shared.rewrite import show_rewrite
from pages.shared.widgets import (
    chart,
    chart_head,
    draw,
    empty_card,
    key_figures,
    page_head,
    plain,
    table,
    table_height,
    verdict,
)
from pricer.catalogue.browse import OUTCOMES, PAGE_ROWS, Wanted, reasons_in_words
from pricer.catalogue.store import Binned, Catalogue, Manifest, Source, list_catalogues
from pricer.figures.categories import category_bars, folded
from pricer.figures.formats import category_name, count, count_of, dollars, duration, moment, percent, short_hash, size
from pricer.figures.funnel import funnel
from pricer.figures.lengths import count_up_to, cut_histogram
from pricer.figures.prices import price_histogram

ALL = "All categories"
EXPLANATION = """
Every row of a file ends as an **item**, a **rejection** with its reason, or a **duplicate**; the three always add up.
The rules are asked one after the other, and the first that a row breaks is its reason. Rows with equal id, or equal
title and text, are one item.

The **exam** is drawn first, then **validation**; near-duplicates of either are **sealed** and used for nothing. What is
left is the **pool**, from which Curate takes train. Prices that round above \\$999 are out of scope.
"""


# What became of the rows


def show_figures(manifest: Manifest) -> None:
    tokens = manifest.tokens_mean
    key_figures(
        [
            ("Rows read", count(manifest.rows), count_of(len(manifest.by_category), "category", "categories")),
            ("Items", count(manifest.items), f"{percent(manifest.items / max(1, manifest.rows))} of the rows"),
            ("Mean price", dollars(manifest.price_mean), f"median {dollars(manifest.price_median)}"),
            (
                "Tokens in a text",
                f"{tokens:.0f}",
                "mean" if manifest.rules.verbatim else f"mean, cut at {manifest.rules.most_tokens}",
            ),
        ]
    )


def show_funnel(manifest: Manifest) -> None:
    by_name = {part.category: part for part in manifest.by_category}
    head, control = st.columns([2.4, 1], vertical_alignment="bottom")
    chosen = control.selectbox(
        "Rows of", [ALL, *by_name], format_func=category_name, key="funnel_category", label_visibility="collapsed"
    )
    part = by_name.get(chosen, manifest)
    dropped = [(words, part.rejections.get(reason, 0)) for reason, words in reasons_in_words(manifest.rules).items()]
    dropped = [(words, number) for words, number in dropped if number] + [("Duplicate", part.duplicates)]
    share = percent(part.items / max(1, part.rows))
    with head:
        swatches = [("still in", "faint"), ("dropped by this rule", "before"), ("items", "after")]
        chart_head(f"{share} of the rows became items", swatches=swatches)
    alt = f"Of {count_of(part.rows, 'row')}, " + ", ".join(f"{count(n)} dropped: {words}" for words, n in dropped)
    draw(funnel(part.rows, dropped, part.items, look()), f"{alt}; {count_of(part.items, 'item')} left.", "chart_funnel")


def show_cuts(manifest: Manifest) -> None:
    st.header("Where the rules cut", anchor=False)
    rules, measured = manifest.rules, manifest.histograms
    left, right = st.columns(2, gap="large")
    with left:
        lost = manifest.rejections.get("too-few-characters", 0)
        show_cut("Characters", measured.characters, rules.least_characters - 1, lost)
    with right:
        lost = manifest.rejections.get("too-few-tokens", 0)
        show_cut("Tokens", measured.tokens, rules.least_tokens - 1, lost)


def show_cut(what: str, binned: Binned, rule: int, lost: int) -> None:
    """A histogram of length above the slider that tries another cut; the catalogue itself does not change."""
    place = st.container()
    highest = binned.width * len(binned.counts)
    start = min(highest, max(0, binned.width * round(rule / binned.width)))
    cut = st.slider("More than", 0, highest, start, binned.width, format="localized", key=f"cut_{what.lower()}_{start}")
    if cut == start:
        cut, words = rule, f"{count_of(lost, 'row has', 'rows have')} too few, by the rules"
    else:
        words = f"{count_of(count_up_to(binned.width, binned.counts, cut), 'row')} would have too few"
    with place:
        chart(
            cut_histogram(binned.width, binned.counts, binned.beyond, cut, look()),
            what,
            alt=f"Histogram of {what.lower()} per row, cut at {count(max(0, cut))}: {words}.",
            key=f"chart_{what.lower()}",
            note=words,
            swatches=[("kept", "after"), ("cut", "before")],
        )


def show_prices(catalogue: Catalogue) -> None:
    slots = np.array(catalogue.manifest.histograms.slots)
    head, control = st.columns([3, 1], vertical_alignment="bottom")
    with control, st.container(horizontal=True, horizontal_alignment="right"):
        scale = st.segmented_control(
            "Counts", ["log", "linear"], default="log", required=True, format_func=str.capitalize,
            key="prices_scale", label_visibility="collapsed",
        )  # fmt: skip
    place = st.container()
    low, high = st.slider("Range", 1, 999, (1, 999), format="$%d", key="prices_range")
    high = max(high, low + 1) if low < 999 else 999
    inside = int(slots[low : high + 1].sum())
    with head:
        where = f"${low} to ${high}"
        note = f"Items in each whole-dollar slot, {scale} scale"
        if dearer := catalogue.manifest.rejections.get("price-too-high"):
            note += f"; {count_of(dearer, 'dearer row is', 'dearer rows are')} out of scope"
        chart_head(f"{count_of(inside, 'item')} from {where}", note)
    with place:
        figure = price_histogram(slots, look(), scale, min(low, high - 1), high)
        draw(figure, f"Histogram of {count_of(inside, 'item')} by whole-dollar price, {where}.", "chart_prices")


def show_categories_and_roles(manifest: Manifest) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        parts = manifest.by_category
        rows, items = np.array([part.rows for part in parts]), np.array([part.items for part in parts])
        names, rows, items = folded([part.category for part in parts], rows, items)
        chart(
            category_bars(names, rows, items, look()),
            "Items per category",
            alt="; ".join(
                f"{n}: {count(int(i))} of {count(int(r))}" for n, i, r in zip(names, items, rows, strict=True)
            ),
            key="chart_categories",
            swatches=[("rows", "before-fill"), ("items", "after")],
        )
    with right:
        show_roles(manifest)


def show_roles(manifest: Manifest) -> None:
    chart_head("Roles", "What each item may be used for, fixed when the catalogue was made")
    natural, balanced = count(manifest.natural), count(manifest.balanced)
    uses = [
        ("Exam", manifest.exam, f"grades every model: natural {natural}, balanced {balanced}"),
        ("Validation", manifest.validation, "tunes and calibrates"),
        ("Sealed", manifest.sealed, "near-duplicates of these, in nothing"),
        ("Pool", manifest.pool, "train comes from here"),
    ]
    rows = [(role, count(n), percent(n / max(1, manifest.items)), use) for role, n, use in uses]
    table(["Role", "Items", "Share", "Use"], rows, right=(1, 2))
    st.html('<div style="height:0.8rem"></div>')
    sources = ", ".join(f"{_place(source)} ({size(source.bytes)})" for source in manifest.sources)
    facts = [
        ("Exam hash", short_hash(manifest.exam_hash)),
        ("Content hash", short_hash(manifest.content_hash)),
        ("Rules", f"{manifest.rules.name}: {manifest.rules_reason}"),
        ("Sources", sources),
        ("Made", f"{moment(manifest.created)}, in {duration(manifest.seconds)}"),
    ]
    table(["This version", ""], facts)
    for source in manifest.sources:
        if source.note:
            st.warning(plain(f"{source.name}: {source.note}"), icon=":material/warning:")


def _place(source: Source) -> str:
    """A file's name, or where on the hub it came from, without the commit's forty digits."""
    address, _, commit = source.origin.partition("@")
    return f"{address}@{commit[:7]}" if address else source.name


# Rows


def show_rows(catalogue: Catalogue) -> None:
    st.header("Rows and items", anchor=False)
    manifest = catalogue.manifest
    outcome_column, category_column, words_column = st.columns([1, 1, 1.6])
    outcomes = [name for name in OUTCOMES if name in ("item", "duplicate") or manifest.rejections.get(name)]
    outcome = outcome_column.selectbox(
        "Outcome", ["", *outcomes], format_func=lambda name: OUTCOMES.get(name, "All rows"), key="rows_outcome"
    )
    categories = [part.category for part in manifest.by_category]
    category = category_column.selectbox(
        "Category", ["", *categories], format_func=lambda n: category_name(n) if n else ALL, key="rows_category"
    )
    words = words_column.text_input(
        "Part of a title, or an id", key="rows_words", icon=":material/search:", max_chars=200
    )
    wanted = Wanted(outcome, category, words)
    found = cached.row_count(catalogue, wanted)
    if not found:
        with st.container(border=True):
            empty_card("No such row.", "Another outcome, category or word may find some.")
        return
    pages = -(-found // PAGE_ROWS)
    place = st.container()
    with st.container(horizontal=True, vertical_alignment="center"):
        page = st.pagination(pages, key=f"rows_page_{hash((catalogue.label, wanted))}") if pages > 1 else 1
        st.html(f'<span class="pr-note">{count_of(found, "row")}, page {count(page)} of {count(pages)}</span>')
    listed = cached.page_of_rows(catalogue, wanted, page)
    with place:
        chosen = show_row_table(listed)
    show_row(catalogue, int(listed["row_number"][chosen]))


def show_row_table(listed: pl.DataFrame) -> int:
    """The rows of one page; gives the place of the row that is selected, or the first."""
    shown = listed.select(
        pl.col("title").fill_null("–"),
        pl.col("outcome").replace_strict(OUTCOMES, default=pl.col("outcome")),
        pl.col("category").str.replace_all("_", " "),
        "price",
        "characters",
        "tokens",
        "item_id",
    )
    columns = {
        "title": st.column_config.TextColumn("Title", width="large"),
        "outcome": "Outcome",
        "category": "Category",
        "price": st.column_config.NumberColumn("Price", format="dollar"),
        "characters": st.column_config.NumberColumn("Characters", format="localized"),
        "tokens": "Tokens",
        "item_id": "Id",
    }
    event = st.dataframe(
        shown, hide_index=True, column_config=columns, height=table_height(len(listed)), key="rows_table",
        on_select="rerun", selection_mode="single-row",
    )  # fmt: skip
    chosen = event.selection.rows
    return chosen[0] if chosen and chosen[0] < len(listed) else 0


def show_row(catalogue: Catalogue, row_number: int) -> None:
    """Why a row was kept or dropped, beside the row itself and the item that it became."""
    row, checks, item = cached.explained_row(catalogue, row_number)
    left, right = st.columns([1.25, 1], gap="large")
    with left:
        kept = row["outcome"] == "item"
        source = catalogue.manifest.sources[row["source"]].name
        title = "Why it became an item" if kept else "Why was it dropped?"
        chart_head(title, f"{row['item_id'] or 'no id'}, line {count(row['line'])} of {source}")
        lines = [(check.rule, check.value, check.threshold, verdict(check.passed)) for check in checks]
        table(["Rule", "Value", "Threshold", "Verdict"], lines, right=(1, 2))
    with right:
        raw_tab, item_tab = st.tabs(["Raw row", "Item"], key="row_views")
        with raw_tab:
            st.code(indented(row["raw"]), language=None, wrap_lines=True, height=330)
        with item_tab:
            show_item(item)


def show_item(item: dict | None) -> None:
    if item is None:
        empty_card("No item.", "This row became none.")
        return
    facts = [
        ("Title", item["title"]),
        ("Price", dollars(item["price"])),
        ("Category", category_name(item["category"])),
        ("Role", item["role"]),
        ("Tokens", count(item["tokens"])),
        ("Weight", "–" if item["weight_pounds"] is None else f"{item['weight_pounds']:,.2f} lb"),
    ]
    table(["Field", "Value"], facts)
    st.code(item["text"], language=None, wrap_lines=True, height=200)


def indented(raw: str) -> str:
    """A raw line as JSON with one field per line; as it is where it is no JSON."""
    try:
        return json.dumps(json.loads(raw), indent=1, ensure_ascii=False)
    except ValueError:
        return raw


page_head("Catalogue", "Load products and see what became of every row.", EXPLANATION)
show_job()
catalogues = list_catalogues()
catalogue = shelf.catalogue_in_use(catalogues)
if catalogue is None:
    with st.container(border=True):
        empty_card("No catalogue yet.", "Load a file below, or make generated products to look around.")
    show_loading(expanded=True)
    st.stop()
choice_column, badge_column = st.columns([1, 2], vertical_alignment="bottom")
with choice_column:
    shelf.choose_catalogue(catalogues)
if catalogue.manifest.generated:
    badge_column.badge("generated", color="gray", help="Pricer made these products up; nobody sells them.")
show_loading(expanded=False)
manifest = catalogue.manifest
show_figures(manifest)
show_funnel(manifest)
show_prices(catalogue)
show_cuts(manifest)
show_categories_and_roles(manifest)
show_load_table(manifest)
show_rewrite(catalogue)
show_rows(catalogue)
