"""Home: what Pricer is for, what stands on this machine, and the one next step."""

import numpy as np
import polars as pl
import streamlit as st

from pages.shared import cached, look, shelf, state
from pages.shared.jobs import find_job, follow_job, forget_job, is_busy, start_job
from pages.shared.widgets import chart, empty_card, escaped, generated_badge, key_figures, named, page_head, price_tag
from pricer.catalogue.store import Catalogue, list_catalogues
from pricer.curation.dataset import Dataset
from pricer.figures.findings import settling
from pricer.figures.formats import count, count_of, dollars, percent, safe, short_hash
from pricer.figures.leaderboard import leaderboard_chart, leaderboard_finding, unplaced_note
from pricer.figures.prices import price_histogram
from pricer.runs.guessing import worked_examples
from pricer.runs.launch import list_launches
from pricer.runs.store import Run, list_runs

MOST_LEADERS = 6  # runs of the leaderboard that are shown here

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


def show_input() -> None:
    """A product to price; Predict answers."""
    product = st.text_input(
        "Describe a product", key="home_product", placeholder="Brand, kind, size, what is in the box"
    )
    if st.button("Guess the price", type="primary", icon=":material/sell:", key="home_guess") and product.strip():
        st.session_state[state.PRODUCT] = product.strip()
        st.switch_page("results/predict.py")


def show_example(best: Run) -> None:
    """What the best run said of an item of the exam; its price waits on Predict."""
    judged = worked_examples(cached.scored_exam(best, "natural"), 1)
    if judged.is_empty():
        return
    item = judged.row(0, named=True)
    st.html(f'<p class="pr-note"><span>{safe(item["title"], 90)}</span></p>')
    price_tag(item["scored_guess"])
    error = dollars(cached.run_metrics(best, "natural").error)
    whose = f"Guess of <b>{escaped(best.name)}</b>{generated_badge(best.manifest.generated).text}"
    st.html(f'<p class="pr-note"><span>{whose}, which is {error} off on average. Predict knows the price.</span></p>')


def show_figures(catalogue: Catalogue, dataset: Dataset | None, runs: list[Run], board: pl.DataFrame | None) -> None:
    st.header("Where this installation stands", anchor=False)
    manifest = catalogue.manifest
    figures = [("Catalogue", count(manifest.items), f"items from {count(manifest.rows)} rows")]
    if dataset:
        share = percent(dataset.manifest.train / max(1, manifest.pool))
        figures.append(("Dataset", count(dataset.manifest.train), f"items, {share} of the pool"))
    if board is not None:
        figures.append(("Best run", dollars(board["error"][0]), f"mean error, {board['name'][0]}"))
        figures.append(("Runs", count(len(runs)), f"graded on exam {short_hash(manifest.exam_hash)}"))
    else:
        figures.append(("Mean price", dollars(manifest.price_mean), f"median {dollars(manifest.price_median)}"))
        figures.append(("Exam", count(manifest.natural), f"items set aside, {short_hash(manifest.exam_hash)}"))
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


def show_leaders(board: pl.DataFrame, generated: bool) -> None:
    """The leaderboard's upper end."""
    leaders = board.head(MOST_LEADERS)
    chart(
        leaderboard_chart(leaders, look.look()),
        named(leaderboard_finding(leaders), generated),
        alt="; ".join(f"{row['name']}: {dollars(row['error'])}" for row in leaders.iter_rows(named=True)),
        key="chart_home_leaders",
        note=f"Mean error on {count_of(int(board['items'].max()), 'exam item')}, 95% interval{unplaced_note(leaders)}",
    )


def next_step(dataset: Dataset | None, board: pl.DataFrame | None) -> tuple[str, str, str]:
    """What to do next in words, and the page to do it on: its file and its name."""
    train, compare = ("models/train.py", "Open Train"), ("results/compare.py", "Open Compare")
    if at_work := sum(job.alive for job in list_launches()):
        return f"{count_of(at_work, 'job is', 'jobs are')} in work.", "models/runs.py", "Open Runs"
    if dataset is None:
        return "balance prices and categories with sliders, and make a dataset.", "data/curate.py", "Open Curate"
    if board is None:
        return f"the dataset {dataset.name} is ready. Train a first model on it.", *train
    if len(board) == 1:
        return f"only {board['name'][0]} was graded. Train a second model to compare.", *train
    rival = board.row(1, named=True)
    if not rival["tied_with_first"]:
        return "describe a product of yours, and see what each model says.", "results/predict.py", "Open Predict"
    words = f"{board['name'][0]} and {rival['name']} are tied"
    if rival["items_to_settle"]:
        words += f". {settling(rival['items_to_settle']).capitalize()}; this exam has {count(rival['common_items'])}"
    return f"{words}.", *compare


def show_next_step(dataset: Dataset | None, board: pl.DataFrame | None) -> None:
    words, page, label = next_step(dataset, board)
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        empty_card("Next:", words)
        st.page_link(page, label=label, icon=":material/arrow_forward:")


def show_head() -> None:
    sentence = "Pricer guesses a price from a product's description, and shows how far to trust the guess."
    page_head("What does this cost?", sentence, EXPLANATION, figures=True)


def show_standing(catalogue: Catalogue) -> None:
    """What there is, as far as it goes: a catalogue, a dataset, graded runs."""
    dataset = shelf.dataset_in_use(shelf.datasets_of(catalogue))
    runs = [run for run in list_runs() if run.manifest.exam_hash == catalogue.manifest.exam_hash]
    board = cached.board(runs, "natural") if runs else None
    if board is None:
        show_head()
    else:
        best = next(run for run in runs if run.id == board["run"][0])
        left, right = st.columns([1.3, 1], gap="large")
        with left:
            show_head()
            show_input()
        with right:
            show_example(best)
    show_figures(catalogue, dataset, runs, board)
    if board is None:
        show_prices(catalogue)
    else:
        left, right = st.columns(2, gap="large")
        with left:
            show_leaders(board, catalogue.manifest.generated)
        with right:
            show_prices(catalogue)
    show_next_step(dataset, board)


find_job(state.JOB, ("load", "demo"))
catalogue = shelf.catalogue_in_use(list_catalogues())
if catalogue:
    show_standing(catalogue)
else:
    show_head()
if follow_job(state.JOB):
    forget_job(state.JOB)
    st.rerun()
if catalogue is None and not is_busy(state.JOB):
    show_beginning()
