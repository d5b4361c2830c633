"""The field for what a run may cost at most, wherever something that takes money is started."""

import streamlit as st

from pricer.runs.spending import cap, set_cap


def choose_cap(key: str) -> None:
    """The cap of this machine; what is typed holds at once, on every page and the command line."""
    if key not in st.session_state:
        st.session_state[key] = cap()
    st.number_input(
        "A run may cost at most, in dollars", 0.0, step=1.0, key=key, on_change=lambda: set_cap(st.session_state[key]),
        help="For every run and every tuning on this machine; nothing is asked or begun beyond it.",
    )  # fmt: skip
