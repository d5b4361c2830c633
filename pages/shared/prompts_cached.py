"""What pages compute once for prompts: an item of the exam, and what is shown with it."""

import polars as pl
import streamlit as st

from pricer.curation.dataset import Dataset
from pricer.llm.prompts import Prompt
from pricer.llm.similar import Similar, SimilarProducts
from pricer.models.hosted import Hosted, Shown, as_shown, draw_examples
from pricer.runs.training import read_train

_KEYS = {
    Dataset: lambda dataset: f"{dataset.folder} {dataset.manifest.content_hash}",
    Prompt: lambda prompt: prompt.id,
}


@st.cache_data(max_entries=4, show_spinner=False, hash_funcs=_KEYS)
def exam(dataset: Dataset) -> pl.DataFrame:
    """The exam without its prices."""
    return dataset.exam().select("item_id", "group", "title", "text").collect()


@st.cache_resource(max_entries=2, show_spinner="Counting the words of train", hash_funcs=_KEYS)
def similar_products(dataset: Dataset, first_n: int | None, seed: int) -> SimilarProducts:
    return SimilarProducts.of(read_train(dataset, Hosted.name, first_n), seed)


@st.cache_data(max_entries=16, show_spinner="Looking for similar products", hash_funcs=_KEYS)
def neighbours(dataset: Dataset, first_n: int | None, seed: int, place: int, k: int) -> list[Similar]:
    """The k products of train that are shown with the item at this place of the exam."""
    return similar_products(dataset, first_n, seed).find(exam(dataset)[place : place + 1], k)[0]


@st.cache_data(max_entries=8, show_spinner=False, hash_funcs=_KEYS)
def examples(dataset: Dataset, first_n: int | None, seed: int, number: int) -> list[Shown]:
    """The items of train that every question shows with their prices."""
    return as_shown(draw_examples(read_train(dataset, Hosted.name, first_n), number, seed))
