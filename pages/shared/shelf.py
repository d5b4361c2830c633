"""The shelf at the sidebar's foot: the catalogue, dataset and exam in use; and which of them a page shows."""

import streamlit as st

from pages.shared import state
from pages.shared.widgets import Cell, escaped, generated_badge
from pricer.catalogue.store import Catalogue, list_catalogues
from pricer.curation.dataset import Dataset, list_datasets
from pricer.figures.formats import count, count_of, short_hash
from pricer.runs.store import Run

OWN_EXAM = "own exam, may leak"  # of a dataset that was split naively


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


def _take(key: str, widget: str) -> None:
    st.session_state[key] = st.session_state[widget]


def show() -> None:
    catalogue = catalogue_in_use(list_catalogues())
    if catalogue is None:
        return
    manifest = catalogue.manifest
    entries = [("Catalogue", catalogue.label, count_of(manifest.items, "item"))]
    dataset = dataset_in_use(datasets_of(catalogue))
    if dataset:
        entries.append(("Dataset", dataset.name, count_of(dataset.manifest.train, "item")))
    own = dataset is not None and dataset.manifest.split == "naive"
    exam = dataset.manifest if own else manifest
    name = OWN_EXAM if own else "natural"
    entries.append(("Exam", name, f"{count_of(exam.natural, 'item')}, {short_hash(exam.exam_hash)}"))
    badge = generated_badge(manifest.generated).text
    cells = "".join(_entry(*entry, badge if entry[0] == "Catalogue" else "") for entry in entries)
    st.html(f'<dl class="pr-shelf">{cells}</dl>')


def _entry(kind: str, name: Cell, note: Cell, badge: str) -> str:
    return f"<dt>{escaped(kind)}</dt><dd>{escaped(name)}{badge}<small>{escaped(note)}</small></dd>"
