"""Every Streamlit cache: bounded, wrapped around one call of the library, and keyed by what the data holds."""

import time
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import streamlit as st

from pages.shared import balancer
from pricer.catalogue import browse
from pricer.catalogue.store import Catalogue
from pricer.curation.dataset import Dataset
from pricer.curation.difference import Difference
from pricer.curation.difference import difference as find_difference
from pricer.curation.index import PoolIndex, open_index
from pricer.curation.leaks import Grouped, Leaks, find_leaks, grouped_items
from pricer.curation.probe import Probe, probe_pool
from pricer.curation.recipe import Recipe
from pricer.curation.sampler import Plan, make_plan
from pricer.curation.slots import items_of_slot
from pricer.curation.solver import Solution, Wishes, solve
from pricer.errors import PricerError
from pricer.evaluation.comparison import Paired, paired
from pricer.evaluation.errors import GradedRun, Metrics, Reading, asked, metrics, parts_of
from pricer.evaluation.leaderboard import leaderboard
from pricer.evaluation.leaks import LeakErrors, leak_errors
from pricer.evaluation.matrix import Matrix, paired_matrix
from pricer.evaluation.running import running_error
from pricer.evaluation.scoring import DEFAULT, Scoring, answer_counts, scored
from pricer.evaluation.slices import by_part, grid, parts_to_look_at, weak_parts
from pricer.evaluation.suspects import Suspects, suspects
from pricer.llm.local import serving
from pricer.models import GivesDistribution, Learned, Model
from pricer.runs.guessing import describe, guess_prices, worked_examples
from pricer.runs.learned import what_it_learned
from pricer.runs.ranges import coverage_of_parts, range_of_guess, ranked_score, strip_of
from pricer.runs.replies import answers_in_words, replies_of
from pricer.runs.serving import ask_served
from pricer.runs.store import Run, names_of

MODELS_HELD = 6  # in memory at once; a large one takes a gigabyte

_KEYS = {
    Catalogue: lambda catalogue: f"{catalogue.folder} {catalogue.manifest.content_hash}",
    Dataset: lambda dataset: f"{dataset.folder} {dataset.manifest.content_hash}",
    Recipe: lambda recipe: recipe.id,
    Run: lambda run: str(run.folder),
    Scoring: repr,
    Wishes: repr,
}


@st.cache_resource(max_entries=2, show_spinner="Sorting the pool, once per catalogue and seed", hash_funcs=_KEYS)
def index(catalogue: Catalogue, seed: int) -> PoolIndex:
    return open_index(catalogue, seed)


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs=_KEYS)
def plan(catalogue: Catalogue, recipe: Recipe) -> Plan:
    return make_plan(index(catalogue, recipe.seed), recipe)


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs=_KEYS)
def balancer_pool(catalogue: Catalogue) -> dict[str, Any]:
    return balancer.pool_data(catalogue, index(catalogue, 42))


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs=_KEYS)
def solution(catalogue: Catalogue, wishes: Wishes, seed: int) -> Solution:
    return solve(index(catalogue, seed), wishes, seed)


@st.cache_resource(max_entries=2, show_spinner="Drawing a random part of the pool", hash_funcs=_KEYS)
def probe(catalogue: Catalogue) -> Probe:
    return probe_pool(catalogue)


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs=_KEYS)
def difference(catalogue: Catalogue, recipe: Recipe, other: Recipe) -> Difference:
    plans = (plan(catalogue, recipe), plan(catalogue, other))
    return find_difference(index(catalogue, recipe.seed), *plans)


@st.cache_data(max_entries=32, show_spinner=False, hash_funcs=_KEYS)
def row_count(catalogue: Catalogue, wanted: browse.Wanted) -> int:
    return browse.count_rows(catalogue, wanted)


@st.cache_data(max_entries=32, show_spinner=False, hash_funcs=_KEYS)
def page_of_rows(catalogue: Catalogue, wanted: browse.Wanted, page: int) -> pl.DataFrame:
    return browse.page_of_rows(catalogue, wanted, page)


@st.cache_data(max_entries=16, show_spinner=False, hash_funcs=_KEYS)
def explained_row(catalogue: Catalogue, row_number: int) -> tuple[dict, list[browse.Check], dict | None]:
    """A raw row, what the rules say of it, and the item that it became."""
    row = browse.find_row(catalogue, row_number)
    item = browse.find_item(catalogue, row["item_id"]) if row["outcome"] == "item" else None
    return row, browse.explain_row(catalogue, row), item


@st.cache_data(max_entries=8, show_spinner=False, hash_funcs=_KEYS)
def slot_items(catalogue: Catalogue, recipe: Recipe, slot: int) -> pl.DataFrame:
    return items_of_slot(catalogue, plan(catalogue, recipe), slot)


@st.cache_resource(max_entries=2, show_spinner="Looking for near-duplicates in the pool", hash_funcs=_KEYS)
def grouped(catalogue: Catalogue) -> Grouped:
    return grouped_items(catalogue)


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs=_KEYS)
def leaks(catalogue: Catalogue, recipe: Recipe) -> Leaks:
    return find_leaks(grouped(catalogue), index(catalogue, recipe.seed), plan(catalogue, recipe))


@st.cache_data(max_entries=8, show_spinner=False, hash_funcs=_KEYS)
def dataset_slots(dataset: Dataset) -> dict[str, np.ndarray]:
    return dataset.slots()


# Runs. A run never changes, so its id is enough.


@st.cache_resource(max_entries=MODELS_HELD, show_spinner=False, hash_funcs=_KEYS)
def model(run: Run) -> Model:
    return run.model()


@st.cache_data(max_entries=16, show_spinner=False, hash_funcs=_KEYS)
def learned(run: Run) -> list[Learned]:
    return what_it_learned(run, model(run))


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs=_KEYS)
def graded(run: Run, scoring: Scoring = DEFAULT) -> GradedRun:
    return run.graded(scoring)


def told_apart(runs: list[Run], scoring: Scoring = DEFAULT) -> list[GradedRun]:
    """Graded runs, those of one name called by their ids' ends too."""
    names = names_of(runs)
    return [replace(graded(run, scoring), name=names[run.id]) for run in runs]


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs=_KEYS)
def run_metrics(run: Run, reading: Reading) -> Metrics:
    return metrics(graded(run).table, graded(run).train_median, reading)


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs=_KEYS)
def run_leaks(run: Run, scoring: Scoring = DEFAULT) -> LeakErrors:
    return leak_errors(graded(run, scoring).table, graded(run).train_median, scoring=scoring)


@st.cache_data(max_entries=16, show_spinner=False, hash_funcs=_KEYS)
def board(runs: list[Run], reading: Reading, scoring: Scoring = DEFAULT) -> pl.DataFrame:
    return leaderboard(told_apart(runs, scoring), reading, scoring=scoring)


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs=_KEYS)
def scored_exam(run: Run, reading: Reading, scoring: Scoring = DEFAULT) -> pl.DataFrame:
    """The items of an exam that a run was asked, in the exam's order, with its guesses judged."""
    of = graded(run, scoring)
    return scored(asked(of.table, reading), of.train_median, scoring)


@st.cache_data(max_entries=8, show_spinner=False, hash_funcs=_KEYS)
def running(run: Run, reading: Reading, scoring: Scoring = DEFAULT) -> pl.DataFrame:
    judged = scored_exam(run, reading, scoring)
    return running_error(judged["error"].to_numpy(), parts_of(judged, reading))


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs=_KEYS)
def versus(run: Run, other: Run, reading: Reading, scoring: Scoring = DEFAULT) -> Paired:
    return paired(graded(run, scoring), graded(other, scoring), reading, scoring=scoring)


@st.cache_data(max_entries=8, show_spinner="Comparing every two runs", hash_funcs=_KEYS)
def matrix(runs: list[Run], reading: Reading, scoring: Scoring, joint: bool) -> Matrix:
    return paired_matrix([graded(run, scoring) for run in runs], reading, scoring, joint)


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs=_KEYS)
def answers(run: Run, reading: Reading) -> dict[str, int]:
    return answer_counts(asked(graded(run).table, reading))


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs=_KEYS)
def has_replies(run: Run) -> bool:
    return answers_in_words(run)


@st.cache_data(max_entries=4, show_spinner="Reading the replies", hash_funcs=_KEYS)
def replies(run: Run, reading: Reading) -> pl.DataFrame:
    return replies_of(run, reading)


@st.cache_data(max_entries=32, show_spinner=False, hash_funcs=_KEYS)
def errors_by(part: str, run: Run, reading: Reading, scoring: Scoring) -> pl.DataFrame:
    return by_part(scored_exam(run, reading, scoring), part, reading)


@st.cache_data(max_entries=16, show_spinner=False, hash_funcs=_KEYS)
def error_grid(run: Run, reading: Reading, scoring: Scoring) -> pl.DataFrame:
    return grid(scored_exam(run, reading, scoring))


@st.cache_data(max_entries=16, show_spinner=False, hash_funcs=_KEYS)
def weakest(run: Run, reading: Reading, scoring: Scoring) -> tuple[pl.DataFrame, int]:
    """The parts where a run is weak, and how many were looked at."""
    judged = scored_exam(run, reading, scoring)
    return weak_parts(judged, reading), len(parts_to_look_at(judged))


@st.cache_data(max_entries=8, show_spinner=False, hash_funcs=_KEYS)
def doubtful_prices(runs: list[Run], reading: Reading, scoring: Scoring) -> Suspects:
    return suspects([graded(run, scoring) for run in runs], reading, scoring)


@st.cache_data(max_entries=256, show_spinner="Holding ranges against prices", hash_funcs=_KEYS)
def coverage_strip(run: Run, reading: Reading) -> pl.DataFrame:
    return strip_of(run, reading)


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs=_KEYS)
def distribution_score(run: Run, reading: Reading) -> float | None:
    return ranked_score(run, reading)


@st.cache_data(max_entries=32, show_spinner=False, hash_funcs=_KEYS)
def coverage_by(part: str, run: Run, reading: Reading, level: float) -> pl.DataFrame:
    return coverage_of_parts(run, reading, level, part)


@st.cache_data(max_entries=16, show_spinner=False, hash_funcs=_KEYS)
def validation_guesses(run: Run) -> pl.DataFrame | None:
    return run.validation_guesses()


@st.cache_data(max_entries=8, show_spinner=False, hash_funcs=_KEYS)
def first_exam_items(dataset: Dataset, number: int) -> pl.DataFrame:
    """Products of the natural exam to try models on, which no model of the dataset was trained on."""
    return worked_examples(dataset.exam().collect(), number)


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs=_KEYS)
def price_range(product: str, run: Run, guess: float, level: float) -> tuple[float, float] | None:
    """The range of a described product's price by one run, if it has any."""
    items = describe([product])
    found = range_of_guess(run, model(run), items, np.array([guess]), validation_guesses(run), level)
    return found and (float(found.low[0]), float(found.high[0]))


@st.cache_data(max_entries=16, show_spinner=False, hash_funcs=_KEYS)
def chances(product: str, run: Run) -> np.ndarray | None:
    """How likely a run's model thinks each slot for a described product; None of a model that gives no distribution."""
    of = model(run)
    return of.predict_distribution(describe([product]))[0] if isinstance(of, GivesDistribution) else None


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs=_KEYS)
def guesses(product: str, runs: list[Run]) -> tuple[dict[str, float], float]:
    """What each run's model would price a described product at, by run id; and the seconds that it took."""
    started = time.perf_counter()
    prices = guess_prices(describe([product]), runs, model)
    return {run_id: price for run_id, [price] in prices.items()}, time.perf_counter() - started


@st.cache_data(max_entries=64, show_spinner=False)
def served_answer(pid: int, started: float, product: str) -> tuple[float, np.ndarray, float]:
    """What the language model that this process serves said of a product: dollars, how likely it thinks each slot, and
    the seconds that it took. PricerError where it is gone.
    """
    asked = time.perf_counter()
    found = serving.look()
    if found is None or (found.pid, found.started) != (pid, started):
        raise PricerError("the language model was unloaded meanwhile; load it again")
    guess, chances = ask_served(found, product)
    return guess, np.array(chances), time.perf_counter() - asked
