"""The verb that rewrites a catalogue's texts by a language model."""

import argparse
from dataclasses import asdict

from pricer.progress import Report
from pricer.verbs.verb import Verbs


def add_verbs(verbs: Verbs) -> None:
    """Declare this verb and its options."""
    verb = verbs.add("rewrite", "write a catalogue's texts anew, in five lines, by a language model", _rewrite, _words)
    verb.add_argument("catalogue", metavar="CATALOGUE", help="NAME or NAME@VERSION")
    verb.add_argument("--provider", required=True, metavar="NAME", help="who is asked: the verb providers lists them")
    verb.add_argument("--model", required=True, metavar="MODEL", help="as its provider names it")
    verb.add_argument("--name", required=True, metavar="NAME", help="of the new catalogue")
    verb.add_argument("--first", type=int, metavar="N", help="only the first N items: the exam, validation, the pool")
    verb.add_argument("--effort", metavar="WORD", help="of models that think: low, medium, high")
    verb.add_argument("--batch", action="store_true", help="as a batch: within a day, at the provider's lower price")
    verb.add_argument("--concurrency", type=int, default=8, metavar="N", help="questions at once (default 8)")
    verb.add_argument("--seconds", type=float, default=120.0, help="how long one answer may take (default 120)")
    verb.add_argument("--check", action="store_true", help="only say what it may cost; nothing is asked")


def _rewrite(options: argparse.Namespace, report: Report) -> dict:
    from pricer.runs.kept import once
    from pricer.runs.rewriting import RewriteOrder, quote_rewrite, rewrite
    from pricer.runs.spending import cap

    order = RewriteOrder(
        options.catalogue,
        options.provider,
        options.model,
        options.name,
        options.first,
        options.effort,
        options.batch,
        options.concurrency,
        options.seconds,
    )
    if options.check:
        return asdict(quote_rewrite(order, report)) | {"cap_dollars": cap()}
    return once("rewritten", lambda: _facts(rewrite(order, report)))


def _facts(catalogue) -> dict:
    manifest = catalogue.manifest
    facts = {"catalogue": catalogue.label, "exam_hash": manifest.exam_hash, "content_hash": manifest.content_hash}
    return facts | {"items": manifest.items} | manifest.rewriting.model_dump(mode="json", exclude={"catalogue"})


def _words(result: dict) -> str:
    if "cap_dollars" in result:
        dollars = "nobody has stated its price" if result["dollars"] is None else f"at most ${result['dollars']:,.2f}"
        return (
            f"{result['items']:,} items, {result['kept']:,} of them answered already: {dollars}; "
            f"a run may cost ${result['cap_dollars']:,.2f}"
        )
    before = f" now, ${result['kept_dollars']:,.2f} before" if result["kept_dollars"] else ""
    return (
        f"{result['catalogue']}: {result['rewritten']:,} of {result['items']:,} texts are new, "
        f"{result['unusable']:,} replies were not in five lines, {result['failed']:,} calls failed\n"
        f"  cost ${result['cost_dollars']:,.2f}{before}, exam {result['exam_hash'][:8]} as before"
    )
