"""Numbers, times and names as Pricer writes them everywhere, and text made safe for a chart."""

import html
import math
import textwrap
from collections.abc import Sequence
from datetime import datetime

MINUS = "\N{MINUS SIGN}"
NOT_MEASURED = "\N{EN DASH}"


def dollars(amount: float | None) -> str:
    """A price or an error: `$1,234.56`."""
    return NOT_MEASURED if amount is None else _signed(round(amount, 2), f"${abs(amount):,.2f}")


def guess_in_words(guess: float | None, status: str, counted: float) -> str:
    """What a run said of an item; and what that counts as, where its error is taken from another price.

    >>> guess_in_words(20.0, "answer", 20.0), guess_in_words(1412.12, "answer", 999.0)
    ('$20.00', '$1,412.12, counted as $999.00')
    >>> guess_in_words(None, "refusal", 86.98)
    'refusal, counted as $86.98'
    """
    said = status if guess is None or not math.isfinite(guess) else dollars(guess)
    return said if guess == counted else f"{said}, counted as {dollars(counted)}"


def whole_dollars(amount: float | None) -> str:
    """A guess, a slot or a tick: `$249`."""
    return NOT_MEASURED if amount is None else _signed(round(amount), f"${abs(round(amount)):,}")


def two_digits(value: float | None) -> str:
    """A figure without a unit, such as R²: `−0.12`; what rounds to nothing has no sign.

    >>> two_digits(-0.123), two_digits(-0.001), two_digits(None)
    ('−0.12', '0.00', '–')
    """
    return NOT_MEASURED if value is None else _signed(round(value, 2), f"{abs(value):.2f}")


def count(number: int | None) -> str:
    """A count in full: `2,811,408`."""
    return NOT_MEASURED if number is None else _signed(number, f"{abs(number):,}")


def count_of(number: int, noun: str, plural: str | None = None) -> str:
    """A count and what is counted.

    >>> count_of(1, "item"), count_of(2, "item"), count_of(3, "category", "categories")
    ('1 item', '2 items', '3 categories')
    """
    return f"{count(number)} {noun if number == 1 else plural or noun + 's'}"


def in_words(number: int) -> str:
    """A small count as a title spells it.

    >>> in_words(2), in_words(11)
    ('two', '11')
    """
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    return words[number] if 0 <= number < len(words) else count(number)


def short_count(number: float) -> str:
    """A count on an axis: in thousands or millions where it is round there.

    >>> short_count(300_000), short_count(1_500), short_count(40), short_count(2_000_000)
    ('300k', '1,500', '40', '2M')
    """
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if number >= 10 * size or (number >= size and number % size == 0):
            return f"{number / size:,g}{letter}"
    return f"{number:,g}"


def percent(share: float | None) -> str:
    """A share from 0 to 1 with one decimal; what is there but small is never written as nothing.

    >>> percent(0.347), percent(0.0002), percent(0), percent(1)
    ('34.7%', '<0.1%', '0%', '100%')
    """
    if share is None:
        return NOT_MEASURED
    if 0 < share < 0.001:
        return "<0.1%"
    return f"{share:.0%}" if share in (0, 1) else f"{share:.1%}"


def points(change: float) -> str:
    """A change of share (0 to 1) in percentage points, with its sign.

    >>> points(0.023), points(0.0)
    ('+2.3', '0.0')
    """
    tenths = round(change * 100, 1)
    return f"+{tenths:.1f}" if tenths > 0 else _signed(tenths, f"{abs(tenths):.1f}")


def duration(seconds: float | None) -> str:
    """A length of time.

    >>> duration(48), duration(660), duration(24_720)
    ('48 s', '11 min', '6 h 52 min')
    """
    if seconds is None:
        return NOT_MEASURED
    if seconds < 59.5:
        return f"{seconds:.0f} s" if seconds >= 1 else "under 1 s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def size(number_bytes: float) -> str:
    """A file's size: `1.9 GB`."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if number_bytes < 1000:
            return f"{number_bytes:.0f} {unit}" if unit == "bytes" else f"{number_bytes:.1f} {unit}"
        number_bytes /= 1000
    return f"{number_bytes:,.1f} TB"


def moment(when: datetime) -> str:
    """A point in time, in this machine's zone: `21 Nov 2026, 09:41`."""
    local = when.astimezone()
    return f"{local.day} {local:%b %Y, %H:%M}"


def short_hash(digest: str) -> str:
    """The first eight digits of a hash: `7f3a 91c2`."""
    return f"{digest[:4]} {digest[4:8]}"


def safe(text: str, longest: int = 120) -> str:
    """Text from data for a chart or a page: cut to a length and escaped, so that no mark-up in it acts."""
    cut = text if len(text) <= longest else text[: longest - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
    return html.escape(cut)


def wrapped(text: str, width: int = 18, most_lines: int = 3) -> str:
    """A safe name broken into lines for a narrow column of a chart."""
    return "<br>".join(html.escape(line) for line in textwrap.wrap(text, width, max_lines=most_lines, placeholder=" …"))


def wrapped_names(names: Sequence[str], width: int = 19) -> list[str]:
    """Safe names in two lines; where two would look alike, the second line begins where the names part.

    >>> wrapped_names(["ridge on even", "Llama 3B (precision none) on even", "Llama 3B (precision 8bit) on even"], 12)
    ['ridge on<br>even', 'Llama 3B<br>… none) on …', 'Llama 3B<br>… 8bit) on …']
    """
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(wrapped(name, width, 2), []).append(name)
    return [_parted(name, wrapped(name, width, 2), alike[wrapped(name, width, 2)], width) for name in names]


def _parted(name: str, label: str, alike: Sequence[str], width: int) -> str:
    """The label of a name, by which it can be told from others that have the same."""
    if len(set(alike)) == 1:
        return label
    first, last = min(alike), max(alike)  # what these two have in common all have
    common = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    parting = name.rfind(" ", 0, common) + 1
    return f"{label.partition('<br>')[0]}<br>{wrapped(f'… {name[parting:]}', width, 1)}"


def category_name(name: str) -> str:
    """A category as people read it: `Tools_and_Home_Improvement` becomes `Tools and Home Improvement`."""
    return name.replace("_", " ")


def _signed(number: float, unsigned: str) -> str:
    return MINUS + unsigned if number < 0 else unsigned


def spreadsheet_safe(text: str) -> str:
    """Text for a cell of a CSV file: what a spreadsheet would take for a formula begins with an apostrophe.

    >>> spreadsheet_safe("=1+1"), spreadsheet_safe("Appliances")
    ("'=1+1", 'Appliances')
    """
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r", "'") else text
