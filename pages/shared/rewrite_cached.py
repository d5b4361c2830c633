"""What rewriting computes once: what many texts may cost, and which texts of a catalogue are others now."""

import polars as pl
import streamlit as st

from pricer.catalogue.rewritten import changed_texts
from pricer.catalogue.store import Catalogue
from pricer.runs.rewriting import RewriteOrder, RewriteQuote, quote_rewrite

_KEYS = {
    Catalogue: lambda catalogue: f"{catalogue.folder} {catalogue.manifest.content_hash}",
    RewriteOrder: repr,
}


@st.cache_data(max_entries=4, show_spinner="Counting tokens", ttl=600, hash_funcs=_KEYS)
def quote_of_many(catalogue: Catalogue, order: RewriteOrder) -> RewriteQuote:
    """What an order for many items may cost: looked at again after ten minutes, as more may have been answered."""
    return quote_rewrite(order)


@st.cache_data(max_entries=2, show_spinner=False, hash_funcs=_KEYS)
def changed(catalogue: Catalogue, before: Catalogue) -> pl.DataFrame:
    return changed_texts(catalogue, before)
