"""Pieces of a report's page. Whatever comes from data is escaped here; a `str` with mark-up is always `Markup`."""

import base64
import html
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from pricer.figures.palette import DARK, FAMILIES, LIGHT, Look

_HERE = Path(__file__).parent
_COLOURS = (
    "paper",
    "panel",
    "ink",
    "quiet",
    "grid",
    "axis",
    "faint",
    "before",
    "before_outline",
    "after",
    "good",
    "fair",
    "poor",
)
# Nothing is loaded, nothing is sent: what stands in the file is all there is.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:"
)

Swatch = tuple[str, str, str]  # a word, a colour's name in the style sheet, the mark's form


class Markup(str):
    """A piece of HTML that is already safe."""


def escaped(text: str) -> Markup:
    return text if isinstance(text, Markup) else Markup(html.escape(str(text)))


def joined(pieces: Iterable[str]) -> Markup:
    return Markup("".join(escaped(piece) for piece in pieces))


def element(name: str, *inside: str, **attributes: str) -> Markup:
    """An element with escaped text or safe pieces inside; `class_` stands for class, `data_x` for data-x.

    >>> element("p", "a < b", class_="note")
    '<p class="note">a &lt; b</p>'
    """
    stated = "".join(f' {key.rstrip("_").replace("_", "-")}="{escaped(value)}"' for key, value in attributes.items())
    return Markup(f"<{name}{stated}>{joined(inside)}</{name}>")


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> Markup:
    """A table; the columns whose places stand in `right` hold figures."""

    def line(cells: Sequence[str], name: str) -> Markup:
        return element(
            "tr",
            *(element(name, cell, class_="right" if place in right else "left") for place, cell in enumerate(cells)),
        )

    head, body = element("thead", line(columns, "th")), element("tbody", *(line(row, "td") for row in rows))
    return element("div", element("table", head, body), class_="scroll")


def csv_link(label: str, name: str, content: str) -> Markup:
    """A link that saves a CSV file which the page itself holds."""
    held = "data:text/csv;charset=utf-8;base64," + base64.b64encode(content.encode()).decode()
    return element("p", element("a", label, href=held, download=name), class_="save")


def key_line(swatches: Sequence[Swatch], note: str = "") -> Markup:
    """What a chart's colours mean, and in a quiet line what is drawn, in what unit."""
    marks = [
        element("span", element("i", class_=form, style=f"background:var(--{colour})"), word, class_="swatch")
        for word, colour, form in swatches
    ]
    return element("p", *marks, *([element("span", note)] if note else []), class_="note")


class Charts:
    """The charts of a page, each in both looks, drawn in the browser by the one copy of Plotly that the file holds."""

    def __init__(self) -> None:
        self._drawn: list[dict[Look, dict]] = []

    def chart(
        self, figure: Callable[[Look], go.Figure], title: str, alt: str, note: str = "", swatches: Sequence[Swatch] = ()
    ) -> Markup:
        """A chart below its title; `alt` says in words what it shows."""
        looks: tuple[Look, ...] = ("light", "dark")
        both = {look: json.loads(figure(look).to_json()) for look in looks}
        self._drawn.append(both)
        height = f"height:{both['light']['layout']['height']}px"
        place = element(
            "div", class_="plot", role="img", aria_label=alt, data_chart=str(len(self._drawn) - 1), style=height
        )
        return element("figure", element("h3", title), key_line(swatches, note), place)

    def data(self) -> Markup:
        """All of them as JSON, in which nothing can end the element that holds it."""
        text = json.dumps(self._drawn, ensure_ascii=True, separators=(",", ":"))
        for letter in "<>&":
            text = text.replace(letter, f"\\u{ord(letter):04x}")
        return Markup(f'<script type="application/json" id="charts">{text}</script>')


def document(title: str, charts: Charts, pieces: Iterable[str]) -> str:
    """The whole file."""
    style = Markup(_style() + (_HERE / "report.css").read_text("utf-8"))
    script = Markup((_HERE / "report.js").read_text("utf-8"))
    head = joined(
        [
            Markup('<meta charset="utf-8">'),
            Markup(f'<meta http-equiv="Content-Security-Policy" content="{html.escape(_POLICY)}">'),
            Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            Markup('<meta name="color-scheme" content="light dark">'),
            element("title", title),
            element("style", style),
        ]
    )
    scripts = [charts.data(), element("script", Markup(get_plotlyjs())), element("script", script)]
    body = element("body", element("main", *pieces), *scripts)
    return f'<!doctype html>\n<html lang="en">\n<head>{head}</head>\n{body}\n</html>\n'


def _style() -> str:
    """The palette as variables; in print it is always the light one."""
    colours = {name: (getattr(LIGHT, name), getattr(DARK, name)) for name in _COLOURS}
    colours |= {f"family-{name}": (LIGHT.family(name), DARK.family(name)) for name in FAMILIES}
    light, dark = (
        "".join(f"--{name.replace('_', '-')}:{pair[place]};" for name, pair in colours.items()) for place in (0, 1)
    )
    return f":root{{{light}}}\n@media screen and (prefers-color-scheme: dark){{:root{{{dark}}}}}\n"
