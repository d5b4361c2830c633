"""Loading products: the forms that start a load or the demo, and the job that carries it out."""

from pathlib import Path

import streamlit as st

from pages.shared import state
from pages.shared.hub_form import show_hub_form, show_obstacles, start_button
from pages.shared.jobs import command_of, find_job, follow_job, is_news, show_done
from pages.shared.widgets import plain, table
from pricer.catalogue.categories import told_of_files
from pricer.catalogue.hub import is_address, read_address
from pricer.catalogue.scrub import RULES
from pricer.catalogue.store import check_name
from pricer.errors import PricerError
from pricer.figures.formats import count, count_of, duration, short_hash, size


def show_loading(expanded: bool) -> None:
    with st.expander("Load more products", icon=":material/add:", expanded=expanded, key="load_products"):
        show_hub_form()
        st.divider()
        file_column, demo_column = st.columns(2, gap="large")
        with file_column:
            show_load_form()
        with demo_column:
            show_demo_form()


def show_load_form() -> None:
    st.markdown("**Files of yours, or a curated set**")
    paths = st.text_area(
        "Paths on this machine, one per line, or hub:USER/NAME",
        key="load_paths",
        height=80,
        placeholder="/data/meta_Appliances.jsonl.gz",
        help="JSON lines in the form of raw product metadata, gzipped or plain. Or one curated set: a folder, or its "
        "name on the hub; a published one brings its exam along.",
    )
    name_column, rules_column = st.columns(2)
    name = name_column.text_input("Name of the catalogue", key="load_name", placeholder="appliances")
    rules = rules_column.selectbox("Rules for scrubbing", ["auto", *RULES], key="load_rules")
    files = [line.strip() for line in paths.splitlines() if line.strip()]
    arguments = ["load", *files, "--catalogue", name.strip(), "--rules", rules]
    wrong = why_not(files, name.strip())
    if wrong is None:
        show_size(files)
        st.code(command_of(arguments), language=None, wrap_lines=True)
    elif files or name:
        st.caption(plain(wrong))
    start_button("Load", ":material/upload_file:", "load_start", arguments, wrong is not None)


def show_size(files: list[str]) -> None:
    """What loading files of this machine takes, about; sets and addresses tell it once they were looked at."""
    paths = [Path(file).expanduser() for file in files]
    if not all(path.is_file() for path in paths):
        return
    try:
        told = told_of_files(paths)
    except PricerError as error:
        st.warning(plain(f"{error}."), icon=":material/warning:")
        return
    time = f"{duration(told.reading_seconds)} at {count(round(told.rows_per_second))} rows a second"
    st.caption(plain(f"About {count_of(told.rows, 'row')}, {time}, and {size(told.disk_bytes)} of disk."))
    show_obstacles(told)


def why_not(files: list[str], name: str) -> str | None:
    """Why a load cannot start; None if it can."""
    if not files:
        return "Give the path of at least one file."
    paths = [file for file in files if not is_address(file)]
    if missing := [path for path in paths if not Path(path).expanduser().exists()]:
        return f"There is no file {missing[0]}."
    try:
        for file in set(files) - set(paths):
            read_address(file)
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


def show_job() -> None:
    """Follow a load; when it is done, turn to its catalogue and say what was made."""
    find_job(state.JOB, ("load", "demo"))
    job = follow_job(state.JOB)
    if job is None:
        return
    made = job.result.get("catalogue", job.result)  # the demo reports its load inside its own facts
    if is_news(job):
        st.session_state[state.CATALOGUE] = made["name"]
    words = f"{made['name']} holds {count_of(made['items'], 'item')} from {count_of(made['rows'], 'row')}"
    show_done(state.JOB, plain(f"{words}. Content {short_hash(made['content_hash'])}, {duration(made['seconds'])}."))
    if splits := made.get("splits"):
        rows = [(name, count(split["items"]), split["content_hash"] or "none: prices withheld, or items without ids")
                for name, split in splits.items()]  # fmt: skip
        table(["Split of the set", "Items", "Content hash"], rows, right=(1,))
