"""The fields of a model's settings, as Train and the experiments have them."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.shared.kinds import OFFERS
from pages.shared.widgets import plain
from pricer.models import ModelKind, Setting, Value
from pricer.models.contract import LONGEST_SETTING
from pricer.runs.training import Order

MANY = 4  # so many settings that may be left open are put away
HIGHEST_SEED = 2**53 - 1  # the largest whole number that a browser can hold exactly


def choose_settings(kind: ModelKind, place: str) -> tuple[dict[str, Value], int]:
    """The model's own settings, those that have their default left out; and the seed.

    `place` is what the keys of the fields begin with: each place of the app keeps its own values.
    """
    further = [setting for setting in kind.settings if setting.unset]
    if len(further) < MANY:
        further = []
    first_ones = [setting for setting in kind.settings if setting not in further]
    *columns, last = _in_pairs(len(first_ones) + 1)
    if further:
        with st.expander("More settings", icon=":material/tune:", key=f"{place}_more_{kind.name}"):
            columns += _in_pairs(len(further))
    with last:
        st.session_state.setdefault(f"{place}_seed", Order.seed)
        seed = st.number_input("Seed", 0, HIGHEST_SEED, key=f"{place}_seed", persist_state="session")
    stated, left_open = {}, _left_open(kind, place)
    for setting, column in zip([*first_ones, *further], columns, strict=True):
        with column:
            offered = OFFERS[kind.name](setting.name) if kind.name in OFFERS else None
            value = _value_of(setting, _key_of(place, kind, setting), offered, left_open.get(setting.name))
        if value is not None and value != setting.default:
            stated[setting.name] = value
    return stated, Order.seed if seed is None else seed


def fill_settings(kind: ModelKind, place: str, stated: dict[str, Value], seed: int) -> None:
    """Let the fields of a place stand as an order says."""
    settings = kind.check_settings(stated)
    for setting in kind.settings:
        st.session_state[_key_of(place, kind, setting)] = _field_of(setting, settings[setting.name])
    st.session_state[f"{place}_seed"] = seed


def _left_open(kind: ModelKind, place: str) -> dict[str, str]:
    """What settings come to whose fields are empty, as the others stand."""
    if kind.left_open is None:
        return {}
    standing = {setting.name: st.session_state.get(_key_of(place, kind, setting)) for setting in kind.settings}
    return kind.left_open({name: value for name, value in standing.items() if value is not None})


def _key_of(place: str, kind: ModelKind, setting: Setting) -> str:
    return f"{place}_{kind.name}_{setting.name}"


def _in_pairs(count: int) -> list[DeltaGenerator]:
    """Places for so many elements, two in a row, which keep their order on a phone."""
    rows = [st.columns(2) for _ in range(0, count, 2)]
    return [place for row in rows for place in row][:count]


def _field_of(setting: Setting, value: Value) -> Value | None:
    """What a field shows for a value: nothing where that states nothing and is not one of the choices."""
    return None if setting.unset and not setting.choices and value == setting.default else value


def _value_of(
    setting: Setting, key: str, offered: list[str] | None = None, left_open: str | None = None
) -> Value | None:
    """What is chosen for one setting; None where its field is empty; what is offered may be picked."""
    st.session_state.setdefault(key, _field_of(setting, setting.default))
    words, about = setting.name.replace("_", " "), plain(setting.explanation)
    label = words.capitalize() if len(words) > 1 else words
    if setting.choices:
        return st.selectbox(label, setting.choices, key=key, help=about, persist_state="session")
    if offered:
        st.session_state[key] = st.session_state[key] or None
        return st.selectbox(label, offered, key=key, help=about, accept_new_options=True, persist_state="session")
    if isinstance(setting.default, str):
        stated = st.text_input(
            label,
            max_chars=LONGEST_SETTING,
            key=key,
            placeholder=setting.unset,
            help=about,
            persist_state="session",
        )
        return (stated or "").strip() or None
    whole = isinstance(setting.default, int)
    return st.number_input(
        label,
        setting.least,
        setting.most,
        step=1 if whole else max(setting.default, 0.0) / 2 or None,
        format=None if whole else "%g",
        key=key,
        placeholder=left_open or setting.unset,
        help=about if setting.unset else f"{about} Default {setting.default:,}.",
        persist_state="session",
    )
