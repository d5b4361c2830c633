"""The ladder: one click climbs from a constant guess to a stack, and shows what each step bought."""

import streamlit as st

from pages.shared import cached
from pages.shared.experiments.cached import steps
from pages.shared.experiments.choices import choose_dataset, show_no_dataset
from pages.shared.experiments.parts import show_parts
from pages.shared.look import look
from pages.shared.widgets import chart, downloads, named
from pricer.curation.dataset import Dataset
from pricer.figures.formats import count_of, dollars
from pricer.figures.ladder import ladder_chart, ladder_finding, ladder_note
from pricer.models.registry import find_kind
from pricer.runs.experiments import Part, dataset_label
from pricer.runs.experiments_ladder import RUNGS, ladder_orders


def show(datasets: list[Dataset], reading: str) -> None:
    """Choose a dataset, climb, and see what each rung bought over the one before."""
    if not datasets:
        show_no_dataset("the ladder trains every rung on it")
        return
    left, right = st.columns([1, 3])
    with left:
        dataset = choose_dataset("ladder", datasets)
    with right:
        rungs = st.pills(
            "Rungs",
            RUNGS,
            selection_mode="multi",
            default=RUNGS,
            wrap=True,
            format_func=lambda rung: find_kind(rung).label,
            key="ladder_rungs",
            help="Leave out a rung that fails or takes too long; the next one is then set beside the one before it. "
            "The stack weighs all rungs that read the products.",
            persist_state="session",
        )
    climbed = [rung for rung in RUNGS if rung in rungs]
    if len(climbed) < 2:
        st.info("Choose two rungs or more.", icon=":material/info:")
        return
    verb = ["ladder", f"--dataset={dataset_label(dataset)}"]
    verb += [f"--without={rung}" for rung in RUNGS if rung not in climbed]
    title = f"From a constant guess to a stack, on {dataset.name}"
    parts = show_parts("ladder", title, lambda: ladder_orders(dataset, climbed), reading, verb)
    failed = [part.label for part in parts if part.state in ("failed", "crashed")]
    if failed:
        st.info(f"Try again, or take {failed[0]} out of the rungs above and go on without it.", icon=":material/info:")
    _show_steps([part for part in parts if part.run], dataset, reading)


def _show_steps(standing: list[Part], dataset: Dataset, reading: str) -> None:
    if len(standing) < 2:
        return
    labels = tuple(part.label for part in standing)
    found = steps(labels, [part.run for part in standing], reading)
    items = cached.run_metrics(standing[0].run, reading).items
    chart(
        ladder_chart(found, look()),
        named(ladder_finding(found), dataset.manifest.generated),
        alt="; ".join(f"{row['rung']}: {dollars(row['error'])}" for row in found.iter_rows(named=True)),
        key="chart_ladder",
        note=ladder_note(found, f"{count_of(items, 'item')} of the {reading} exam"),
        swatches=[("better than the rung before", "good"), ("worse", "poor"), ("tie", "before")],
        image="ladder",
    )
    downloads(found, f"ladder-{dataset.name}-{reading}")
