"""Elements that several pages show. Whatever comes from data is escaped here."""

import html
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
import polars as pl
import streamlit as st

from pricer.figures.formats import count_of, spreadsheet_safe, whole_dollars
from pricer.figures.palette import FAMILIES
from pricer.figures.parts import part_marks

MOST_ROWS = 12  # of an own table; more are turned over page by page
_SHAPES = {"line-ns": "bar", "circle": "disc", "triangle-up": "triangle"}  # symbols whose class has another name
_MARKS = {
    "good": "●", "fair": "◆", "poor": "✕",
    "pass": "✓", "look": "◆", "stop": "✕",
}  # fmt: skip
_FORMS = {"pass": "good", "look": "fair", "stop": "poor"}

Swatch = tuple[str, str]  # a word, and a colour's name in the style sheet with the mark's form: "after disc"


@dataclass(frozen=True)
class Html:
    """A piece of HTML that is already safe."""

    text: str


Cell = str | Html


def escaped(cell: Cell) -> str:
    return cell.text if isinstance(cell, Html) else html.escape(str(cell))


def plain(text: str) -> str:
    """Text for an element that reads Markdown: every character stands for itself."""
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]()<>#+-.!|$~:" else letter for letter in text)


def sentence(words: object) -> str:
    """What an error says in half a sentence, as a whole one."""
    text = str(words).rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."


def page_head(title: str, sentence: str, explanation: str, figures: bool = False) -> None:
    """Open a page: its title, one sentence on what it is for, and how its numbers are made (Markdown).

    `figures` says whether it shows figures of runs, whose formulas have a page of their own.
    """
    with st.container(gap="xsmall"):
        st.html(f'<div class="pr-page"><h1>{escaped(title)}</h1></div>')
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.html(f'<p class="pr-sentence">{escaped(sentence)}</p>', width="content")
            with st.popover("How is this computed?", type="tertiary", key=f"explain_{title[:9].lower()}"):
                st.markdown(explanation)
                if figures:
                    label = "Formulas and sources of every figure"
                    st.page_link("results/metrics.py", label=label, icon=":material/functions:")


def key_figures(figures: Iterable[tuple[str, Cell, Cell]]) -> None:
    """Show two to four figures in a row: what it is, its value, and a quiet line below."""
    cells = "".join(
        f"<div><dt>{escaped(name)}</dt><dd>{escaped(value)}<small>{escaped(note)}</small></dd></div>"
        for name, value, note in figures
    )
    st.html(f'<dl class="pr-figures">{cells}</dl>')


def chart_head(title: Cell, note: str = "", swatches: Sequence[Swatch] = ()) -> None:
    """The title of a chart and the line below it: what its colours mean, what is drawn, in what unit."""
    keys = "".join(_swatch(word, form) for word, form in swatches)
    words = f"<span>{escaped(note)}</span>" if note else ""
    below = f'<p class="pr-note">{keys}{words}</p>' if keys or words else ""
    st.html(f'<div class="pr-head"><h3>{escaped(title)}</h3>{below}</div>')


def chart(
    figure: go.Figure,
    title: Cell,
    alt: str,
    key: str,
    note: str = "",
    swatches: Sequence[Swatch] = (),
    image: str | None = None,
) -> None:
    """A chart below its head; `alt` says in words what it shows."""
    with st.container(gap="xsmall"):
        chart_head(title, note, swatches)
        draw(figure, alt, key, image)


def draw(figure: go.Figure, alt: str, key: str, image: str | None = None) -> None:
    """A chart alone, in Pricer's colours; of Plotly's buttons the one that saves it, where `image` names the file."""
    config: dict = {"displayModeBar": False}
    if image:
        config = {"displaylogo": False, "modeBarButtons": [["toImage"]]}
        config |= {"toImageButtonOptions": {"format": "png", "filename": image, "scale": 2}}
    st.plotly_chart(figure, theme=None, alt=alt, key=key, config=config)


def downloads(rows: pl.DataFrame, name: str) -> None:
    """A table as CSV, whose texts no spreadsheet takes for formulas, and as Parquet, both named alike."""
    with st.container(horizontal=True):
        for label, kind, content in (("CSV", "csv", spreadsheet_csv), ("Parquet", "parquet", _parquet)):
            st.download_button(
                f"Download {label}",
                content(rows),
                f"{name}.{kind}",
                key=f"download_{name}_{kind}",
                icon=":material/download:",
                on_click="ignore",
                type="tertiary",
            )


def spreadsheet_csv(rows: pl.DataFrame) -> bytes:
    texts = [pl.col(name).map_elements(spreadsheet_safe, return_dtype=pl.String) for name in rows.columns
             if rows[name].dtype == pl.String]  # fmt: skip
    return rows.with_columns(texts).write_csv().encode()


def _parquet(rows: pl.DataFrame) -> bytes:
    file = io.BytesIO()
    rows.write_parquet(file)
    return file.getvalue()


def table(columns: Sequence[Cell], rows: Iterable[Sequence[Cell]], right: Sequence[int] = ()) -> None:
    """A table of up to a dozen rows; the columns whose places stand in `right` hold figures."""
    style = [' class="pr-right"' if place in right else "" for place in range(len(columns))]
    head = "".join(f"<th{style[place]}>{escaped(name)}</th>" for place, name in enumerate(columns))
    body = "".join(
        "<tr>" + "".join(f"<td{style[place]}>{escaped(cell)}</td>" for place, cell in enumerate(row)) + "</tr>"
        for row in rows
    )
    wide = " pr-wide" if len(columns) > 5 else ""
    markup = f'<table class="pr-table{wide}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    st.html(f'<div class="pr-scroll">{markup}</div>')


def table_height(rows: int, most: int = 8) -> int:
    """The height in pixels of an interactive table that shows its rows, or `most` of them and scrolls."""
    return 34 * (min(rows, most) + 1) + 3


def verdict(passed: bool | None) -> Html:
    """Pass or drop, as a mark and a word."""
    if passed is None:
        return Html("")
    mark, word, form = ("✓", "pass", "good") if passed else ("✕", "drop", "poor")
    return Html(f'<span class="pr-{form}">{mark} {word}</span>')


def judgement(word: str) -> Html:
    """One of the three that judge guesses (good, fair, poor) or preflight lines (pass, look, stop): mark and word."""
    return Html(f'<span class="pr-{_FORMS.get(word, word)}">{_MARKS[word]} {word}</span>')


def checks(lines: Iterable[tuple[str, str, str]]) -> None:
    """Preflight lines: pass, look or stop, what was looked at, and its value at the right."""
    rows = "".join(
        f"<li>{judgement(word).text}<span>{escaped(words)}</span><b>{escaped(value)}</b></li>"
        for word, words, value in lines
    )
    st.html(f'<ul class="pr-checks">{rows}</ul>')


def price_tag(guess: float) -> None:
    """The price that a person came for: the one yellow thing of a view."""
    st.html(f'<div class="pr-tag">{whole_dollars(guess)}</div>')


def progress_bar(fraction: float | None) -> Html:
    """A bar for a cell of a table."""
    share = min(1.0, max(0.0, fraction or 0.0))
    return Html(f'<span class="pr-progress"><i style="width:{share:.0%}"></i></span>')


def family_swatches(families: Iterable[str]) -> list[Swatch]:
    """The key of a chart of models: each family that occurs, in the palette's order."""
    occurring = set(families)
    return [(family, _family_form(family, symbol)) for family, symbol in FAMILIES.items() if family in occurring]


def run_swatches(families: dict[str, str]) -> list[Swatch]:
    """The key of a chart of single runs, by name, as `part_marks` has them drawn."""
    return [
        (name, _family_form(families[name], symbol) + (" pr-hollow" if hollow else ""))
        for name, (symbol, hollow) in part_marks(families).items()
    ]


def _family_form(family: str, symbol: str) -> str:
    return f"family-{family} {_SHAPES.get(symbol, symbol)}"


def distinct(labels: dict[str, str]) -> dict[str, str]:
    """Labels of options by id, told apart by the id's end where two are alike: a browser answers with the label."""
    often = Counter(labels.values())
    return {key: label if often[label] == 1 else f"{label}, {key[-4:]}" for key, label in labels.items()}


def page_of(rows: Sequence, noun: str, key: str) -> Sequence:
    """The rows of the page that is shown, with the control that turns pages where there are more than a dozen."""
    pages = -(-len(rows) // MOST_ROWS)
    if pages < 2:
        return rows
    with st.container(horizontal=True, vertical_alignment="center"):
        page = st.pagination(pages, key=f"{key}_{len(rows)}")
        st.html(f'<span class="pr-note">{count_of(len(rows), noun)}, page {page} of {pages}</span>')
    return rows[(page - 1) * MOST_ROWS : page * MOST_ROWS]


def empty_card(missing: str, sentence: str) -> None:
    """Say in a bordered card's first line what is missing; its link or button follows below."""
    st.html(f'<p class="pr-empty"><b>{escaped(missing)}</b> {escaped(sentence)}</p>')


def generated_badge(generated: bool) -> Html:
    """The word "generated" beside a name whose data Pricer made up; nothing beside others."""
    return Html('<span class="pr-badge">generated</span>' if generated else "")


def named(name: str, generated: bool) -> Html:
    """A name, and its badge if it is generated data."""
    return Html(html.escape(name) + generated_badge(generated).text)


def _swatch(word: str, form: str) -> str:
    colour, _, shape = form.partition(" ")
    mark = (
        f'<i class="pr-{shape}" style="background:var(--pr-{colour})"></i>'
        if shape
        else (f'<i style="background:var(--pr-{colour})"></i>')
    )
    return f'<span class="pr-swatch">{mark}{escaped(word)}</span>'
