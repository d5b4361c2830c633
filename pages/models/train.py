"""Train: choose a model, see what it will take, and start it."""

from dataclasses import replace

import streamlit as st

from pages.shared import cached, shelf, state
from pages.shared.experiments.hint import show_hint
from pages.shared.experiments.parts import about
from pages.shared.jobs import command_of, find_job, follow_job, is_news, show_done, start_now
from pages.shared.kinds import PANELS
from pages.shared.kinds.imported import show_importing
from pages.shared.kinds.stack import choose_runs, draft_runs
from pages.shared.settings_form import choose_settings, fill_settings
from pages.shared.spending import choose_cap
from pages.shared.widgets import chart_head, checks, key_figures, page_head, plain
from pricer.catalogue.store import Catalogue, list_catalogues
from pricer.curation.dataset import Dataset, list_datasets
from pricer.figures.formats import NOT_MEASURED, count, count_of, dollars, short_hash, size
from pricer.models import ModelKind
from pricer.models.registry import STACK, find_kind, trainable_kinds
from pricer.runs.importing import IMPORTED
from pricer.runs.importing import VERB as IMPORT
from pricer.runs.orders import VERB, order_arguments, read_order
from pricer.runs.preflight import Preflight, preflight
from pricer.runs.spending import may_cost
from pricer.runs.store import Run, list_runs, open_run
from pricer.runs.training import Order, default_name

EXPLANATION = """
A **run** is one model fitted on a dataset's train and then asked every item of the **exam**, whose prices it never
sees. What it guesses is kept, so that every figure on other pages can be computed again.

**Time** and **memory** are estimates from fits of the same model on other numbers of items, on one core; they leave
out the asking, which takes seconds, but of a language model that runs here: **time to ask** says how long.

The **natural exam** is a simple random sample of the catalogue. The **balanced exam** holds as many items of each
price band. Asking only the *first k* is fair too: each is in random order.

A **stack** adds up what other runs guess, each weighed by what it is worth on validation, which none of them learned
from. **Imported** guesses were made elsewhere, and are graded on the same exam.

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
    STACK.family: "Stacks",
    IMPORTED: "Imported",
}
FIRST_MODEL = "tfidf-ridge"  # what is chosen at first: soon done, and hard to beat
EXAMS = {"both": "Both", "natural": "Natural", "balanced": "Balanced"}
FIRST_N_HELP = "A random n of the items; a larger n only adds to them. Empty means all."
FIRST_K_HELP = "Each exam is in random order, so its first part is fair; the interval is wider. Empty means all."
PLACE = "train"  # what the keys of its fields begin with


def adopt_draft(catalogues: list[Catalogue], runs: list[Run]) -> None:
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
    kind = find_kind(order.model)
    if kind is STACK and dataset:
        draft_runs(dataset, order.of, runs)
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
    return shelf.choose_dataset(datasets, "A model is trained on a dataset, which Curate makes from a catalogue.")


def choose_family() -> str:
    st.session_state.setdefault("train_family", trainable_kinds()[FIRST_MODEL].family)
    return st.pills(
        "Family",
        FAMILY_TITLES,
        required=True,
        wrap=True,
        format_func=FAMILY_TITLES.get,
        key="train_family",
        persist_state="session",
    )


def choose_model(family: str) -> ModelKind:
    """The model, of the family that is open; each family keeps its choice."""
    kinds = {name: kind for name, kind in trainable_kinds().items() if kind.family == family}
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
    return with_name(Order(kind.name, label_of(dataset), stated, seed, first_n, asked, first_k), dataset)


def choose_stack(dataset: Dataset, runs: list[Run]) -> Order | None:
    """A stack of the runs that are chosen; None where no two can be stacked."""
    st.subheader("Stack of runs", anchor=False)
    st.caption(plain(STACK.explanation))
    of = choose_runs(dataset, runs)
    if of is None:
        return None
    _, seed = choose_settings(STACK, PLACE)
    return with_name(Order(STACK.name, label_of(dataset), seed=seed, of=of), dataset)


def with_name(order: Order, dataset: Dataset) -> Order:
    """The order with the name that is typed for its run, if one is."""
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
            ("Time to fit", about(found.fit_seconds), f"{count_of(found.train_items, 'item')}, one core"),
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
    find_job(state.TRAIN_JOB, (VERB, IMPORT))
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


page_head("Train", "Choose a model, see what it will take, and start it.", EXPLANATION, figures=True)
catalogues, runs = list_catalogues(), list_runs()
adopt_draft(catalogues, runs)
left, right = st.columns([1, 1.55], gap="large")
with left:
    dataset = choose_dataset(catalogues)
    if dataset is None:
        st.stop()
    family = choose_family()
    if family == IMPORTED:
        order = None
    elif family == STACK.family:
        order = choose_stack(dataset, runs)
    else:
        order = choose_order(choose_model(family), dataset)
if family == IMPORTED:
    show_importing(dataset, label_of(dataset), left, right)
with right:
    if order:
        if may_cost(order.model, order.settings):
            choose_cap("train_cap")
        found = preflight(order, dataset, runs)
        show_what_it_takes(found)
        if order.model in PANELS:
            PANELS[order.model](dataset, order)
        show_hint(order, dataset, runs)
        show_start(order, found)
    show_job()
