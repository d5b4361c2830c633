"""The verb for guesses that were made elsewhere: import-guesses."""

import argparse

from pricer.progress import Report
from pricer.verbs.verb import Verbs, path


def add_verbs(verbs: Verbs) -> None:
    """Declare the verb and its options."""
    verb = verbs.add("import-guesses", "grade guesses that were made elsewhere on the exam", _import, _import_words)
    verb.add_argument("file", type=path, metavar="FILE.csv", help="with the columns item_id and guess")
    verb.add_argument("--dataset", required=True, metavar="NAME", help="name or id of the dataset with that exam")
    verb.add_argument("--name", required=True, help="of the run")
    verb.add_argument("--family", default="human", help="who guessed: human (default) or hosted")


def _import(options: argparse.Namespace, report: Report) -> dict:
    from pricer.runs.importing import import_guesses
    from pricer.verbs.models import graded_facts

    run, found = import_guesses(options.file, options.dataset, options.name, options.family)
    counts = {name: getattr(found, name) for name in ("rows", "matched", "unknown", "duplicates", "failed", "missing")}
    return graded_facts(run, "both") | counts


def _import_words(facts: dict) -> str:
    error = "–" if facts["error_dollars"] is None else f"${facts['error_dollars']:,.2f}"
    return (
        f"{facts['name']}, run {facts['id']}: error {error} on {facts['exam_items']:,} items of the natural exam\n"
        f"  {facts['rows']:,} rows = {facts['matched']:,} matched + {facts['unknown']:,} not in the exam "
        f"+ {facts['duplicates']:,} duplicates\n"
        f"  {facts['failed']:,} of those matched say no price; {facts['missing']:,} exam items were not asked"
    )
