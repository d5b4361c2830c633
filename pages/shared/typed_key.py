"""A key that is typed for this time: a field that hands it to the server's memory, and a button that forgets it."""

from collections.abc import Callable

import streamlit as st

from pages.shared import state
from pages.shared.widgets import plain, sentence
from pricer.errors import PricerError
from pricer.keys import find_key, forget, remember


def type_key(name: str, label: str, key: str, then: Callable[[], None] | None = None) -> None:
    """A field for the key of this name, and why the last one was not taken; `then` follows upon each that is typed."""
    with st.form(f"{key}_form", clear_on_submit=True, border=False):
        st.text_input(
            plain(label),
            type="password",
            key=key,
            autocomplete="off",
            help="It stays in the server's memory until the server ends or you let it forget it. Whoever opens this "
            f"server may use it until then. To keep one: set {name} before the start, or write it to "
            ".streamlit/secrets.toml and chmod 600 that.",
        )
        st.form_submit_button("Use it", on_click=_use, args=(name, key, then))
    of, refused = st.session_state[state.KEY_REFUSED] or (None, "")
    if of == name:
        st.error(plain(sentence(refused)), icon=":material/error:")


def forget_typed(name: str | None, key: str) -> None:
    """A button that takes a typed key out of the server's memory; nothing where none was typed."""
    try:
        found = find_key(name)
    except PricerError:  # the file of secrets cannot be read, which stands elsewhere; so none was typed
        return
    if found and found.place == "typed":
        st.button("Forget the typed key", key=key, on_click=forget, args=(name,))


def _use(name: str, key: str, then: Callable[[], None] | None) -> None:
    """Hand the typed key to the server's memory, and leave none of it in the session."""
    typed, st.session_state[key] = st.session_state[key], ""
    st.session_state[state.KEY_REFUSED] = None
    try:
        remember(name, typed)
    except PricerError as error:
        st.session_state[state.KEY_REFUSED] = (name, str(error))
    if then:
        then()
