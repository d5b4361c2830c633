"""What a recipe gives, below the balancer: what it cannot do, the items of a slot, shares, and every figure."""

import polars as pl
import streamlit as st

from pages.shared import cached, state
from pages.shared.look import look
from pages.shared.recipe_controls import adopt_named
from pages.shared.widgets import chart, chart_head, plain, table, table_height
from pricer.catalogue.store import Catalogue
from pricer.curation.recipe import Recipe
from pricer.curation.sampler import Plan
from pricer.figures.categories import folded, share_changes
from pricer.figures.findings import share_finding
from pricer.figures.formats import category_name, count, percent, points, spreadsheet_safe
from pricer.items import LOWEST_SLOT

PAGE_ITEMS = 50


def show_notice(plan: Plan, catalogue: Catalogue) -> None:
    """Say so where the recipe changes nothing, and offer one that does."""
    why = plan.why_uncapped()
    if why is None or plan.recipe.cutoff == LOWEST_SLOT:
        return
    st.info(plain(f"The {'target' if plan.recipe.target else 'cap'} changes nothing: {why}."), icon=":material/info:")
    if st.session_state[state.PRESET] != "scaled":
        scale = {"icon": ":material/tune:", "on_click": adopt_named, "args": ("scaled", catalogue)}
        st.button("Use the scaled recipe", key="use_scaled", **scale)


def show_slot(catalogue: Catalogue, recipe: Recipe) -> None:
    """The items of the slot that was clicked, kept and not kept."""
    slot = st.session_state[state.SLOT]
    if slot is None:
        st.caption("Click a price in the histogram to see its items, kept and not kept.")
        return
    items = cached.slot_items(catalogue, recipe, slot)
    kept = int(items["kept"].sum())
    with st.container(border=True, key="slot_items"):
        chart_head(f"Items at ${slot}", f"{count(kept)} kept, {count(len(items) - kept)} not kept")
        if not len(items):
            return
        pages = -(-len(items) // PAGE_ITEMS)
        page = st.pagination(pages, key=f"slot_page_{slot}") if pages > 1 else 1
        listed = items.slice((page - 1) * PAGE_ITEMS, PAGE_ITEMS).with_columns(
            pl.col("category").str.replace_all("_", " ")
        )
        columns = {
            "kept": st.column_config.CheckboxColumn("Kept", width="small"),
            "title": st.column_config.TextColumn("Title", width="large"),
            "category": "Category",
            "price": st.column_config.NumberColumn("Price", format="dollar"),
            "item_id": "Id",
        }
        st.dataframe(listed, hide_index=True, column_config=columns, height=table_height(len(listed)), key="slot_table")


def show_shares(plan: Plan) -> None:
    """Each category's share before and after, with the change in points."""
    shares = plan.shares()
    all_before, all_after = shares["before"].to_numpy(), shares["after"].to_numpy()
    names, before, after = folded(shares["category"].to_list(), all_before, all_after)
    described = "; ".join(
        f"{category_name(name)}: {count(int(new))} of {count(int(old))}"
        for name, old, new in zip(names, before, after, strict=True)
    )
    weights = plan.recipe.weight_array(plan.categories)
    chart(
        share_changes(names, before, after, look()),
        share_finding(list(plan.categories), all_before, all_after, weights),
        alt=f"Shares before and after by category: {described}.",
        key="chart_shares",
        note="share of all items",
        swatches=[("before", "before ring"), ("after", "after disc")],
    )


def show_all_figures(plan: Plan, catalogue: Catalogue) -> None:
    shares = plan.shares()
    with st.expander("All figures", key="all_figures"):
        rows = [
            (
                category_name(row["category"]),
                count(row["before"]),
                count(row["after"]),
                percent(row["share_before"]),
                percent(row["share_after"]),
                points(row["share_after"] - row["share_before"]),
                f"{plan.recipe.weight(row['category']):g}",
            )
            for row in shares.iter_rows(named=True)
        ]
        columns = ["Category", "Before", "After", "Share before", "Share after", "Points", "Weight"]
        table(columns, rows, right=range(1, 7))
        names = shares["category"].map_elements(spreadsheet_safe, return_dtype=shares["category"].dtype)
        st.download_button(
            "Download as CSV",
            shares.with_columns(names).write_csv(),
            f"{catalogue.name}-{plan.recipe.id}.csv",
            "text/csv",
            key="download_shares",
            icon=":material/download:",
            on_click="ignore",
        )
