"""What a verb of the command line is: options in, one JSON-ready object out, and words for it."""

import argparse
from collections.abc import Callable
from pathlib import Path

from pricer.progress import Report

Run = Callable[[argparse.Namespace, Report], dict]
Words = Callable[[dict], str]


def path(text: str) -> Path:
    """A path as it was typed, `~` included."""
    return Path(text).expanduser()


def setting(text: str) -> tuple[str, str]:
    """A model's setting as it was typed: SETTING=VALUE."""
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"expected SETTING=VALUE, got {text!r}")
    return name, value


class Verbs:
    """The verbs of a parser."""

    def __init__(self, subparsers: argparse._SubParsersAction):
        self._subparsers = subparsers

    def add(self, name: str, help_text: str, run: Run, words: Words) -> argparse.ArgumentParser:
        """Declare a verb; `run` carries it out, `words` tells its result to a person."""
        verb = self._subparsers.add_parser(name, help=help_text, description=f"{help_text[0].upper()}{help_text[1:]}.")
        verb.add_argument("--json", action="store_true", help="one JSON object on standard output")
        verb.set_defaults(run_verb=run, words_of_verb=words)
        return verb


class Actions:
    """What a verb can do; `--json` may stand before or after the action."""

    def __init__(self, verb: argparse.ArgumentParser):
        self._actions = verb.add_subparsers(metavar="ACTION")

    def add(self, name: str, help_text: str, run: Run, words: Words) -> argparse.ArgumentParser:
        description = f"{help_text[0].upper()}{help_text[1:]}."
        action = self._actions.add_parser(name, help=help_text, description=description)
        action.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="one JSON object on standard output"
        )
        action.set_defaults(run_verb=run, words_of_verb=words)
        return action
