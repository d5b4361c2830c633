"""The shelf at the sidebar's foot: the catalogue, dataset and exam in use; and which of them a page shows."""

from collections.abc import Callable
from contextlib import suppress

import streamlit as st

from pages.shared import state
from pages.shared.widgets import distinct, empty_card, escaped, generated_badge
from pricer.catalogue.store import Catalogue, list_catalogues
from pricer.curation.dataset import Dataset, list_datasets
from pricer.errors import PricerError
from pricer.figures.formats import count, count_of, short_hash
from pricer.runs.guessing import runs_that_price
from pricer.runs.store import Run, list_runs

OWN_EXAM = "own exam, may leak"  # of a dataset that was split naively
# The pages that show one exam of those that these runs were graded on.
GRADED: dict[str, Callable[[], list[Run]]] = {"compare": list_runs, "predict": runs_that_price}

Entry = tuple[str, str, str, bool]  # of the shelf: what it is, its name, a note, whether it is generated


def catalogue_in_use(catalogues: list[Catalogue]) -> Catalogue | None:
    """The catalogue that the session has chosen; the newest where that one is gone or none was chosen."""
    by_label = {catalogue.label: catalogue for catalogue in catalogues}
    if st.session_state[state.CATALOGUE] not in by_label:
        st.session_state[state.CATALOGUE] = next(iter(by_label), None)
    return by_label.get(st.session_state[state.CATALOGUE])


def dataset_in_use(datasets: list[Dataset]) -> Dataset | None:
    """The dataset that the session has chosen; the newest where that one is gone or none was chosen."""
    by_id = {dataset.id: dataset for dataset in datasets}
    if st.session_state[state.DATASET] not in by_id:
        st.session_state[state.DATASET] = next(iter(by_id), None)
    return by_id.get(st.session_state[state.DATASET])


def datasets_of(catalogue: Catalogue | None) -> list[Dataset]:
    """The datasets that were made from a version of a catalogue, the newest first."""
    if catalogue is None:
        return []
    made_from = (catalogue.name, catalogue.version)
    datasets = list_datasets()
    return [d for d in datasets if (d.manifest.catalogue_name, d.manifest.catalogue_version) == made_from]


def exam_in_use(runs: list[Run]) -> str | None:
    """The hash of the exam that the session has chosen; else that of the newest run, own exams last."""
    exams = [run.manifest.exam_hash for run in sorted(runs, key=lambda run: run.manifest.split == "naive")]
    if st.session_state[state.EXAM] not in exams:
        st.session_state[state.EXAM] = next(iter(exams), None)
    return st.session_state[state.EXAM]


def choose_exam(runs: list[Run]) -> list[Run]:
    """Let the exam be chosen, and give the runs that were graded on it, the newest first."""
    newest: dict[str, Run] = {}
    for run in runs:
        newest.setdefault(run.manifest.exam_hash, run)
    exam = exam_in_use(runs)
    names = {digest: _exam_name(run) for digest, run in newest.items()}
    chosen = [run for run in runs if run.manifest.exam_hash == exam]
    rest = len(runs) - len(chosen)
    choose(
        "Exam",
        names,
        state.EXAM,
        help="Only runs that were graded on one exam can be ranked together."
        + (f" {count(rest)} of {count_of(len(runs), 'run')} were graded on another." if rest else ""),
    )
    return chosen


def _exam_name(run: Run) -> str:
    of, digest = run.manifest, short_hash(run.manifest.exam_hash)
    return f"{of.dataset_name}: {OWN_EXAM}, {digest}" if of.split == "naive" else f"{of.catalogue_name}, {digest}"


def choose(label: str, names: dict[str, str], key: str, **options) -> None:
    """Let one of the named be chosen for a session key that several pages share.

    The widget's key is the page's own: the browser answers with a name, and pages may name things differently.
    """
    widget = f"{st.session_state[state.PAGE]}_{key}"
    if st.session_state.get(widget) != st.session_state[key]:
        st.session_state[widget] = st.session_state[key]
    taken = {"on_change": _take, "args": (key, widget)}
    st.selectbox(label, list(names), format_func=names.get, key=widget, **taken, **options)


def choose_catalogue(catalogues: list[Catalogue]) -> None:
    choose("Catalogue", {each.label: each.label for each in catalogues}, state.CATALOGUE)


def choose_dataset(datasets: list[Dataset], what_for: str) -> Dataset | None:
    """Let the dataset be chosen; None where there is none, after a card that says so and what it is for."""
    if dataset_in_use(datasets) is None:
        with st.container(border=True):
            empty_card("No dataset yet.", what_for)
            st.page_link("data/curate.py", label="Open Curate", icon=":material/arrow_forward:")
        return None
    names = distinct({each.id: f"{each.name}, {count_of(each.manifest.train, 'train item')}" for each in datasets})
    choose("Dataset", names, state.DATASET)
    dataset = dataset_in_use(datasets)
    if dataset.manifest.generated:
        st.badge("generated", color="gray", help="Pricer made these products up; nobody sells them.")
    return dataset


def _take(key: str, widget: str) -> None:
    st.session_state[key] = st.session_state[widget]


def show() -> None:
    """What is in use; on a page of results that is the exam that it shows, whatever catalogue was chosen elsewhere."""
    listed = GRADED[st.session_state[state.PAGE]]() if st.session_state[state.PAGE] in GRADED else []
    entries = _entries_of_exam(listed) if listed else _entries_in_use()
    if entries:
        st.html(f'<dl class="pr-shelf">{"".join(_entry(*entry) for entry in entries)}</dl>')


def _entries_of_exam(runs: list[Run]) -> list[Entry]:
    """The exam in use, and the catalogue that it belongs to."""
    exam = exam_in_use(runs)
    run = next(run for run in runs if run.manifest.exam_hash == exam)
    of, natural = run.manifest, None
    with suppress(PricerError):  # the dataset is gone
        natural = run.dataset().manifest.natural
    made_from = (of.catalogue_name, of.catalogue_version)
    found = [each for each in list_catalogues() if (each.name, each.version) == made_from]
    label, items = (found[0].label, found[0].manifest.items) if found else (of.catalogue_name, None)
    return [
        ("Catalogue", label, "" if items is None else count_of(items, "item"), of.generated),
        _exam_entry(of.split == "naive", natural, exam),
    ]


def _entries_in_use() -> list[Entry]:
    catalogue = catalogue_in_use(list_catalogues())
    if catalogue is None:
        return []
    manifest = catalogue.manifest
    entries = [("Catalogue", catalogue.label, count_of(manifest.items, "item"), manifest.generated)]
    dataset = dataset_in_use(datasets_of(catalogue))
    if dataset:
        entries.append(("Dataset", dataset.name, count_of(dataset.manifest.train, "item"), False))
    own = dataset is not None and dataset.manifest.split == "naive"
    exam = dataset.manifest if own else manifest
    return [*entries, _exam_entry(own, exam.natural, exam.exam_hash)]


def _exam_entry(own: bool, natural: int | None, exam_hash: str) -> Entry:
    items = "" if natural is None else f"{count_of(natural, 'item')}, "
    return "Exam", OWN_EXAM if own else "natural", items + short_hash(exam_hash), False


def _entry(kind: str, name: str, note: str, generated: bool) -> str:
    badge = generated_badge(generated).text
    return f"<dt>{escaped(kind)}</dt><dd>{escaped(name)}{badge}<small>{escaped(note)}</small></dd>"
