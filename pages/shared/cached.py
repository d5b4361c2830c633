"""Every Streamlit cache: bounded, wrapped around one call of the library, and keyed by what the data holds."""

import numpy as np
import polars as pl
import streamlit as st

from pricer.catalogue import browse
from pricer.catalogue.store import Catalogue
from pricer.curation.dataset import Dataset
from pricer.curation.index import PoolIndex, open_index
from pricer.curation.recipe import Recipe
from pricer.curation.sampler import Plan, make_plan
from pricer.curation.slots import items_of_slot

_KEYS = {
    Catalogue: lambda catalogue: f"{catalogue.folder} {catalogue.manifest.content_hash}",
    Dataset: lambda dataset: f"{dataset.folder} {dataset.manifest.content_hash}",
    Recipe: lambda recipe: recipe.id,
}


@st.cache_resource(max_entries=2, show_spinner="Sorting the pool, once per catalogue and seed", hash_funcs=_KEYS)
def index(catalogue: Catalogue, seed: int) -> PoolIndex:
    return open_index(catalogue, seed)


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs=_KEYS)
def plan(catalogue: Catalogue, recipe: Recipe) -> Plan:
    return make_plan(index(catalogue, recipe.seed), recipe)


@st.cache_data(max_entries=32, show_spinner=False, hash_funcs=_KEYS)
def row_count(catalogue: Catalogue, wanted: browse.Wanted) -> int:
    return browse.count_rows(catalogue, wanted)


@st.cache_data(max_entries=32, show_spinner=False, hash_funcs=_KEYS)
def page_of_rows(catalogue: Catalogue, wanted: browse.Wanted, page: int) -> pl.DataFrame:
    return browse.page_of_rows(catalogue, wanted, page)


@st.cache_data(max_entries=16, show_spinner=False, hash_funcs=_KEYS)
def explained_row(catalogue: Catalogue, row_number: int) -> tuple[dict, list[browse.Check], dict | None]:
    """A raw row, what the rules say of it, and the item that it became."""
    row = browse.find_row(catalogue, row_number)
    item = browse.find_item(catalogue, row["item_id"]) if row["outcome"] == "item" else None
    return row, browse.explain_row(catalogue, row), item


@st.cache_data(max_entries=8, show_spinner=False, hash_funcs=_KEYS)
def slot_items(catalogue: Catalogue, recipe: Recipe, slot: int) -> pl.DataFrame:
    return items_of_slot(catalogue, plan(catalogue, recipe), slot)


@st.cache_data(max_entries=8, show_spinner=False, hash_funcs=_KEYS)
def dataset_slots(dataset: Dataset) -> dict[str, np.ndarray]:
    return dataset.slots()
