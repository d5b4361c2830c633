"""A stack's run: weights for the runs that it is made of, from validation, and their stored guesses added up."""

import time

import numpy as np
import polars as pl

from pricer.curation.dataset import Dataset, open_dataset
from pricer.errors import PricerError
from pricer.models import Model, without_price
from pricer.models.stack import Stack
from pricer.progress import Report, Step, silent
from pricer.runs.store import MODEL, Run, open_run
from pricer.runs.training import Asked, Order, guess_table, keep_run, make_manifest

_AT_ONCE = 256
_FEWEST = 30  # validation items; with fewer the weights are chance


def stack_run(order: Order, report: Report = silent) -> Run:
    """Carry out an order for a stack and record its run; `order.of` names the runs, by id or name.

    Each run's model guesses the dataset's validation; the weights with the least absolute error there are then given to
    the guesses that the runs' own exams hold, so that nothing is asked twice. The fit seconds count those of its runs:
    without them there is no stack. PricerError where runs do not go together.
    """
    dataset = open_dataset(order.dataset)
    runs = _runs_of(order, dataset)
    validation = dataset.validation().collect()
    if len(validation) < _FEWEST:
        raise PricerError(
            f"the validation of {dataset.name!r} has {len(validation):,} items; {_FEWEST} are needed to weigh runs"
        )
    started = time.monotonic()
    models = [run.model() for run in runs]
    guesses = [_ask(model, run.name, validation, report) for model, run in zip(models, runs, strict=True)]
    stack = Stack(order.seed).weigh(
        [run.id for run in runs], models, np.column_stack(guesses), validation["price"].to_numpy()
    )
    fit_seconds = time.monotonic() - started
    report(Step("Adding up guesses", len(runs), "runs"))
    asked = _add_up(stack, runs)
    return keep_run(_manifest(order, dataset, runs, asked, fit_seconds), asked, stack)


def _runs_of(order: Order, dataset: Dataset) -> list[Run]:
    """The runs that the order names, each once; PricerError where they cannot be weighed together."""
    runs = list({run.id: run for run in map(open_run, order.of)}.values())
    if len(runs) < 2:
        raise PricerError(f"a stack needs at least two runs, got {len(runs)}: train stack --of RUN --of RUN")
    if order.settings or order.first_n:
        raise PricerError("a stack has no settings, and is trained on validation")
    if dataset.manifest.split == "naive":
        raise PricerError(f"{dataset.name!r} has an exam of its own; a stack needs a validation that nothing leaks to")
    for run in runs:
        if run.manifest.exam_hash != dataset.manifest.exam_hash:
            raise PricerError(f"{run.name!r} was graded on another exam than that of {dataset.name!r}")
        if run.manifest.model == Stack.name:
            raise PricerError(f"{run.name!r} is a stack; name the runs that it is made of")
        if not (run.folder / MODEL).is_dir():
            raise PricerError(f"{run.name!r} has no model to ask validation; a stack needs one")
    ways = {(run.manifest.asked, run.manifest.first_k) for run in runs}
    if len(ways) > 1 or order.first_k not in (None, runs[0].manifest.first_k):
        raise PricerError("these runs were asked different parts of the exam; train them with one --exam and --ask")
    return runs


def _ask(model: Model, name: str, validation: pl.DataFrame, report: Report) -> np.ndarray:
    """What a run's model guesses of validation, in dollars."""
    guesses = [np.zeros(0)]
    for batch in without_price(validation).iter_slices(_AT_ONCE):
        guesses.append(model.predict(batch))
        done = sum(map(len, guesses))
        report(Step(f"Asking {name}", done, "items", done / len(validation)))
    return np.concatenate(guesses)


def _add_up(stack: Stack, runs: list[Run]) -> Asked:
    """The stack's guesses of the exam, of those that its runs keep; a no-answer counts as its run's train median."""
    first, *others = [
        run.guesses().select("item_id", pl.col("guess").fill_null(run.manifest.train_median).alias(run.id))
        for run in runs
    ]
    table = first
    for other in others:
        table = table.join(other, on="item_id", how="inner", maintain_order="left")
    guesses = stack.combine(table.select(run.id for run in runs).to_numpy())
    seconds = sum(run.manifest.guess_seconds for run in runs)
    return Asked(guess_table(table["item_id"], guesses, seconds), seconds)


def _manifest(order: Order, dataset: Dataset, runs: list[Run], asked: Asked, fit_seconds: float):
    of_runs = [run.manifest for run in runs]
    seconds = fit_seconds + sum(it.fit_seconds for it in of_runs)
    manifest = make_manifest(order, dataset, dataset.train().select("price").collect(), asked, seconds)
    return manifest.model_copy(
        update={
            "of": tuple(run.id for run in runs),
            "asked": of_runs[0].asked,
            "first_k": of_runs[0].first_k,
            "train_items": max(it.train_items for it in of_runs),
            "cost_dollars": sum(it.cost_dollars for it in of_runs),
        }
    )
