"""What pages compute once for prompts: an item of the exam, and what is shown with it."""

import numpy as np
import polars as pl
import streamlit as st

from pricer.curation.dataset import Dataset
from pricer.llm.prompts import Prompt
from pricer.llm.similar import Similar, SimilarProducts
from pricer.models.hosted import Shown

_KEYS = {
    Dataset: lambda dataset: f"{dataset.folder} {dataset.manifest.content_hash}",
    Prompt: lambda prompt: prompt.id,
}


@st.cache_data(max_entries=4, show_spinner=False, hash_funcs=_KEYS)
def exam(dataset: Dataset) -> pl.DataFrame:
    """The exam without its prices."""
    return dataset.exam().select("item_id", "group", "title", "text").collect()


@st.cache_resource(max_entries=2, show_spinner="Counting the words of train", hash_funcs=_KEYS)
def similar_products(dataset: Dataset) -> SimilarProducts:
    return SimilarProducts.of(dataset.train().collect())


@st.cache_data(max_entries=16, show_spinner="Looking for similar products", hash_funcs=_KEYS)
def neighbours(dataset: Dataset, place: int, k: int) -> list[Similar]:
    """The k products of train that are shown with the item at this place of the exam."""
    return similar_products(dataset).find(exam(dataset)[place : place + 1], k)[0]


@st.cache_data(max_entries=8, show_spinner=False, hash_funcs=_KEYS)
def examples(dataset: Dataset, number: int, seed: int) -> list[Shown]:
    """The items of train that every question shows with their prices, as the hosted model draws them."""
    train = dataset.train().select("text", "price").collect()
    places = np.sort(np.random.default_rng(seed).permutation(len(train))[:number])
    return [Shown(text, price) for text, price in train[places].iter_rows()]
