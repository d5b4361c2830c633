"""Loading products: the forms that start a load or the demo, and the job that carries it out."""

from pathlib import Path

import streamlit as st

from pages.shared import state
from pages.shared.jobs import command_of, find_running_job, follow_job, is_busy, is_news, show_done, start_now
from pages.shared.widgets import plain
from pricer.catalogue.scrub import RULES
from pricer.catalogue.store import check_name
from pricer.errors import PricerError
from pricer.figures.formats import count_of, duration, short_hash


def show_loading(expanded: bool) -> None:
    with st.expander("Load more products", icon=":material/add:", expanded=expanded, key="load_products"):
        file_column, demo_column = st.columns(2, gap="large")
        with file_column:
            show_load_form()
        with demo_column:
            show_demo_form()


def show_load_form() -> None:
    st.markdown("**A file of yours**")
    paths = st.text_area(
        "Paths on this machine, one per line",
        key="load_paths",
        height=80,
        placeholder="/data/meta_Appliances.jsonl.gz",
        help="JSON lines in the form of raw product metadata, gzipped or plain.",
    )
    name_column, rules_column = st.columns(2)
    name = name_column.text_input("Name of the catalogue", key="load_name", placeholder="appliances")
    rules = rules_column.selectbox("Rules for scrubbing", ["auto", *RULES], key="load_rules")
    files = [line.strip() for line in paths.splitlines() if line.strip()]
    arguments = ["load", *files, "--catalogue", name.strip(), "--rules", rules]
    wrong = why_not(files, name.strip())
    if wrong is None:
        st.code(command_of(arguments), language=None, wrap_lines=True)
    elif files or name:
        st.caption(plain(wrong))
    start_button("Load", ":material/upload_file:", "load_start", arguments, wrong is not None)


def why_not(files: list[str], name: str) -> str | None:
    """Why a load cannot start; None if it can."""
    if not files:
        return "Give the path of at least one file."
    if missing := [file for file in files if not Path(file).expanduser().is_file()]:
        return f"There is no file {missing[0]}."
    try:
        check_name(name)
    except PricerError as error:
        return str(error)
    return None


def show_demo_form() -> None:
    st.markdown("**Generated products**")
    st.caption("An invented shop: eight categories, prices that follow from the words, and all the dirt of real files.")
    rows_column, seed_column = st.columns(2)
    rows = rows_column.number_input("Rows", 100, 10_000_000, 60_000, 10_000, key="demo_rows")
    seed = seed_column.number_input("Seed", 0, 2**31 - 1, 42, key="demo_seed")
    arguments = ["demo", "--rows", str(rows), "--seed", str(seed), "--catalogue", "demo"]
    st.code(command_of(arguments), language=None, wrap_lines=True)
    start_button("Make the demo", ":material/play_arrow:", "demo_start", arguments)


def start_button(label: str, icon: str, key: str, arguments: list[str], disabled: bool = False) -> None:
    disabled = disabled or is_busy(state.JOB)
    if st.button(label, icon=icon, key=key, disabled=disabled):
        start_now(state.JOB, arguments)


def show_job() -> None:
    """Follow a load; when it is done, turn to its catalogue and say what was made."""
    find_running_job(state.JOB, ("load", "demo"))
    job = follow_job(state.JOB)
    if job is None:
        return
    made = job.result.get("catalogue", job.result)  # the demo reports its load inside its own facts
    if is_news(job):
        st.session_state[state.CATALOGUE] = made["name"]
    words = f"{made['name']} holds {count_of(made['items'], 'item')} from {count_of(made['rows'], 'row')}"
    show_done(state.JOB, plain(f"{words}. Content {short_hash(made['content_hash'])}, {duration(made['seconds'])}."))
