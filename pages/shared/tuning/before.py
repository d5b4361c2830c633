"""Before a fine-tuning: its price, what may stand in the way, both files, and the one button that pays."""

import streamlit as st

from pages.shared import state
from pages.shared.jobs import command_of, is_busy, start_now
from pages.shared.spending import choose_cap
from pages.shared.tuning import cached
from pages.shared.typed_key import forget_typed, type_key
from pages.shared.widgets import chart_head, checks, key_figures, plain
from pricer.curation.dataset import Dataset
from pricer.errors import PricerError
from pricer.figures.formats import NOT_MEASURED, count, count_of, dollars, size
from pricer.keys import find_key
from pricer.llm.providers import Provider
from pricer.llm.tuning.closing import CLOSINGS, INSTEAD
from pricer.runs.tuning_files import Files, probe, tune_preflight
from pricer.runs.tuning_orders import start_arguments
from pricer.runs.tunings import TuneOrder, find_same

PARTS = {"train": "Trained on", "validation": "Validated on"}


def show_closing(provider: Provider) -> None:
    """What a provider has announced of its service's end, and what to do instead."""
    closing = CLOSINGS.get(provider.tunes or "") if not provider.is_here else None
    if closing is None:
        return
    with st.container(key="tuning_closing", gap="xsmall"):
        st.warning(plain(closing.words), icon=":material/event_busy:")
        with st.popover("What to do instead", icon=":material/alt_route:", key="tuning_instead"):
            for words in INSTEAD:
                st.markdown(f"- {plain(words)}")
            st.page_link("data/publish.py", label="Export the JSON lines", icon=":material/arrow_forward:")
            st.page_link("models/train.py", label="Tune an open model here", icon=":material/arrow_forward:")


def show_before(order: TuneOrder, dataset: Dataset, provider: Provider) -> None:
    try:
        files = cached.files(order, dataset, provider)
    except PricerError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    key_figures(
        [
            ("Price", _price(files), f"{count_of(order.epochs, 'epoch')}, by {provider.title}"),
            ("Rows", count(files.train_rows), f"{count(files.checks[1].rows)} to validate on"),
            ("Tokens", count(files.train_tokens), "to train on, by Llama 3's tokenizer"),
        ]
    )
    if files.cost_dollars != 0:  # a price that nobody knows is held by the cap too, once it is known
        choose_cap("tuning_cap")
    forget_typed(provider.key, "tuning_forget")
    if provider.key and find_key(provider.key) is None:
        type_key(provider.key, f"A key for {provider.title}, for this time", "tuning_typed")
    told = st.session_state[state.TUNE_PROBED]
    asked = told[1] if told and told[0] == (provider.name, provider.base_url, order.model) else ()
    place = st.container(gap="xsmall")
    again = _choose_again(order, dataset)
    found = tune_preflight(order, dataset, provider, files, again)
    lines = [*((each.verdict, each.words, each.value) for each in found), *asked]
    with place:
        chart_head(
            "Before it starts", "" if asked else "the host was not asked yet whether this key may tune the model"
        )
        checks(lines)
    stopped = any(verdict == "stop" for verdict, _, _ in lines)
    _show_start(order, provider, again, stopped)
    _show_files(files)


def _price(files: Files) -> str:
    if files.cost_dollars is None:
        return "unknown"
    if any(not found.can_be_sent for found in files.checks):
        return NOT_MEASURED
    return f"about {dollars(files.cost_dollars)}" if files.cost_dollars else "nothing"


def _choose_again(order: TuneOrder, dataset: Dataset) -> bool:
    """Whether to pay once more for what was tuned before; asked only where it was."""
    same = find_same(order, dataset)
    if same is None or not same.is_over:
        return False
    return st.toggle("Tune it once more, and pay once more", key=f"tuning_again_{same.id}", persist_state="session")


def _show_start(order: TuneOrder, provider: Provider, again: bool, stopped: bool) -> None:
    arguments = start_arguments(order, again)
    with st.container(gap="xsmall"):
        chart_head("The same on the command line")
        st.code(command_of(arguments), language=None, wrap_lines=True)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            f"Tune {order.model}", type="primary", icon=":material/play_arrow:", key="tuning_start",
            disabled=stopped or is_busy(state.TUNE_JOB),
        ):  # fmt: skip
            start_now(state.TUNE_JOB, arguments)
        st.button(
            f"Ask {provider.title}", icon=":material/search:", key="tuning_probe", on_click=_probe,
            args=(order, provider), help="Reads only: nothing is created, nothing is paid.",
        )  # fmt: skip


def _probe(order: TuneOrder, provider: Provider) -> None:
    about = (provider.name, provider.base_url, order.model)
    st.session_state[state.TUNE_PROBED] = (about, probe(order, provider).lines)


def _show_files(files: Files) -> None:
    """The first row of both files, to the letter, and the files themselves."""
    tabs = st.tabs([f"{part}.jsonl" for part in files.contents], key="tuning_files")
    for tab, (part, content), found in zip(tabs, files.contents.items(), files.checks, strict=True):
        with tab:
            chart_head(PARTS[part], f"the first of {count_of(found.rows, 'row')}, {size(found.bytes)}")
            st.code(content.split(b"\n", 1)[0].decode(), language=None, wrap_lines=True, height=180)
            st.download_button(
                f"Download {part}.jsonl", content, f"{part}.jsonl", "application/jsonl", icon=":material/download:",
                key=f"tuning_download_{part}", on_click="ignore",
            )  # fmt: skip
