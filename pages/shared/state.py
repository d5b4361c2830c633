"""What a browser's session remembers: each key once, with its default. Ids and widget values only, never data."""

import streamlit as st

CATALOGUE = "catalogue"  # label of the catalogue that all pages show
DATASET = "dataset"  # id of the dataset that all pages show
JOB = "job"  # id of the job that Catalogue follows
SAMPLE_JOB = "sample_job"  # id of the job that Curate follows
LAST_DONE = "last_done"  # id of the job whose end was last acted upon

CUTOFF = "curate_cutoff"
CAP = "curate_cap"
SEED = "curate_seed"
OTHER_WEIGHT = "curate_other_weight"  # of all categories without a weight of their own
WEIGHTED = "curate_weighted"  # the catalogue whose recipe the keys above hold
PRESET = "curate_preset"  # a preset, a saved recipe, or OWN_SETTINGS
OWN_SETTINGS = "own"
SCALE = "curate_scale"
RANGE = "curate_range"
SLOT = "curate_slot"  # the slot that was clicked
LINK = "curate_link"  # the address that these values were last read from or written to

DEFAULTS = {
    CATALOGUE: None,
    DATASET: None,
    JOB: None,
    SAMPLE_JOB: None,
    LAST_DONE: None,
    WEIGHTED: None,
    PRESET: "scaled",
    SCALE: "log",
    RANGE: (1, 999),
    SLOT: None,
    LINK: None,
}


def weight_key(category: str) -> str:
    """The key of the exact weight of a category."""
    return f"curate_weight_{category}"


def start() -> None:
    """Give every key its default, and hold on to values whose widgets another page does not draw.

    Streamlit forgets a widget's value when a run does not draw the widget; assigning it again keeps it.
    """
    for key, default in DEFAULTS.items():
        st.session_state.setdefault(key, default)
    for key in st.session_state:
        if key in DEFAULTS or str(key).startswith("curate_"):
            st.session_state[key] = st.session_state[key]
