"""The curves of a fit: what a model reports of its losses, kept as they come by the job and afterwards by the run.

A curve is a table in long form: at (float64), unit, name, value (float64); a row for each figure that was reported.
"""

import json
from pathlib import Path

import polars as pl

from pricer import settings
from pricer.progress import Point, Report, Step

CURVES = "curves.parquet"  # in a run's folder
LIVE = "curves.jsonl"  # in a job's folder
SCHEMA = {"at": pl.Float64, "unit": pl.String, "name": pl.String, "value": pl.Float64}


class Curves:
    """Passes reports on, and keeps the points among them; a job's page sees each at once."""

    def __init__(self, report: Report):
        self._report = report
        self._rows: list[dict] = []
        folder = settings.job_folder()
        self._live = folder / LIVE if folder else None
        if self._live:
            self._live.unlink(missing_ok=True)  # an earlier attempt's fit, which begins anew

    def __call__(self, step: Step) -> None:
        if step.point:
            self._keep(_rows(step.point))
        self._report(step)

    def _keep(self, rows: list[dict]) -> None:
        self._rows += rows
        if self._live:
            with self._live.open("a", encoding="utf-8") as live:
                live.writelines(json.dumps(row) + "\n" for row in rows)

    @property
    def table(self) -> pl.DataFrame | None:
        """All that was reported; None if the model reported nothing."""
        return pl.DataFrame(self._rows, schema=SCHEMA) if self._rows else None


def _rows(point: Point) -> list[dict]:
    return [{"at": point.at, "unit": point.unit, "name": name, "value": value} for name, value in point.figures.items()]


def write_curves(folder: Path, curves: pl.DataFrame | None) -> None:
    """Keep curves in a folder, if there are any."""
    if curves is not None:
        curves.write_parquet(folder / CURVES)


def read_curves(folder: Path) -> pl.DataFrame | None:
    """The curves that a run's folder keeps; None where its model has none, or was fitted before they were kept."""
    path = folder / CURVES
    return pl.read_parquet(path) if path.is_file() else None


def live_curves(job_id: str) -> pl.DataFrame | None:
    """What a job that is fitting has reported until now; None before the first point."""
    path = settings.jobs_folder() / job_id / LIVE
    written = path.read_bytes() if path.is_file() else b""
    whole = written[: written.rfind(b"\n") + 1]  # the last line may be still being written
    return pl.read_ndjson(whole, schema=SCHEMA) if whole else None
