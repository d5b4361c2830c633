"""The learning curve: one model on growing parts of a train, and what more items would bring."""

import polars as pl
import streamlit as st

from pages.shared.experiments.cached import learning_curve
from pages.shared.experiments.choices import (
    arguments_of,
    choose_dataset,
    choose_model,
    choose_model_settings,
    show_no_dataset,
    with_settings,
)
from pages.shared.experiments.parts import about, show_parts
from pages.shared.look import look
from pages.shared.widgets import Html, chart, downloads, escaped, named, table
from pricer.curation.dataset import Dataset
from pricer.evaluation.learning import FARTHEST
from pricer.figures.effect import signed_dollars
from pricer.figures.formats import count, count_of, dollars
from pricer.figures.learning import learning_chart, learning_finding, learning_table
from pricer.models import MODELS, ModelKind
from pricer.runs.experiments import dataset_label
from pricer.runs.experiments_learning import SHARES, learning_orders, runs_of_curve
from pricer.runs.store import list_runs
from pricer.runs.training import Order


def show(datasets: list[Dataset], reading: str) -> None:
    """Choose a model and how much of a train to go up to, train the sizes that are missing, and look ahead."""
    if not datasets:
        show_no_dataset("a learning curve takes parts of its train")
        return
    kind, dataset, largest = _choose(datasets)
    settings, seed = choose_model_settings("learning", kind)
    orders = learning_orders(kind.name, dataset, settings, seed, largest)
    verb = ["learning-curve", kind.name, f"--dataset={dataset_label(dataset)}"]
    verb += [f"--up-to={largest}"] if largest < dataset.manifest.train else []
    verb += arguments_of(settings, seed)
    parts = count_of(len(orders), "part")
    title = f"{with_settings(kind.name, settings)} on {parts} of {dataset.name}, each within the next"
    show_parts("learning", title, lambda: orders, reading, verb)
    _show_curve(orders[0][1], dataset, reading)


def _choose(datasets: list[Dataset]) -> tuple[ModelKind, Dataset, int]:
    left, middle, right = st.columns(3)
    with left:
        kind = choose_model("learning")
    with middle:
        dataset = choose_dataset("learning", datasets)
    with right:
        share = st.segmented_control(
            "Up to this part of train",
            list(SHARES),
            default="1/2",
            required=True,
            key="learning_share",
            help="Stop short of a long run: the forecast says what it would bring before it is started.",
            persist_state="session",
        )
    return kind, dataset, max(1, dataset.manifest.train // SHARES[share])


def _show_curve(order: Order, dataset: Dataset, reading: str) -> None:
    """All sizes that stand, those of earlier launches too."""
    runs = runs_of_curve(order, dataset, list_runs())
    if len(runs) < 2:
        return
    found = learning_curve(tuple(size for size, _ in runs), [run for _, run in runs], reading, dataset.manifest.train)
    first = None if found.ahead is None else found.ahead.row(0, named=True)
    chart(
        learning_chart(found.measured, found.ahead, runs[0][1].manifest.family, look()),
        named(learning_finding(found.measured, first), dataset.manifest.generated),
        alt="; ".join(f"{row['train_items']} items: {dollars(row['error'])}" for row in found.measured.to_dicts()),
        key="chart_learning",
        note=f"mean error by items of train, {reading} exam, 95% intervals"
        + ("" if found.ahead is None else "; dotted: forecast on the same exam with its 95% band"),
        image="learning-curve",
    )
    if found.refused:
        st.info(f"No forecast: {found.refused}.", icon=":material/info:")
    else:
        _show_ahead(found.ahead, order, dataset)
    downloads(learning_table(found.measured, found.ahead), f"learning-curve-{order.model}-{dataset.name}-{reading}")


def _show_ahead(ahead: pl.DataFrame, order: Order, dataset: Dataset) -> None:
    most = dataset.manifest.train
    rows = [
        (
            _over(count(row["train_items"]), "all of train" if row["train_items"] == most else ""),
            _over(dollars(row["error"]), f"{dollars(row['low'])} to {dollars(row['high'])}"),
            _over(
                signed_dollars(row["gain"]), f"{signed_dollars(row['gain_low'])} to {signed_dollars(row['gain_high'])}"
            ),
            about(MODELS[order.model].estimate(row["train_items"], **order.settings).seconds),
        )
        for row in ahead.iter_rows(named=True)
    ]
    table(["Train items", "Forecast error", "Gain on the largest run", "Time to fit"], rows, right=(0, 1, 2, 3))
    st.html(
        '<p class="pr-note"><span>A forecast holds only if the curve goes on as it did: error = a + b · items^(−c), '
        f"fitted to resampled exam groups. The band widens with the distance and ends at {FARTHEST} times the largest "
        "run.</span></p>"
    )


def _over(value: str, below: str) -> Html:
    """A value, and its band or what it is in a quiet line below."""
    line = f'<br><span class="pr-quiet">{escaped(below)}</span>' if below else ""
    return Html(escaped(value) + line)
