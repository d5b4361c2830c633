"""The verb that tells what a run's model goes by: learned."""

import argparse

from pricer.progress import Report
from pricer.verbs.verb import Verbs


def add_verbs(verbs: Verbs) -> None:
    """Declare the verb and its options."""
    verb = verbs.add("learned", "tell what the model of a run goes by", _learned, _learned_words)
    verb.add_argument("run", metavar="RUN", help="name or id")


def _learned(options: argparse.Namespace, report: Report) -> dict:
    from pricer.runs.learned import what_it_learned
    from pricer.runs.store import open_run

    run = open_run(options.run)
    told = what_it_learned(run, run.model())
    tables = [{"title": part.title, "note": part.note, "rows": part.table.to_dicts()} for part in told]
    return {"run": run.id, "name": run.name, "tables": tables}


def _learned_words(facts: dict) -> str:
    if not facts["tables"]:
        return f"{facts['name']}: what this kind of model learns has no names"
    return "\n".join(line for table in facts["tables"] for line in _table_words(table))


def _table_words(table: dict) -> list[str]:
    rows = [[_cell(value) for value in row.values()] for row in table["rows"]]
    lines = [f"  {first:<40}" + "".join(f"{value:>14}" for value in others) for first, *others in rows]
    return [f"{table['title']}: {table['note']}", *(lines or ["  none"])]


def _cell(value: str | float | None) -> str:
    if isinstance(value, str):
        return value if len(value) <= 40 else value[:39] + "…"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
