"""The verbs from a dataset to a price: train, runs, predict."""

import argparse
import csv
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from pricer.errors import PricerError
from pricer.progress import Report, duration
from pricer.verbs.verb import Verbs, path, setting

if TYPE_CHECKING:
    from pricer.runs.store import Run


def add_verbs(verbs: Verbs) -> None:
    """Declare these verbs and their options."""
    verb = verbs.add("train", "fit a model on a dataset and grade it on the exam", train, train_words)
    verb.add_argument("model", metavar="MODEL", help="such as tfidf-ridge; a wrong name is answered with all")
    verb.add_argument("--dataset", required=True, metavar="NAME", help="name or id of the dataset")
    verb.add_argument("--set", type=setting, action="append", default=[], metavar="SETTING=VALUE", dest="settings")
    verb.add_argument("--seed", type=int, default=42, help="of the model (default 42)")
    verb.add_argument("--first", type=int, metavar="N", help="train on a random N items only; more N only adds")
    verb.add_argument("--exam", default="both", help="natural, balanced, or both (default)")
    verb.add_argument("--ask", type=int, metavar="K", help="ask the first K of the exam only; each prefix is fair")
    verb.add_argument("--name", help="of the run (default: MODEL on DATASET)")
    verb.add_argument("--of", action="append", default=[], metavar="RUN", help="of a stack: a run in it (repeat)")

    verbs.add("runs", "list the runs on this machine", _runs, _runs_words)

    verb = verbs.add("predict", "say what each trained model would price a product at", _predict, _predict_words)
    verb.add_argument("product", metavar="TEXT|FILE.csv", help="a description, or a CSV file of products")
    verb.add_argument("--run", action="append", default=[], metavar="RUN", help="only this run (may be repeated)")
    verb.add_argument("--column", help="of the CSV file (default: title and description, or text)")
    verb.add_argument("--output", type=path, metavar="FILE", help="write the CSV file with the prices added")


def train(options: argparse.Namespace, report: Report) -> dict:
    """Carry out the order that the options state."""
    from pricer.models.registry import STACK, find_kind
    from pricer.runs.stacking import stack_run
    from pricer.runs.training import Order, train_run

    known = {setting.name: setting for setting in find_kind(options.model).settings}
    stated = {name: known[name].parse(value) if name in known else value for name, value in options.settings}
    order = Order(
        model=options.model,
        dataset=options.dataset,
        settings=stated,
        seed=options.seed,
        first_n=options.first,
        asked=options.exam,
        first_k=options.ask,
        name=options.name,
        of=tuple(options.of),
    )
    return graded_facts((stack_run if order.model == STACK.name else train_run)(order, report), options.exam)


def graded_facts(run: "Run", exam: str) -> dict:
    """What is known of a run and of its grade; the balanced exam's where only that was asked."""
    from pricer.evaluation.errors import metrics

    graded = run.graded()
    reading = "balanced" if exam == "balanced" else "natural"
    found = metrics(graded.table, graded.train_median, reading)
    return _run_facts(run) | {
        "statuses": dict(Counter(run.guesses()["status"])),
        "reading": reading,
        "exam_items": found.items,
        "error_dollars": found.error,
        "error_low": found.error_low,
        "error_high": found.error_high,
        "within_20": found.within_20,
    }


def _run_facts(run: "Run") -> dict:
    return json.loads(run.manifest.model_dump_json()) | {"folder": str(run.folder)}


def train_words(facts: dict) -> str:
    """A run's figures in words."""
    without = ", ".join(f"{count:,} {status}" for status, count in facts["statuses"].items() if status != "answer")
    return (
        f"{_name(facts)}, run {facts['id']}\n"
        f"  error {_dollars(facts['error_dollars'])} ({_dollars(facts['error_low'])} to "
        f"{_dollars(facts['error_high'])}), {facts['within_20']:.1%} within 20%, "
        f"{_exam_name(facts)} of {facts['exam_items']:,} items\n"
        f"  fitted on {facts['train_items']:,} items in {duration(facts['fit_seconds'])}, "
        f"asked in {duration(facts['guess_seconds'])}"
        + (f" for {_dollars(facts['cost_dollars'])}" if facts["cost_dollars"] else "")
        + (f"\n  without an answer: {without}" if without else "")
    )


def _exam_name(facts: dict) -> str:
    return "own exam (may leak)" if facts["split"] == "naive" else f"{facts['reading']} exam"


def _name(facts: dict) -> str:
    return facts["name"] + (" (generated data)" if facts["generated"] else "")


def _dollars(value: float | None) -> str:
    return "–" if value is None else f"${value:,.2f}"


def _runs(options: argparse.Namespace, report: Report) -> dict:
    from pricer.runs.store import list_runs

    return {"runs": [_run_facts(run) for run in list_runs()]}


def _runs_words(result: dict) -> str:
    if not result["runs"]:
        return "no run yet; make one with: python -m pricer train MODEL --dataset NAME"
    return "\n".join(
        f"{facts['id']}  {_name(facts)}  {facts['model']}  trained on {facts['train_items']:,}  "
        f"asked {facts['asked_items']:,}  exam {facts['exam_hash'][:8]}"
        f"{'  own exam, may leak' if facts['split'] == 'naive' else ''}"
        for facts in result["runs"]
    )


def _predict(options: argparse.Namespace, report: Report) -> dict:
    from pricer.runs.guessing import describe, guess_prices, read_descriptions, runs_that_guess
    from pricer.runs.store import names_of, open_run

    runs = [open_run(label) for label in options.run] or runs_that_guess()
    if not runs:
        raise PricerError("no model is trained yet; train one with: python -m pricer train MODEL --dataset NAME")
    is_file = options.product.lower().endswith(".csv")
    rows, texts = read_descriptions(Path(options.product), options.column) if is_file else ([], [options.product])
    prices, names = guess_prices(describe(texts), runs), names_of(runs)
    if options.output:
        _write_prices(
            options.output, rows or [{"text": options.product}], {names[run.id]: prices[run.id] for run in runs}
        )
    return {
        "output": str(options.output) if options.output else None,
        "products": len(texts),
        "guesses": [
            {"run": run.id, "name": names[run.id], "model": run.manifest.model, "generated": run.manifest.generated,
             "dollars": prices[run.id] if is_file else prices[run.id][0]}
            for run in runs
        ],
    }  # fmt: skip


def _write_prices(path: Path, rows: list[dict[str, str]], prices: dict[str, list[float]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], *prices])
        writer.writeheader()
        for place, row in enumerate(rows):
            writer.writerow(row | {name: f"{dollars[place]:.2f}" for name, dollars in prices.items()})


def _predict_words(result: dict) -> str:
    lines = []
    for guess in result["guesses"]:
        dollars = guess["dollars"] if isinstance(guess["dollars"], list) else [guess["dollars"]]
        shown = ", ".join(_dollars(value) for value in dollars[:5]) + (", …" if len(dollars) > 5 else "")
        lines.append(f"{_name(guess)}: {shown}")
    if result["output"]:
        lines.append(f"{result['products']:,} products with their prices in {result['output']}")
    return "\n".join(lines)
