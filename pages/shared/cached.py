"""Every Streamlit cache: bounded, and wrapped around one call of the library. A catalogue's folder never changes."""

from pathlib import Path

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

catalogue_at = st.cache_resource(Catalogue, max_entries=8, show_spinner=False)


@st.cache_resource(max_entries=2, show_spinner="Sorting the pool, once per catalogue and seed")
def index(folder: Path, seed: int) -> PoolIndex:
    return open_index(catalogue_at(folder), seed)


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs={Recipe: lambda recipe: recipe.id})
def plan(folder: Path, recipe: Recipe) -> Plan:
    return make_plan(index(folder, recipe.seed), recipe)


@st.cache_data(max_entries=32, show_spinner=False)
def row_count(folder: Path, wanted: browse.Wanted) -> int:
    return browse.count_rows(catalogue_at(folder), wanted)


@st.cache_data(max_entries=32, show_spinner=False)
def page_of_rows(folder: Path, wanted: browse.Wanted, page: int) -> pl.DataFrame:
    return browse.page_of_rows(catalogue_at(folder), wanted, page)


@st.cache_data(max_entries=16, show_spinner=False)
def explained_row(folder: Path, row_number: int) -> tuple[dict, list[browse.Check], dict | None]:
    """A raw row, what the rules say of it, and the item that it became."""
    catalogue = catalogue_at(folder)
    row = browse.find_row(catalogue, row_number)
    item = browse.find_item(catalogue, row["item_id"]) if row["outcome"] == "item" else None
    return row, browse.explain_row(catalogue, row), item


@st.cache_data(max_entries=8, show_spinner=False, hash_funcs={Recipe: lambda recipe: recipe.id})
def slot_items(folder: Path, recipe: Recipe, slot: int) -> pl.DataFrame:
    return items_of_slot(catalogue_at(folder), plan(folder, recipe), slot)


@st.cache_data(max_entries=8, show_spinner=False)
def dataset_slots(folder: Path) -> dict[str, np.ndarray]:
    """Items in each slot of train, validation and exam, of the dataset in a folder."""
    return Dataset(folder).slots()
