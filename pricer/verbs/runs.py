"""The verbs that keep runs in order: tag, note, delete, undelete, extend, cap."""

import argparse

from pricer.errors import PricerError
from pricer.progress import Report, duration
from pricer.verbs.ask import check_facts, check_words
from pricer.verbs.verb import Verbs


def add_verbs(verbs: Verbs) -> None:
    """Declare these verbs and their options."""
    verb = verbs.add("tag", "give a run tags, by which it is found again", _tag, _beside_words)
    verb.add_argument("run", metavar="RUN", help="name or id")
    verb.add_argument("tags", nargs="*", metavar="TAG", help="in the place of those that it has; none takes them away")

    verb = verbs.add("note", "write a note beside a run", _note, _beside_words)
    verb.add_argument("run", metavar="RUN", help="name or id")
    verb.add_argument("note", metavar="TEXT", help="in the place of the one that it has; empty takes it away")

    verb = verbs.add("delete", "take a run or an ended job out of every list, so that it can be brought back", _delete,
                     _deleted_words)  # fmt: skip
    verb.add_argument("run", metavar="RUN", help="name or id of a run, or id of a job")

    verb = verbs.add("undelete", "bring back what was deleted; without RUN, list it", _undelete, _deleted_words)
    verb.add_argument("run", nargs="?", metavar="RUN", help="name or id of a run, or id of a job")

    verb = verbs.add("cap", "say or set what a run may cost at most, in dollars", _cap, _cap_words)
    verb.add_argument("dollars", nargs="?", type=float, metavar="DOLLARS", help="for each run (default: 0)")

    verb = verbs.add("extend", "ask a run more of its exam, without asking again what it has answered", _extend,
                     _extend_words)  # fmt: skip
    verb.add_argument("run", metavar="RUN", help="name or id")
    verb.add_argument("--ask", required=True, metavar="K", help="the first K of the exam, or all")
    verb.add_argument("--check", action="store_true", help="only say what it will take; nothing is asked")


def _cap(options: argparse.Namespace, report: Report) -> dict:
    from pricer.runs.spending import cap, set_cap

    if options.dollars is not None:
        set_cap(options.dollars)
    return {"cap_dollars": cap()}


def _cap_words(facts: dict) -> str:
    return f"a run may cost ${facts['cap_dollars']:,.2f} at most"


def _tag(options: argparse.Namespace, report: Report) -> dict:
    from pricer.runs.store import open_run, set_tags

    run = open_run(options.run)
    set_tags(run, options.tags)
    return _beside(open_run(run.id))


def _note(options: argparse.Namespace, report: Report) -> dict:
    from pricer.runs.store import open_run, set_note

    run = open_run(options.run)
    set_note(run, options.note)
    return _beside(open_run(run.id))


def _beside(run) -> dict:
    return {"id": run.id, "name": run.name, "tags": list(run.tags), "note": run.note}


def _beside_words(facts: dict) -> str:
    tags = " ".join(f"#{tag}" for tag in facts["tags"]) or "no tags"
    return f"{facts['id']}  {facts['name']}  {tags}{'  ' + facts['note'] if facts['note'] else ''}"


def _delete(options: argparse.Namespace, report: Report) -> dict:
    from pricer.runs.history import delete_entry

    return {"deleted": [_entry(delete_entry(options.run))], "was": "deleted; undelete brings it back"}


def _undelete(options: argparse.Namespace, report: Report) -> dict:
    from pricer.runs.history import history, undelete_entry

    if options.run is None:
        return {"deleted": [_entry(entry) for entry in history(deleted=True)], "was": "deleted"}
    return {"deleted": [_entry(undelete_entry(options.run))], "was": "brought back"}


def _entry(entry) -> dict:
    return {"id": entry.id, "run": entry.run.id if entry.run else None, "name": entry.name, "state": entry.state}


def _deleted_words(result: dict) -> str:
    lines = [f"{each['run'] or each['id']}  {each['name']}: {result['was']}" for each in result["deleted"]]
    return "\n".join(lines) or "nothing was deleted"


def _extend(options: argparse.Namespace, report: Report) -> dict:
    from pricer.runs.extending import extend_run
    from pricer.runs.store import errors_of

    if options.check:
        return _check_extension(options)
    run = extend_run(options.run, _wanted(options.ask), report)
    of = run.manifest
    facts = {"id": run.id, "name": run.name, "extends": of.extends, "exam_hash": of.exam_hash, "first_k": of.first_k}
    answers = {"asked_items": of.asked_items, "guess_seconds": of.guess_seconds, "cost_dollars": of.cost_dollars}
    return facts | answers | {"reading": run.reading, "error_dollars": errors_of([run])[run.id]}


def _check_extension(options: argparse.Namespace) -> dict:
    from pricer.runs.preflight import checks_to_extend
    from pricer.runs.store import list_runs, open_run

    return check_facts(checks_to_extend(open_run(options.run), _wanted(options.ask), list_runs()))


def _wanted(text: str) -> int | None:
    if text == "all":
        return None
    if not text.isdecimal() or not int(text):
        raise PricerError(f"--ask takes a whole number of items or all, got {text!r}")
    return int(text)


def _extend_words(facts: dict) -> str:
    if "checks" in facts:
        return check_words(facts)
    return (
        f"{facts['name']}, run {facts['id']}, which extends {facts['extends']}\n"
        f"  error ${facts['error_dollars']:,.2f} on the {facts['reading']} exam, {facts['asked_items']:,} items asked "
        f"in {duration(facts['guess_seconds'])}"
    )
