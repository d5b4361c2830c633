"""Choosing one or two of the runs on a board."""

import polars as pl
import streamlit as st

from pages.shared import state


def choose_two(board: pl.DataFrame) -> tuple[str, str | None]:
    """The ids of the run to look at and of the one to set beside it, if there are two."""
    names = dict(board.select("run", "name").iter_rows())
    left, right = st.columns(2)
    with left:
        first = _choose_run("Model", names, state.MODEL_A)
    others = {run: name for run, name in names.items() if run != first}
    if not others:
        return first, None
    with right:
        return first, _choose_run("Against", others, state.MODEL_B)


def _choose_run(label: str, names: dict[str, str], key: str) -> str:
    if st.session_state[key] not in names:
        st.session_state[key] = next(iter(names))
    st.selectbox(label, list(names), format_func=names.get, key=key, persist_state="session")
    return st.session_state[key]


def choose_one(board: pl.DataFrame, label: str = "Model") -> str:
    """The id of the run to look at."""
    return _choose_run(label, dict(board.select("run", "name").iter_rows()), state.MODEL_A)
