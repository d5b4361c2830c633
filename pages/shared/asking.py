"""Hosted models on Predict: none is asked by itself, for each may cost money; a button asks one."""

from collections.abc import Sequence

import streamlit as st

from pages.shared import state
from pages.shared.widgets import chart_head, checks, plain
from pricer.errors import PricerError
from pricer.figures.formats import dollars
from pricer.runs.guessing import ask_prices, describe, quote_asking
from pricer.runs.store import Run

MOST = 5  # of the newest, that can be asked from this page
_VERDICTS = {"answer": "pass", "refusal": "look", "unparsable": "look", "failed": "stop"}


def show_asking(runs: Sequence[Run], product: str) -> None:
    """A button for each of the first hosted runs, with what its answer may cost, and what it said of this product."""
    if not runs:
        return
    chart_head("Ask a hosted model", "only when you press its button; the same question is not paid for twice")
    answered = {key: told for key, told in st.session_state[state.ASKED].items() if key[1] == product}
    for run in runs[:MOST]:
        with st.container(horizontal=True, vertical_alignment="center"):
            try:
                price = quote_asking(run, describe([product]))
            except PricerError as error:
                st.caption(plain(f"{run.name}: {error}."))
                continue
            cost = f"at most {dollars(price) if price >= 0.01 else 'a cent'}" if price else "free"
            st.button(
                f"Ask, {cost}: {plain(run.name)}", key=f"ask_{run.id}", icon=":material/chat:",
                on_click=_ask, args=(run, product),
            )  # fmt: skip
    checks(answered.values())


def _ask(run: Run, product: str) -> None:
    """Ask, and remember the answer for this product: a line of a verdict, what was said, and the price."""
    try:
        said = ask_prices(describe([product]), run).row(0, named=True)
        price = "no answer" if said["guess"] is None else dollars(said["guess"])
        told = (_VERDICTS[said["status"]], f"{run.name} said: {(said['raw_answer'] or '')[:300]}", price)
    except PricerError as error:
        told = ("stop", f"{run.name}: {error}", "not asked")
    st.session_state[state.ASKED] = st.session_state[state.ASKED] | {(run.id, product): told}
