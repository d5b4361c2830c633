"""What the page Tune computes once: both files of an order."""

import streamlit as st

from pricer.curation.dataset import Dataset
from pricer.llm.providers import Provider
from pricer.runs.tuning_files import Files, make_files
from pricer.runs.tunings import TuneOrder

_KEYS = {
    Dataset: lambda dataset: f"{dataset.folder} {dataset.manifest.content_hash}",
    TuneOrder: lambda order: order.model_dump_json(exclude={"grade", "seed", "suffix", "wandb", "batch_size"}),
    Provider: lambda provider: f"{provider.name} {provider.base_url}",
}


@st.cache_data(max_entries=4, show_spinner="Building and checking both files", hash_funcs=_KEYS)
def files(order: TuneOrder, dataset: Dataset, provider: Provider) -> Files:
    return make_files(order, dataset, provider)
