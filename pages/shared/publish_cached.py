"""What the page Publish computes once: previews and files for fine-tuning, keyed by the dataset's content."""

import polars as pl
import streamlit as st

from pricer.curation.dataset import Dataset
from pricer.publish.folder import draw_pictures, preview_card
from pricer.publish.forms import Options, in_edition
from pricer.publish.messages import Choice, FileCheck, Limits, check_both, message_files

PREVIEWED = 3  # rows of a part
_KEYS = {
    Dataset: lambda dataset: f"{dataset.folder} {dataset.manifest.content_hash}",
    Options: lambda options: options.model_dump_json(),
    Limits: repr,
}


@st.cache_data(max_entries=8, show_spinner=False, hash_funcs=_KEYS)
def card(dataset: Dataset, options: Options, place: str) -> str:
    return preview_card(dataset, options, place)


@st.cache_data(max_entries=4, show_spinner=False, hash_funcs=_KEYS)
def pictures(dataset: Dataset) -> dict[str, str]:
    return draw_pictures(dataset)


@st.cache_data(max_entries=16, show_spinner=False, hash_funcs=_KEYS)
def rows(dataset: Dataset, part: str, options: Options) -> pl.DataFrame:
    """The first rows of a part, as they are published."""
    return in_edition(getattr(dataset, part)().head(PREVIEWED).collect(), part, options)


@st.cache_data(max_entries=4, show_spinner="Choosing and checking the rows", hash_funcs=_KEYS)
def messages(dataset: Dataset, train: int, validation: int, choice: Choice, prompt: str) -> dict[str, bytes]:
    return message_files(dataset, {"train": train, "validation": validation}, choice, prompt)


@st.cache_data(max_entries=8, show_spinner="Counting tokens", hash_funcs=_KEYS)
def checked(contents: dict[str, bytes], limits: Limits) -> list[FileCheck]:
    return check_both(contents, limits)
