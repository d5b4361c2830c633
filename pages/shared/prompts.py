"""A prompt: what a model is asked by it about one item, a changed version to save, and what differs from another."""

from collections.abc import Callable

import streamlit as st

from pages.shared import prompts_cached as cached
from pages.shared import state
from pages.shared.widgets import chart_head, plain, sentence, table
from pricer.curation.dataset import Dataset
from pricer.errors import PricerError
from pricer.figures.formats import count, dollars
from pricer.llm.prompts import ABOUT, LONGEST_TEXT, MOST_EXAMPLES, PROMPTS, Prompt, find_prompt, prompt_changes
from pricer.llm.saved_prompts import list_prompts, save_prompt
from pricer.runs.training import Order

LONGEST_SHOWN = 300  # characters of a value in a table
CHOICE = "train_hosted_prompt"  # where Train keeps which prompt is chosen
_NAMES = {
    "system": "System message",
    "question": "Question",
    "suffix": "After the text",
    "prefill": "Begin of the answer",
    "examples": "Examples",
    "neighbours": "Similar products",
    "price_range": "Stated range",
    "low": "Stated range from, $",
    "high": "to, $",
    "max_tokens": "Tokens at most",
    "temperature": "Temperature",
    "seed": "Seed",
    "effort": "Effort, such as low",
    "tagged": "Text between tags",
    "answer": "Answer",
    "json": "Answer in JSON",
}


def show_prompts(dataset: Dataset, order: Order, chosen: str) -> None:
    """The chosen prompt filled with an item of the exam, a form to change it, and a comparison with another."""
    try:
        prompt = find_prompt(chosen)
    except PricerError as error:
        st.warning(plain(str(error)), icon=":material/warning:")
        return
    about = ABOUT.get(chosen, f"id {prompt.id}")
    chart_head(f"The prompt {chosen}", about)
    if saved := st.session_state[state.PROMPT_SAVED]:
        st.success(plain(f"Saved as {saved}, and chosen."), icon=":material/check_circle:")
        st.session_state[state.PROMPT_SAVED] = None
    asked, change, compare = st.tabs(["As asked", "Change", "Compare"], key="prompt_views")
    with asked:
        show_filled(dataset, order, prompt)
    with change:
        show_form(chosen, prompt)
    with compare:
        show_comparison(chosen, prompt)


def show_filled(dataset: Dataset, order: Order, prompt: Prompt) -> None:
    """The messages that an order sends about one item of the exam, to the letter; its price is not among them."""
    exam = cached.exam(dataset)
    place = st.number_input(
        f"Exam item, of {count(len(exam))}", 1, len(exam), 1, key=f"prompt_item_{dataset.id}", persist_state="session"
    ) - 1  # fmt: skip
    drawn = (dataset, order.first_n, order.seed)
    neighbours = cached.neighbours(*drawn, place, prompt.neighbours) if prompt.neighbours else []
    shown = cached.examples(*drawn, prompt.examples) if prompt.examples else []
    if prompt.neighbours:
        rows = [(each.title[:60] or "no title", f"{each.similarity:.2f}", dollars(each.price)) for each in neighbours]
        table(
            ["Similar product of train", "Similarity", "Price"], rows or [("none has a word in common", "", "")], (1, 2)
        )
    for message in prompt.messages(exam["text"][place], shown, neighbours):
        st.caption(message["role"])
        st.code(message["content"], language=None, wrap_lines=True)
    sent = [f"at most {count(prompt.max_tokens)} tokens"]
    sent += [f"temperature {prompt.temperature:g}"] if prompt.temperature is not None else []
    sent += [f"seed {prompt.seed}"] if prompt.seed is not None else []
    sent += [f"effort {prompt.effort}"] if prompt.effort else []
    sent += ["JSON where the provider can"] if prompt.answer == "json" else []
    st.caption(plain(f"Sent with it: {', '.join(sent)}."))


def show_form(chosen: str, prompt: Prompt) -> None:
    """Every setting of a prompt, and a name under which what is changed is saved."""
    key = f"prompt_form_{prompt.id}"
    with st.form(key, border=False):
        _draw_fields(prompt, key)
        name = chosen.partition("@")[0] if chosen not in PROMPTS else f"my-{chosen}"
        st.text_input("Name", name, max_chars=80, key=f"{key}_name")
        st.form_submit_button("Save as a new version", icon=":material/save:", on_click=_save, args=(key,))
    if refused := st.session_state[state.PROMPT_REFUSED]:
        st.error(plain(sentence(refused)), icon=":material/error:")
        st.session_state[state.PROMPT_REFUSED] = None
    st.caption("A saved prompt never changes, so a run that names it can always be understood.")


def _draw_fields(prompt: Prompt, key: str) -> None:
    """A field for each setting; an empty number leaves the model its own."""
    low, high = prompt.price_range or (None, None)
    st.text_area(_NAMES["system"], prompt.system, height=90, max_chars=LONGEST_TEXT, key=f"{key}_system")
    st.text_area(_NAMES["question"], prompt.question, height=90, max_chars=LONGEST_TEXT, key=f"{key}_question")
    for left, right in (
        (_text("suffix", prompt.suffix), _text("prefill", prompt.prefill)),
        (
            _number("examples", prompt.examples, 0, MOST_EXAMPLES),
            _number("neighbours", prompt.neighbours, 0, MOST_EXAMPLES),
        ),
        (_number("low", low, 0.0, 1e6), _number("high", high, 0.0, 1e6)),
        (_number("max_tokens", prompt.max_tokens, 1, 100_000), _number("temperature", prompt.temperature, 0.0, 2.0)),
        (_number("seed", prompt.seed, 0, 2**31 - 1), _text("effort", prompt.effort or "")),
        (_toggle("tagged", prompt.tagged), _toggle("json", prompt.answer == "json")),
    ):
        for place, draw in zip(st.columns(2), (left, right), strict=True):
            with place:
                draw(key)


def _text(name: str, value: str) -> Callable[[str], object]:
    return lambda key: st.text_input(_NAMES[name], value, max_chars=200, key=f"{key}_{name}")


def _number(name: str, value: float | None, least: float, most: float) -> Callable[[str], object]:
    return lambda key: st.number_input(_NAMES[name], least, most, value, key=f"{key}_{name}", placeholder="none stated")


def _toggle(name: str, value: bool) -> Callable[[str], object]:
    return lambda key: st.toggle(_NAMES[name], value, key=f"{key}_{name}")


def _save(key: str) -> None:
    """Save what stands in the form, and choose it."""
    taken = {name: st.session_state[f"{key}_{name}"] for name in _NAMES if name not in ("price_range", "answer")}
    low, high, is_json = taken.pop("low"), taken.pop("high"), taken.pop("json")
    try:
        if (low is None) != (high is None):
            raise PricerError("a stated range has both ends, or none")
        taken |= {"effort": taken["effort"].strip() or None, "price_range": None if low is None else (low, high)}
        saved = save_prompt(st.session_state[f"{key}_name"], Prompt(**taken, answer="json" if is_json else "text"))
    except PricerError as error:
        st.session_state[state.PROMPT_REFUSED] = str(error)
        return
    st.session_state[state.PROMPT_SAVED] = st.session_state[CHOICE] = saved.label


def show_comparison(chosen: str, prompt: Prompt) -> None:
    """What differs between the chosen prompt and another one, setting by setting."""
    others = [name for name in [*PROMPTS, *(saved.label for saved in list_prompts())] if name != chosen]
    other = st.selectbox("Compare with", others, key="prompt_other", persist_state="session")
    changes = prompt_changes(prompt, find_prompt(other))
    if not changes:
        st.info("They say the same.", icon=":material/info:")
        return
    table(["Setting", chosen, other], [(_NAMES.get(name, name), _told(old), _told(new)) for name, old, new in changes])


def _told(value: object) -> str:
    if value in (None, "", False):
        return "none"
    if isinstance(value, list):
        return f"{dollars(value[0])} to {dollars(value[1])}"
    text = "yes" if value is True else f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
