"""What a browser's session remembers: each key once, with its default. Ids and widget values only, never data.

Streamlit forgets a widget's value when another page is opened, unless it is drawn with `persist_state="session"`.
"""

import streamlit as st

PAGE = "page"  # the page that the last run showed
TURNED = "turned"  # whether this run shows another page than the last
CATALOGUE = "catalogue"  # label of the catalogue that all pages show
DATASET = "dataset"  # id of the dataset that all pages show
JOB = "job"  # id of the job that Catalogue follows
REWRITE_JOB = "rewrite_job"  # id of the rewriting that Catalogue follows
SAMPLE_JOB = "sample_job"  # id of the job that Curate follows
TRAIN_JOB = "train_job"  # id of the job that Train follows
BASE_JOB = "base_job"  # id of the job that looks at a base model
DRY_RUN_JOB = "dry_run_job"  # id of the dry run or the base that Train follows
PUBLISH_JOB = "publish_job"  # id of the job that Publish follows
TUNE_JOB = "tune_job"  # id of the job that Tune follows
TUNE_PROBED = "tune_probed"  # the host, address and model that were asked about, and what was told
LAST_DONE = "last_done"  # id of the job whose end was last acted upon

WEIGHTED = "curate_weighted"  # the folder of the catalogue that the recipe in hand is for
HISTORY = "curate_history"  # recipes and their names (as PRESET), one for each step that can be undone
PLACE = "curate_place"  # which of them is in hand
TURN = "curate_turn"  # how often the page, and not the browser's hand, has changed the recipe
MOVE = "curate_move"  # the browser's last move in this turn
REFUSED = "curate_refused"  # why settings that the browser told were not taken
PRESET = "curate_preset"  # a preset, a saved recipe, or OWN_SETTINGS
OWN_SETTINGS = "own"
SCALE = "curate_scale"
RANGE = "curate_range"
SLOT = "curate_slot"  # the slot that was clicked
SPLIT = "curate_split"  # how the dataset gets its exam: by roles, or naive
BASE = "curate_base"  # name and version of the saved recipe that the one in hand was opened from
SHELVED = "curate_shelved"  # what the shelf of recipes did last, to be told: see recipe_shelf
OTHER = "curate_other"  # a preset or a saved recipe that the one in hand is compared with
SOLVE_SIZE = "curate_solve_size"  # what is wished of a proposed recipe
SOLVE_MEAN = "curate_solve_mean"
SOLVE_SHARE = "curate_solve_share"
SOLVED = "curate_solved"  # a catalogue's folder, a seed, and the wishes that were submitted for them

EXAM = "exam"  # hash of the exam whose runs Compare and Predict show
READING = "compare_reading"
SECTION = "compare_section"  # which part of Compare is open
MODEL_A = "compare_run"  # ids of the two runs that are compared
MODEL_B = "compare_against"
SHOWN_RUN = "runs_shown"  # id of the entry that Runs shows
RUN_WANTED = "runs_wanted"  # id of the entry that Runs shows next
MADE_JOB = "runs_made"  # id of the job that Runs showed until it was done, and that made no run
RUN_DELETED = "runs_deleted"  # id of the entry that was deleted last, until it is brought back
TRAIN_DRAFT = "train_draft"  # the arguments of an order that Train opens with
PRODUCT = "predict_product"  # the description that is priced
REVEALED = "predict_revealed"  # id of the exam item whose price was asked for

CHECKED = "publish_checked"  # the arguments that the hub was looked at for, and what was found
KEY_REFUSED = "key_refused"  # the name of a typed key that was not taken, and why
KEYS_TOLD = "keys_told"  # what each key's check told, by its name: a word of judgement and a sentence

PROVIDER_TOLD = "provider_told"  # what each provider's check told, by its name: a word of judgement and a sentence
PROVIDER_MODELS = "provider_models"  # the models that each provider listed, with their prices, by its name
ASKED = "predict_asked"  # what hosted runs said of products, by run and product
PROMPT_SAVED = "prompt_saved"  # the label of the prompt that was saved last, until it is told
PROMPT_REFUSED = "prompt_refused"  # why a prompt was not saved, until it is told
PROVIDER_REFUSED = "provider_refused"  # why a price or a provider was not taken

DEFAULTS = {
    ASKED: {},
    PROVIDER_TOLD: {},
    PROVIDER_MODELS: {},
    PROVIDER_REFUSED: None,
    PROMPT_SAVED: None,
    PROMPT_REFUSED: None,
    CHECKED: None,
    KEY_REFUSED: None,
    KEYS_TOLD: {},
    PAGE: None,
    TURNED: True,
    CATALOGUE: None,
    DATASET: None,
    JOB: None,
    REWRITE_JOB: None,
    SAMPLE_JOB: None,
    TRAIN_JOB: None,
    BASE_JOB: None,
    DRY_RUN_JOB: None,
    PUBLISH_JOB: None,
    TUNE_JOB: None,
    TUNE_PROBED: None,
    LAST_DONE: None,
    WEIGHTED: None,
    HISTORY: [],
    PLACE: 0,
    TURN: 0,
    MOVE: 0,
    REFUSED: None,
    PRESET: "scaled",
    SCALE: "log",
    RANGE: (1, 999),
    SLOT: None,
    SPLIT: "roles",
    BASE: None,
    SHELVED: None,
    OTHER: "none",
    SOLVED: None,
    EXAM: None,
    READING: "natural",
    SECTION: "leaderboard",
    MODEL_A: None,
    MODEL_B: None,
    SHOWN_RUN: None,
    RUN_WANTED: None,
    MADE_JOB: None,
    RUN_DELETED: None,
    TRAIN_DRAFT: None,
    PRODUCT: None,
    REVEALED: None,
}


def start() -> None:
    """Give every key its default."""
    for key, default in DEFAULTS.items():
        st.session_state.setdefault(key, default)


def note_page(path: str) -> None:
    """Note which page this run shows, and whether the last one showed another."""
    st.session_state[PAGE], st.session_state[TURNED] = path, st.session_state[PAGE] != path
