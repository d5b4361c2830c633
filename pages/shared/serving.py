"""A language model on Predict: loaded into a process of its own by a button, asked while it is warm, unloaded again."""

import time
from collections.abc import Sequence

import streamlit as st

from pages.shared import cached
from pages.shared.jobs import command_of
from pages.shared.look import look
from pages.shared.widgets import chart, chart_head, escaped, key_figures, named, plain, price_tag
from pricer.errors import PricerError
from pricer.evaluation.ranges import USUAL_LEVEL, distribution_ranges
from pricer.figures.distribution import distribution_chart, distribution_finding
from pricer.figures.formats import count_of, dollars, duration, size, whole_dollars
from pricer.llm.local import serving
from pricer.llm.local.serving import Serving
from pricer.runs.serving import VERB, start_serving
from pricer.runs.store import Run

CHOICE = "predict_served"
SECONDS_BETWEEN_LOOKS = 2.0


def show_served(runs: Sequence[Run], product: str, tagged: bool) -> None:
    """What the warm language model says of a product, or a button that loads one; nothing where no run has one.

    `tagged` says whether its guess is the price that the page is opened for.
    """
    if not runs:
        return
    st.subheader("Language models", anchor=False)
    found, by_id = serving.look(), {run.id: run for run in runs}
    if found is None:
        _offer(by_id)
    elif found.state == "loading":
        st.fragment(_show_loading, run_every=SECONDS_BETWEEN_LOOKS)()
    elif found.state == "failed":
        st.error(plain(found.error), icon=":material/error:")
        st.button("Dismiss", key="served_dismiss", on_click=serving.stop)
    else:
        _show_ready(found, by_id.get(found.run), product, tagged)


def _offer(by_id: dict[str, Run]) -> None:
    names = {run_id: run.name for run_id, run in by_id.items()}
    st.selectbox("Run", list(names), format_func=names.get, key=CHOICE, persist_state="session")
    st.html(
        '<p class="pr-note">A language model is too large to be loaded in passing. It gets a process of its own on '
        "this machine, which ends when nobody has asked for 15 minutes; one at a time.</p>"
    )
    run = by_id[st.session_state[CHOICE]]
    st.button("Load it", icon=":material/memory:", key="served_load", on_click=start_serving, args=(run,))
    st.code(command_of([VERB, run.id]), language=None, wrap_lines=True)


def _show_loading() -> None:
    found = serving.look()
    if found is None or found.state != "loading":
        st.rerun()
    with st.container(border=True):
        st.progress(0.0, text="Loading the language model")
        st.html(f'<p class="pr-note">{duration(time.time() - found.started)} so far</p>')
        st.button("Cancel", icon=":material/close:", key="served_cancel", on_click=serving.stop)


def _show_ready(found: Serving, run: Run | None, product: str, tagged: bool) -> None:
    if run is None:
        st.info("Another run's language model is loaded; unload it to load one of these.", icon=":material/memory:")
    elif product:
        _show_answer(found, run, product, tagged)
        found = serving.look() or found  # it has answered one more
    st.html(
        f'<p class="pr-note">{escaped(found.about)}. Its process holds {size(found.bytes)}, answered '
        f"{count_of(found.asked, 'product')} and ends when nobody has asked for 15 minutes.</p>"
    )
    st.button("Unload", icon=":material/eject:", key="served_unload", on_click=serving.stop)


def _show_answer(found: Serving, run: Run, product: str, tagged: bool) -> None:
    try:
        guess, chances, seconds = cached.served_answer(found.pid, found.started, product)
    except PricerError as error:
        st.info(plain(str(error)), icon=":material/edit:")
        return
    ranges = distribution_ranges(chances[None], USUAL_LEVEL)
    low, high = float(ranges.low[0]), float(ranges.high[0])
    if tagged:
        price_tag(guess)
    chart_head(named(run.name, run.manifest.generated))
    key_figures(
        [
            ("Guess", dollars(guess), "the median of its distribution"),
            ("Range", f"{whole_dollars(low)} to {whole_dollars(high)}", f"{USUAL_LEVEL:.0%} by its own account"),
            ("Answered in", f"{1000 * seconds:,.0f} ms", "from one pass over it"),
        ]
    )
    chart(
        distribution_chart(chances, (low, high), guess, look()),
        named(distribution_finding(run.name, low, high, USUAL_LEVEL), run.manifest.generated),
        alt=f"Distribution of the price by {run.name}, {whole_dollars(low)} to {whole_dollars(high)}.",
        key="chart_served",
        note="how likely it thinks each whole dollar",
        image="distribution of the language model",
    )
