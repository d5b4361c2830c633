"""Curate: balance prices and categories, and see the exact outcome before any item is touched."""

import streamlit as st

from pages.shared import cached, shelf, state
from pages.shared.leak_lens import show_leak_lens
from pages.shared.making import show_actions, show_datasets
from pages.shared.outcome import show_all_figures, show_notice, show_shares, show_slot
from pages.shared.recipe_controls import adopt, adopt_named, show_balancer, show_start, stated_recipe
from pages.shared.recipe_link import read_link, write_link
from pages.shared.recipe_shelf import show_recipe_shelf
from pages.shared.recipe_views import other_plan, show_recipe_views
from pages.shared.solve_panel import show_solve_panel
from pages.shared.widgets import empty_card, page_head
from pricer.catalogue.store import list_catalogues

EXPLANATION = """
Each whole dollar is a **slot**. From the **cutoff** upwards every item is kept. Below it a slot keeps at most the
**cap**, drawn without replacement: an item of weight 2 is drawn twice as eagerly as one of weight 1, and weight 0
means never. A **shape** stands in the place of the cap: it says how the sample should lie over prices and how large it
should be, and each slot gives what it can.

While a slider moves, the browser knows how many items each slot keeps and estimates of which categories they are;
such figures say "about". When it is let go, the counts are exact: each item has a random number of its own, so the
plan already knows who is drawn. The same recipe and seed give the same items on any machine.

**Distance from the market** is the total variation between the pool and the sample: the share of items that would
have to move to another price (or category) to make the two alike. 0% is the market itself.
"""

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
    adopt_named("scaled", catalogue)
recipe = stated_recipe(catalogue)
plan = cached.plan(catalogue, recipe)

with st.container(horizontal=True, vertical_alignment="bottom", key="curate_start"):
    shelf.choose_catalogue(catalogues)
    show_start(catalogue)
show_balancer(catalogue, plan, other_plan(catalogue))
show_notice(plan, catalogue)
show_slot(catalogue, recipe)
with st.expander("Solve for a size, a mean price or a largest share", icon=":material/target:", key="solve"):
    show_solve_panel(catalogue, cached.index(catalogue, recipe.seed), lambda chosen: adopt(chosen, catalogue))
with st.expander("Saved recipes", icon=":material/bookmark:", key="shelf", on_change="rerun") as opened:
    if opened.open:
        show_recipe_shelf(catalogue, recipe, lambda chosen, name: adopt(chosen, catalogue, name))
show_shares(plan)
show_recipe_views(catalogue, plan)
show_all_figures(plan, catalogue)
with st.expander("Leak lens", icon=":material/search:", key="lens", on_change="rerun") as opened:
    if opened.open:
        show_leak_lens(catalogue, plan)
show_actions(catalogue, plan)
show_datasets(catalogue)
write_link(catalogue, recipe)
