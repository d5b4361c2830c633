"""Rewriting a catalogue's texts by a language model: what it may cost, the job, and old beside new."""

import streamlit as st

from pages.shared import rewrite_cached, state
from pages.shared.jobs import command_of, find_job, follow_job, is_busy, is_news, show_done, start_now
from pages.shared.providers import listed_models, show_provider
from pages.shared.spending import choose_cap
from pages.shared.widgets import chart_head, checks, plain, sentence
from pricer.catalogue.store import Catalogue, open_catalogue
from pricer.errors import PricerError
from pricer.figures.formats import NOT_MEASURED, count, count_of, dollars, percent, short_hash
from pricer.keys import find_key
from pricer.llm.providers import Price, find_provider, list_providers
from pricer.runs.rewriting import VERB, RewriteOrder, RewriteQuote, check_quote, quote_rewrite, rewrite_arguments
from pricer.runs.spending import cap

QUOTED_AT_ONCE = 5_000  # items whose tokens are counted without being asked
_FIRST = 200


def show_rewrite(catalogue: Catalogue) -> None:
    """Who rewrites, how many, at what price; and of a rewritten catalogue what has changed."""
    if catalogue.manifest.rewriting:
        show_what_changed(catalogue)
    find_job(state.REWRITE_JOB, (VERB,))
    with st.expander(
        "Rewrite the texts", icon=":material/edit_note:", expanded=is_busy(state.REWRITE_JOB), key="rewrite"
    ):
        st.caption(
            "A language model turns each text into five lines: title, category, brand, description, details. The new "
            "catalogue has the same items, roles and exam, so models of both are compared on one exam."
        )
        order = choose_order(catalogue)
        choose_cap("rewrite_cap")
        show_provider(order.provider, order.model)
        if order.model and order.name:
            show_start(catalogue, order)
        else:
            st.caption("Name a model, as its provider lists it, to see what it may cost.")
        show_rewritten()


def choose_order(catalogue: Catalogue) -> RewriteOrder:
    every = {provider.name: provider for provider in list_providers()}
    there = catalogue.manifest.items - catalogue.manifest.sealed
    left, right = st.columns(2)
    with left:
        provider = st.selectbox(
            "Provider",
            list(every),
            format_func=lambda name: every[name].title,
            key="rewrite_provider",
            persist_state="session",
        )
        name = st.text_input(
            "Name of the new catalogue", f"{catalogue.name}-five-lines"[:64], key=f"rewrite_name_{catalogue.name}"
        )
    with right:
        model = _choose_model(provider)
        first = st.number_input(
            f"First items, of {count(there)}",
            1,
            there,
            min(_FIRST, there),
            key=f"rewrite_first_{catalogue.name}",
            help="The exam comes first, then validation, then the pool. Empty means all.",
        )
    batch = every[provider].batches and st.toggle(
        f"As a batch: within a day, at {percent(every[provider].batch_share)} of the price",
        key="rewrite_batch",
        persist_state="session",
    )
    return RewriteOrder(catalogue.label, provider, model.strip(), name.strip(), first, batch=batch)


def _choose_model(provider: str) -> str:
    """A model that the provider has listed, or one that is typed."""
    listed = listed_models(provider)
    if not listed:
        return st.text_input("Model", key="rewrite_model", max_chars=200, persist_state="session")
    return st.selectbox(
        "Model", listed, index=None, key="rewrite_model", accept_new_options=True, persist_state="session",
        placeholder="choose one, or type its name",
    ) or ""  # fmt: skip


def show_start(catalogue: Catalogue, order: RewriteOrder) -> None:
    """What it may cost, what stands in its way, its command, and the button."""
    many = (order.first or catalogue.manifest.items) > QUOTED_AT_ONCE
    if many and not st.toggle("Count the tokens to say what it may cost", key="rewrite_count"):
        return
    lines, wrong = [], None
    try:
        quote = quote_rewrite(order) if not many else rewrite_cached.quote_of_many(catalogue, order, _price(order))
        lines = quote_lines(quote)
        check_quote(quote, order)
    except PricerError as error:
        wrong = str(error)
    if lines:
        checks(lines)
    if wrong:
        st.warning(plain(sentence(wrong)), icon=":material/warning:")
    arguments = rewrite_arguments(order)
    st.code(command_of(arguments), language=None, wrap_lines=True)
    stopped = bool(wrong) or any(verdict == "stop" for verdict, _, _ in lines) or is_busy(state.REWRITE_JOB)
    if st.button("Rewrite", icon=":material/edit_note:", key="start_rewrite", disabled=stopped):
        start_now(state.REWRITE_JOB, arguments)


def _price(order: RewriteOrder) -> Price | None:
    return find_provider(order.provider).price(order.model)


def quote_lines(quote: RewriteQuote) -> list[tuple[str, str, str]]:
    """Preflight lines: what it may cost, what is asked, whether the key is there, and who reads the texts."""
    price = NOT_MEASURED if quote.dollars is None else dollars(quote.dollars)
    lines = [
        ("pass" if quote.dollars is not None and quote.dollars <= cap() else "stop", "Price, at most", price),
        ("pass", "Items that are asked", count(quote.items - quote.kept)),
    ]
    if quote.kept:
        lines.append(("pass", "Answered already, and not asked again", count(quote.kept)))
    if quote.key:
        key = find_key(quote.key)
        lines.append(("pass" if key else "stop", quote.key, key.place if key else "none: type it above"))
    return [*lines, ("look", "Texts are sent to", quote.host)]


def show_rewritten() -> None:
    """Follow the job; when it is done, say what it made and turn to it."""
    job = follow_job(state.REWRITE_JOB)
    if job is None:
        return
    made = job.result
    if is_news(job):
        st.session_state[state.CATALOGUE] = made["catalogue"]
        st.rerun()
    others = f"{count_of(made['unusable'] + made['failed'], 'reply', 'replies')} gave none"
    before = made.get("kept_dollars")
    paid = dollars(made["cost_dollars"]) + (f" now, {dollars(before)} before" if before else "")
    words = f"{made['catalogue']}: {count_of(made['rewritten'], 'new text')}, {others}, {paid}"
    show_done(state.REWRITE_JOB, plain(f"{words}. Exam {short_hash(made['exam_hash'])} as before."))


def show_what_changed(catalogue: Catalogue) -> None:
    """By whom the texts were rewritten, and one of them beside what it was."""
    about = catalogue.manifest.rewriting
    kept = about.unusable + about.failed
    chart_head(
        f"{count_of(about.rewritten, 'text')} rewritten by {about.model}",
        f"at {about.provider}, from {about.catalogue}; {count_of(kept, 'reply', 'replies')} gave no five lines and "
        f"left the old text; {dollars(about.cost_dollars + about.kept_dollars)}. Items, roles and exam are those of "
        f"{about.catalogue}.",
    )
    try:
        before = open_catalogue(about.catalogue)
    except PricerError:
        st.caption("The catalogue that it was made from is gone, so old texts cannot be shown.")
        return
    changed = rewrite_cached.changed(catalogue, before)
    place = st.number_input(f"Example, of {count(len(changed))}", 1, max(1, len(changed)), 1, key="rewrite_item") - 1
    if len(changed):
        for column, title, field in zip(st.columns(2), ("Before", "After"), ("old", "text"), strict=True):
            with column:
                st.caption(title)
                st.code(changed[field][place], language=None, wrap_lines=True)
