"""What rewriting computes once: what many texts may cost, and which texts of a catalogue are others now."""

import polars as pl
import streamlit as st

from pricer.catalogue.rewritten import changed_texts
from pricer.catalogue.store import Catalogue
from pricer.llm.providers import Price
from pricer.runs.rewriting import RewriteOrder, RewriteQuote, quote_rewrite

_KEYS = {
    Catalogue: lambda catalogue: f"{catalogue.folder} {catalogue.manifest.content_hash}",
    RewriteOrder: repr,
}


@st.cache_data(max_entries=4, show_spinner="Counting tokens", ttl=600, hash_funcs=_KEYS)
def quote_of_many(catalogue: Catalogue, order: RewriteOrder, price: Price | None) -> RewriteQuote:
    """What an order for many items may cost at this price: looked at again after ten minutes, when more is kept."""
    return quote_rewrite(order)


@st.cache_data(max_entries=2, show_spinner=False, hash_funcs=_KEYS)
def changed(catalogue: Catalogue, before: Catalogue) -> pl.DataFrame:
    return changed_texts(catalogue, before)
