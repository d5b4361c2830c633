"""A stack's run: weights for the runs that it is made of, from validation, and their stored guesses added up."""

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from pricer.curation.dataset import Dataset, open_dataset
from pricer.errors import PricerError
from pricer.models import Model
from pricer.models.contract import Estimate
from pricer.models.folding import deal_folds
from pricer.models.registry import find_kind
from pricer.models.stack import Stack
from pricer.progress import Report, Step, silent
from pricer.runs.asking import Asked, ask_validation, guess_table, validation_table
from pricer.runs.importing import IMPORTED
from pricer.runs.spending import may_cost
from pricer.runs.store import MODEL, VALIDATION, Run, open_run
from pricer.runs.training import Order, check_free, keep_run, make_manifest

_FOLDS = 5
_FEWEST = 30  # validation items; with fewer the weights are chance


def stack_run(order: Order, report: Report = silent) -> Run:
    """Carry out an order for a stack and record its run; `order.of` names the runs, by id or name.

    Each run's model guesses the dataset's validation; the weights with the least absolute error there are then given to
    the guesses that the runs' own exams hold, so that nothing is asked twice. The fit seconds count those of its runs:
    without them there is no stack. PricerError where runs do not go together, or need more memory than is free.
    """
    dataset = open_dataset(order.dataset)
    runs = stack_runs(order, dataset)
    check_free(f"a stack of {len(runs)} runs", stack_estimate(runs, dataset).bytes, "name fewer runs, or smaller ones")
    validation = dataset.validation().collect()
    started = time.monotonic()
    models = [run.model() for run in runs]
    guesses = np.column_stack(
        [_guesses_of(run, model, validation, report) for run, model in zip(runs, models, strict=True)]
    )
    prices = validation["price"].to_numpy()
    stack = Stack(order.seed).weigh([run.id for run in runs], models, guesses, prices)
    fit_seconds = time.monotonic() - started
    report(Step("Adding up guesses", len(runs), "runs"))
    own = _out_of_fold(guesses, prices, validation["group"].to_numpy(), order.seed)
    asked = replace(_add_up(stack, runs), validation=validation_table(validation, own))
    return keep_run(_manifest(order, dataset, runs, asked, fit_seconds), asked, stack)


def stack_runs(order: Order, dataset: Dataset) -> list[Run]:
    """The runs that an order names, each once; PricerError where they cannot be weighed together on this dataset."""
    runs = list({run.id: run for run in map(open_run, order.of)}.values())
    if len(runs) < 2:
        raise PricerError(f"a stack needs at least two runs, got {len(runs)}: choose them (--of RUN for each)")
    if order.settings or order.first_n:
        raise PricerError("a stack has no settings, and is trained on validation")
    if wrong := why_no_stack(dataset):
        raise PricerError(wrong)
    for run in runs:
        if reason := why_left_out(run, dataset):
            raise PricerError(f"{run.name!r} {reason}")
    ways = {(run.manifest.asked, run.manifest.first_k): run for run in runs}
    if len(ways) > 1 or order.first_k not in (None, runs[0].manifest.first_k):
        told = "; ".join(f"{run.name!r} {part_asked(run)}" for run in ways.values())
        raise PricerError(f"these runs were asked different parts of the exam: {told}; take runs of one part")
    return runs


def why_no_stack(dataset: Dataset) -> str | None:
    """Why no runs can be weighed on a dataset; None where they can."""
    if dataset.manifest.split == "naive":
        return f"{dataset.name!r} has an exam of its own; a stack needs a validation that nothing leaks to"
    if dataset.manifest.validation < _FEWEST:
        items = dataset.manifest.validation
        return f"the validation of {dataset.name!r} has {items:,} items; {_FEWEST} are needed to weigh runs"
    return None


def why_left_out(run: Run, dataset: Dataset) -> str | None:
    """Why a run cannot stand in a stack on a dataset, and what to do, to be read after its name; None where it can."""
    about = run.manifest
    if about.exam_hash != dataset.manifest.exam_hash:
        return f"was graded on another exam than that of {dataset.name!r}; choose a dataset of its catalogue"
    if about.model == Stack.name:
        return "is a stack; name the runs that it is made of"
    if about.model == IMPORTED:
        return "holds imported guesses, of the exam alone: nobody can ask who made them for validation; leave it out"
    if not (run.folder / MODEL).is_dir():
        return "has no model on this machine to ask for validation; leave it out, or train it again"
    if _validation_is_kept(run):
        return None
    if find_kind(about.model).quotes and may_cost(about.model, about.model_settings):
        return "was not asked validation, and asking takes money that no stack may spend; leave it out"
    return None


def part_asked(run: Run) -> str:
    """Which part of its exam a run was asked, in words."""
    about = run.manifest
    name = "both exams" if about.asked == "both" else f"the {about.asked} exam"
    return f"was asked {name}" if about.first_k is None else f"was asked the first {about.first_k:,} of {name}"


def stack_estimate(runs: Sequence[Run], dataset: Dataset) -> Estimate:
    """What weighing runs will take: their models are loaded, and those asked that keep no guesses of validation."""
    items = dataset.manifest.validation
    weighing = find_kind(Stack.name).estimate(items)
    asked = [run.manifest for run in runs if not _validation_is_kept(run)]
    seconds = sum(items * it.guess_seconds / max(1, it.asked_items) for it in asked)
    loaded = sum(file.stat().st_size for run in runs for file in (run.folder / MODEL).rglob("*") if file.is_file())
    return Estimate(weighing.seconds + seconds, weighing.bytes + loaded)


def _validation_is_kept(run: Run) -> bool:
    return (run.folder / VALIDATION).is_file()


def _guesses_of(run: Run, model: Model, validation: pl.DataFrame, report: Report) -> np.ndarray:
    """What a run's model guesses of validation, in dollars: as its run keeps them, if that was of the same items."""
    kept = run.validation_guesses()
    if kept is not None and kept["item_id"].equals(validation["item_id"]):
        return kept["guess"].to_numpy()
    guesses, _ = ask_validation(model, validation, f"Asking {run.name}", report)
    return guesses


def _out_of_fold(guesses: np.ndarray, prices: np.ndarray, groups: np.ndarray, seed: int) -> np.ndarray:
    """The stack's guesses of validation, each with weights that have not seen its group: its ranges go by them."""
    folds, own = deal_folds(groups, _FOLDS, seed), np.empty(len(prices))
    for fold in range(_FOLDS):
        held = folds == fold
        if held.any():
            own[held] = Stack().weigh((), (), guesses[~held], prices[~held]).combine(guesses[held])
    return own


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
