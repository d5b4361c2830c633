"""What the experiments let people choose and take away, once for all of them."""

import streamlit as st

from pages.shared.widgets import empty_card
from pricer.curation.dataset import Dataset
from pricer.models import MODELS

FIRST_MODEL = "tfidf-ridge"


def choose_model(experiment: str) -> str:
    """The name of the model that an experiment trains."""
    return st.selectbox(
        "Model",
        list(MODELS),
        index=list(MODELS).index(FIRST_MODEL),
        format_func=lambda name: MODELS[name].title,
        key=f"{experiment}_model",
        persist_state="session",
    )


def choose_dataset(experiment: str, datasets: list[Dataset]) -> Dataset:
    """The dataset that an experiment trains on, one of those that bring the exam."""
    by_id = {dataset.id: dataset for dataset in datasets}
    chosen = st.selectbox(
        "Dataset",
        list(by_id),
        format_func=lambda dataset_id: by_id[dataset_id].name,
        key=f"{experiment}_dataset_{datasets[0].manifest.exam_hash[:8]}",
        persist_state="session",
    )
    return by_id[chosen]


def show_no_dataset(what_for: str) -> None:
    with st.container(border=True):
        empty_card("No dataset brings this exam.", f"Make one on Curate; {what_for}.")
        st.page_link("data/curate.py", label="Open Curate", icon=":material/arrow_forward:")


def download(experiment: str, csv: str, name: str) -> None:
    """A button that hands the figures of an experiment over as a CSV file of this name."""
    st.download_button(
        "Download as CSV",
        csv,
        f"{name}.csv",
        "text/csv",
        key=f"download_{experiment}",
        icon=":material/download:",
        on_click="ignore",
    )
