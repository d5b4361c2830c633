"""The leak lens: what a naive split of the sample would leak into its exam; and the choice of such a split."""

import streamlit as st

from pages.shared import cached, state
from pages.shared.jobs import command_of, is_busy, start_now
from pages.shared.look import look
from pages.shared.recipe_link import recipe_arguments
from pages.shared.widgets import chart, chart_head, key_figures, named, table
from pricer.catalogue.store import Catalogue
from pricer.curation.leaks import Leaks
from pricer.curation.naive import FEWEST, RULE
from pricer.curation.sampler import Plan
from pricer.figures.formats import count, count_of, dollars, percent
from pricer.figures.leaks import by_classes, leak_bars, leak_finding

LONGEST_TITLE = 70
SPLITS = {"roles": "By groups (leak-free)", "naive": "Naive"}
SPLIT_HELP = (
    "By groups: validation and exam are the catalogue's own, and no item of train is a near-duplicate of theirs. "
    "Naive: the sample is shuffled and cut, as the notebooks did, to reproduce them or to measure what leaks are worth."
)
MEASURE = (
    "To measure what that is worth, train on a naive split of this sample: Compare then shows each model's error on "
    "leaked and on clean items. Such an exam is the dataset's own and may leak, so its runs are ranked with no others."
)


def show_leak_lens(catalogue: Catalogue, plan: Plan) -> None:
    """What the notebooks' split of this sample would leak, by group and with examples, and how to measure its worth."""
    if plan.size < FEWEST:
        st.info(f"A split needs at least {FEWEST} items.", icon=":material/info:")
        return
    leaks = cached.leaks(catalogue, plan.recipe)
    generated = catalogue.manifest.generated
    chart_head(
        named(leak_finding(leaks.expected_share), generated),
        "An exam item leaks if a near-duplicate of it is in train: a model that knows that one by heart has seen the "
        "answer. So it is where the sample is shuffled and cut, as the notebooks did.",
    )
    key_figures(
        [
            ("Leaked on average", percent(leaks.expected_share), "of the exam, over all shuffles of this sample"),
            ("Leaked in this shuffle", count(leaks.leaked), f"of {count_of(leaks.split.exam, 'exam item')}"),
            ("Near-duplicates' price", dollars(leaks.copy_error), "away from the leaked item's, on average"),
            ("Pricer's own exam", "0", "leaked: what is like an exam item is sealed"),
        ]
    )
    classes = by_classes(leaks.by_size)
    if len(classes):
        chart(
            leak_bars(classes, look()),
            "Leaked exam items by the size of their group",
            alt="; ".join(f"groups of {row['label']}: {row['leaked']} of {row['exam']}" for row in classes.to_dicts()),
            key="chart_leaks",
            note="Groups of near-duplicates by their items in the sample; the line is the average over all shuffles",
            swatches=[("leaked", "after"), ("in the exam", "before")],
        )
    show_examples(leaks)
    show_measure(catalogue, plan)


def show_examples(leaks: Leaks) -> None:
    if not len(leaks.examples):
        return
    chart_head("Examples", "The first leaked items of the exam, and what train says of each")
    rows = [
        (_short(row["title"]), dollars(row["price"]), _short(row["train_title"]), dollars(row["train_price"]))
        for row in leaks.examples.iter_rows(named=True)
    ]
    table(["In the exam", "Price", "In train", "Price"], rows, right=(1, 3))


def _short(title: str) -> str:
    return title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1].rstrip() + "…"


def show_measure(catalogue: Catalogue, plan: Plan) -> None:
    """Offer the dataset whose runs show what leaking is worth."""
    name = f"{catalogue.name}-{plan.recipe.id[:8]}-naive"
    arguments = ["sample", catalogue.label, "--dataset", name, *recipe_arguments(plan.recipe), "--split=naive"]
    st.html(f'<p class="pr-said">{MEASURE}</p><p class="pr-note"><span>{RULE[0].upper()}{RULE[1:]}.</span></p>')
    wanted = st.button(
        "Make it with the naive split",
        icon=":material/call_split:",
        key="make_naive",
        disabled=is_busy(state.SAMPLE_JOB),
    )
    if wanted:
        start_now(state.SAMPLE_JOB, arguments)
    st.code(command_of(arguments), language=None, wrap_lines=True)


def choose_split() -> list[str]:
    """Let the split of the dataset to be made be chosen; give the command line's options for it."""
    split = st.segmented_control(
        "Split",
        SPLITS,
        required=True,
        format_func=SPLITS.get,
        key=state.SPLIT,
        help=SPLIT_HELP,
        persist_state="session",
    )
    return ["--split=naive"] if split == "naive" else []
