"""The effect of balance: one model trained on several datasets of an exam, their errors side by side."""

import streamlit as st

from pages.shared import cached
from pages.shared.experiments.cached import effect
from pages.shared.experiments.choices import arguments_of, choose_model, choose_model_settings, with_settings
from pages.shared.experiments.parts import show_parts
from pages.shared.look import look
from pages.shared.widgets import chart, chart_head, downloads, empty_card, named, table
from pricer.curation.dataset import Dataset
from pricer.figures.effect import effect_chart, effect_finding, effect_table, signed_dollars, where_finding
from pricer.figures.formats import count, dollars, percent
from pricer.models import ModelKind
from pricer.runs.experiments import Part, dataset_label
from pricer.runs.experiments_balance import balance_orders, equal_size, sharing_an_exam

MOST_DATASETS = 4
SLICES = {"bands": "price band", "categories": "category"}


def show(datasets: list[Dataset], reading: str) -> None:
    """Choose a model and datasets, train what is missing, and see what balancing bought and cost."""
    sharing = next(iter(sharing_an_exam(datasets).values()), [])
    if not sharing:
        _show_empty(datasets)
        return
    chosen = _choose(sharing)
    if chosen is None:
        return
    kind, picked, items = chosen
    settings, seed = choose_model_settings("balance", kind)
    orders = balance_orders(kind.name, picked, settings, seed, items)
    verb = ["balance", kind.name, *(f"--dataset={dataset_label(each)}" for each in picked)]
    verb += [f"--first={items}"] if items != equal_size(picked) else []
    verb += arguments_of(settings, seed)
    title = f"{with_settings(kind.name, settings)} on {count(items)} items of each"
    parts = show_parts("balance", title, lambda: orders, reading, verb)
    _show_effects(parts, reading)


def _show_empty(datasets: list[Dataset]) -> None:
    with st.container(border=True):
        made = f"There is only {datasets[0].name}." if len(datasets) == 1 else "There is none yet."
        empty_card(
            f"Balance shows its effect between two datasets of one catalogue. {made}",
            "Make a second one on Curate under another name: the preset natural keeps the market as it is, a lower cap "
            "or other weights balance it. Both share the exam, so that one model can be trained on each and graded on "
            "the same items.",
        )
        st.page_link("data/curate.py", label="Open Curate", icon=":material/arrow_forward:")


def _choose(sharing: list[Dataset]) -> tuple[ModelKind, list[Dataset], int] | None:
    """The model, the datasets (the nearest to the market first) and how many items of each."""
    by_id = {dataset.id: dataset for dataset in sharing}
    left, middle, right = st.columns([1, 2, 1])
    with left:
        kind = choose_model("balance")
    with middle:
        ids = st.multiselect(
            "Datasets",
            list(by_id),
            default=list(by_id)[:2],
            format_func=lambda dataset_id: by_id[dataset_id].name,
            max_selections=MOST_DATASETS,
            key=f"balance_datasets_{sharing[0].manifest.exam_hash[:8]}",
            help="The one nearest to the market is what the others are set beside.",
            persist_state="session",
        )
    picked = [dataset for dataset in sharing if dataset.id in ids]
    if len(picked) < 2:
        st.info("Choose two datasets or more.", icon=":material/info:")
        return None
    most = equal_size(picked)
    with right:
        items = st.number_input(
            "Items of each",
            1,
            most,
            None,
            placeholder=f"{count(most)}, all of the smallest",
            key=f"balance_items_{most}",
            help="Equal sizes, so that only the choice of items differs. They are the first by each train's own draw.",
            persist_state="session",
        )
    return kind, picked, items or most


def _show_effects(parts: list[Part], reading: str) -> None:
    reference, *others = parts
    trained = [part for part in others if part.run]
    if not reference.run or not trained:
        return
    _show_totals(reference, trained)
    names = [part.label for part in trained]
    chosen = names[0]
    if len(names) > 1:
        chosen = st.segmented_control(
            f"Beside {reference.label}", names, required=True, default=names[0], key="balance_other"
        )
    _show_slices(reference, next(part for part in trained if part.label == chosen), reading)


def _show_totals(reference: Part, trained: list[Part]) -> None:
    """What each other train bought and cost in all, on both readings of the exam."""
    found = {part.label: effect(reference.run, part.run, "natural") for part in trained}
    finding = "; ".join(
        effect_finding(
            reference.label,
            label,
            *((side.difference, side.tied) for side in (each.natural, each.balanced)),
        )
        for label, each in found.items()
    )
    generated = reference.dataset.manifest.generated
    chart_head(named(finding, generated), "differences on the same items, with 95% intervals that resample groups")
    rows = [_totals_row(reference, "reference")]
    rows += [
        _totals_row(part, _difference(found[part.label].natural), _difference(found[part.label].balanced))
        for part in trained
    ]
    columns = [
        "Train",
        "Mean price",
        "Distance from market",
        "Natural error",
        "Difference",
        "Balanced error",
        "Difference",
    ]
    table(columns, rows, right=(1, 2, 3, 4, 5, 6))


def _totals_row(part: Part, natural: str, balanced: str | None = None) -> tuple[str, ...]:
    of = part.dataset.manifest
    errors = [dollars(cached.run_metrics(part.run, reading).error) for reading in ("natural", "balanced")]
    distance = percent(of.price_distance)
    return part.label, dollars(of.price_mean), distance, errors[0], natural, errors[1], balanced or natural


def _difference(found) -> str:
    if found.difference is None or found.high is None:
        return "too few items"
    half = f"{signed_dollars(found.difference)} ± {found.high - found.difference:,.2f}"
    return f"tie, {half}" if found.tied else half


def _show_slices(reference: Part, other: Part, reading: str) -> None:
    found = effect(reference.run, other.run, reading)
    names = (reference.label, other.label)
    columns = st.columns(2, gap="large")
    for place, (name, words) in enumerate(SLICES.items()):
        slices = getattr(found, name)
        with columns[place]:
            chart(
                effect_chart(slices, names, look()),
                where_finding(slices, other.label),
                alt="; ".join(
                    f"{row['slice']}: {dollars(row['error_reference'])} to {dollars(row['error'])}, {row['verdict']}"
                    for row in slices.iter_rows(named=True)
                ),
                key=f"chart_effect_{name}",
                note=f"mean error by {words}, {reading} exam; the intervals of all rows hold together",
                swatches=[(reference.label, "before ring"), (other.label, "after disc")],
                image=f"effect-of-balance-by-{words.replace(' ', '-')}",
            )
    downloads(effect_table(found.bands, found.categories), f"effect-of-balance-{reading}")
