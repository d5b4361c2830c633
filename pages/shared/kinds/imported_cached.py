"""What a file of guesses holds, read once: its place in the home's cache is named by its hash."""

from pathlib import Path

import streamlit as st

from pricer.curation.dataset import Dataset
from pricer.runs.importing import Checked, check_guesses

_KEYS = {Dataset: lambda dataset: f"{dataset.folder} {dataset.manifest.exam_hash}"}


@st.cache_resource(max_entries=4, show_spinner="Holding the guesses against the exam", hash_funcs=_KEYS)
def checked(path: str, dataset: Dataset) -> Checked:
    return check_guesses(Path(path), dataset)
