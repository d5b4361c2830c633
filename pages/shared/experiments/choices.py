"""What the experiments let people choose, once for all of them."""

import streamlit as st

from pages.shared.settings_form import choose_settings
from pages.shared.widgets import empty_card
from pricer.curation.dataset import Dataset
from pricer.models import MODELS, ModelKind, Value
from pricer.models.registry import settings_in_words
from pricer.runs.training import Order

FIRST_MODEL = "tfidf-ridge"


def choose_model(experiment: str) -> ModelKind:
    """The model that an experiment trains."""
    name = st.selectbox(
        "Model",
        list(MODELS),
        index=list(MODELS).index(FIRST_MODEL),
        format_func=lambda name: MODELS[name].label,
        key=f"{experiment}_model",
        persist_state="session",
    )
    return MODELS[name]


def choose_model_settings(experiment: str, kind: ModelKind) -> tuple[dict[str, Value], int]:
    """The settings of that model that are not its defaults, and the seed; in a fold, for most take it as it is."""
    with st.expander("Settings of the model", icon=":material/tune:", key=f"{experiment}_settings"):
        return choose_settings(kind, experiment)


def arguments_of(settings: dict[str, Value], seed: int) -> list[str]:
    """How a command of an experiment names them."""
    stated = [f"--set={name}={value}" for name, value in settings.items()]
    return stated if seed == Order.seed else [*stated, f"--seed={seed}"]


def with_settings(model: str, settings: dict[str, Value]) -> str:
    """A model's name in a title, with the settings that are not its defaults."""
    words = settings_in_words(model, settings)
    return f"{model} ({words})" if words else model


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
