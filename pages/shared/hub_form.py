"""Categories of Amazon Reviews 2023, chosen by a click, with what loading them takes told beforehand."""

import streamlit as st

from pages.shared import state
from pages.shared.jobs import command_of, is_busy, start_now
from pages.shared.widgets import key_figures, plain, sentence
from pricer import settings
from pricer.catalogue.categories import CATEGORIES, LITE, NOTEBOOK, Told, address_of, told_beforehand
from pricer.catalogue.download import check_disk
from pricer.catalogue.store import check_name
from pricer.errors import PricerError
from pricer.figures.formats import category_name, count, count_of, duration, size

CHOSEN, NAME = "hub_categories", "hub_name"
_FAST_LINE = 12_500_000  # bytes a second: 100 Mbit/s


def show_hub_form() -> None:
    st.markdown("**Amazon Reviews 2023, from the hub**")
    st.caption(
        "Real products and their prices, category by category. Files are downloaded once, go on where they broke off, "
        "and stay for the next load."
    )
    st.session_state.setdefault(CHOSEN, list(LITE))
    with st.container(horizontal=True):
        st.button(
            "The notebooks' eight", icon=":material/apps:", key="hub_eight", on_click=choose, args=(tuple(NOTEBOOK),)
        )
        st.button("Lite: Appliances", icon=":material/kitchen:", key="hub_lite", on_click=choose, args=(LITE,))
    chosen = st.multiselect(
        "Categories", list(CATEGORIES), key=CHOSEN, format_func=category_name, persist_state="session",
        placeholder="All 33 are here",
    )  # fmt: skip
    if not chosen:
        return
    told = told_beforehand(chosen)
    show_told(told, len(chosen))
    show_obstacles(told)
    name = st.text_input("Name of the catalogue", suggested(chosen), 64, key=f"{NAME}_{suggested(chosen)}", width=300)
    arguments = ["load", *(address_of(category) for category in chosen), "--catalogue", name.strip()]
    wrong = None
    try:
        check_name(name.strip())
    except PricerError as error:
        wrong = str(error)
        st.caption(plain(wrong))
    st.code(command_of(arguments), language=None, wrap_lines=True)
    words = category_name(chosen[0]) if len(chosen) == 1 else count_of(len(chosen), "category", "categories")
    start_button(f"Load {words}", ":material/cloud_download:", "hub_start", arguments, wrong is not None)


def choose(categories: tuple[str, ...]) -> None:
    st.session_state[CHOSEN] = list(categories)


def suggested(chosen: list[str]) -> str:
    if set(chosen) == set(NOTEBOOK):
        return "amazon-2023"
    return chosen[0].lower().replace("_", "-")[:64] if len(chosen) == 1 else f"amazon-{len(chosen)}"


def show_told(told: Told, categories: int) -> None:
    rate = f"{count(round(told.rows_per_second))} rows a second"
    measured = f"{rate}, as {told.measured_on} took" if told.measured_on else f"at {rate}, a guess"
    download = f"{duration(told.missing_bytes / _FAST_LINE)} at 100 Mbit/s"
    if told.missing_bytes < told.bytes:
        download = f"{size(told.bytes - told.missing_bytes)} are here already"
    key_figures(
        [
            ("Rows, about", count(told.rows), count_of(categories, "category", "categories")),
            ("Download, about", size(told.missing_bytes) if told.missing_bytes else "nothing", download),
            ("Reading, about", duration(told.reading_seconds), measured),
            ("Disk, about", size(told.disk_bytes), "files and catalogue"),
        ]
    )


def show_obstacles(told: Told) -> None:
    """What would end this load before its first byte."""
    try:
        check_disk(settings.cache_folder(), told.disk_bytes)
    except PricerError as error:
        st.warning(plain(sentence(error)), icon=":material/hard_drive:")
    if told.missing_bytes and settings.hub_is_offline():
        st.warning("HF_HUB_OFFLINE is set, so only what is here already can be loaded.", icon=":material/cloud_off:")


def start_button(label: str, icon: str, key: str, arguments: list[str], disabled: bool = False) -> None:
    disabled = disabled or is_busy(state.JOB)
    if st.button(label, icon=icon, key=key, disabled=disabled):
        start_now(state.JOB, arguments)
