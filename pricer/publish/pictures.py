"""The pictures on a published set's card, as SVG, which needs nothing to be drawn: prices and categories.

Their colours are those of Pricer's light look, on white, for the hub shows them on either ground.
"""

import math
from collections.abc import Sequence
from html import escape

import numpy as np

BEFORE, AFTER, INK, QUIET, GRID = "#B3C0C5", "#0F5F85", "#16252C", "#566870", "#E6ECEE"
_FONT = "font-family='IBM Plex Sans, Segoe UI, Helvetica, Arial, sans-serif'"
_WIDE, _BIN = 860, 10
_MOST_PARTS = 8


def price_picture(before: np.ndarray | None, after: np.ndarray) -> str:
    """Items by price in steps of $10, on a log scale.

    Given are items by slot (1000) of the pool, if it is known, and of train.
    """
    height, left, right, top, bottom = 330, 68, 20, 62, 272
    drawn = [(_binned(after), AFTER, "0.85", "train")]
    if before is not None:
        drawn.insert(0, (_binned(before), BEFORE, "0.75", "pool"))
    powers = max(1, math.ceil(math.log10(max(int(each.max()) for each, *_ in drawn) + 1)))
    across = (_WIDE - left - right) / (1000 / _BIN)
    parts = [_text(left, 24, "Items by price", 18, weight=600)]
    place = left
    for _, colour, _, name in drawn:
        parts.append(f"<rect x='{place}' y='36' width='12' height='12' fill='{colour}'/>")
        parts.append(_text(place + 18, 47, name, 13, QUIET))
        place += 30 + 8 * len(name)
    parts.append(_text(place + 8, 47, "in steps of $10, log scale", 13, QUIET))
    for power in range(powers + 1):
        y = bottom - (bottom - top) * power / powers
        parts.append(f"<line x1='{left}' x2='{_WIDE - right}' y1='{y:.1f}' y2='{y:.1f}' stroke='{GRID}'/>")
        parts.append(_text(left - 8, y + 4, f"{10**power:,}", 12, QUIET, "end"))
    for each, colour, opacity, _ in drawn:
        points = [f"{left},{bottom}"]
        for number, items in enumerate(each):
            y = bottom - (bottom - top) * (math.log10(items) if items else 0.0) / powers
            points += [f"{left + number * across:.1f},{y:.1f}", f"{left + (number + 1) * across:.1f},{y:.1f}"]
        points.append(f"{left + len(each) * across:.1f},{bottom}")
        parts.append(f"<polygon points='{' '.join(points)}' fill='{colour}' fill-opacity='{opacity}'/>")
    for dollars in range(0, 1001, 200):
        x = left + dollars / _BIN * across
        parts.append(_text(x, bottom + 20, f"${dollars:,}", 12, QUIET, "middle"))
    return _svg(_WIDE, height, parts, "Items by price, " + " and ".join(name for *_, name in drawn))


def category_picture(categories: Sequence[tuple[str, int, int]]) -> str:
    """A donut of train by category; given are name, items in the pool and items in train. Small ones are "others"."""
    kept = sorted(categories, key=lambda each: -each[2])
    if len(kept) > _MOST_PARTS:
        rest = kept[_MOST_PARTS - 1 :]
        others = (f"{len(rest)} others", sum(each[1] for each in rest), sum(each[2] for each in rest))
        kept = [*kept[: _MOST_PARTS - 1], others]
    before, after = (max(1, sum(each[place] for each in kept)) for place in (1, 2))
    height = max(300, 90 + 30 * len(kept))
    x, y, outer, inner = 150, height / 2 + 16, 112, 70
    parts = [_text(20, 26, "Train by category", 18, weight=600)]
    angle = -math.pi / 2
    for number, (_, _, items) in enumerate(kept):
        colour, turn = _shade(number / max(1, len(kept) - 1)), 2 * math.pi * items / after
        parts.append(_ring(x, y, outer, inner, angle, angle + turn, colour))
        angle += turn
    parts.append(_text(x, y - 2, f"{after:,}", 20, INK, "middle", 600))
    parts.append(_text(x, y + 18, "items", 13, QUIET, "middle"))
    rows, top = 330, 76
    parts += [_text(700, top - 22, "pool", 12, QUIET, "end"), _text(780, top - 22, "train", 12, QUIET, "end")]
    for number, (name, of_pool, items) in enumerate(kept):
        line = top + 30 * number
        parts.append(
            f"<rect x='{rows}' y='{line - 11}' width='12' height='12' fill='{_shade(number / max(1, len(kept) - 1))}'/>"
        )
        parts.append(_text(rows + 22, line, name.replace("_", " "), 14))
        parts.append(_text(700, line, f"{of_pool / before:.1%}", 14, QUIET, "end"))
        parts.append(_text(780, line, f"{items / after:.1%}", 14, INK, "end"))
    return _svg(_WIDE, height, parts, "Train by category: " + ", ".join(f"{n} {i / after:.1%}" for n, _, i in kept))


def _binned(slots: np.ndarray) -> np.ndarray:
    return np.add.reduceat(slots.astype(np.int64), np.arange(0, 1000, _BIN))


def _shade(part: float) -> str:
    """Petrol for the largest category, two thirds of the way to white for the smallest."""
    start, share = (0x0F, 0x5F, 0x85), 0.72 * part
    return "#" + "".join(f"{round(value + (255 - value) * share):02X}" for value in start)


def _ring(x: float, y: float, outer: float, inner: float, start: float, stop: float, colour: str) -> str:
    stop = min(stop, start + 2 * math.pi - 1e-4)  # a whole turn would begin where it ends, and draw nothing
    far = int(stop - start > math.pi)
    points = [(outer, start), (outer, stop), (inner, stop), (inner, start)]
    a, b, c, d = (f"{x + radius * math.cos(angle):.2f},{y + radius * math.sin(angle):.2f}" for radius, angle in points)
    path = f"M{a} A{outer},{outer} 0 {far} 1 {b} L{c} A{inner},{inner} 0 {far} 0 {d} Z"
    return f"<path d='{path}' fill='{colour}' stroke='#FFFFFF' stroke-width='2'/>"


def _text(
    x: float, y: float, words: str, size: int, colour: str = INK, anchor: str = "start", weight: int = 400
) -> str:
    place = f"x='{x:.1f}' y='{y:.1f}' font-size='{size}' fill='{colour}' text-anchor='{anchor}' font-weight='{weight}'"
    return f"<text {place}>{escape(words)}</text>"


def _svg(width: int, height: float, parts: list[str], title: str) -> str:
    size = f"width='{width}' height='{height:.0f}' viewBox='0 0 {width} {height:.0f}'"
    head = f"<svg xmlns='http://www.w3.org/2000/svg' {size}"
    ground = "<rect width='100%' height='100%' fill='#FFFFFF'/>"
    body = "\n".join(["", f"<title>{escape(title)}</title>", ground, *parts, ""])
    return f"{head} role='img' {_FONT}>{body}</svg>\n"
