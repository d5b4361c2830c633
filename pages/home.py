"""Home: what Pricer is for, what stands on this machine, and the one next step."""

import numpy as np
import streamlit as st

from pages.shared import look, shelf, state
from pages.shared.jobs import find_running_job, follow_job, forget_job, start_job
from pages.shared.widgets import chart, empty_card, key_figures, named, page_head
from pricer.catalogue.store import Catalogue, list_catalogues
from pricer.curation.dataset import Dataset
from pricer.figures.formats import count, count_of, dollars, percent, short_hash
from pricer.figures.prices import price_histogram

EXPLANATION = """
A **catalogue** is what remains of a product file once every row was read: an *item* has a price and a text that says
enough. A **dataset** is a balanced part of a catalogue's pool, made by a *recipe*. The **exam** is a simple random
sample of the catalogue, set aside before anything else happens and named by its hash: two models are compared on one
exam only.
"""


def show_beginning() -> None:
    """No catalogue yet: say so, and make the demo at one click."""
    with st.container(border=True):
        empty_card(
            "No catalogue yet.", "Load a product file of your own, or let Pricer make 60,000 generated products."
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "Make the demo catalogue",
                type="primary",
                icon=":material/play_arrow:",
                key="make_demo",
                on_click=start_job,
                args=(state.JOB, ["demo", "--catalogue", "demo"]),
            )
            st.page_link("data/catalogue.py", label="Load a file", icon=":material/arrow_forward:")


def show_figures(catalogue: Catalogue, dataset: Dataset | None) -> None:
    st.header("Where this installation stands", anchor=False)
    manifest = catalogue.manifest
    figures = [
        ("Catalogue", count(manifest.items), f"items from {count(manifest.rows)} rows"),
        ("Mean price", dollars(manifest.price_mean), f"median {dollars(manifest.price_median)}"),
        ("Exam", count(manifest.natural), f"items set aside, {short_hash(manifest.exam_hash)}"),
    ]
    if dataset:
        share = percent(dataset.manifest.train / max(1, manifest.pool))
        figures.insert(1, ("Dataset", count(dataset.manifest.train), f"items, {share} of the pool"))
    key_figures(figures)


def show_prices(catalogue: Catalogue) -> None:
    slots = np.array(catalogue.manifest.histograms.slots)
    chart(
        price_histogram(slots, look.look(), height=270),
        named(f"Prices in {catalogue.label}", catalogue.manifest.generated),
        alt=f"Histogram of {count_of(int(slots.sum()), 'item')} by whole-dollar price from $1 to $999.",
        key="chart_home_prices",
        note="Items in each whole-dollar slot, log scale",
    )


def show_next_step(dataset: Dataset | None) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        if dataset:
            words = f"The dataset {dataset.name} is ready. See what another recipe would give."
            empty_card("Next:", words)
        else:
            empty_card("Next:", "balance prices and categories with sliders, and make a dataset.")
        st.page_link("data/curate.py", label="Open Curate", icon=":material/arrow_forward:")


page_head(
    "What does this cost?",
    "Pricer guesses a price from a product's description, and shows how far to trust the guess.",
    EXPLANATION,
)
find_running_job(state.JOB, ("load", "demo"))
if follow_job(state.JOB):
    forget_job(state.JOB)
catalogue = shelf.catalogue_in_use(list_catalogues())
if catalogue is None:
    if not st.session_state[state.JOB]:
        show_beginning()
else:
    dataset = shelf.dataset_in_use(shelf.datasets_of(catalogue))
    show_figures(catalogue, dataset)
    show_prices(catalogue)
    show_next_step(dataset)
