"""What a job takes of the machine, on the page Runs: small curves, and the most that it took."""

import polars as pl
import streamlit as st

from pages.shared.look import look
from pages.shared.widgets import chart
from pricer.figures.curves import meter_chart
from pricer.figures.formats import NOT_MEASURED, size
from pricer.runs.readings import peak, readings

UNIT = {"memory_bytes": "Memory", "cores": "Processor", "gpu_bytes": "Graphics card"}
NOTES = {
    "memory_bytes": "resident, of all its processes, by seconds from its start",
    "cores": "cores at work, by seconds from its start",
    "gpu_bytes": "memory of the card, by seconds from its start",
}


def cores(number: float) -> str:
    """How much of the processor is used: `1.9 cores`."""
    return f"{number:.1f}" + (" core" if round(number, 1) == 1 else " cores")


def show_meters(job_id: str, key: str) -> None:
    """The curves of a job's memory and processor, and of the card where there is one; nothing before two readings."""
    table = readings(job_id)
    if len(table) < 2:
        return
    shown = [name for name in UNIT if table[name].drop_nulls().len()]
    for name, column in zip(shown, st.columns(len(shown), gap="large"), strict=True):
        with column:
            _show(table, name, key)


def _show(table: pl.DataFrame, name: str, key: str) -> None:
    write = cores if name == "cores" else size
    values = table[name].fill_null(0).cast(pl.Float64).to_list()
    chart(
        meter_chart(table["at"].to_list(), values, look(), write),
        UNIT[name],
        alt=f"{UNIT[name]}: at last {write(values[-1])}, at most {write(max(values))}.",
        key=f"{key}_{name}",
        note=f"At most {write(max(values))}; {NOTES[name]}",
    )


def peaks_of(job_id: str | None) -> list[tuple[str, str]]:
    """Rows for the settings of a run: the most that its job took."""
    found = peak(readings(job_id)) if job_id else None
    if found is None:
        return [("Peak memory", NOT_MEASURED), ("Processor", NOT_MEASURED)]
    rows = [("Peak memory", size(found.memory_bytes)),
            ("Processor", f"{cores(found.cores)} at most, {cores(found.mean_cores)} on average")]  # fmt: skip
    return rows + ([("Graphics card", f"{size(found.gpu_bytes)} at most")] if found.gpu_bytes is not None else [])
