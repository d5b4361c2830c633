"""What would be published: the card, rows in training and test form, and files for hosted fine-tuning."""

import re

import streamlit as st

from pages.shared import publish_cached
from pages.shared.jobs import command_of
from pages.shared.widgets import chart_head, checks, key_figures, plain
from pricer.curation.dataset import Dataset
from pricer.errors import PricerError
from pricer.figures.formats import count, count_of, dollars, size
from pricer.publish.forms import COLUMNS, Options, shows_price
from pricer.publish.messages import LEAST_ROWS, FileCheck, Limits, check_content

_PICTURE = re.compile(r"!\[.*?\]\((.*?)\)")
_CODE = re.compile(r"(```.*?```)", re.DOTALL)
_MOST_ROWS = 20_000  # of a file made on the page; the command makes longer ones
_PROMPTS = {"notebook-1": "First notebook", "notebook-2": "Second notebook"}
_CHOICES = {"first": "First n, at random", "balanced": "Balanced by price"}


def show_card(dataset: Dataset, options: Options, place: str) -> None:
    """The card as people will read it, its metadata below."""
    _, metadata, body = publish_cached.card(dataset, options, place).split("---\n", 2)
    pictures = publish_cached.pictures(dataset)
    with st.container(border=True, height=620, key="card_preview"):
        for place_of, piece in enumerate(_PICTURE.split(body)):
            if place_of % 2:
                st.image(pictures[piece], width="stretch")
            else:
                st.markdown(_for_streamlit(piece))
    with st.expander("Metadata that the hub reads", key="card_metadata"):
        st.code(metadata, language=None)


def _for_streamlit(markdown: str) -> str:
    """Markdown without what Streamlit adds to it (formulas, pale colours in code), its titles a step lower."""
    pieces = _CODE.split(markdown)  # words and code by turns
    pieces[::2] = [re.sub("^#", "##", words, flags=re.MULTILINE) for words in pieces[::2]]
    pieces[1::2] = [re.sub("^```[a-z]+", "```", code) for code in pieces[1::2]]
    return "".join(pieces).replace("\\$", "$").replace("$", "\\$")


def show_rows(dataset: Dataset, options: Options) -> None:
    """The first row of train and of the exam, to the letter."""
    text, price = COLUMNS[options.edition]
    for part, title in (("train", "As a model is trained on it"), ("exam", "As it is tested on it")):
        table = publish_cached.rows(dataset, part, options)
        chart_head(title, f"columns {', '.join(table.columns)}")
        if part == "exam":
            leaks = sum(shows_price(row) for row in table.to_dicts())
            words = "The text of the test ends where the price would stand"
            checks([("stop" if leaks else "pass", words, f"{len(table) - leaks} of {len(table)} shown")])
        row = table.row(0, named=True)
        st.code(row[text], language=None, wrap_lines=True)
        shown = "withheld" if row[price] is None else repr(row[price])
        rest = "".join(f", {name} {row[name]!r}" for name in table.columns if name not in (text, price))
        st.caption(plain(f"{price} {shown}{rest}"))


def show_messages(dataset: Dataset) -> None:
    """Choose rows, see what a host would say to them and what they cost, and take both files along."""
    made = dataset.manifest
    if min(made.train, made.validation) < LEAST_ROWS:
        st.info(f"Hosts want at least {LEAST_ROWS} rows in train and in validation.", icon=":material/info:")
        return
    left, right = st.columns(2)
    kept = {"persist_state": "session"}
    most = min(made.train, _MOST_ROWS), min(made.validation, _MOST_ROWS)
    train = left.number_input(
        "Rows to train on", LEAST_ROWS, most[0], min(200, most[0]), key=f"tune_train_{made.id}", **kept
    )
    validation = right.number_input(
        "Rows to validate on", LEAST_ROWS, most[1], min(50, most[1]), key=f"tune_validation_{made.id}", **kept
    )
    left, right = st.columns(2)
    choice = left.selectbox("Which rows", list(_CHOICES), format_func=_CHOICES.get, key="tune_choice", **kept)
    prompt = right.selectbox("Prompt", list(_PROMPTS), format_func=_PROMPTS.get, key="tune_prompt", **kept)
    first, second, third = st.columns(3)
    tokens = first.number_input("Most tokens in a row", 64, 10_000_000, Limits.most_tokens, key="tune_tokens", **kept)
    price = second.number_input(
        "Dollars a million tokens", 0.0, 10_000.0, Limits.dollars_per_million, 0.5, key="tune_dollars", **kept,
        help="Prices age: look at your host's.",
    )  # fmt: skip
    epochs = third.number_input("Epochs", 1, 100, 1, key="tune_epochs", **kept)
    try:
        contents = publish_cached.messages(dataset, train, validation, choice, prompt)
    except PricerError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    limits = Limits(tokens, price, epochs)
    found = publish_cached.checked(contents, limits)
    show_checks(found)
    for check in found:
        content = contents[check.name]
        chart_head(check.name, f"the first of {count_of(check.rows, 'row')}")
        st.code(content.split(b"\n", 1)[0].decode(), language=None, wrap_lines=True, height=210)
    with st.container(horizontal=True):
        for check in found:
            st.download_button(
                f"Download {check.name}", contents[check.name], check.name, "application/jsonl",
                icon=":material/download:", key=f"download_{check.name}", on_click="ignore",
                disabled=not check.can_be_sent,
            )  # fmt: skip
    arguments = ["export", dataset.name, "--to", "./tuning", "--train", str(train), "--validation", str(validation)]
    arguments += [] if choice == "first" else ["--choose", choice]
    arguments += [] if prompt == "notebook-1" else ["--prompt", prompt]
    st.code(command_of(arguments), language=None, wrap_lines=True)
    show_own_file(limits)


def show_own_file(limits: Limits) -> None:
    """Check a file that someone else made."""
    with st.expander("Check a file of yours", icon=":material/fact_check:", key="tune_own"):
        file = st.file_uploader("JSON lines", type=["jsonl", "json"], key="tune_file")
        if file is not None:
            show_checks([check_content(file.name, file.getvalue(), limits)])


def show_checks(found: list[FileCheck]) -> None:
    train = found[0]
    key_figures(
        [
            (
                "Training cost",
                "–" if train.cost_dollars is None else f"about {dollars(train.cost_dollars)}",
                "all epochs",
            ),
            ("Tokens to train on", count(train.tokens), "by Llama 3's tokenizer"),
            ("Longest row", count(max(check.longest_tokens for check in found)), "tokens"),
        ]
    )
    lines = []
    for check in found:
        if check.can_be_sent:
            lines.append(("pass", f"{check.name}: every line has its roles and an answer", size(check.bytes)))
        for problem in check.problems[:5]:
            where = f"{check.name}, line {count(problem.line)}" if problem.line else check.name
            lines.append(("stop", f"{where}: {problem.reason}", ""))
        if len(check.problems) > 5:
            lines.append(("stop", f"{check.name}: {count(check.bad_lines)} bad lines in all", ""))
    checks(lines)
