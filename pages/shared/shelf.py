"""The shelf at the sidebar's foot: the catalogue, dataset and exam in use; and which of them a page shows."""

import streamlit as st

from pages.shared import state
from pages.shared.widgets import Cell, escaped, generated_badge
from pricer.catalogue.store import Catalogue, list_catalogues
from pricer.curation.dataset import Dataset, list_datasets
from pricer.figures.formats import count_of, short_hash


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


def show() -> None:
    catalogue = catalogue_in_use(list_catalogues())
    if catalogue is None:
        return
    manifest = catalogue.manifest
    entries = [("Catalogue", catalogue.label, count_of(manifest.items, "item"))]
    if dataset := dataset_in_use(datasets_of(catalogue)):
        entries.append(("Dataset", dataset.name, count_of(dataset.manifest.train, "item")))
    entries.append(("Exam", "natural", f"{count_of(manifest.natural, 'item')}, {short_hash(manifest.exam_hash)}"))
    badge = generated_badge(manifest.generated).text
    cells = "".join(_entry(*entry, badge if entry[0] == "Catalogue" else "") for entry in entries)
    st.html(f'<dl class="pr-shelf">{cells}</dl>')


def _entry(kind: str, name: Cell, note: Cell, badge: str) -> str:
    return f"<dt>{escaped(kind)}</dt><dd>{escaped(name)}{badge}<small>{escaped(note)}</small></dd>"
