"""Train: choose a model, see what it will take, and start it."""

from dataclasses import replace

import streamlit as st

from pages.shared import cached, shelf, state
from pages.shared.experiments.hint import show_hint
from pages.shared.jobs import command_of, find_job, follow_job, is_news, show_done, start_now
from pages.shared.kinds import PANELS
from pages.shared.settings_form import choose_settings, fill_settings
from pages.shared.widgets import (
    chart_head,
    checks,
    distinct,
    empty_card,
    key_figures,
    page_head,
    plain,
)
from pricer.catalogue.store import Catalogue, list_catalogues
from pricer.curation.dataset import Dataset, list_datasets
from pricer.figures.formats import NOT_MEASURED, count, count_of, dollars, duration, short_hash, size
from pricer.models import ModelKind
from pricer.models.registry import find_kind, trainable_kinds
from pricer.runs.orders import VERB, order_arguments, read_order
from pricer.runs.preflight import Preflight, preflight
from pricer.runs.spending import cap, may_cost, set_cap
from pricer.runs.store import list_runs, open_run
from pricer.runs.training import Order, default_name

CAP = "train_cap"
EXPLANATION = """
A **run** is one model fitted on a dataset's train and then asked every item of the **exam**, whose prices it never
sees. What it guesses is kept, so that every figure on other pages can be computed again.

**Time** and **memory** are estimates from fits of the same model on other numbers of items, on one core; they leave
out the asking, which takes seconds.

The **natural exam** is a simple random sample of the catalogue. The **balanced exam** holds as many items of each
price band. Asking only the *first k* is fair too: each is in random order.

**Error known to**: the 95% interval that so many items will buy, 1.96 standard deviations of the errors, divided by the
root of the number of items. The deviation is that of an earlier run of the same model on this exam; else of other
models; else of how far prices lie from their median.
"""
FAMILY_TITLES = {
    "yardstick": "Yardsticks",
    "words": "Words",
    "trees": "Trees",
    "networks": "Networks",
    "open-weight": "Open weights",
    "hosted": "Hosted",
    "stack": "Stacks",
}
FIRST_MODEL = "tfidf-ridge"  # what is chosen at first: soon done, and hard to beat
EXAMS = {"both": "Both", "natural": "Natural", "balanced": "Balanced"}
FIRST_N_HELP = "A random n of the items; a larger n only adds to them. Empty means all."
FIRST_K_HELP = "Each exam is in random order, so its first part is fair; the interval is wider. Empty means all."
PLACE = "train"  # what the keys of its fields begin with


def adopt_draft(catalogues: list[Catalogue]) -> None:
    """Take up the order that another page has handed over: every control stands as it says."""
    draft = st.session_state[state.TRAIN_DRAFT]
    order = read_order(draft) if draft else None
    st.session_state[state.TRAIN_DRAFT] = None
    if order is None:
        return
    dataset = next((each for each in list_datasets() if order.dataset in (each.id, each.name)), None)
    if dataset is None:
        st.warning(plain(f"The dataset {order.dataset} is gone; choose another."), icon=":material/warning:")
    else:
        made_from = (dataset.manifest.catalogue_name, dataset.manifest.catalogue_version)
        labels = (each.label for each in catalogues if (each.name, each.version) == made_from)
        st.session_state[state.CATALOGUE] = next(labels, None)
        st.session_state[state.DATASET] = dataset.id
        st.session_state[f"train_first_{dataset.id}"] = order.first_n
        st.session_state[f"train_ask_{dataset.id}"] = order.first_k
    kind = trainable_kinds()[order.model]
    st.session_state["train_family"] = kind.family
    st.session_state[f"train_model_{kind.family}"] = kind.name
    fill_settings(kind, PLACE, order.settings, order.seed)
    st.session_state["train_exam"] = order.asked
    st.session_state["train_name"] = order.name or ""


def choose_dataset(catalogues: list[Catalogue]) -> Dataset | None:
    """The dataset to train on; its catalogue can be chosen where there are several."""
    if len(catalogues) > 1:
        shelf.choose_catalogue(catalogues)
    datasets = shelf.datasets_of(shelf.catalogue_in_use(catalogues))
    if shelf.dataset_in_use(datasets) is None:
        return None
    names = distinct({each.id: f"{each.name}, {count_of(each.manifest.train, 'train item')}" for each in datasets})
    shelf.choose("Dataset", names, state.DATASET)
    return shelf.dataset_in_use(datasets)


def choose_model() -> ModelKind:
    """The model, of the family that is open; each family keeps its choice."""
    every = trainable_kinds()
    families = list(dict.fromkeys(kind.family for kind in every.values()))
    st.session_state.setdefault("train_family", every[FIRST_MODEL].family)
    family = st.pills(
        "Family",
        families,
        required=True,
        wrap=True,
        format_func=FAMILY_TITLES.get,
        key="train_family",
        persist_state="session",
    )
    kinds = {name: kind for name, kind in every.items() if kind.family == family}
    st.session_state.setdefault(f"train_model_{family}", FIRST_MODEL if FIRST_MODEL in kinds else next(iter(kinds)))
    name = st.radio(
        "Model",
        list(kinds),
        format_func=lambda name: kinds[name].label,
        captions=[plain(kind.explanation) for kind in kinds.values()],
        key=f"train_model_{family}",
        persist_state="session",
    )
    return kinds[name]


def choose_exam() -> str:
    st.session_state.setdefault("train_exam", Order.asked)
    return st.segmented_control(
        "Exam", EXAMS, required=True, format_func=EXAMS.get, key="train_exam", persist_state="session"
    )


def choose_order(kind: ModelKind, dataset: Dataset) -> Order:
    st.subheader("Settings", anchor=False)
    stated, seed = choose_settings(kind, PLACE)
    asked = choose_exam() if dataset.manifest.balanced else Order.asked
    left, right = st.columns(2)
    with left:
        first_n = first("First n of train", dataset.manifest.train, f"train_first_{dataset.id}", FIRST_N_HELP)
    with right:
        first_k = first("First k of the exam", dataset.manifest.exam, f"train_ask_{dataset.id}", FIRST_K_HELP)
    order = Order(kind.name, label_of(dataset), stated, seed, first_n, asked, first_k)
    suggested = default_name(order, dataset.name)
    name = st.text_input(
        "Name of the run", max_chars=80, key="train_name", placeholder=suggested, persist_state="session"
    )
    return replace(order, name=name.strip() or None)


def first(label: str, most: int, key: str, explanation: str) -> int | None:
    """A number of items; None, which is all of them, where it is left empty."""
    placeholder = f"all {count(most)}"
    return st.number_input(
        label, 1, most, None, key=key, placeholder=placeholder, help=explanation, persist_state="session"
    )


def label_of(dataset: Dataset) -> str:
    """How the command names a dataset: by its id where a later one has taken its name."""
    newest = next(each for each in list_datasets() if each.name == dataset.name)
    return dataset.name if newest.id == dataset.id else dataset.id


def show_what_it_takes(found: Preflight) -> None:
    reading, number = next(iter(found.exam_items.items()))
    key_figures(
        [
            ("Time to fit", f"about {duration(found.fit_seconds)}", f"{count_of(found.train_items, 'item')}, one core"),
            ("Memory", size(found.bytes_needed), f"of {size(found.bytes_free)} free"),
            ("Error known to", _known_to(found), f"about, by {count(number)} items of the {reading} exam"),
        ]
    )
    with st.container(gap="xsmall"):
        chart_head("Before it starts")
        checks((check.verdict, check.words, check.value) for check in found.checks)


def _known_to(found: Preflight) -> str:
    return f"± {dollars(found.precision.half_width)}" if found.precision else NOT_MEASURED


def show_start(order: Order, found: Preflight) -> None:
    arguments = order_arguments(order)
    with st.container(gap="xsmall"):
        chart_head("The same on the command line")
        st.code(command_of(arguments), language=None, wrap_lines=True)
    with st.container(horizontal=True, vertical_alignment="center"):
        label = f"{'Train' if find_kind(order.model).learns else 'Ask'} {order.model}"
        if st.button(
            label, type="primary", icon=":material/play_arrow:", key="start_train", disabled=not found.may_start
        ):
            start_now(state.TRAIN_JOB, arguments)
        st.page_link("models/runs.py", label="Open Runs", icon=":material/arrow_forward:")


def show_job() -> None:
    """Follow the run that was started last; when it is done, say how it did."""
    find_job(state.TRAIN_JOB, (VERB,))
    job = follow_job(state.TRAIN_JOB)
    if job is None:
        return
    if is_news(job):
        st.session_state[state.EXAM] = job.result["exam_hash"]
    run = open_run(job.result["id"])
    found = cached.run_metrics(run, job.result["reading"])
    words = f"{run.name}: error {dollars(found.error)} on {count_of(found.items, 'item')} of the "
    exam = shelf.OWN_EXAM if run.manifest.split == "naive" else f"{job.result['reading']} exam"
    words += f"{exam} {short_hash(run.manifest.exam_hash)}."
    show_done(state.TRAIN_JOB, plain(words))
    st.page_link("results/compare.py", label="Open Compare", icon=":material/arrow_forward:")


def choose_cap(order: Order, dataset: Dataset) -> None:
    """What a run may cost at most, where the model chosen asks a service that takes money."""
    if not may_cost(order.model, order.settings):
        return
    if CAP not in st.session_state:
        st.session_state[CAP] = cap()
    st.number_input(
        "A run may cost at most, in dollars", 0.0, step=1.0, key=CAP, on_change=lambda: set_cap(st.session_state[CAP]),
        help="For every run on this machine; nothing is asked beyond it.",
    )  # fmt: skip


page_head("Train", "Choose a model, see what it will take, and start it.", EXPLANATION)
catalogues = list_catalogues()
adopt_draft(catalogues)
left, right = st.columns([1, 1.55], gap="large")
with left:
    dataset = choose_dataset(catalogues)
if dataset is None:
    with left if catalogues else st.container(), st.container(border=True):
        empty_card("No dataset yet.", "A model is trained on a dataset, which Curate makes from a catalogue.")
        st.page_link("data/curate.py", label="Open Curate", icon=":material/arrow_forward:")
    st.stop()
with left:
    if dataset.manifest.generated:
        st.badge("generated", color="gray", help="Pricer made these products up; nobody sells them.")
    order = choose_order(choose_model(), dataset)
runs = list_runs()
with right:
    choose_cap(order, dataset)
found = preflight(order, dataset, runs)
with right:
    show_what_it_takes(found)
    if order.model in PANELS:
        PANELS[order.model](dataset, order)
    show_hint(order, dataset, runs)
    show_start(order, found)
    show_job()
