"""A recipe carried out: name the dataset, start the job, follow it, and look at the datasets that were made."""

import streamlit as st

from pages.shared import cached, shelf, state
from pages.shared.jobs import command_of, find_job, follow_job, is_busy, is_news, show_done, start_now
from pages.shared.leak_lens import choose_split
from pages.shared.look import look
from pages.shared.recipe_controls import SAVED
from pages.shared.recipe_link import recipe_arguments
from pages.shared.widgets import chart, named, plain
from pricer.catalogue.store import Catalogue
from pricer.curation.sampler import Plan
from pricer.figures.formats import count, short_hash
from pricer.figures.prices import shares_by_price


def show_actions(catalogue: Catalogue, plan: Plan) -> None:
    """The name of the dataset, the button that makes it, the command that says the same, and how far it is."""
    preset = st.session_state[state.PRESET].removeprefix(SAVED)
    suggested = f"{catalogue.name}-{plan.recipe.id[:8] if preset == state.OWN_SETTINGS else preset}"
    suggested += "-naive" if st.session_state[state.SPLIT] == "naive" else ""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Name of the dataset", suggested, 64, key=f"dataset_name_{suggested}", width=300)
        split = choose_split()
        arguments = ["sample", catalogue.label, "--dataset", name.strip(), *recipe_arguments(plan.recipe), *split]
        if st.button(
            "Make the dataset",
            type="primary",
            icon=":material/check:",
            key="make_dataset",
            disabled=not name.strip() or not plan.size or is_busy(state.SAMPLE_JOB),
        ):
            start_now(state.SAMPLE_JOB, arguments)
    st.code(command_of(arguments), language=None, wrap_lines=True)
    show_job()


def show_job() -> None:
    find_job(state.SAMPLE_JOB, ("sample",))
    job = follow_job(state.SAMPLE_JOB)
    if job is None:
        return
    made = job.result
    if is_news(job):
        st.session_state[state.DATASET] = made["id"]
        st.rerun()  # the shelf shows it at once
    parts = ", ".join(f"{count(made[part])} {part}" for part in ("train", "validation", "exam"))
    show_done(state.SAMPLE_JOB, plain(f"{made['name']}: {parts}. Train {short_hash(made['content_hash'])}."))


def show_datasets(catalogue: Catalogue) -> None:
    """Train, validation and exam of a dataset on one axis."""
    datasets = shelf.datasets_of(catalogue)
    dataset = shelf.dataset_in_use(datasets)
    if dataset is None:
        return
    st.header("Datasets", anchor=False)
    names = {each.id: each.name for each in datasets}
    shelf.choose("Dataset", names, state.DATASET, width=300)
    made = dataset.manifest
    slots = cached.dataset_slots(dataset)
    chart(
        shares_by_price(slots, look()),
        named("Train, validation and exam by price", made.generated),
        alt=f"Shares of train, validation and exam by price in steps of $20, dataset {dataset.name}.",
        key="chart_roles",
        note=f"share of each part's items in steps of $20; train {short_hash(made.content_hash)}, "
        f"{shelf.OWN_EXAM if made.split == 'naive' else 'exam'} {short_hash(made.exam_hash)}",
        swatches=[
            (f"train {count(made.train)}", "after"),
            (f"validation {count(made.validation)}", "ink line"),
            (f"exam {count(made.exam)}", "before"),
        ],
    )
