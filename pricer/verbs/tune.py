"""The verb tune: fine-tune a model at a host, and look after what runs there."""

import argparse
from typing import TYPE_CHECKING

from pricer.errors import PricerError
from pricer.progress import Report
from pricer.verbs.verb import Actions, Verbs

if TYPE_CHECKING:
    from pricer.runs.tunings import Tuning


def add_verbs(verbs: Verbs) -> None:
    """Declare this verb and its actions."""
    actions = Actions(verbs.add("tune", "fine-tune a model at a host; it costs money there", _list, _list_words))
    start = actions.add("start", "build files, upload them, create one job, and follow it to its end", _start, _words)
    _add_order(start)
    start.add_argument("--again", action="store_true", help="pay once more for what was tuned before")
    start.add_argument("--check", action="store_true", help="only look: files, price, key and host; nothing is sent")
    actions.add("list", "list every tuning", _list, _list_words)
    for name, help_text, run in (
        ("show", "tell all that is known of one", _show),
        ("check", "look at the host once", _act("check")),
        ("follow", "watch one until it is over", _follow),
        ("cancel", "cancel it at the host", _act("cancel")),
        ("pause", "pause it, where the host can", _act("pause")),
        ("resume", "let a paused one go on", _act("resume")),
        ("drop", "say that the host has no job for one that is unclear", _act("drop")),
    ):
        actions.add(name, help_text, run, _words).add_argument("tuning", metavar="TUNING", help="its id or mark")
    adopt = actions.add("adopt", "say which job of the host an unclear tuning is", _adopt, _words)
    adopt.add_argument("remote", metavar="REMOTE_ID", help="the host's id of the job")
    adopt.add_argument("--tuning", metavar="TUNING", help="where several are unclear")
    grade = actions.add("grade", "ask the tuned model and its base the same exam", _grade, _graded_words)
    grade.add_argument("tuning", metavar="TUNING")
    grade.add_argument("--ask", type=int, default=250, metavar="K", help="the first K of the exam (default 250)")


def _add_order(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("provider", metavar="PROVIDER", help="such as openai; `providers` lists them")
    verb.add_argument("model", metavar="MODEL", help="the base model's id at that provider")
    verb.add_argument("--dataset", required=True, metavar="NAME")
    verb.add_argument("--preset", metavar="N+M", help="rows to train + to validate on: 500+50 (default), 200+50, …")
    verb.add_argument("--train", type=int, metavar="N", help="rows to train on")
    verb.add_argument("--validation", type=int, metavar="N", help="rows to validate on")
    verb.add_argument("--choose", dest="choice", choices=("first", "balanced"), help="which rows (default first)")
    verb.add_argument("--prompt", metavar="NAME", help="default notebook-1")
    verb.add_argument("--epochs", type=int, metavar="N", help="default 1: more rows beat more epochs")
    verb.add_argument("--batch", dest="batch_size", type=int, metavar="N", help="default: the host's choice")
    verb.add_argument(
        "--rate", dest="learning_rate_multiplier", type=float, metavar="X", help="multiplier of the learning rate"
    )
    verb.add_argument("--seed", type=int, help="default 42")
    verb.add_argument("--suffix", metavar="NAME", help="in the tuned model's name (default pricer)")
    verb.add_argument("--wandb", metavar="PROJECT", help="pass losses on to Weights & Biases, where the host does")
    verb.add_argument("--dollars", type=float, metavar="PRICE", help="for a million training tokens, if not as usual")
    verb.add_argument("--most-tokens", type=int, metavar="N", help="the model's limit for one example")
    verb.add_argument("--grade", type=int, metavar="K", help="then ask it and its base the first K of the exam")


def _start(options: argparse.Namespace, report: Report) -> dict:
    from pricer.runs.tuning import tune
    from pricer.runs.tuning_orders import grade, make_order
    from pricer.runs.tunings import ROWS, TuneOrder

    facts = {name: getattr(options, name) for name in TuneOrder.model_fields}
    if options.preset:
        if options.preset not in ROWS:
            raise PricerError(f"--preset is one of {', '.join(ROWS)}; got {options.preset!r}")
        train, validation = ROWS[options.preset]
        facts |= {"train": facts["train"] or train, "validation": facts["validation"] or validation}
    order = make_order(**facts)
    if options.check:
        return _checked(order, options.again)
    tuning = tune(order, report, options.again)
    facts = _told(tuning) | {"grading": [], "not_graded": None}
    if order.grade and tuning.state == "done":
        try:
            facts["grading"] = [_part(part) for part in grade(tuning, order.grade)]
        except PricerError as error:  # the tuning is done all the same, and can be graded later
            facts["not_graded"] = str(error)
    return facts


def _checked(order, again: bool) -> dict:
    from pricer.curation.dataset import open_dataset
    from pricer.llm.providers import find_provider
    from pricer.runs.tuning_files import make_files, probe, tune_preflight

    dataset, provider = open_dataset(order.dataset), find_provider(order.provider)
    files = make_files(order, dataset, provider)
    lines = [(each.verdict, each.words, each.value) for each in tune_preflight(order, dataset, provider, files, again)]
    lines += probe(order, provider).lines
    checks = [dict(zip(("verdict", "words", "value"), line, strict=True)) for line in lines]
    return {
        "checks": checks,
        "stops": sum(each["verdict"] == "stop" for each in checks),
        "cost_dollars": files.cost_dollars,
        "train_tokens": files.train_tokens,
    }


def _list(options: argparse.Namespace, report: Report) -> dict:
    from pricer.runs.tunings import list_tunings

    return {"tunings": [_told(tuning) for tuning in list_tunings()]}


def _show(options: argparse.Namespace, report: Report) -> dict:
    from pricer.runs.curves import read_curves
    from pricer.runs.tunings import open_tuning

    tuning = open_tuning(options.tuning)
    curves = read_curves(tuning.folder)
    more = {"events": tuning.kept.events, "checkpoints": tuning.kept.checkpoints, "order": tuning.order.model_dump()}
    return _told(tuning) | more | {"curves": [] if curves is None else curves.to_dicts()}


def _follow(options: argparse.Namespace, report: Report) -> dict:
    from pricer.runs.tuning import follow

    return _told(follow(options.tuning, report))


def _act(name: str):
    def act(options: argparse.Namespace, report: Report) -> dict:
        from pricer.runs import tuning

        return _told(getattr(tuning, name)(options.tuning))

    return act


def _adopt(options: argparse.Namespace, report: Report) -> dict:
    from pricer.runs.tuning import adopt

    return _told(adopt(options.remote, options.tuning))


def _grade(options: argparse.Namespace, report: Report) -> dict:
    from pricer.runs.tuning_orders import grade
    from pricer.runs.tunings import open_tuning

    if options.ask < 1:
        raise PricerError(f"--ask takes a number of items from 1 upwards, got {options.ask}")
    return {"grading": [_part(part) for part in grade(open_tuning(options.tuning), options.ask)]}


def _part(part) -> dict:
    return {"what": part.label, "name": part.name, "state": part.state, "run": part.run.id if part.run else None}


def _told(tuning: "Tuning") -> dict:
    kept = tuning.kept
    return {
        "id": tuning.id,
        "mark": tuning.mark,
        "provider": tuning.provider,
        "base_model": tuning.base_model,
        "dataset": tuning.order.dataset,
        "state": tuning.state,
        "said": kept.said,
        "why": kept.why,
        "remote_id": tuning.remote_id,
        "tuned_model": tuning.tuned_model,
        "step": kept.step,
        "total_steps": kept.total_steps,
        "cost_dollars": kept.cost_dollars,
        "train_rows": kept.train_rows,
        "trained_tokens": kept.trained_tokens,
        "created": tuning.created_at.isoformat(),
    }


# Words


def _words(facts: dict) -> str:
    if "checks" in facts:
        lines = [f"  {each['verdict']:<5} {each['words']}  ({each['value']})" for each in facts["checks"]]
        return "\n".join([f"{facts['stops']} to put right" if facts["stops"] else "nothing stands in the way", *lines])
    steps = f", step {facts['step']:,} of {facts['total_steps']:,}" if facts["total_steps"] else ""
    said = f" ({facts['said']})" if facts["said"] not in ("", facts["state"]) else ""
    lines = [f"{facts['mark']}  {facts['base_model']} at {facts['provider']}: {facts['state']}{said}{steps}"]
    lines += [f"  {facts['why']}"] if facts["why"] else []
    lines += [f"  job {facts['remote_id']}"] if facts["remote_id"] else []
    lines += [f"  tuned model {facts['tuned_model']}"] if facts["tuned_model"] else []
    lines += [f"  {words}" for words in facts.get("events", [])]
    lines += [f"  checkpoint {each['step']}: {each['model']}" for each in facts.get("checkpoints", [])]
    return "\n".join([*lines, *_graded_lines(facts)])


def _graded_words(facts: dict) -> str:
    return "\n".join(_graded_lines(facts))


def _graded_lines(facts: dict) -> list[str]:
    lines = [f"  {each['what']}: {each['name']}, {each['state']}" for each in facts.get("grading", [])]
    return [*lines, *([f"  not graded yet: {facts['not_graded']}"] if facts.get("not_graded") else [])]


def _list_words(result: dict) -> str:
    if not result["tunings"]:
        return "no tuning yet; start one with: python -m pricer tune start PROVIDER MODEL --dataset NAME"
    return "\n".join(_words(each) for each in result["tunings"])
