"""The verbs of experiments, of runs that belong together; and of sharing what runs say."""

import argparse
import dataclasses
import shlex
from collections.abc import Callable

from pricer.errors import PricerError
from pricer.progress import Report, duration
from pricer.verbs.verb import Verbs, path, setting


def add_verbs(verbs: Verbs) -> None:
    """Declare these verbs and their options."""
    verb = verbs.add("balance", "train a model on several datasets of one exam, and compare", _balance, _balance_words)
    verb.add_argument("model", metavar="MODEL", help="such as tfidf-ridge")
    verb.add_argument(
        "--dataset", action="append", required=True, metavar="NAME", help="repeat; the first is set beside the others"
    )
    verb.add_argument("--first", type=int, metavar="N", help="train on N items of each (default: of the smallest)")
    _add_settings(verb)
    _add_reading(verb)
    _add_launch(verb)

    verb = verbs.add("ladder", "climb from a constant guess to a stack on one exam", _ladder, _ladder_words)
    verb.add_argument("--dataset", required=True, metavar="NAME", help="name or id of the dataset")
    verb.add_argument("--without", action="append", default=[], metavar="MODEL", help="leave this rung out (repeat)")
    verb.add_argument("--seed", type=int, default=42, help="of the models (default 42)")
    _add_reading(verb)
    _add_launch(verb)

    verb = verbs.add(
        "learning-curve", "train a model on growing parts of a train, and forecast more", _learning, _learning_words
    )
    verb.add_argument("model", metavar="MODEL", help="such as tfidf-ridge")
    verb.add_argument("--dataset", required=True, metavar="NAME", help="name or id of the dataset")
    verb.add_argument("--up-to", type=int, metavar="N", help="items of the largest part (default: all of train)")
    _add_settings(verb)
    _add_reading(verb)
    _add_launch(verb)

    verb = verbs.add("share", "write a comparison as one HTML file that opens anywhere", _share, _share_words)
    verb.add_argument("runs", nargs="*", metavar="RUN", help="names or ids (default: all of the last run's exam)")
    verb.add_argument("--out", type=path, required=True, metavar="FILE.html")
    _add_reading(verb)


def _add_settings(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--set", type=setting, action="append", default=[], metavar="SETTING=VALUE", dest="settings")
    verb.add_argument("--seed", type=int, default=42, help="of the model (default 42)")


def _add_reading(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--exam", default="natural", choices=("natural", "balanced"), help="natural (default) or balanced"
    )


def _add_launch(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--launch", action="store_true", help="launch a job for every run that is missing")


def _stated(options: argparse.Namespace) -> dict[str, int | float]:
    """The model's settings as numbers; PricerError for one that it does not have."""
    from pricer.models.registry import find_kind

    kind = find_kind(options.model)
    known = {each.name: each for each in kind.settings}
    stated = {name: known[name].parse(value) if name in known else value for name, value in options.settings}
    kind.check_settings(stated)
    return stated


def _read(orders: Callable[[], list], options: argparse.Namespace) -> tuple[list, dict]:
    """What stands of an experiment, launched first where that was asked; and the facts of it that all verbs give."""
    from pricer.runs.experiments import launch_missing, read_parts

    launched = launch_missing(read_parts(orders())) if options.launch else []
    parts = read_parts(orders())
    return parts, {"parts": [_part_facts(part) for part in parts], "launched": [job.id for job in launched]}


def _part_facts(part) -> dict:
    from pricer.runs.orders import order_arguments

    return {
        "label": part.label,
        "state": part.state,
        "name": part.name,
        "run": part.run.id if part.run else None,
        "job": part.job.id if part.job else None,
        "error": part.job.error if part.job else None,
        "train_items": part.train_items,
        "seconds": part.seconds,
        "bytes_needed": part.bytes_needed,
        "command": shlex.join(["python", "-m", "pricer", *order_arguments(part.order)]),
    }


def _part_lines(result: dict) -> list[str]:
    """What stands, and the commands of what does not."""
    lines = [
        f"  {part['state']:<9}  {part['train_items']:>9,} items  {part['name']}  {part['error'] or ''}".rstrip()
        for part in result["parts"]
    ]
    absent = [part for part in result["parts"] if part["state"] not in ("done", "queued", "running")]
    if absent:
        took = duration(sum(part["seconds"] for part in absent))
        lines += [f"missing, about {took} in all; --launch starts:", *(f"  {part['command']}" for part in absent)]
    return lines


def _generated(parts: list) -> bool:
    return any(part.dataset.manifest.generated for part in parts)


def _balance(options: argparse.Namespace, report: Report) -> dict:
    from pricer.curation.dataset import open_dataset
    from pricer.evaluation.effects import effect
    from pricer.runs.experiments_balance import balance_orders

    datasets = [open_dataset(label) for label in options.dataset]
    orders = balance_orders(options.model, datasets, _stated(options), options.seed, options.first)
    parts, facts = _read(lambda: orders, options)
    reference, *others = parts
    effects = {}
    for other in others:
        if reference.run and other.run:
            found = effect(reference.run.graded(), other.run.graded(), options.exam)
            effects[other.label] = {
                "natural": dataclasses.asdict(found.natural),
                "balanced": dataclasses.asdict(found.balanced),
                "bands": found.bands.to_dicts(),
                "categories": found.categories.to_dicts(),
            }
    return {
        "model": options.model,
        "reference": reference.label,
        "exam": options.exam,
        "exam_hash": datasets[0].manifest.exam_hash,
        "generated": _generated(parts),
        **facts,
        "effects": effects,
    }


def _balance_words(result: dict) -> str:
    from pricer.figures.effect import difference_words, effect_finding

    lines = [
        f"effect of balance on {result['model']}, beside {result['reference']}, {_exam_words(result)}",
        *_part_lines(result),
    ]
    for label, found in result["effects"].items():
        sides = [(found[side]["difference"], found[side]["tied"]) for side in ("natural", "balanced")]
        lines += ["", effect_finding(result["reference"], label, *sides)]
        for title in ("bands", "categories"):
            lines.append(f"by {'price band' if title == 'bands' else 'category'}, {result['exam']} exam:")
            lines += [
                f"  {row['verdict']:<6}  {difference_words(row):<36}  {row['items']:>6,} items  {row['slice']}"
                for row in found[title]
            ]
    return "\n".join(lines)


def _ladder(options: argparse.Namespace, report: Report) -> dict:
    from pricer.curation.dataset import open_dataset
    from pricer.evaluation.effects import steps
    from pricer.runs.experiments_ladder import RUNGS, ladder_orders

    unknown = set(options.without) - set(RUNGS)
    if unknown:
        raise PricerError(f"the ladder has no rung {sorted(unknown)[0]!r}; rungs: {', '.join(RUNGS)}")
    dataset = open_dataset(options.dataset)
    rungs = [rung for rung in RUNGS if rung not in options.without]
    parts, facts = _read(lambda: ladder_orders(dataset, rungs, options.seed), options)
    standing = [(part.label, part.run.graded()) for part in parts if part.run]
    return {
        "dataset": dataset.name,
        "exam": options.exam,
        "exam_hash": dataset.manifest.exam_hash,
        "generated": _generated(parts),
        **facts,
        "steps": steps(standing, options.exam).to_dicts(),
    }


def _ladder_words(result: dict) -> str:
    import polars as pl

    from pricer.evaluation.effects import STEP_SCHEMA
    from pricer.figures.effect import difference_words
    from pricer.figures.ladder import ladder_finding

    lines = [f"ladder on {result['dataset']}, {_exam_words(result)}", *_part_lines(result)]
    if result["steps"]:
        lines += ["", ladder_finding(pl.DataFrame(result["steps"], schema=STEP_SCHEMA))]
    for row in result["steps"]:
        step = f"{row['verdict']:<6}  {difference_words(row)}" if row["verdict"] else ""
        lines.append(f"  ${row['error']:>8,.2f}  {row['rung']:<28}  {step}".rstrip())
    return "\n".join(lines)


def _exam_words(result: dict) -> str:
    return f"{result['exam']} exam {result['exam_hash'][:8]}" + (" (generated data)" if result["generated"] else "")


def _learning(options: argparse.Namespace, report: Report) -> dict:
    from pricer.curation.dataset import open_dataset
    from pricer.evaluation.learning import look_ahead
    from pricer.runs.experiments_learning import learning_orders, runs_of_curve
    from pricer.runs.store import list_runs

    dataset = open_dataset(options.dataset)
    orders = learning_orders(options.model, dataset, _stated(options), options.seed, options.up_to)
    parts, facts = _read(lambda: orders, options)
    runs = [(size, run.graded()) for size, run in runs_of_curve(orders[0][1], dataset, list_runs())]
    found = look_ahead(runs, dataset.manifest.train, options.exam) if runs else None
    return {
        "model": options.model,
        "dataset": dataset.name,
        "exam": options.exam,
        "exam_hash": dataset.manifest.exam_hash,
        "generated": _generated(parts),
        **facts,
        "curve": found.measured.to_dicts() if found else [],
        "forecast": found.ahead.to_dicts() if found and found.ahead is not None else [],
        "no_forecast": found.refused if found else "no size was trained yet",
    }


def _learning_words(result: dict) -> str:
    from pricer.figures.learning import gain_words

    lines = [f"learning curve of {result['model']} on {result['dataset']}, {_exam_words(result)}", *_part_lines(result)]
    if result["curve"]:
        lines += ["", "mean error by items of train:"]
    for row in result["curve"]:
        interval = "" if row["low"] is None else f"  (${row['low']:,.2f} to ${row['high']:,.2f})"
        lines.append(f"  {row['train_items']:>9,}  ${row['error']:>8,.2f}{interval}")
    if result["forecast"]:
        lines += ["", "forecast, if the curve goes on as it did; in brackets what it would bring over the largest run:"]
    for row in result["forecast"]:
        lines.append(
            f"  {row['train_items']:>9,}  ${row['error']:>8,.2f}  (${row['low']:,.2f} to ${row['high']:,.2f})  "
            f"[{gain_words(row)}]"
        )
    return "\n".join([*lines, *([f"no forecast: {result['no_forecast']}"] if result["no_forecast"] else [])])


def _share(options: argparse.Namespace, report: Report) -> dict:
    from pricer.files import write_whole
    from pricer.report.comparison import comparison_report
    from pricer.runs.store import list_runs, open_run

    if not options.out.absolute().parent.is_dir():
        raise PricerError(f"there is no folder {options.out.absolute().parent}")
    runs = [open_run(label) for label in options.runs] or list_runs()
    if not options.runs:
        runs = [run for run in runs if run.manifest.exam_hash == runs[0].manifest.exam_hash]
    content = comparison_report(runs, options.exam)
    write_whole(options.out, content)
    return {
        "file": str(options.out),
        "bytes": len(content.encode()),
        "runs": [run.id for run in runs],
        "exam": options.exam,
        "exam_hash": runs[0].manifest.exam_hash,
        "generated": any(run.manifest.generated for run in runs),
    }


def _share_words(result: dict) -> str:
    return (
        f"{len(result['runs']):,} runs, {_exam_words(result)}: {result['file']}, {result['bytes'] / 1e6:.1f} MB; "
        "it needs no server and holds no path"
    )
