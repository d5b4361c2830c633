"""Experiments on Compare: runs that belong together, launched by one click and read off the record."""

import streamlit as st

from pages.shared.experiments import balance, ladder, learning
from pages.shared.widgets import empty_card
from pricer.curation.dataset import Dataset, list_datasets
from pricer.evaluation.scoring import DEFAULT, Scoring

KINDS = {"balance": "Effect of balance", "ladder": "Ladder", "learning": "Learning curve"}
_SHOWN = {"balance": balance.show, "ladder": ladder.show, "learning": learning.show}


def show(exam_hash: str, reading: str, scoring: Scoring = DEFAULT) -> None:
    """The experiments on one exam; `reading` is how their errors are read, natural or balanced.

    They go by the leaderboard's own rules, whatever the page's scoring.
    """
    if not scoring.is_default:
        st.info("Experiments go by the leaderboard's own rules.", icon=":material/info:")
    datasets = _datasets(exam_hash)
    if any(dataset.manifest.split == "naive" for dataset in datasets):
        with st.container(border=True):
            empty_card(
                "An own exam may leak, so experiments on it would flatter.",
                "Choose an exam above that belongs to a catalogue, or make a dataset that is split by roles.",
            )
        return
    kind = st.segmented_control(
        "Experiment",
        KINDS,
        required=True,
        default="balance",
        format_func=KINDS.get,
        key="experiment",
        persist_state="session",
    )
    _SHOWN[kind](datasets, reading)


def _datasets(exam_hash: str) -> list[Dataset]:
    """The datasets that bring this exam, the nearest to the market first."""
    found = [each for each in list_datasets() if each.manifest.exam_hash == exam_hash]
    return sorted(found, key=lambda each: (each.manifest.price_distance, each.name))
