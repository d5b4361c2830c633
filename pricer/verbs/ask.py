"""The verb that asks a language model at a provider: the same order, and the same run, as `train hosted`."""

import argparse
from typing import TYPE_CHECKING

from pricer.progress import Report
from pricer.verbs import models
from pricer.verbs.verb import Verbs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pricer.checks import Check
    from pricer.runs.training import Order


def add_verbs(verbs: Verbs) -> None:
    """Declare this verb and its options."""
    verb = verbs.add("ask", "ask a language model at a provider what the exam costs", _ask, _words)
    verb.add_argument("model", metavar="MODEL", help="as its provider names it: providers models PROVIDER")
    verb.add_argument("--provider", default="openai", metavar="NAME", help="who is asked (default openai)")
    verb.add_argument("--dataset", required=True, metavar="NAME", help="name or id of the dataset")
    verb.add_argument("--prompt", default="plain", metavar="NAME", help="a preset or a saved one (default plain)")
    verb.add_argument("--first", type=int, metavar="K", help="ask the first K of the exam only; each prefix is fair")
    verb.add_argument("--exam", default="both", help="natural, balanced, or both (default)")
    verb.add_argument("--concurrency", type=int, default=8, metavar="N", help="questions at once (default 8)")
    verb.add_argument("--seconds", type=float, default=120.0, help="how long one answer may take (default 120)")
    verb.add_argument("--seed", type=int, default=42, help="another one asks the same questions again (default 42)")
    verb.add_argument("--name", help="of the run")
    verb.add_argument("--batch", action="store_true", help="as one file, within a day, usually at half the price")
    verb.add_argument("--check", action="store_true", help="only say what it will take; nothing is asked")


def _ask(options: argparse.Namespace, report: Report) -> dict:
    from pricer.models.hosted_kind import HOSTED
    from pricer.runs.training import Order, train_run

    stated = {name: getattr(options, name) for name in ("provider", "model", "prompt", "concurrency", "seconds")}
    stated["batch"] = "yes" if options.batch else "no"
    usual = HOSTED.check_settings({})
    order = Order(
        model="hosted",
        dataset=options.dataset,
        settings={name: value for name, value in stated.items() if value != usual[name]},
        seed=options.seed,
        asked=options.exam,
        first_k=options.first,
        name=options.name,
    )
    if options.check:
        return _check(order)
    return models.graded_facts(train_run(order, report), options.exam)


def _check(order: "Order") -> dict:
    from pricer.curation.dataset import open_dataset
    from pricer.runs.preflight import preflight
    from pricer.runs.store import list_runs

    return check_facts(preflight(order, open_dataset(order.dataset), list_runs()).checks)


def check_facts(checks: "Sequence[Check]") -> dict:
    """What a preflight found, as facts: whether it may start, and each check."""
    told = [{"verdict": check.verdict, "words": check.words, "value": check.value} for check in checks]
    return {"may_start": all(check.verdict != "stop" for check in checks), "checks": told}


def check_words(result: dict) -> str:
    """The same, a line for each check."""
    return "\n".join(f"{check['verdict']:4}  {check['words']}  {check['value']}".rstrip() for check in result["checks"])


def _words(result: dict) -> str:
    return check_words(result) if "checks" in result else models.train_words(result)
