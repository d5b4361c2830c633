"""What a shared comparison holds: Compare's figures of the runs on one exam, and how to read them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import polars as pl

import pricer
from pricer.errors import PricerError
from pricer.evaluation.errors import Reading
from pricer.evaluation.leaderboard import leaderboard
from pricer.evaluation.scoring import DEFAULT, Scoring
from pricer.figures.formats import count_of, short_hash
from pricer.figures.leaderboard import leaderboard_finding
from pricer.report.page import Charts, Markup, document, element
from pricer.report.sections import (
    costs_section,
    guesses_section,
    leaderboard_section,
    pairs_section,
    parts_section,
    runs_section,
)
from pricer.runs.store import Run, names_of

HOW_TO_READ = {
    "Error": "Mean distance between guess and price, in dollars. Guesses are clipped to $1 to $999, and where a model "
    "gave no answer, the median price of its train counts as its guess, unless the scoring above says otherwise.",
    "95% interval": "Where the error would lie with other products of the same market, 19 times in 20. "
    "Near-duplicates of each other count as one.",
    "Tie": "Two models are tied if the 95% interval of their difference on the same items holds zero. Overlapping "
    "intervals of their errors say little about that.",
    "Natural, balanced": "The natural exam is a simple random sample of the market; in the balanced reading each of "
    "eight price bands weighs the same.",
    "Within 20%, median error": "The share of guesses at most 20% of the price off; half of the guesses are closer "
    "than the median error.",
    "RMSLE, R²": "Root mean square of the differences of ln(1 + dollars), where 0.1 is about 10%; the share of the "
    "variance of prices that guesses explain, 0 for a guess of the mean.",
    "Good, fair, poor": "By default a guess is good below $40 or 20% off, fair below $80 or 40% off, otherwise poor.",
}


def comparison_report(runs: Sequence[Run], reading: Reading = "natural", scoring: Scoring = DEFAULT) -> str:
    """One HTML file on runs that were graded on the same exam; its figures are those of the page Compare.

    It holds names, hashes, guesses and titles of exam items, and neither paths nor keys. PricerError without runs, or
    where their exams differ.
    """
    if not runs:
        raise PricerError("no run to share yet; make one with: python -m pricer train MODEL --dataset NAME")
    names = names_of(runs)
    graded = {run.id: replace(run.graded(scoring), name=names[run.id]) for run in runs}
    board = leaderboard(list(graded.values()), reading, scoring=scoring)
    by_id, charts = {run.id: run for run in runs}, Charts()
    best = [by_id[run] for run in board["run"] if graded[run].table.height][:2]
    pieces = [
        *_head(runs, board, reading, scoring),
        element("h2", "Which model is best"),
        leaderboard_section(board, charts, reading),
        *pairs_section(list(graded.values()), board, charts, reading, scoring),
        element("h2", "Where the best ones fail"),
        *parts_section([graded[run.id] for run in best], charts, reading, scoring),
        *guesses_section(graded[best[0].id], charts, reading, scoring),
        element("h2", "What a better guess costs"),
        costs_section(board, by_id, charts, reading),
        element("h2", "What was compared"),
        *runs_section([by_id[run] for run in board["run"]], names),
        element("h2", "How to read this"),
        element(
            "dl",
            *(piece for term, words in HOW_TO_READ.items() for piece in (element("dt", term), element("dd", words))),
        ),
    ]
    return document(f"Pricer: {_catalogue(runs[0])}, exam {short_hash(runs[0].manifest.exam_hash)}", charts, pieces)


def file_name(runs: Sequence[Run], reading: Reading) -> str:
    """What the file is called unless somebody says otherwise."""
    return f"pricer-{reading}-{runs[0].manifest.exam_hash[:8]}.html"


def _catalogue(run: Run) -> str:
    return run.manifest.catalogue_name


def _head(runs: Sequence[Run], board: pl.DataFrame, reading: Reading, scoring: Scoring) -> list[Markup]:
    about = runs[0].manifest
    generated = any(run.manifest.generated for run in runs)
    badge = [element("span", "generated", class_="badge")] if generated else []
    own = about.split == "naive"
    exam = "own exam, may leak" if own else f"{reading} exam"
    items = count_of(int(board["items"].max()), "item")
    facts = {
        "Exam": f"{exam}, {items}, {short_hash(about.exam_hash)}",
        "Scoring": scoring.in_words() or "the leaderboard's own rules",
        "Written": f"{datetime.now(UTC):%d %b %Y}, by Pricer {pricer.__version__}",
    }
    words = "These products were made up by Pricer; nobody sells them." if generated else ""
    leak = "The exam belongs to the dataset itself: near-duplicates of its items may be in train." if own else ""
    return [
        element("h1", f"{_catalogue(runs[0])}: which model prices best? ", *badge),
        element("p", leaderboard_finding(board) + ".", class_="lead"),
        *(element("p", sentence) for sentence in (words, leak) if sentence),
        element("dl", *(piece for term, fact in facts.items() for piece in (element("dt", term), element("dd", fact)))),
    ]
