"""A provider of language models: its key, what it lists, what its models cost; and providers of one's own."""

from collections.abc import Callable

import streamlit as st

from pages.shared import state
from pages.shared.typed_key import forget_typed, type_key
from pages.shared.widgets import Html, chart_head, escaped, judgement, plain, sentence, table
from pricer.errors import PricerError
from pricer.figures.formats import count_of, dollars
from pricer.keys import Key, find_key
from pricer.llm.offered import list_models
from pricer.llm.providers import (
    Price,
    Provider,
    add_provider,
    find_provider,
    list_providers,
    remove_provider,
    set_price,
)

NOBODY = "not stated"
OWN_HELP = "A server on this machine, or one that whoever runs Pricer allows (PRICER_PROVIDER_HOSTS)."


def provider_names() -> list[str]:
    """Who can be asked."""
    return [provider.name for provider in list_providers()]


def listed_models(name: str) -> list[str]:
    """The models that a provider listed when it was last asked to."""
    return list(st.session_state[state.PROVIDER_MODELS].get(name, {}))


def show_provider(name: str, model: str) -> None:
    """What is known of a provider and of one of its models, and what can be done about it."""
    try:
        provider = find_provider(name)
    except PricerError as error:
        st.info(plain(sentence(error)), icon=":material/info:")
        show_own()
        return
    key = find_key(provider.key)
    chart_head(provider.title, provider.base_url)
    table(["What is known", ""], _rows(provider, key, model))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            "List its models",
            icon=":material/list:",
            key="list_models",
            on_click=_look,
            args=(provider, key),
            disabled=bool(provider.key) and key is None,
            help="One call that costs nothing; it also shows whether the key is accepted.",
        )
        forget_typed(provider.key, "forget_provider_key")
    if provider.key and key is None:
        type_key(provider.key, f"A key for {provider.title}, for this time", "typed_provider_key")
    if model and not provider.is_free:
        _state_price(provider, model)
    show_own()
    if refused := st.session_state[state.PROVIDER_REFUSED]:
        st.error(plain(refused), icon=":material/error:")


def _rows(provider: Provider, key: Key | None, model: str) -> list[tuple]:
    word, words = st.session_state[state.PROVIDER_TOLD].get(provider.name, ("", "not asked yet"))
    told = Html(f"{judgement(word).text} {escaped(words)}") if word else words
    rows = [("When it was asked for its models", told)]
    if provider.key:
        rows.insert(0, (f"Key {provider.key}", key.place if key else Html(f"{judgement('stop').text} none")))
    if model:
        price = provider.price(model)
        free = "free: it runs on this machine" if provider.is_free else None
        rows.append((f"A million tokens of {model}", free or (_price_words(price) if price else NOBODY)))
    return rows


def _price_words(price: Price) -> str:
    return f"{_price_word(price.tokens_in)} in, {_price_word(price.tokens_out)} out"


def _price_word(amount: float) -> str:
    """A price as it was stated, in cents at least: price lists go below them."""
    return dollars(amount) if round(amount, 2) == amount else f"${amount:g}"


def _look(provider: Provider, key: Key | None) -> None:
    """Ask for the list of models, and remember what came of it."""
    try:
        offered = {each.id: each.price for each in list_models(provider, key)}
        st.session_state[state.PROVIDER_MODELS] = st.session_state[state.PROVIDER_MODELS] | {provider.name: offered}
        told = ("pass", f"it answers, and lists {count_of(len(offered), 'model')}")
    except PricerError as error:
        told = ("stop", str(error))
    st.session_state[state.PROVIDER_TOLD] = st.session_state[state.PROVIDER_TOLD] | {provider.name: told}


def _state_price(provider: Provider, model: str) -> None:
    """A form for what the model costs; the list's price stands in it where the list has one."""
    stated = provider.prices.get(model)
    listed = st.session_state[state.PROVIDER_MODELS].get(provider.name, {}).get(model)
    usual = stated or listed or (None, None)
    about = "as the provider's list says; state it to use it" if listed and not stated else ""
    with st.form(f"price_{provider.name}_{model}", border=False):
        left, right, place = st.columns([1, 1, 0.7], vertical_alignment="bottom")
        help_text = f"Dollars for a million tokens, as its price list says {about}".strip()
        spent_in = left.number_input("Dollars a million tokens in", 0.0, value=usual[0], format="%g", help=help_text)
        spent_out = right.number_input("Dollars a million tokens out", 0.0, value=usual[1], format="%g", help=help_text)
        if place.form_submit_button("State this price"):
            _try(lambda: _set_price(provider, model, spent_in, spent_out))
            st.rerun()


def _set_price(provider: Provider, model: str, spent_in: float | None, spent_out: float | None) -> None:
    if spent_in is None or spent_out is None:
        raise PricerError(f"say both prices of {model}, as {provider.title}'s price list has them; 0 is nothing")
    set_price(provider.name, model, Price(spent_in, spent_out))


def show_own() -> None:
    """A form to add a provider, and those of one's own to remove."""
    with st.expander("Add a provider", icon=":material/add:", key="own_providers"):
        with st.form("add_provider", border=False):
            st.text_input("Name", max_chars=40, placeholder="lab", key="own_name")
            st.text_input(
                "Address", max_chars=300, placeholder="http://127.0.0.1:8000/v1", key="own_base", help=OWN_HELP
            )
            st.text_input(
                "Name of its key, if it takes one", max_chars=60, placeholder="LAB_API_KEY", key="own_key",
                help="The name alone, never the key. A known provider's host is asked with that provider's own key.",
            )  # fmt: skip
            st.form_submit_button("Add", on_click=_add)
        for provider in list_providers():
            if provider.own:
                st.button(
                    f"Remove {plain(provider.name)}, {plain(provider.base_url)}",
                    key=f"remove_{provider.name}",
                    icon=":material/delete:",
                    on_click=_try,
                    args=(lambda own=provider.name: remove_provider(own),),
                )


def _add() -> None:
    name, base, key = (st.session_state[f"own_{field}"].strip() for field in ("name", "base", "key"))
    _try(lambda: add_provider(name, base, key or None))


def _try(act: Callable[[], object]) -> None:
    """Do it, or remember why it was refused."""
    st.session_state[state.PROVIDER_REFUSED] = None
    try:
        act()
    except PricerError as error:
        st.session_state[state.PROVIDER_REFUSED] = sentence(error)
