"""A recipe as a small YAML file that a person can read, edit and send: written here, and read without trust.

Of YAML only plain maps of words and numbers are taken: no tags, so nothing is built; no anchors, so nothing multiplies;
nothing deep, nothing large. Every value is read as the text that it is and then checked by the recipe.
"""

from dataclasses import dataclass

import yaml

from pricer.curation.recipe import Recipe
from pricer.errors import PricerError

SCHEMA_VERSION = "1"
MOST_BYTES = 64 * 1024  # 33 categories take about 2,000
_MOST_DEPTH = 4  # maps in maps: file, settings, target or weights, and one more to name in a message
_KEYS = ("schema_version", "name", "note", "catalogue", "settings")
_COMMENT = """\
# A recipe of Pricer: which items of a catalogue's pool become train. Edit it, then import it on the page Curate
# or with: python -m pricer recipes import FILE
# cutoff: whole dollars, every item from there upwards is kept. cap: the most items at each whole dollar below it.
# target, in place of cap: shape (flat, log-uniform, power, by-price), size, exponent. weights: 0 means never.
"""


@dataclass(frozen=True)
class RecipeFile:
    """What such a file says."""

    name: str
    recipe: Recipe
    note: str = ""
    catalogue: str = ""  # the name of the one that it was made on


def write_recipe_file(file: RecipeFile) -> str:
    """The file's text; `read_recipe_file` gives back the same."""
    settings = file.recipe.model_dump()
    del settings["schema_version"]
    said = {"schema_version": int(SCHEMA_VERSION), "name": file.name, "note": file.note, "catalogue": file.catalogue}
    options = {"sort_keys": False, "allow_unicode": True, "width": 100}
    return _COMMENT + yaml.dump(said | {"settings": settings}, Dumper=_Writer, **options)


def read_recipe_file(content: bytes) -> RecipeFile:
    """Read a recipe's file.

    Raises PricerError, in one line, for what is no such file: too large, no UTF-8, no YAML, more than plain YAML, a key
    that is missing, unknown or doubled, a setting that a recipe would not have.
    """
    if len(content) > MOST_BYTES:
        raise PricerError(f"a recipe file has at most {MOST_BYTES:,} bytes, got {len(content):,}")
    try:
        text = content.decode("utf-8-sig")
        _check_plain(text)
        said = yaml.load(text, _Texts)
    except UnicodeDecodeError as error:
        raise PricerError(f"a recipe file is text in UTF-8: byte {error.start:,} is not") from error
    except yaml.YAMLError as error:
        raise PricerError(f"a recipe file is YAML: {_in_one_line(error)}") from error
    return _recipe_file(said)


def _recipe_file(said: object) -> RecipeFile:
    if not isinstance(said, dict):
        raise PricerError(f"a recipe file is a map with {', '.join(_KEYS)}, got {_short(said)}")
    unknown = [key for key in said if key not in _KEYS]
    if unknown:
        raise PricerError(f"a recipe file has no {_short(unknown[0])}; it has {', '.join(_KEYS)}")
    if said.get("schema_version", SCHEMA_VERSION) != SCHEMA_VERSION:
        raise PricerError(
            f"schema_version must be {SCHEMA_VERSION}, got {_short(said['schema_version'])}: "
            "the file is of another version of Pricer"
        )
    if not isinstance(said.get("settings"), dict):
        got = _short(said.get("settings"))
        raise PricerError(f"a recipe file needs settings: a map of cutoff, cap and so on, got {got}")
    words = {key: said.get(key, "") for key in ("name", "note", "catalogue")}
    for key, value in words.items():
        if not isinstance(value, str):
            raise PricerError(f"{key} must be a line of text, got {_short(value)}")
    return RecipeFile(recipe=Recipe(**_numbers(said["settings"])), **words)


def _numbers(settings: dict) -> dict:
    """Settings whose texts are numbers where they can be; the recipe says what is wrong with the others."""
    return {key: _numbers(value) if isinstance(value, dict) else _number(value) for key, value in settings.items()}


def _number(value: object) -> object:
    if value in ("", "~", "null"):
        return None
    for kind in (int, float):
        try:
            return kind(value)
        except (TypeError, ValueError):
            continue
    return value


# Plain YAML


class _Writer(yaml.SafeDumper):
    """Writes a text of several lines as these lines."""


def _write_text(writer: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    if not text.replace("\n", "").isprintable():
        style = '"'  # PyYAML reads some rarer line breaks back as spaces unless they are escaped
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Writer.add_representer(str, _write_text)


class _Texts(yaml.BaseLoader):
    """Reads every scalar as its text, and no key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        met = set()
        for key, _ in node.value:
            if str(key.value) in met:
                line = key.start_mark.line + 1
                raise PricerError(f"{_short(key.value)} stands twice in one map of a recipe file: line {line}")
            met.add(str(key.value))
        return super().construct_mapping(node, deep)


def _check_plain(text: str) -> None:
    """Look at the stream of a file before anything is built of it; PricerError for more than plain maps."""
    depth = documents = 0
    for event in yaml.parse(text, yaml.BaseLoader):
        line = f"line {event.start_mark.line + 1}"
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise PricerError(f"a recipe file has no anchors and aliases (& and *): {line}")
        if getattr(event, "tag", None):
            raise PricerError(f"a recipe file has no tags (!): {line}")
        if isinstance(event, yaml.SequenceStartEvent):
            raise PricerError(f"a recipe file has maps (name: value) and no lists: {line}")
        if isinstance(event, yaml.MappingStartEvent):
            depth += 1
            if depth > _MOST_DEPTH:
                raise PricerError(f"a recipe file has no more than {_MOST_DEPTH} maps inside each other: {line}")
        depth -= isinstance(event, yaml.MappingEndEvent)
        documents += isinstance(event, yaml.DocumentStartEvent)
        if documents > 1:
            raise PricerError(f"a recipe file holds one recipe: {line} begins another document")


def _in_one_line(error: yaml.YAMLError) -> str:
    problem = getattr(error, "problem", None) or str(error)
    mark = getattr(error, "problem_mark", None)
    return " ".join(f"{problem}{f', line {mark.line + 1}' if mark else ''}".split())


def _short(value: object) -> str:
    """A value as a message quotes it."""
    said = "nothing" if value is None or value == "" else repr(value)
    return said if len(said) <= 60 else f"{said[:59]}…"
