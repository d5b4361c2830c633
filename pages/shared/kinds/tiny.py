"""The tiny Llama, offered where it is chosen and not made yet."""

import streamlit as st

from pages.shared.jobs import command_of, follow_job, is_busy, start_now
from pages.shared.widgets import chart_head

TINY_LLAMA = "tiny-llama"  # the verb that makes it


def offer_tiny(key: str) -> None:
    """A button that makes it as the job of a session key, the command, and how far the job is."""
    chart_head(
        "The tiny Llama is not made yet",
        "A toy that is made here in some minutes: everybody can try it without key, download or graphics card.",
    )
    if st.button("Make it", icon=":material/build:", key="make_tiny", disabled=is_busy(key)):
        start_now(key, [TINY_LLAMA])
    st.code(command_of([TINY_LLAMA]), language=None)
    follow_job(key)
