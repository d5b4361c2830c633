"""Keys to other services: which are there, what they may do, and one that is typed for this time."""

import streamlit as st

from pages.shared import state
from pages.shared.widgets import Html, escaped, judgement, plain, table
from pricer.errors import PricerError
from pricer.keys import HUB_TOKEN, KNOWN, find_key, forget, remember
from pricer.publish.rights import GATED, check_key, check_model

PLACES = {"environment": "environment", "secrets.toml": "secrets.toml", "typed": "typed, in the server's memory"}


def show_keys() -> None:
    """One table of all keys, and what can be done about them. No key's text is ever sent to the browser."""
    told = st.session_state[state.KEYS_TOLD]
    rows = []
    for name, provider in KNOWN.items():
        key = find_key(name)
        word, words = told.get(name, ("", "not checked")) if key else ("", "–")
        told_of = Html(f"{judgement(word).text} {escaped(words)}") if word else words
        named = Html(f'{escaped(provider)}<br><span class="pr-note">{escaped(name)}</span>')
        rows.append((named, PLACES[key.place] if key else "none", told_of))
    table(["Key", "Found in", "What it may do"], rows)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        present = any(find_key(name) for name in KNOWN)
        st.button("Check them", icon=":material/key:", key="check_keys", on_click=check_keys, disabled=not present)
        if (key := find_key(HUB_TOKEN)) and key.place == "typed":
            st.button("Forget the typed one", key="forget_key", on_click=forget, args=(HUB_TOKEN,))
    show_typing()
    show_gated()


def check_keys() -> None:
    """One cheap call with each key that is there."""
    told = {}
    for name in KNOWN:
        if key := find_key(name):
            try:
                found = check_key(key)
                told[name] = ("pass" if found.accepted else "stop", found.told)
            except PricerError as error:
                told[name] = ("look", str(error))
    st.session_state[state.KEYS_TOLD] = told


def show_typing() -> None:
    """A field for a token that nothing keeps but the server's memory, until it ends."""
    with st.form("type_key", clear_on_submit=True, border=False):
        st.text_input(
            "A Hugging Face token for this time",
            type="password",
            key="typed_key",
            autocomplete="off",
            help="It stays in the server's memory until the server ends or you let it forget it. Whoever opens this "
            "server may use it until then.",
        )
        st.form_submit_button("Use it", on_click=use_typed)
    if refused := st.session_state[state.KEY_REFUSED]:
        st.error(plain(refused), icon=":material/error:")
    st.caption(
        'To keep one: set HF_TOKEN before the start, or write HF_TOKEN = "…" to .streamlit/secrets.toml and '
        "chmod 600 it. A fine-grained token that may write to one repository is enough."
    )


def use_typed() -> None:
    """Hand the typed token to the server's memory, and leave none of it in the session."""
    typed, st.session_state["typed_key"] = st.session_state["typed_key"], ""
    st.session_state[state.KEY_REFUSED] = None
    try:
        remember(HUB_TOKEN, typed)
    except PricerError as error:
        st.session_state[state.KEY_REFUSED] = str(error)
    st.session_state[state.KEYS_TOLD] = {}
    st.session_state[state.CHECKED] = None


def show_gated() -> None:
    """Some models open only to those who asked; say whether this token's account did."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        model = st.text_input(
            "Does a gated model open?", GATED[0], key="gated_model", persist_state="session", max_chars=200
        )
        asked = st.button("Try", key="try_model")
    if asked:
        try:
            st.success(plain(check_model(model.strip())), icon=":material/lock_open:")
        except PricerError as error:
            st.warning(plain(str(error)), icon=":material/lock:")
