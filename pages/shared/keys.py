"""Keys to other services: which are there, what they may do, and one that is typed for this time."""

import streamlit as st

from pages.shared import state
from pages.shared.typed_key import forget_typed, type_key
from pages.shared.widgets import Html, escaped, judgement, plain, sentence, table
from pricer import settings
from pricer.errors import PricerError
from pricer.keys import HUB_TOKEN, Key, find_key
from pricer.publish.rights import GATED, check_key, check_model, every_key

PLACES = {"environment": "environment", "secrets.toml": "secrets.toml", "typed": "typed, in the server's memory"}


def show_keys() -> None:
    """One table of all keys, and what can be done about them. No key's text is ever sent to the browser."""
    told, known = st.session_state[state.KEYS_TOLD], every_key()
    found = {name: key_there(name) for name in known}
    rows = []
    for name, provider in known.items():
        key = found[name]
        word, words = told.get(name, ("", "not checked")) if key else ("", "–")
        told_of = Html(f"{judgement(word).text} {escaped(words)}") if word else words
        named = Html(f'{escaped(provider)}<br><span class="pr-note">{escaped(name)}</span>')
        rows.append((named, PLACES[key.place] if key else "none", told_of))
    table(["Key", "Found in", "What it may do"], rows)
    if refused := unreadable():
        st.error(plain(sentence(refused)), icon=":material/error:")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            "Check them", icon=":material/key:", key="check_keys", on_click=check_keys, disabled=not any(found.values())
        )
        forget_typed(HUB_TOKEN, "forget_key")
    type_key(HUB_TOKEN, "A Hugging Face token for this time", "typed_key", then=_look_again)
    st.caption("A fine-grained token that may write to one repository is enough.")
    show_gated()


def key_there(name: str) -> Key | None:
    """The key of this name; None also where the file that may hold it cannot be read, which `unreadable` tells."""
    try:
        return find_key(name)
    except PricerError:
        return None


def unreadable() -> str:
    """Why the file of secrets is not read; empty where it is, or where there is none."""
    try:
        settings.key_in_file(HUB_TOKEN)
    except PricerError as error:
        return str(error)
    return ""


def check_keys() -> None:
    """One cheap call with each key that is there."""
    told = {}
    for name in every_key():
        if key := key_there(name):
            try:
                found = check_key(key)
                told[name] = ("pass" if found.accepted else "stop", found.told)
            except PricerError as error:
                told[name] = ("look", str(error))
    st.session_state[state.KEYS_TOLD] = told


def _look_again() -> None:
    """What was told by another token is no longer so."""
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
