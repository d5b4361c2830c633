"""A text as a reader sees it: without markup and addresses, with plain digits, dashes and spaces, of equal length."""

import re
import unicodedata


class _Plain(dict):
    """Each character as a reader sees it: one for one, so that places in the text stay as they are."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        digit = unicodedata.decimal(character, None)
        if digit is not None:
            plain = str(digit)
        elif character in "*_`\\":  # of Markdown and LaTeX
            plain = " "
        elif character != "\u00a0" and unicodedata.category(character) == "Zs":
            plain = "\u00a0" if character in "\u2009\u202f" else " "
        elif unicodedata.category(character) == "Cf":  # invisible
            plain = " "
        elif unicodedata.category(character) == "Sc" and character not in "$¢" and character not in _ALIKE:
            plain = "€"  # some other currency
        else:
            plain = _ALIKE.get(character, character)
        self[code] = plain
        return plain


_ALIKE = {  # dashes, dollars, apostrophes and points of other scripts
    "\u2212": "-",
    "\u2010": "-",
    "\u2011": "-",
    "\ufe63": "-",
    "\uff0d": "-",
    "\uff04": "$",
    "\ufe69": "$",
    "\u2019": "'",
    "\u066b": ".",
    "\u066c": ",",
    "\uff0e": ".",
    "\uff0c": ",",
    "\uff1a": ":",
    "\uff05": "%",
    "\r": "\n",
}
_PLAIN = _Plain()
_TAGS = re.compile(r"<[/!a-zA-Z][^<>]*>")
_ADDRESSES = re.compile(r"(?:https?://|www\.)\S*", re.IGNORECASE)


def plain(text: str) -> str:
    """A text of equal length without markup and addresses, with plain digits, dashes and spaces."""
    text = text.translate(_PLAIN)
    for pattern in (_TAGS, _ADDRESSES):
        text = pattern.sub(lambda match: " " * len(match[0]), text)
    return text
