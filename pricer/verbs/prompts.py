"""The verb about prompts: list, show, save, compare, and what would be read of a reply."""

import argparse
import json

from pricer.errors import PricerError
from pricer.progress import Report
from pricer.verbs.verb import Actions, Verbs, path

_LABEL = "a preset, a saved NAME or NAME@VERSION, or an id"
_MOST_BYTES = 100_000


def add_verbs(verbs: Verbs) -> None:
    """Declare this verb and its options."""
    verb = verbs.add("prompts", "list prompts, or do something with one of them", _list, _list_words)
    add = Actions(verb).add
    action = add("show", "say what a prompt is, and what a model is asked by it", _show, _show_words)
    action.add_argument("name", metavar="NAME", help=_LABEL)
    action.add_argument("--text", default="Desk lamp\nOf brass", help="the product's text (default: a desk lamp)")

    action = add("save", "save a prompt as the next version of a name", _save, _saved_words)
    action.add_argument("name", metavar="NAME")
    action.add_argument("--file", type=path, metavar="FILE", help="the prompt as JSON or YAML")
    action.add_argument("--from", dest="start", metavar="NAME", help=f"start from another: {_LABEL}")
    _add_settings(action)

    action = add("changes", "say what differs between two prompts", _changes, _changes_words)
    action.add_argument("old", metavar="OLD", help=_LABEL)
    action.add_argument("new", metavar="NEW", help=_LABEL)

    action = add("read", "say which price is read of a model's reply, and why", _read, _read_words)
    action.add_argument("reply", metavar="REPLY", help="as the model gave it")


def _add_settings(action: argparse.ArgumentParser) -> None:
    add = action.add_argument
    add("--system", help="the system message")
    add("--question", help="what stands before the product's text")
    add("--suffix", help="what stands after it")
    add("--prefill", help="how the answer begins")
    add("--tagged", action=argparse.BooleanOptionalAction, default=None, help="mark the text as data")
    add("--examples", type=int, metavar="N", help="how many items of train are shown with their prices")
    add("--neighbours", type=int, metavar="K", help="how many similar products of train are shown")
    add("--price-range", type=float, nargs=2, metavar=("LOW", "HIGH"), help="the range that the model is told")
    add("--answer", help="text or json")
    add("--effort", help="of models that think: low, medium, high")
    add("--max-tokens", type=int, metavar="N", help="of the answer")
    add("--temperature", type=float, help="0 to 2")
    add("--seed", type=int)


def _list(options: argparse.Namespace, report: Report) -> dict:
    from pricer.llm.prompts import ABOUT, PROMPTS
    from pricer.llm.saved_prompts import list_prompts

    presets = [{"name": name, "id": prompt.id, "about": ABOUT[name]} for name, prompt in PROMPTS.items()]
    saved = [
        {"name": each.label, "id": each.prompt.id, "saved": each.created_at.isoformat()} for each in list_prompts()
    ]
    return {"presets": presets, "saved": saved}


def _list_words(result: dict) -> str:
    lines = [f"{preset['name']:<20} {preset['id']}  {preset['about']}" for preset in result["presets"]]
    lines += [f"{saved['name']:<20} {saved['id']}  saved {saved['saved'][:10]}" for saved in result["saved"]]
    return "\n".join(lines)


def _show(options: argparse.Namespace, report: Report) -> dict:
    from pricer.llm.prompts import find_prompt

    prompt = find_prompt(options.name)
    messages = prompt.messages(options.text)
    return {"id": prompt.id, "prompt": prompt.model_dump(mode="json"), "messages": messages}


def _show_words(result: dict) -> str:
    settings = [f"{name:<16} {value}" for name, value in result["prompt"].items() if value not in (None, "")]
    asked = [f"[{message['role']}]\n{message['content']}" for message in result["messages"]]
    return "\n".join([f"id               {result['id']}", *settings, "", *asked])


def _save(options: argparse.Namespace, report: Report) -> dict:
    from pricer.llm.prompts import Prompt, find_prompt
    from pricer.llm.saved_prompts import save_prompt

    settings = _read_file(options.file) if options.file else {}
    if options.start:
        settings = find_prompt(options.start).model_dump() | settings
    stated = {name: getattr(options, name) for name in Prompt.model_fields if getattr(options, name, None) is not None}
    saved = save_prompt(options.name, Prompt.model_validate(settings | stated))
    return {"name": saved.label, "id": saved.prompt.id, "prompt": saved.prompt.model_dump(mode="json")}


def _read_file(file) -> dict:
    import yaml

    try:
        with file.open("rb") as opened:
            content = opened.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise PricerError(f"{file} has more than {_MOST_BYTES:,} bytes: it is no prompt")
        settings = yaml.safe_load(content.decode("utf-8"))  # JSON is YAML
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise PricerError(f"{file} is neither JSON nor YAML") from error
    except OSError as error:
        raise PricerError(f"cannot read {file}: {error.strerror}") from error
    if not isinstance(settings, dict) or not all(isinstance(name, str) for name in settings):
        raise PricerError(f"{file} has no named settings, such as question: What does this cost?")
    return settings


def _saved_words(result: dict) -> str:
    return f"saved as {result['name']} ({result['id']})"


def _changes(options: argparse.Namespace, report: Report) -> dict:
    from pricer.llm.prompts import find_prompt, prompt_changes

    old, new = find_prompt(options.old), find_prompt(options.new)
    return {"old": options.old, "new": options.new, "changes": prompt_changes(old, new)}


def _changes_words(result: dict) -> str:
    if not result["changes"]:
        return f"{result['old']} and {result['new']} are the same"
    return "\n".join(f"{name}: {_told(old)} -> {_told(new)}" for name, old, new in result["changes"])


def _told(value: object) -> str:
    return "none" if value in (None, "") else json.dumps(value, ensure_ascii=False)


def _read(options: argparse.Namespace, report: Report) -> dict:
    from pricer.llm.reading import read_price

    read = read_price(options.reply)
    return {"price": read.price, "status": read.status, "why": read.why, "span": read.span}


def _read_words(result: dict) -> str:
    if result["price"] is None:
        return f"no answer ({result['status']}): {result['why']}"
    return f"${result['price']:,.2f}: {result['why']}"
