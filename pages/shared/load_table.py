"""What a load made of every category, and how fast it went."""

import polars as pl
import streamlit as st

from pages.shared.widgets import page_of, plain, table
from pricer.catalogue.store import CategoryCount, Manifest
from pricer.figures.formats import category_name, count, duration, percent, spreadsheet_safe

HEADS = ["Category", "Rows", "Priced", "Items", "Of rows", "Rejected", "Duplicates", "Time", "Rows a second"]


def show_load_table(manifest: Manifest) -> None:
    with st.expander("All figures of the load, by category", key="load_table"):
        counts = manifest.by_category
        rows = [_cells(category_name(each.category), each) for each in page_of(counts, "category", "load_table_page")]
        table(HEADS, [*rows, _cells("Total", _total(counts))], right=range(1, len(HEADS)))
        rest = manifest.seconds - sum(each.seconds for each in counts)
        words = (
            f"Time is reading and scrubbing; merging, groups, roles and writing took {duration(max(0.0, rest))} more."
        )
        if downloads := sum(source.download_seconds for source in manifest.sources):
            words += f" Downloads took {duration(downloads)}."
        st.caption(plain(words))
        st.download_button(
            "Download as CSV", load_frame(counts).write_csv(), f"{manifest.name}-load.csv", "text/csv",
            icon=":material/download:", key="download_load", on_click="ignore",
        )  # fmt: skip


def _total(counts: list[CategoryCount]) -> CategoryCount:
    rejections: dict[str, int] = {}
    for each in counts:
        for reason, number in each.rejections.items():
            rejections[reason] = rejections.get(reason, 0) + number
    sums = {name: sum(getattr(each, name) for each in counts) for name in ("rows", "items", "duplicates", "seconds")}
    return CategoryCount(category="", rejections=rejections, **sums)


def _cells(name: str, each: CategoryCount) -> tuple[str, ...]:
    rate = count(round(each.rows / each.seconds)) if each.seconds else "–"
    numbers = (each.rows, each.priced, each.items)
    dropped = (sum(each.rejections.values()), each.duplicates)
    share = percent(each.items / max(1, each.rows))
    time = duration(each.seconds) if each.seconds else "–"
    return (name, *map(count, numbers), share, *map(count, dropped), time, rate)


def load_frame(counts: list[CategoryCount]) -> pl.DataFrame:
    """The table as it is downloaded: a row for each category, and the total."""
    every = [*counts, _total(counts)]
    return pl.DataFrame(
        {
            "category": [*(spreadsheet_safe(each.category) for each in counts), "Total"],
            "rows": [each.rows for each in every],
            "priced": [each.priced for each in every],
            "items": [each.items for each in every],
            "rejected": [sum(each.rejections.values()) for each in every],
            "duplicates": [each.duplicates for each in every],
            "seconds": [each.seconds for each in every],
            "rows_per_second": [each.rows / each.seconds if each.seconds else None for each in every],
        }
    )
