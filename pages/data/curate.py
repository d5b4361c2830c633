"""Curate: balance prices and categories, and see the exact outcome before any item is touched."""

import math

import polars as pl
import streamlit as st

from pages.shared import cached, shelf, state
from pages.shared.jobs import command_of, find_running_job, follow_job, is_busy, is_news, show_done, start_now
from pages.shared.look import look
from pages.shared.recipe_controls import (
    SAVED,
    adopt_named,
    choose_preset,
    read_link,
    recipe_arguments,
    show_start,
    show_weights,
    stated_recipe,
    write_link,
)
from pages.shared.widgets import (
    chart,
    chart_head,
    draw,
    empty_card,
    key_figures,
    named,
    page_head,
    plain,
    table,
    table_height,
)
from pricer.catalogue.store import Catalogue, list_catalogues
from pricer.curation.recipe import Recipe
from pricer.curation.sampler import Plan
from pricer.errors import PricerError
from pricer.figures.categories import category_bars, donut, folded, share_changes
from pricer.figures.findings import cap_finding, share_finding
from pricer.figures.formats import (
    category_name,
    count,
    count_of,
    dollars,
    percent,
    points,
    short_hash,
    spreadsheet_safe,
    whole_dollars,
)
from pricer.figures.prices import before_after, shares_by_price
from pricer.items import LOWEST_SLOT
from pricer.runs.recipes import save_recipe

PAGE_ITEMS = 50
EXPLANATION = """
Each whole dollar is a **slot**. From the **cutoff** upwards every item is kept. Below it a slot keeps at most the
**cap**, drawn without replacement: an item of weight 2 is drawn twice as eagerly as one of weight 1, and weight 0
means never.

The counts are exact, not estimates: each item has a random number of its own, so the plan already knows who is drawn.
The same recipe and seed give the same items on any machine.

**Distance from the market** is the total variation between the pool and the sample: the share of items that would
have to move to another price (or category) to make the two alike. 0% is the market itself.
"""


def show_key_figures(plan: Plan) -> None:
    price_mean = None if math.isnan(plan.price_mean) else plan.price_mean
    share = percent(plan.size / max(1, plan.market_size))
    key_figures(
        [
            ("Items", count(plan.size), f"of {count(plan.market_size)} ({share})"),
            ("Mean price", dollars(price_mean), f"was {dollars(plan.market_price_mean)}"),
            (
                "Median price",
                whole_dollars(plan.price_median or None),
                f"was {whole_dollars(plan.market_price_median)}",
            ),
            (
                "Distance from market",
                percent(plan.price_distance),
                f"by price, {percent(plan.category_distance)} by category",
            ),
        ]
    )


def show_histogram(plan: Plan, generated: bool) -> None:
    before, after = plan.before.sum(axis=1), plan.counts.sum(axis=1)
    head, control = st.columns([3, 1], vertical_alignment="bottom")
    with control, st.container(horizontal=True, horizontal_alignment="right"):
        scale = st.segmented_control(
            "Counts", ["log", "linear"], required=True, format_func=str.capitalize,
            key=state.SCALE, label_visibility="collapsed", persist_state="session",
        )  # fmt: skip
    with head:
        note = f"items in each whole-dollar slot, {scale} scale"
        finding = cap_finding(plan.capped_slots, before, plan.recipe.cutoff)
        chart_head(named(finding, generated), note, [("before", "before"), ("after", "after")])
    low, high = st.session_state[state.RANGE]
    if low == high:
        low, high = (low - 1, high) if high == 999 else (low, high + 1)
    draw(
        before_after(before, after, plan.recipe.cutoff, plan.recipe.cap, look(), scale, low, high),
        alt=(
            f"Histogram of price, ${low} to ${high}: {count_of(plan.market_size, 'item')} before, "
            f"{count(plan.size)} after; cutoff ${plan.recipe.cutoff}, cap {count(plan.recipe.cap)}."
        ),
        key="chart_hero",
        on_select=take_click,
        selection_mode="points",
    )


def take_click() -> None:
    """Remember the slot that was clicked in the histogram; a click beside the bars forgets it."""
    clicked = st.session_state["chart_hero"].selection.points
    st.session_state[state.SLOT] = int(clicked[0]["x"]) if clicked else None


def show_range() -> None:
    st.slider("Prices shown", 1, 999, format="$%d", key=state.RANGE, persist_state="session")


def show_notice(plan: Plan, catalogue: Catalogue) -> None:
    """Say so where the recipe changes nothing, and offer one that does."""
    why = plan.why_uncapped()
    if why is None or plan.recipe.cutoff == LOWEST_SLOT:
        return
    st.info(plain(f"The cap changes nothing: {why}."), icon=":material/info:")
    if st.session_state[state.PRESET] != "scaled":
        scale = {"icon": ":material/tune:", "on_click": use_preset, "args": ("scaled", catalogue)}
        st.button("Use the scaled recipe", key="use_scaled", **scale)


def use_preset(name: str, catalogue: Catalogue) -> None:
    choose_preset(name)
    adopt_named(name, catalogue)


def show_slot(catalogue: Catalogue, recipe: Recipe) -> None:
    """The items of the slot that was clicked, kept and not kept."""
    slot = st.session_state[state.SLOT]
    if slot is None:
        st.caption("Click a price in the histogram to see its items, kept and not kept.")
        return
    items = cached.slot_items(catalogue, recipe, slot)
    kept = int(items["kept"].sum())
    with st.container(border=True):
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


def show_categories(plan: Plan) -> None:
    shares = plan.shares()
    names, before, after = folded(shares["category"].to_list(), shares["before"].to_numpy(), shares["after"].to_numpy())
    described = "; ".join(
        f"{category_name(name)}: {count(int(new))} of {count(int(old))}"
        for name, old, new in zip(names, before, after, strict=True)
    )
    left, right = st.columns([1, 1.2], gap="large")
    with left:
        swatches = [("before", "before"), ("after", "after")]
        figure = category_bars(names, before, after, look())
        chart(figure, "Items per category", described, "chart_bars", swatches=swatches)
    with right:
        alt = f"Shares of the sample by category: {described}."
        chart(donut(names, after, look()), "The sample, by category", alt, "chart_donut", "Share of items after")
    weights = plan.recipe.weight_array(plan.categories)
    title = share_finding(list(plan.categories), shares["before"].to_numpy(), shares["after"].to_numpy(), weights)
    chart(
        share_changes(names, before, after, look()),
        title,
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


def show_actions(catalogue: Catalogue, plan: Plan) -> None:
    recipe = plan.recipe
    preset = st.session_state[state.PRESET].removeprefix(SAVED)
    suggested = f"{catalogue.name}-{recipe.id[:8] if preset == state.OWN_SETTINGS else preset}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Name of the dataset", suggested, 64, key=f"dataset_name_{suggested}", width=300)
        arguments = ["sample", catalogue.label, "--dataset", name.strip(), *recipe_arguments(recipe)]
        if st.button(
            "Make the dataset",
            type="primary",
            icon=":material/check:",
            key="make_dataset",
            disabled=not name.strip() or not plan.size or is_busy(state.SAMPLE_JOB),
        ):
            start_now(state.SAMPLE_JOB, arguments)
        with st.popover("Save recipe", icon=":material/bookmark:", key="save_recipe"):
            show_save(catalogue, recipe)
    st.code(command_of(arguments), language=None, wrap_lines=True)
    show_job()


def show_save(catalogue: Catalogue, recipe: Recipe) -> None:
    with st.form("save_form", border=False):
        name = st.text_input("Name of the recipe", key="recipe_name", max_chars=80)
        note = st.text_input("Note", key="recipe_note", max_chars=200, placeholder="optional")
        if st.form_submit_button("Save", key="recipe_save"):
            try:
                saved = save_recipe(name, recipe, catalogue.name, note)
                st.success(plain(f"Saved as {saved.label}, recipe {short_hash(recipe.id)}."))
            except PricerError as error:
                st.error(plain(str(error)))


def show_job() -> None:
    find_running_job(state.SAMPLE_JOB, ("sample",))
    job = follow_job(state.SAMPLE_JOB)
    if job is None:
        return
    made = job.result
    if is_news(job):
        st.session_state[state.DATASET] = made["id"]
        st.rerun()  # the shelf shows it at once
    parts = ", ".join(f"{count(made[part])} {part}" for part in ("train", "validation", "exam"))
    show_done(state.SAMPLE_JOB, plain(f"{made['name']}: {parts}. Train {short_hash(made['content_hash'])}."))


def show_datasets(catalogue: Catalogue) -> None:
    """Train, validation and exam of a dataset on one axis."""
    datasets = shelf.datasets_of(catalogue)
    dataset = shelf.dataset_in_use(datasets)
    if dataset is None:
        return
    st.header("Datasets", anchor=False)
    names = {each.id: each.name for each in datasets}
    shelf.choose("Dataset", names, state.DATASET, width=300)
    made = dataset.manifest
    slots = cached.dataset_slots(dataset)
    chart(
        shares_by_price(slots, look()),
        named("Train, validation and exam by price", made.generated),
        alt=f"Shares of train, validation and exam by price in steps of $20, dataset {dataset.name}.",
        key="chart_roles",
        note=f"share of each part's items in steps of $20; train {short_hash(made.content_hash)}, "
        f"exam {short_hash(made.exam_hash)}",
        swatches=[
            (f"train {count(made.train)}", "after"),
            (f"validation {count(made.validation)}", "ink line"),
            (f"exam {count(made.exam)}", "before"),
        ],
    )


page_head("Curate", "Balance prices and categories, and see the exact outcome before any item is touched.", EXPLANATION)
catalogues = list_catalogues()
if not catalogues:
    with st.container(border=True):
        empty_card("No catalogue yet.", "Curate balances the items of a catalogue.")
        st.page_link("data/catalogue.py", label="Open Catalogue", icon=":material/arrow_forward:")
    st.stop()
read_link(catalogues)
catalogue = shelf.catalogue_in_use(catalogues)
if st.session_state[state.WEIGHTED] != str(catalogue.folder):
    use_preset("scaled", catalogue)

with st.container(key="curate"):
    controls, charts = st.columns([1, 3.1], gap="large")
with controls:
    with st.container(key="curate_start"):
        shelf.choose_catalogue(catalogues)
        show_start(catalogue)
    with st.container(key="curate_weights"):
        show_weights(catalogue)
recipe = stated_recipe(catalogue)
plan = cached.plan(catalogue, recipe)
with charts:
    with st.container(key="curate_figures"):
        show_key_figures(plan)
    with st.container(key="curate_hero"):
        show_histogram(plan, catalogue.manifest.generated)
    with st.container(key="curate_rest"):
        show_range()
        show_notice(plan, catalogue)
        show_slot(catalogue, recipe)
        show_categories(plan)
        show_all_figures(plan, catalogue)
        show_actions(catalogue, plan)
        show_datasets(catalogue)
write_link(catalogue, recipe)
