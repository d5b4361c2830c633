"""A box to try the price reader on: what it reads of any reply, where, and why."""

import streamlit as st

from pages.shared.widgets import checks, escaped
from pricer.figures.formats import dollars
from pricer.llm.reading import LONGEST, read_price

EXAMPLES = {
    "One price": "The 12-inch skillet costs **$39.99**.",
    "A range": "$12 to $15",
    "Several": "3 for $10",
    "JSON": '{"price": 39.99, "confidence": 0.8}',
    "A refusal": "I'm sorry, I cannot determine the price.",
}
_WORDS = {"answer": ("pass", "A price"), "refusal": ("look", "A refusal"), "unparsable": ("stop", "No answer")}


def show_reader_box() -> None:
    """Type any reply, or take an example, and see which price is read of it."""
    chosen = st.pills("Examples", list(EXAMPLES), key="reader_example", wrap=True, on_change=_take_example)
    st.session_state.setdefault("reader_reply", EXAMPLES[chosen] if chosen else EXAMPLES["One price"])
    reply = st.text_area("A model's reply", key="reader_reply", height=90, max_chars=LONGEST, persist_state="session")
    read = read_price(reply)
    word, told = _WORDS[read.status]
    checks([(word, f"{told}: {read.why}", "none" if read.price is None else dollars(read.price))])
    if read.span and reply.strip():
        start, end = read.span
        read_here = f'<b style="border-bottom:2px solid var(--pr-after)">{escaped(reply[start:end])}</b>'
        marked = f"{escaped(reply[:start])}{read_here}{escaped(reply[end:])}"
        st.html(f'<p class="pr-note"><span style="white-space:pre-wrap;overflow-wrap:anywhere">{marked}</span></p>')
    st.caption("A range, a choice, a bound or a price for several is no answer, and is counted as such.")


def _take_example() -> None:
    if chosen := st.session_state["reader_example"]:
        st.session_state["reader_reply"] = EXAMPLES[chosen]
