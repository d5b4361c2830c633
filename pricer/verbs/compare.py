"""The verb compare: the same figures as the page Compare, from the same functions."""

import argparse

from pricer.errors import PricerError
from pricer.figures.findings import settling
from pricer.figures.formats import dollars, percent, two_digits
from pricer.progress import Report
from pricer.verbs.verb import Verbs

POINTS = ("as guessed", "median", "mean", "mode", "top 3")
# What can be sorted by: how it is written, and what comes first, the smallest.
FIGURES = {
    "error": (dollars, lambda value: value),
    "error-answered": (dollars, lambda value: value),
    "share-answered": (percent, lambda value: -value),
    "within-20": (percent, lambda value: -value),
    "hits": (percent, lambda value: -value),
    "median-error": (dollars, lambda value: value),
    "bias": (dollars, abs),
    "mape": (percent, lambda value: value),
    "rmsle": (two_digits, lambda value: value),
    "rmse": (dollars, lambda value: value),
    "r2": (two_digits, lambda value: -value),
}


def add_verbs(verbs: Verbs) -> None:
    """Declare the verb and its options."""
    verb = verbs.add("compare", "rank runs that were graded on one exam", _compare, _words)
    verb.add_argument("runs", nargs="*", metavar="RUN", help="names or ids (default: all of the last run's exam)")
    verb.add_argument("--exam", default="natural", help="natural (default) or balanced")
    verb.add_argument("--ask", type=int, metavar="K", help="judge by the first K of the exam")
    verb.add_argument(
        "--metric", default="error", choices=FIGURES, help="what to sort by, and to tell of parts (default error)"
    )
    verb.add_argument("--by", choices=("category", "band"), help="also each run's error by category or price band")
    verb.add_argument("--paired", action="store_true", help="also every two runs on the items that both were asked")
    verb.add_argument("--joint", action="store_true", help="with --paired: intervals that hold all together")
    verb.add_argument("--unclipped", action="store_true", help="score guesses below $1 or above $999 as they are")
    verb.add_argument("--answers-only", action="store_true", help="leave no-answers out, not the train median for them")
    verb.add_argument(
        "--point", default="as guessed", help="read off distributions: median, mean, mode, 'top 3', or a quantile"
    )


def _compare(options: argparse.Namespace, report: Report) -> dict:
    from pricer.evaluation.leaderboard import leaderboard
    from pricer.runs.store import list_runs, open_run

    if options.exam not in ("natural", "balanced"):
        raise PricerError(f"the exam is read as natural or balanced, got {options.exam!r}")
    if options.ask is not None and options.ask < 1:
        raise PricerError(f"the first K must be at least 1, got {options.ask}")
    scoring = _scoring(options)
    runs = [open_run(label) for label in options.runs] or list_runs()
    if not options.runs:
        runs = [run for run in runs if run.manifest.exam_hash == runs[0].manifest.exam_hash]
    graded = [run.graded(scoring) for run in runs]
    board = leaderboard(graded, options.exam, options.ask, scoring).to_dicts()
    own_exam = any(run.manifest.split == "naive" for run in runs)
    found = {
        "exam": options.exam,
        "exam_hash": runs[0].manifest.exam_hash if runs else None,
        "own_exam": own_exam,
        "generated": any(run.manifest.generated for run in runs),
        "scoring": scoring.in_words(),
        "metric": options.metric,
        "leaderboard": _sorted(board, options.metric),
        "leaks": [_leak_facts(run, options.ask, scoring) for run in graded] if own_exam else [],
    }
    by_id = {run.id: run for run in graded}
    if options.by:
        found["parts"] = [
            part for row in found["leaderboard"] for part in _part_facts(by_id[row["run"]], options, scoring)
        ]
    if options.paired:
        found["pairs"] = _pair_facts(graded, options, scoring)
    return found


def _scoring(options: argparse.Namespace):
    """The switches of the page, from the options."""
    from pricer.evaluation.scoring import Scoring

    point, quantile = options.point, 0.5
    if point not in POINTS:
        try:
            point, quantile = "quantile", float(point)
        except ValueError:
            offered = "median, mean, mode, 'top 3' or a quantile such as 0.5"
            raise PricerError(f"the point is {offered}, got {point!r}") from None
    no_answer = "left out" if options.answers_only else "train median"
    return Scoring(clipped=not options.unclipped, no_answer=no_answer, point=point, quantile=quantile)


def _sorted(board: list[dict], metric: str) -> list[dict]:
    """The rows by a figure, those without a place or the figure last; by error they come sorted."""
    if metric == "error":
        return board
    column, order = metric.replace("-", "_"), FIGURES[metric][1]
    return sorted(board, key=lambda row: (row["place"] is None, row[column] is None, order(row[column] or 0)))


def _leak_facts(run, k: int | None, scoring) -> dict:
    """The run's errors on exam items that have a near-duplicate in train, and on the clean ones."""
    from pricer.evaluation.leaks import leak_errors

    found = leak_errors(run.table, run.train_median, k, scoring=scoring)
    return {
        "run": run.id,
        "name": run.name,
        "leaked": found.leaked._asdict() | {"items": found.leaked_items, "constant": found.leaked_constant},
        "clean": found.clean._asdict() | {"items": found.clean_items, "constant": found.clean_constant},
        "difference": found.difference._asdict(),
    }


def _part_facts(run, options: argparse.Namespace, scoring) -> list[dict]:
    from pricer.evaluation.errors import asked
    from pricer.evaluation.scoring import scored
    from pricer.evaluation.slices import by_part

    table = scored(asked(run.table, options.exam, options.ask), run.train_median, scoring)
    return [{"run": run.id, "name": run.name} | row for row in by_part(table, options.by, options.exam).to_dicts()]


def _pair_facts(runs: list, options: argparse.Namespace, scoring) -> list[dict]:
    """Each two runs, the worse one first: `difference` is how many dollars more it errs."""
    from dataclasses import asdict

    from pricer.evaluation.matrix import paired_matrix

    names = {run.id: run.name for run in runs}
    matrix = paired_matrix(runs, options.exam, scoring, options.joint, k=options.ask)
    return [
        {"run": run, "name": names[run], "other": other, "other_name": names[other]} | asdict(pair)
        for (run, other), pair in matrix.pairs.items()
    ]


def _words(result: dict) -> str:
    if not result["leaderboard"]:
        return "no run to compare yet; make one with: python -m pricer train MODEL --dataset NAME"
    lines = [_title(result), *_board_lines(result["leaderboard"], result["metric"]), *_leak_lines(result["leaks"])]
    return "\n".join(
        lines + _part_lines(result.get("parts", []), result["metric"]) + _pair_lines(result.get("pairs", []))
    )


def _title(result: dict) -> str:
    exam = "own exam, may leak," if result["own_exam"] else f"{result['exam']} exam"
    generated = " (generated data)" if result["generated"] else ""
    scoring = f"; {result['scoring']}" if result["scoring"] else ""
    return f"{exam} {result['exam_hash'][:8]}{generated}: error in dollars with its 95 % interval{scoring}"


def _board_lines(board: list[dict], metric: str) -> list[str]:
    further = {"error": [], "within-20": []}.get(metric, [metric])
    heads = [f"  {name.replace('-', ' '):>14}" for name in further]
    lines = [f"  {'error':>9}  {'from':>9}  {'to':>9}  {'within 20%':>10}{''.join(heads)}  {'items':>7}  run"]
    for row in board:
        tied = "  (tied with the first)" if row["tied_with_first"] and row["place"] != 1 else ""
        tied = f"  (no place: {row['without_place']})" if row["without_place"] else tied
        cells = [f"  {FIGURES[name][0](row[name.replace('-', '_')]):>14}" for name in further]
        within = f"{percent(row['within_20']):>10}{''.join(cells)}"
        lines.append(
            f"  {_dollar_cells(row, 'error_low', 'error_high')}  {within}  {row['items']:>7,}  {row['name']}{tied}"
        )
    return lines


def _dollar_cells(row: dict, low: str = "low", high: str = "high", of: str = "error") -> str:
    return "  ".join(f"{dollars(row[name]):>9}" for name in (of, low, high))


def _leak_lines(leaks: list[dict]) -> list[str]:
    if not leaks:
        return []
    lines = ["", "on items that have a near-duplicate in train (leaked), and on the others (clean):"]
    for row in leaks:
        sides = [
            f"{side} {dollars(row[side]['mean'])} ({dollars(row[side]['low'])} to {dollars(row[side]['high'])}, "
            f"{row[side]['items']:,} items, where a constant guess errs {dollars(row[side]['constant'])})"
            for side in ("leaked", "clean")
        ]
        lines.append(f"  {', '.join(sides)}  {row['name']}")
    return lines


def _part_lines(parts: list[dict], metric: str) -> list[str]:
    lines, run, column = [], None, metric.replace("-", "_")
    for part in parts:
        if part["run"] != run:
            run = part["run"]
            further = "" if metric == "error" else f", the fourth column its {metric.replace('-', ' ')}"
            lines += ["", f"{part['name']}, by part{further}:"]
        cell = "" if metric == "error" else f"  {FIGURES[metric][0](part[column]):>14}"
        lines.append(f"  {_dollar_cells(part)}{cell}  {part['items']:>7,}  {part['part']}")
    return lines


def _pair_lines(pairs: list[dict]) -> list[str]:
    if not pairs:
        return []
    lines = ["", "how many dollars more a run errs than another on the items that both were asked:"]
    for pair in pairs:
        settles = f", {settling(pair['items_to_settle'])}" if pair["items_to_settle"] else ""
        tied = f"  (tied{settles})" if pair["tied"] else ""
        cells = f"{_dollar_cells(pair, of='difference')}  {pair['items']:>7,}"
        lines.append(f"  {cells}  {pair['name']} against {pair['other_name']}{tied}")
    return lines
