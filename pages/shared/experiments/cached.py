"""What experiments compute, cached: a run never changes, so its id is enough."""

import polars as pl
import streamlit as st

from pages.shared.cached import graded
from pricer.evaluation.effects import Effect
from pricer.evaluation.effects import effect as find_effect
from pricer.evaluation.effects import steps as find_steps
from pricer.evaluation.errors import Reading
from pricer.evaluation.learning import Learning, look_ahead
from pricer.runs.store import Run

_KEYS = {Run: lambda run: run.id}


@st.cache_data(max_entries=32, show_spinner=False, hash_funcs=_KEYS)
def effect(reference: Run, other: Run, reading: Reading) -> Effect:
    return find_effect(graded(reference), graded(other), reading)


@st.cache_data(max_entries=16, show_spinner=False, hash_funcs=_KEYS)
def steps(rungs: tuple[str, ...], runs: list[Run], reading: Reading) -> pl.DataFrame:
    return find_steps(list(zip(rungs, map(graded, runs), strict=True)), reading)


@st.cache_data(max_entries=16, show_spinner=False, hash_funcs=_KEYS)
def learning_curve(sizes: tuple[int, ...], runs: list[Run], reading: Reading, train_items: int) -> Learning:
    return look_ahead(list(zip(sizes, map(graded, runs), strict=True)), train_items, reading)
