"""What a job took of the machine, read back from what its meters left: a table with the columns of `SCHEMA`."""

from dataclasses import dataclass

import polars as pl

from pricer import settings
from pricer.runs.meters import LIVE

MOST_POINTS = 400  # that are drawn, or kept
SCHEMA = {"at": pl.Float64, "memory_bytes": pl.Int64, "cores": pl.Float64, "gpu_bytes": pl.Int64}


@dataclass(frozen=True)
class Peak:
    """The most that a job took."""

    memory_bytes: int
    cores: float
    mean_cores: float
    gpu_bytes: int | None


def readings(job_id: str) -> pl.DataFrame:
    """What a job took until now, or all along; empty where nothing was read. Long ones are thinned, peaks kept."""
    path = settings.jobs_folder() / job_id / LIVE
    written = path.read_bytes() if path.is_file() else b""
    whole = written[: written.rfind(b"\n") + 1]  # the last line may be still being written
    return thinned(pl.read_ndjson(whole, schema=SCHEMA)) if whole else pl.DataFrame(schema=SCHEMA)


def thinned(table: pl.DataFrame, most: int = MOST_POINTS) -> pl.DataFrame:
    """At most so many rows: of each stretch of time the greatest figures."""
    if len(table) <= most:
        return table
    step = -(-len(table) // most)
    stretches = table.with_row_index("row").group_by(pl.col("row") // step, maintain_order=True)
    return stretches.agg(pl.col("at").last(), pl.exclude("row", "at").max()).drop("row")


def peak(table: pl.DataFrame) -> Peak | None:
    """The most that a reading shows; None where it is empty."""
    if table.is_empty():
        return None
    return Peak(table["memory_bytes"].max(), table["cores"].max(), table["cores"].mean(), table["gpu_bytes"].max())
