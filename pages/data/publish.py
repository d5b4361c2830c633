"""Publish: send a dataset to the hub or a folder, with its card and its proof."""

from pathlib import Path

import streamlit as st

from pages.shared import shelf, state
from pages.shared.jobs import command_of, find_job, follow_job, is_busy, is_news, show_done, start_now
from pages.shared.keys import key_there, show_keys
from pages.shared.publish_preview import show_card, show_messages, show_rows
from pages.shared.widgets import chart_head, checks, page_head, plain, sentence
from pricer.checks import Check
from pricer.curation.dataset import Dataset, list_datasets
from pricer.errors import PricerError
from pricer.figures.formats import count_of, short_hash, size
from pricer.keys import HUB_TOKEN, find_key
from pricer.publish.folder import estimated_bytes
from pricer.publish.forms import EDITIONS, Options, check_licence
from pricer.publish.places import Place, read_place
from pricer.publish.preflight import Preflight, preflight

EXPLANATION = """
A published set has **train**, **validation** and **test** (the exam) in the columns that the notebooks' users know, and
`items.parquet` with every item's plain text, role and exact price. Loaded back, by anyone, each split whose prices are
published gives the same **content hash**: the sum of the hashes of its items, whatever their order.

To the hub everything goes in **one commit**: the large files are uploaded first and belong to no revision until then,
so whoever loads the set meanwhile gets the old one or the new one, never half of each. If someone else changes the
repository in between, the commit is refused.

Texts of the test end where the price would stand. If the exam's prices are **withheld**, they are nowhere in the set.
"""
LICENCES = ("other", "unknown", "cc-by-4.0", "cc-by-nc-4.0", "cc0-1.0", "mit")
KEPT = {"persist_state": "session"}


def choose_options() -> Options:
    edition = st.selectbox("Columns", list(EDITIONS), format_func=EDITIONS.get, key="publish_edition", **KEPT)
    extras = st.toggle("Title, category and id too", key="publish_extras", **KEPT)
    withheld = st.toggle("Withhold the exam's prices", key="publish_withhold", **KEPT)
    licence = st.selectbox(
        "Licence", LICENCES, key="publish_licence", accept_new_options=True, **KEPT,
        help="An id of the hub's list. The terms of the raw files hold whatever stands here.",
    )  # fmt: skip
    options = Options(edition=edition, extras=extras, exam_prices=not withheld, licence=licence or "other")
    try:
        check_licence(options.licence)
    except PricerError as error:
        st.caption(plain(sentence(error)))
    return options


def choose_place(dataset: Dataset) -> tuple[str, str, bool]:
    """The name, branch and whether it is private; a folder has a name alone."""
    to = st.segmented_control("Where to", ["Hub", "Folder"], default="Hub", required=True, key="publish_to", **KEPT)
    if to == "Folder":
        folder = st.text_input("Folder", f"~/pricer/{dataset.name}", key=f"publish_folder_{dataset.id}", **KEPT)
        return str(Path(folder.strip()).expanduser()), "main", True
    owner_column, branch_column = st.columns([2, 1])
    name = owner_column.text_input(
        "Name on the hub", key=f"publish_name_{dataset.id}", placeholder=f"user-or-organisation/{dataset.name}", **KEPT
    )
    branch = branch_column.text_input("Branch", "main", key="publish_branch", **KEPT)
    seen = st.segmented_control(
        "Who can see it", ["Private", "Public"], default="Private", required=True, key="publish_seen", **KEPT
    )
    return name.strip(), branch.strip(), seen == "Private"


def arguments_of(dataset: Dataset, options: Options, to: str, branch: str, private: bool, replace: bool) -> list[str]:
    arguments = ["publish", dataset.name, "--to", to]
    arguments += [] if branch == "main" else ["--branch", branch]
    arguments += [] if private else ["--public"]
    arguments += [] if options.edition == "text-price" else ["--edition", options.edition]
    arguments += ["--extras"] if options.extras else []
    arguments += [] if options.exam_prices else ["--withhold-exam-prices"]
    arguments += [] if options.licence == "other" else ["--licence", options.licence]
    return arguments + (["--replace"] if replace else [])


def show_hub(dataset: Dataset, options: Options, name: str, branch: str, private: bool) -> None:
    """Look at the hub first, then send."""
    place = None
    if name:
        try:
            place = read_place(name, branch, private)
        except PricerError as error:
            st.caption(plain(sentence(error)))
    replace = st.toggle(
        "Replace whatever stands there", key="publish_replace", help="What stood there stays in its history."
    )
    arguments = arguments_of(dataset, options, name, branch, private, replace)
    known = st.session_state[state.CHECKED]
    found: Preflight | None = known[1] if known and known[0] == arguments else None
    with st.container(gap="xsmall"):
        chart_head(
            "Before anything is sent", "" if found else "give a name and look at the hub: nothing is sent by looking"
        )
        looked_at = found.checks if found else first_checks(dataset)
        checks((check.verdict, check.words, check.value) for check in looked_at)
    stopped = found is None or bool(found.stops)
    command = [*arguments, "--follows", found.follows] if found and found.follows else arguments
    if place is not None:
        st.code(command_of(command), language=None, wrap_lines=True)
    with st.container(horizontal=True):
        busy = is_busy(state.PUBLISH_JOB)
        if st.button(
            f"Publish {count_of(dataset.manifest.train, 'train item')}", type="primary", icon=":material/upload:",
            key="publish_start", disabled=stopped or busy or place is None,
        ):  # fmt: skip
            start_now(state.PUBLISH_JOB, command)
        if st.button("Look at the hub", icon=":material/search:", key="publish_look", disabled=place is None):
            look_at(dataset, options, place, arguments, replace)


def look_at(dataset: Dataset, options: Options, place: Place, arguments: list[str], replace: bool) -> None:
    """Ask the hub what would stand in the way, and remember it for these very choices."""
    try:
        with st.spinner("Asking the hub", show_time=True):
            found = preflight(dataset, options, place, find_key(HUB_TOKEN), replace)
    except PricerError as error:
        found = Preflight([Check("stop", str(error), "")])
    st.session_state[state.CHECKED] = (arguments, found)
    st.rerun()


def first_checks(dataset: Dataset) -> list[Check]:
    """What is known without the hub."""
    key = key_there(HUB_TOKEN)
    there = Check("pass", "A token is there, its rights are not yet known", key.place) if key else None
    missing = Check("stop", f"No token: set {HUB_TOKEN}, or type one under Keys", "none")
    return [there or missing, Check("pass", "About so much will be sent", size(estimated_bytes(dataset)))]


def show_folder(dataset: Dataset, options: Options, folder: str) -> None:
    arguments = arguments_of(dataset, options, folder, "main", True, False)
    usable = folder.startswith("/")
    if not usable:
        st.caption("Give the folder's whole path, from / or ~.")
    st.code(command_of(arguments), language=None, wrap_lines=True)
    if st.button(
        f"Write {count_of(dataset.manifest.train, 'train item')}", type="primary", icon=":material/folder:",
        key="publish_write", disabled=not usable or is_busy(state.PUBLISH_JOB),
    ):  # fmt: skip
        start_now(state.PUBLISH_JOB, arguments)


def show_job() -> None:
    """Follow the job that was started last; when it is done, say where the set is, with its proof."""
    find_job(state.PUBLISH_JOB, ("publish",))
    job = follow_job(state.PUBLISH_JOB)
    if job is None or "items" not in job.result:
        return
    made = job.result
    if is_news(job):
        st.session_state[state.CHECKED] = None  # what was found before is no longer so
        st.rerun()
    parts = ", ".join(f"{items:,} {name}" for name, items in made["items"].items())
    where = "was there already" if made["url"] and not made["bytes"] else f"is published, {size(made['bytes'])}"
    show_done(
        state.PUBLISH_JOB,
        plain(f"{made['name']} {where}: {parts}. Train {short_hash(made['content_hashes']['train'])}."),
    )
    if made["url"]:
        st.link_button("Open it on the hub", made["url"], icon=":material/open_in_new:")
        st.caption(plain(f"Load it back: python -m pricer load hub:{made['to']} --catalogue {made['name']}"))
    else:
        st.caption(plain(made["to"]))


page_head("Publish", "Send a dataset to the hub or a folder, with its card and its proof.", EXPLANATION)
left, right = st.columns([1, 1.3], gap="large")
with left:
    dataset = shelf.choose_dataset(list_datasets(), "Publish sends what Curate makes from a catalogue.")
if dataset is None:
    with st.expander("Keys", icon=":material/key:", key="keys"):
        show_keys()
    st.stop()
with left:
    name, branch, private = choose_place(dataset)
    options = choose_options()
    is_hub = st.session_state["publish_to"] == "Hub"
    if is_hub:
        show_hub(dataset, options, name, branch, private)
    else:
        show_folder(dataset, options, name)
    show_job()
with right:
    card_tab, rows_tab, tuning_tab = st.tabs(["Card", "Rows", "Hosted fine-tuning"], key="publish_views")
    with card_tab:
        show_card(dataset, options, name or f"user/{dataset.name}")
    with rows_tab:
        show_rows(dataset, options)
    with tuning_tab:
        show_messages(dataset)
with st.expander("Keys", icon=":material/key:", key="keys", expanded=is_hub and key_there(HUB_TOKEN) is None):
    show_keys()
