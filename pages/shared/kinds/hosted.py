"""What Train shows of a hosted model: its provider, its prompt as asked, and how a reply is read."""

import streamlit as st

from pages.shared.prompts import show_prompts
from pages.shared.providers import listed_models, provider_names, show_provider
from pages.shared.reader_box import show_reader_box
from pricer.curation.dataset import Dataset
from pricer.llm.prompts import PROMPTS
from pricer.llm.saved_prompts import list_prompts
from pricer.models.registry import find_kind
from pricer.runs.training import Order


def show_hosted(dataset: Dataset, order: Order) -> None:
    """Draw the panel for an order as it stands."""
    chosen = find_kind(order.model).check_settings(order.settings)
    with st.container(gap="small"):
        show_provider(chosen["provider"], chosen["model"])
        show_prompts(dataset, order, chosen["prompt"])
        with st.expander("Try how a reply is read", icon=":material/price_check:", key="reader_box"):
            show_reader_box()


def hosted_choices(setting: str) -> list[str] | None:
    """What may be picked for a setting besides what is typed; None where it is typed alone."""
    if setting == "provider":
        return provider_names()
    if setting == "prompt":
        return [*PROMPTS, *(saved.label for saved in list_prompts())]
    if setting == "model":
        return listed_models(st.session_state.get("train_hosted_provider") or "") or None
    return None
