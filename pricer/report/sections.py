"""The parts of a shared comparison: each takes runs or what was computed of them, and gives a piece of the page."""

from collections.abc import Sequence
from dataclasses import asdict

import polars as pl

from pricer.evaluation.errors import GradedRun, Reading, asked, point_metrics, worst
from pricer.evaluation.frontier import cost_table
from pricer.evaluation.matrix import paired_matrix
from pricer.evaluation.scoring import Scoring, scored
from pricer.evaluation.slices import by_part, in_order
from pricer.figures.findings import settling
from pricer.figures.formats import (
    NOT_MEASURED,
    category_name,
    count,
    count_of,
    dollars,
    duration,
    guess_in_words,
    percent,
    short_hash,
    spreadsheet_safe,
    two_digits,
)
from pricer.figures.frontier import frontier_chart, frontier_finding
from pricer.figures.leaderboard import against_first, leaderboard_chart, leaderboard_finding, unplaced_note
from pricer.figures.matrix import matrix_chart, matrix_finding
from pricer.figures.palette import FAMILIES
from pricer.figures.parts import part_marks, parts_chart
from pricer.figures.scatter import scatter_chart, scatter_finding
from pricer.models import settings_in_words
from pricer.report.page import Charts, Markup, Swatch, csv_link, element, table
from pricer.runs.store import Run

WORST = 10
MOST_PARTS = 15
LONGEST = 120  # characters of a product's title
_FORMS = {"line-ns": "bar", "circle": "disc", "triangle-up": "triangle"}


def leaderboard_section(board: pl.DataFrame, charts: Charts, reading: Reading) -> Markup:
    rows = [
        (
            count(row["place"]),
            element("b", row["name"]),
            dollars(row["error"]),
            _range(row["error_low"], row["error_high"]),
            percent(row["within_20"]),
            dollars(row["median_error"]),
            two_digits(row["rmsle"]),
            two_digits(row["r2"]),
            percent(row["hits"]),
            against_first(row),
            count(row["items"]),
        )
        for row in board.iter_rows(named=True)
    ]
    columns = (
        "",
        "Run",
        "Error",
        "95% interval",
        "Within 20%",
        "Median",
        "RMSLE",
        "R²",
        "Good",
        "Against the first",
        "Items",
    )
    drawn = charts.chart(
        lambda look: leaderboard_chart(board, look),
        leaderboard_finding(board),
        "; ".join(f"{row['name']}: {dollars(row['error'])}" for row in board.iter_rows(named=True)),
        f"mean error, {reading} reading, with its 95% interval{unplaced_note(board)}",
        family_swatches(board["family"]),
    )
    saved = csv_link("Save these figures as CSV", "leaderboard.csv", _csv(board))
    return Markup(drawn + table(columns, rows, right=(0, *range(2, 11))) + saved)


def pairs_section(
    graded: list[GradedRun], board: pl.DataFrame, charts: Charts, reading: Reading, scoring: Scoring
) -> list[Markup]:
    if len(graded) < 2:
        return []
    matrix = paired_matrix(graded, reading, scoring)
    names = dict(board.select("run", "name").iter_rows())
    ordered = [names[run] for run in matrix.runs]
    pairs = {
        (row, column): asdict(matrix.pair(matrix.runs[row], matrix.runs[column]))
        for row in range(len(ordered))
        for column in range(row)
    }
    found = pl.DataFrame(
        [{"run": ordered[row], "against": ordered[column]} | pair for (row, column), pair in pairs.items()],
        infer_schema_length=None,
    )
    near = [
        (
            ordered[row],
            dollars(pairs[row, 0]["difference"]),
            _range(pairs[row, 0]["low"], pairs[row, 0]["high"]),
            "tie" if pairs[row, 0]["tied"] else "worse",
            settling(pairs[row, 0]["items_to_settle"]) if pairs[row, 0]["items_to_settle"] else "",
        )
        for row in range(1, len(ordered))
    ]
    drawn = charts.chart(
        lambda look: matrix_chart(ordered, pairs, look),
        matrix_finding(matrix.ties, len(pairs)),
        f"{len(pairs)} paired differences; the table below has those with the first.",
        "dollars that the row's run errs more than the column's, on the items that both were asked; grey: tied",
    )
    columns = (f"Against {ordered[0]}", "Errs more by", "95% interval", "", "")
    saved = csv_link("Save all pairs as CSV", "pairs.csv", _csv(found))
    return [drawn, table(columns, near, right=(1, 2)), saved]


def parts_section(best: list[GradedRun], charts: Charts, reading: Reading, scoring: Scoring) -> list[Markup]:
    pieces, families = [], {run.name: run.family for run in best}
    judged = {run.name: scored(asked(run.table, reading), run.train_median, scoring) for run in best}
    for part, words in (("band", "price band"), ("category", "category")):
        every = {name: by_part(rows, part, reading) for name, rows in judged.items()}
        order = in_order(every.values(), part)[:MOST_PARTS]
        tables = {name: found.filter(pl.col("part").is_in(order)) for name, found in every.items()}
        swatches = _run_swatches(families)
        pieces.append(
            charts.chart(
                lambda look, tables=tables, part=part, order=order: parts_chart(
                    tables, families, look, part == "band", order
                ),
                f"Error by {words}",
                "; ".join(
                    f"{name}, {row['part']}: {dollars(row['error'])}"
                    for name, found in tables.items()
                    for row in found.iter_rows(named=True)
                ),
                "mean error with its 95% interval; items at the right edge",
                swatches if len(swatches) > 1 else (),
            )
        )
        rows = [found.select(pl.lit(name).alias("run"), pl.all()) for name, found in every.items()]
        pieces.append(csv_link("Save as CSV", f"errors-by-{part}.csv", _csv(pl.concat(rows))))
    return pieces


def guesses_section(best: GradedRun, charts: Charts, reading: Reading, scoring: Scoring) -> list[Markup]:
    """The guesses of the first run, and those that err most."""
    judged = scored(asked(best.table, reading), best.train_median, scoring)
    if not judged["answered"].any():
        return []
    good = scoring.thresholds
    drawn = charts.chart(
        lambda look: scatter_chart(judged, look, good_dollars=good.good_dollars, good_share=good.good_share),
        scatter_finding(point_metrics(judged, reading).hits),
        f"Guess against price of {count_of(len(judged), 'item')} by {best.name}.",
        f"{best.name}; tinted where a guess is good",
        [(word, word, form) for word, form in (("good", "disc"), ("fair", "diamond"), ("poor", "cross"))],
    )
    rows = [
        (
            row["title"] if len(row["title"]) <= LONGEST else row["title"][: LONGEST - 1].rstrip() + "…",
            category_name(row["category"]),
            dollars(row["price"]),
            guess_in_words(row["guess"], row["status"], row["scored_guess"]),
            dollars(row["error"]),
        )
        for row in worst(judged, WORST).iter_rows(named=True)
    ]
    columns = ("Product", "Category", "Price", "Guess", "Error")
    return [drawn, element("h3", f"Where {best.name} errs most"), table(columns, rows, right=(2, 3, 4))]


def costs_section(board: pl.DataFrame, by_id: dict[str, Run], charts: Charts, reading: Reading) -> Markup:
    names = ("fit_seconds", "guess_seconds", "cost_dollars", "asked_items")
    facts = [
        {name: row[name] for name in ("run", "name", "family", "error")}
        | {name: getattr(by_id[row["run"]].manifest, name) for name in names}
        for row in board.iter_rows(named=True)
        if row["place"] is not None
    ]
    if not facts:
        return Markup("")
    found = cost_table(facts)
    drawn = charts.chart(
        lambda look: frontier_chart(found, "fit_seconds", look),
        frontier_finding(found, "fit_seconds"),
        "; ".join(f"{row['name']}: {dollars(row['error'])} after {duration(row['fit_seconds'])}" for row in facts),
        f"mean error, {reading} reading, against time to fit; the line joins what nothing beats in both",
        family_swatches(board["family"]),
    )
    return Markup(drawn + csv_link("Save as CSV", "costs.csv", _csv(found)))


def runs_section(runs: Sequence[Run], names: dict[str, str]) -> list[Markup]:
    """What each run was, exactly: model, settings, train, hashes."""
    rows = []
    for run in runs:
        of = run.manifest
        stated = settings_in_words(of.model, of.model_settings)
        rows.append(
            (
                element("b", names[run.id]),
                of.model + (f" ({stated})" if stated else "") + f", seed {of.seed}",
                of.dataset_name,
                count(of.train_items),
                element("code", short_hash(of.dataset_hash)),
                duration(of.fit_seconds),
                element("code", short_hash(of.code_version)),
            )
        )
    columns = ("Run", "Model", "Dataset", "Train items", "Train hash", "Fit", "Code")
    about = runs[0].manifest
    facts = f"Catalogue {about.catalogue_name}, version {about.catalogue_version}, hash "
    exam = element(
        "p", facts, element("code", about.catalogue_hash), "; exam hash ", element("code", about.exam_hash), "."
    )
    return [table(columns, rows, right=(3, 5)), exam]


def family_swatches(families: pl.Series) -> list[Swatch]:
    occurring = set(families)
    return [(family, *_swatch(family)) for family in FAMILIES if family in occurring]


def _swatch(family: str) -> tuple[str, str]:
    return f"family-{family}", _FORMS.get(FAMILIES[family], FAMILIES[family])


def _run_swatches(families: dict[str, str]) -> list[Swatch]:
    """Single runs by name, as `part_marks` has them drawn."""
    return [
        (name, f"family-{families[name]}", _FORMS.get(symbol, symbol) + (" hollow" if hollow else ""))
        for name, (symbol, hollow) in part_marks(families).items()
    ]


def _range(low: float | None, high: float | None) -> str:
    return NOT_MEASURED if low is None or high is None else f"{dollars(low)} to {dollars(high)}"


def _csv(rows: pl.DataFrame) -> str:
    """A table for a spreadsheet, in which no text acts as a formula."""
    texts = [name for name in rows.columns if rows[name].dtype == pl.String]
    return rows.with_columns(
        pl.col(name).map_elements(spreadsheet_safe, return_dtype=pl.String) for name in texts
    ).write_csv()
