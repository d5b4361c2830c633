"""Guesses that were made elsewhere, by people or services: a CSV is checked line by line, then becomes a run."""

from pathlib import PurePath

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.shared import prompts_cached, state
from pages.shared.jobs import command_of, is_busy, start_now
from pages.shared.kinds import imported_cached
from pages.shared.widgets import (
    chart_head,
    checks,
    empty_card,
    key_figures,
    page_of,
    plain,
    sentence,
    spreadsheet_csv,
    table,
)
from pricer.curation.dataset import Dataset
from pricer.errors import PricerError
from pricer.figures.formats import count, count_of
from pricer.runs.importing import FAMILIES, Checked, import_arguments, keep_upload

FAMILY = "imported"
MOST_MEGABYTES = 20
WHO = dict(zip(FAMILIES, ("People", "A service"), strict=True))
LONGEST_CELL = 60  # characters of what a bad line says


def show_importing(dataset: Dataset, label: str, left: DeltaGenerator, right: DeltaGenerator) -> None:
    """A file, a name and who guessed; beside them what the file holds, the command, and the button."""
    with left:
        st.subheader("Guesses from elsewhere", anchor=False)
        file = st.file_uploader(
            "CSV with the columns item_id and guess", ["csv"], key="import_file", max_upload_size=MOST_MEGABYTES
        )
        usual = (PurePath(file.name).stem if file else "").strip()[:80] or "Imported guesses"
        stated = st.text_input(
            "Name of the run", max_chars=80, key="import_name", placeholder=usual, persist_state="session"
        )
        family = st.segmented_control(
            "Who guessed", list(WHO), required=True, format_func=WHO.get, key="import_family", default=FAMILIES[0],
            persist_state="session",
        )  # fmt: skip
        _offer_exam(dataset)
    with right:
        if file is None:
            with st.container(border=True):
                empty_card(
                    "No file yet.",
                    "Each line names an item of the exam and a guess in dollars, 12.50 or $1,234.50. What it holds is "
                    "shown here before anything is graded.",
                )
            return
        path = keep_upload(file.getvalue())
        try:
            found = imported_cached.checked(str(path), dataset)
        except PricerError as error:
            words = str(error).removeprefix(f"{path}: ")  # a place in the cache, which nobody has chosen
            st.error(plain(f"{file.name}: {words}."), icon=":material/error:")
            return
        _show_found(found)
        arguments = import_arguments(path, label, stated.strip() or usual, family)
        with st.container(gap="xsmall"):
            chart_head("The same on the command line")
            st.code(command_of(arguments), language=None, wrap_lines=True)
        busy = not found.matched or is_busy(state.TRAIN_JOB)
        if st.button(
            "Import these guesses", type="primary", icon=":material/upload:", key="start_import", disabled=busy
        ):
            start_now(state.TRAIN_JOB, arguments)


def _offer_exam(dataset: Dataset) -> None:
    st.download_button(
        "Download the exam without prices",
        lambda: spreadsheet_csv(prompts_cached.exam(dataset).select("item_id", "title", "text")),
        f"exam-{dataset.name}.csv",
        "text/csv",
        key="download_exam",
        icon=":material/download:",
        on_click="ignore",
        type="tertiary",
        help="What there is to guess: add a column guess, and keep item_id as it is.",
    )


def _show_found(found: Checked) -> None:
    key_figures(
        [
            ("Lines", count(found.rows), "below the one with the names of columns"),
            ("Match the exam", count(found.matched), f"of {count_of(found.exam_items, 'item')}"),
            ("To look at", count(len(found.bad)), "lines, listed below" if found.bad else "every line counts"),
        ]
    )
    with st.container(gap="xsmall"):
        chart_head("Before it is graded")
        checks(_lines(found))
    if found.bad:
        with st.expander(f"{count_of(len(found.bad), 'line')} to look at", expanded=True, key="import_bad"):
            rows = [
                (count(row.line), _short(row.item_id), _short(row.guess), sentence(row.why))
                for row in page_of(found.bad, "line", "import_bad_page")
            ]
            table(["Line", "item_id", "guess", "What is wrong"], rows, right=(0,))


def _lines(found: Checked) -> list[tuple[str, str, str]]:
    """Preflight lines: what counts, and what does not."""
    lines = [("pass" if found.matched else "stop", "Guesses of items of the exam", count(found.matched))]
    others = [
        ("Exam items without a guess, which count as not asked", found.missing),
        ("Lines of no item of the exam", found.unknown),
        ("Lines of an item that an earlier line guessed", found.duplicates),
        ("Guesses that say no price, scored as the train median", found.failed),
    ]
    return lines + [("look", words, count(number)) for words, number in others if number]


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 1]}…"
