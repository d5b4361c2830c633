"""Experiments on Compare: runs that belong together, launched by one click and read off the record."""

import streamlit as st

from pages.shared.experiments import balance, ladder, learning
from pricer.curation.dataset import Dataset, list_datasets

KINDS = {"balance": "Effect of balance", "ladder": "Ladder", "learning": "Learning curve"}
_SHOWN = {"balance": balance.show, "ladder": ladder.show, "learning": learning.show}


def show(exam_hash: str, reading: str) -> None:
    """The experiments on one exam; `reading` is how their errors are read, natural or balanced."""
    st.header("Experiments", anchor=False)
    kind = st.segmented_control(
        "Experiment",
        KINDS,
        required=True,
        default="balance",
        format_func=KINDS.get,
        key="experiment",
        label_visibility="collapsed",
        persist_state="session",
    )
    _SHOWN[kind](_datasets(exam_hash), reading)


def _datasets(exam_hash: str) -> list[Dataset]:
    """The datasets that bring this exam, the nearest to the market first."""
    found = [each for each in list_datasets() if each.manifest.exam_hash == exam_hash]
    return sorted(found, key=lambda each: (each.manifest.price_distance, each.name))
