"""What can be seen of a recipe: how even it makes the sample, characters and weight by price, what another changes."""

import polars as pl
import streamlit as st

from pages.shared import cached, state
from pages.shared.look import look
from pages.shared.recipe_controls import PRESET_WORDS, SAVED, preset_of
from pages.shared.widgets import chart, chart_head, key_figures, plain, table
from pricer.catalogue.store import Catalogue
from pricer.curation.difference import Difference
from pricer.curation.measures import NOTEBOOK_SPIKES, Spike
from pricer.curation.probe import by_band, changed_items, share_unknown
from pricer.curation.recipe import PRESETS, Recipe
from pricer.curation.sampler import Plan
from pricer.errors import PricerError
from pricer.figures.bands import medians_by_band
from pricer.figures.categories import folded
from pricer.figures.changes import change_bars
from pricer.figures.formats import category_name, count, count_of, percent, whole_dollars
from pricer.runs.recipes import list_recipes, open_recipe

MOST_SPIKES = 12
NO_OTHER = "none"
LENGTHS = {"characters": ("Characters", "characters", "linear"), "weight_pounds": ("Weight", "pounds", "log")}


def show_recipe_views(catalogue: Catalogue, plan: Plan) -> None:
    """Balance, characters and weight, and the difference from another recipe, as views of one plan."""
    balance, lengths, other = st.tabs(["Balance", "Characters and weight", "Against another recipe"], key="views")
    with balance:
        show_balance(plan)
    with lengths:
        show_lengths(catalogue, plan)
    with other:
        show_other(catalogue, plan)


# Balance


def show_balance(plan: Plan) -> None:
    covered = f"market draws, once reweighted; covers {percent(plan.market_covered)} of the market"
    told = sorted(plan.spikes, key=lambda spike: (spike.slot not in NOTEBOOK_SPIKES, -spike.times_before))
    spikes = sorted(told[:MOST_SPIKES], key=lambda spike: spike.slot)
    key_figures(
        [
            ("Effective size", count(round(plan.effective_size)), covered),
            ("Even over prices", *even(plan.price_evenness, plan.market_price_evenness, "slots", 0)),
            ("Even over categories", *even(plan.category_evenness, plan.market_category_evenness, "categories", 1)),
            ("Prices that stand out", *spikes_kept(spikes)),
        ]
    )
    if spikes:
        chart_head("Prices that stand out", "items in a slot, and how many times what is usual around it")
        rows = [
            (whole_dollars(s.slot), count(s.before), count(s.after), times(s.times_before), times(s.times_after))
            for s in spikes
        ]
        table(["Price", "Before", "After", "Stood out", "Stands out"], rows, right=range(1, 5))


def even(after: float, before: float, parts: str, digits: int) -> tuple[str, str]:
    return f"{after:,.{digits}f}", f"as even as so many equal {parts}; was {before:,.{digits}f}"


def spikes_kept(spikes: list[Spike]) -> tuple[str, str]:
    before, after = sum(s.before for s in spikes), sum(s.after for s in spikes)
    return (percent(after / before) if before else "none", f"{count(after)} of {count_of(before, 'item')} kept")


def times(factor: float) -> str:
    return "alone" if factor == float("inf") else f"{factor:,.1f} times"


# Characters and weight


def show_lengths(catalogue: Catalogue, plan: Plan) -> None:
    probe = cached.probe(catalogue)
    part = f"a random {count(len(probe.items))} of {count(probe.pool)} items" if len(probe.items) < probe.pool else ""
    for column, place in zip(LENGTHS, st.columns(2, gap="large"), strict=True):
        name, unit, scale = LENGTHS[column]
        found = by_band(probe, plan, column)
        unknown = share_unknown(probe, column)
        scaled = ", log scale" if scale == "log" else ""
        notes = [
            f"{unit}{scaled}, median and middle half in bands of price",
            part,
            f"unknown for {percent(unknown)}" if unknown else "",
        ]
        with place:
            if found.is_empty():
                st.caption(f"{name} is unknown for every item.")
                continue
            chart(
                medians_by_band(found, unit, look(), scale),
                f"{name} by price",
                alt=f"{name} by price, medians: {described(found)}.",
                key=f"chart_{column}",
                note="; ".join(filter(None, notes)),
                swatches=[("before", "before ring"), ("after", "after disc")],
            )


def described(found: pl.DataFrame) -> str:
    return ", ".join(
        f"${row['lowest']} to ${row['highest']} {row['before_median']:.3g} before"
        + ("" if row["after_median"] is None else f" and {row['after_median']:.3g} after")
        for row in found.iter_rows(named=True)
    )


# Against another recipe


def other_plan(catalogue: Catalogue) -> tuple[str, Plan] | None:
    """The recipe that was chosen to compare with: how it is called, and its plan. None where none was."""
    name = st.session_state[state.OTHER]
    if name == NO_OTHER:
        return None
    try:
        return words_of(name), cached.plan(catalogue, recipe_called(name, catalogue))
    except PricerError:
        st.session_state[state.OTHER] = NO_OTHER  # it was deleted
        return None


def recipe_called(name: str, catalogue: Catalogue) -> Recipe:
    """A preset or a saved recipe by its name in the list."""
    if name.startswith(SAVED):
        return open_recipe(name.removeprefix(SAVED)).recipe
    return preset_of(name, catalogue)


def words_of(name: str) -> str:
    return "None" if name == NO_OTHER else PRESET_WORDS.get(name, name.removeprefix(SAVED))


def show_other(catalogue: Catalogue, plan: Plan) -> None:
    names = [NO_OTHER, *PRESETS, *(SAVED + saved.name for saved in list_recipes())]
    st.selectbox(
        "Another recipe", names, format_func=words_of, key=state.OTHER, width=300, persist_state="session",
        help="It is drawn over the histogram as a line.",
    )  # fmt: skip
    chosen = other_plan(catalogue)
    if chosen is None:
        st.caption("Choose a recipe to see what it would add to this sample and remove from it.")
        return
    name, other = chosen
    changed = cached.difference(catalogue, plan.recipe, other.recipe)
    added, removed = int(changed.added.sum()), int(changed.removed.sum())
    if not added and not removed:
        st.caption(plain(f"{name} gives the same {count_of(plan.size, 'item')}."))
        return
    key_figures(
        [
            ("Added", count(added), f"of {count_of(other.size, 'item')} of {name}"),
            ("Removed", count(removed), f"of {count_of(plan.size, 'item')} here"),
            ("In both", count(changed.kept), f"{percent(changed.kept / max(1, plan.size))} of this sample"),
        ]
    )
    show_changes(changed, name)
    show_changed_items(catalogue, plan, other)


def show_changes(changed: Difference, name: str) -> None:
    bands = changed.by_band()
    prices = [f"${lowest} to ${highest}" for lowest, highest in bands.select("lowest", "highest").rows()]
    by_price = prices, bands["added"].to_numpy(), bands["removed"].to_numpy()
    for part, place in zip(("price", "category"), st.columns(2, gap="large"), strict=True):
        names, added, removed = by_price if part == "price" else most_changed(changed)
        rows = zip(names, added.tolist(), removed.tolist(), strict=True)
        told = "; ".join(f"{each}: {count(more)} added, {count(fewer)} removed" for each, more, fewer in rows)
        with place:
            chart(
                change_bars(names, added, removed, look()),
                f"What {name} would change, by {part}",
                alt=f"Items added and removed by {part}: {told}.",
                key=f"chart_changes_{part}",
                note="items",
                swatches=[("removed", "before"), ("added", "after")],
            )


def most_changed(changed: Difference) -> tuple:
    """Category names, items added and items removed, the most changed first, the many least changed together."""
    total = pl.col("added") + pl.col("removed")
    rows = changed.by_category().with_columns(total=total).filter(pl.col("total") > 0)
    rows = rows.sort("total", descending=True, maintain_order=True)
    names = [category_name(name) for name in rows["category"]]
    names, _, added, removed = folded(names, *(rows[each].to_numpy() for each in ("total", "added", "removed")))
    return names, added, removed


def show_changed_items(catalogue: Catalogue, plan: Plan, other: Plan) -> None:
    if not st.toggle("Show some of these items", key="other_items"):
        return
    probe = cached.probe(catalogue)
    items = changed_items(probe, plan, other)
    if items.is_empty():
        st.caption(f"None of a random {count_of(len(probe.items), 'item')} changes.")
        return
    st.dataframe(
        items.with_columns(pl.col("category").str.replace_all("_", " ")),
        hide_index=True,
        column_config={
            "change": "Change",
            "title": st.column_config.TextColumn("Title", width="large"),
            "category": "Category",
            "price": st.column_config.NumberColumn("Price", format="dollar"),
        },
        key="changed_items",
    )
