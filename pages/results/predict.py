"""Predict: describe a product and see its price, and how far to trust it."""

from textwrap import shorten

import polars as pl
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.shared import cached, shelf, state
from pages.shared.asking import show_asking
from pages.shared.cached import MODELS_HELD
from pages.shared.look import look
from pages.shared.serving import show_served
from pages.shared.widgets import (
    chart,
    distinct,
    empty_card,
    escaped,
    family_swatches,
    generated_badge,
    judgement,
    named,
    page_head,
    plain,
    price_tag,
)
from pricer.errors import PricerError
from pricer.evaluation.ranges import USUAL_LEVEL
from pricer.evaluation.scoring import scored
from pricer.figures.distribution import distribution_chart, distribution_finding
from pricer.figures.formats import count_of, dollars, percent, whole_dollars
from pricer.figures.guesses import guess_bars
from pricer.runs.guessing import LONGEST_TEXT, answers_at_once, asks, is_served, runs_that_price
from pricer.runs.store import Run, names_of

EXAMPLES = 4
EVERY = "predict_every"  # whether models are asked that are not held in memory
EXPLANATION = """
Your words are cleaned as a catalogue's rows are, and every trained model reads what it has learned to read. The first
line counts as the product's title.

The **tag** is the guess of the run with the smallest error on the exam. The examples are the first items of the exam
that cost $20 to $500, in its random order: no model was trained on them, and their price stays hidden until you ask.

The **range** comes from the model's own distribution of prices, or from how far its guesses of validation were off.
"""


def choose_product(examples: list[dict]) -> None:
    """A description: one of the exam's items, or whatever is typed or pasted."""
    if st.session_state[state.PRODUCT] is None and examples:
        st.session_state[state.PRODUCT] = examples[0]["full_text"]
    with st.form("describe", border=False):
        st.text_area(
            "Describe a product", key=state.PRODUCT, height=170, max_chars=LONGEST_TEXT, persist_state="session"
        )
        st.form_submit_button("Guess the price", type="primary", icon=":material/sell:", key="guess")
    if examples:
        short = {item["item_id"]: shorten(item["title"], 32, placeholder=" …") for item in examples}
        titles = {item_id: plain(title) for item_id, title in distinct(short).items()}
        texts = {item["item_id"]: item["full_text"] for item in examples}
        st.pills(
            "Or try",
            list(titles),
            format_func=titles.get,
            wrap=True,
            key="example",
            on_change=take_example,
            args=(texts,),
        )


def take_example(texts: dict[str, str]) -> None:
    chosen = st.session_state["example"]
    if chosen:
        st.session_state[state.PRODUCT] = texts[chosen]
        st.session_state[state.REVEALED] = None


def show_best(best: Run, name: str, guess: float, seconds: float, product: str) -> None:
    """The tag, and how far to trust it."""
    price_tag(guess)
    found = cached.run_metrics(best, "natural")
    trust = ""
    if found.error is not None:
        trust = (
            f"On {count_of(found.items, 'exam item')} it was <b>{dollars(found.error)}</b> off on average, and "
            f"<b>{percent(found.within_20)}</b> of its guesses were within 20% of the price."
        )
    trust += _range_words(best, guess, product)
    speed = f"{1000 * seconds:,.0f} ms" if seconds >= 0.001 else "under 1 ms"
    whose = f"Guess of <b>{escaped(name)}</b>{generated_badge(best.manifest.generated).text}"
    note = f"<span>{whose} with the smallest error on the exam. Answered in {speed}.</span>"
    st.html(f'<p class="pr-said">{trust}</p><p class="pr-note">{note}</p>')


def _range_words(best: Run, guess: float, product: str) -> str:
    """Between which dollars the price lies, and how far such ranges can be trusted."""
    ends = cached.price_range(product, best, guess, USUAL_LEVEL)
    if ends is None:
        return ""
    low, high = (f"<b>{whole_dollars(end)}</b>" for end in ends)
    held = cached.coverage_strip(best, "natural").filter(level=USUAL_LEVEL)["covered"].item()
    shown = "" if held is None else f"; on the exam such ranges held {percent(held)} of prices"
    return f" It expects the price between {low} and {high}, in {USUAL_LEVEL:.0%} of cases{shown}."


def show_distribution(runs: list[Run], names: dict[str, str], guesses: dict[str, float], product: str) -> None:
    """What the best model that gives a distribution thinks of every dollar."""
    for run in runs:
        chances = cached.chances(product, run)
        if chances is not None:
            low, high = cached.price_range(product, run, guesses[run.id], USUAL_LEVEL)
            chart(
                distribution_chart(chances, (low, high), guesses[run.id], look()),
                named(distribution_finding(names[run.id], low, high, USUAL_LEVEL), run.manifest.generated),
                alt=f"Distribution of the price by {names[run.id]}, {whole_dollars(low)} to {whole_dollars(high)}.",
                key="chart_distribution",
                note="how likely it thinks each whole dollar; its guess on the line",
                image="distribution",
            )
            return


def show_truth(item: dict, guess: float) -> float | None:
    """The price of an exam item, once it is asked for; gives it back then."""
    if st.session_state[state.REVEALED] != item["item_id"]:
        st.button(
            "Show the true price", icon=":material/visibility:", key="reveal", on_click=reveal, args=(item["item_id"],)
        )
        return None
    row = {"price": [item["price"]], "guess": [guess], "status": ["answer"]}
    judged = scored(pl.DataFrame(row), item["price"]).row(0, named=True)
    words = f"It was sold for <b>{dollars(item['price'])}</b>; the guess is {dollars(judged['error'])} off:"
    st.html(f'<p class="pr-said">{words} {judgement(judged["colour"]).text}</p>')
    return item["price"]


def reveal(item_id: str) -> None:
    st.session_state[state.REVEALED] = item_id


def show_guesses(runs: list[Run], names: dict[str, str], guesses: dict[str, float], price: float | None) -> None:
    said = [(names[run.id], run.manifest.family, guesses[run.id]) for run in runs]
    chart(
        guess_bars(said, look(), price),
        named("What each model says", any(run.manifest.generated for run in runs)),
        alt="; ".join(f"{name}: {whole_dollars(guess)}" for name, _, guess in said),
        key="chart_guesses",
        note="smallest error on the exam on top",
        swatches=family_swatches(family for _, family, _ in said),
        image="guesses",
    )


def show_prices(graded: list[Run], product: str, examples: list[dict], place: DeltaGenerator) -> None:
    """What the models say that answer at once: the tag in its place beside the product, the others below."""
    by_id = {run.id: run for run in graded}
    runs = [by_id[run_id] for run_id in cached.board(graded, "natural")["run"]]
    further = len(runs) - MODELS_HELD
    if further > 0 and not st.session_state.get(EVERY):
        runs = runs[:MODELS_HELD]
    try:
        guesses, seconds = cached.guesses(product, runs)
    except PricerError as error:
        place.info(plain(str(error)), icon=":material/edit:")
        return
    best, names, price = runs[0], names_of(runs), None
    known = next((item for item in examples if item["full_text"].strip() == product), None)
    with place:
        show_best(best, names[best.id], guesses[best.id], seconds, product)
        if known:
            price = show_truth(known, guesses[best.id])
    show_distribution(runs, names, guesses, product)
    show_guesses(runs, names, guesses, price)
    if further > 0:
        label = f"Ask the other {count_of(further, 'model')} too; each is read from disk"
        st.toggle(label, key=EVERY, persist_state="session")


page_head("Predict", "Describe a product and see its price, and how far to trust it.", EXPLANATION, figures=True)
every_run = runs_that_price()
if not every_run:
    with st.container(border=True):
        empty_card("No trained model yet.", "Train one, and it prices whatever you describe.")
        st.page_link("models/train.py", label="Open Train", icon=":material/arrow_forward:")
    st.stop()
left, right = st.columns([1.1, 1], gap="large")
with left:
    several = len({run.manifest.exam_hash for run in every_run}) > 1
    runs = shelf.choose_exam(every_run) if several else every_run
    examples = cached.first_exam_items(runs[0].dataset(), EXAMPLES).to_dicts()
    choose_product(examples)
product = (st.session_state[state.PRODUCT] or "").strip()
at_once = [run for run in runs if answers_at_once(run)]
if at_once:
    show_prices(at_once, product, examples, right)
with st.container() if at_once else right:
    show_served([run for run in runs if is_served(run)], product, tagged=not at_once)
    show_asking([run for run in runs if asks(run)], product)
