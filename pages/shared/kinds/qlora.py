"""What Train shows of tuning: what the settings come to, a dry run that measures it, the base's own run, and a stop."""

from collections.abc import Mapping

import streamlit as st

from pages.shared import cached, state
from pages.shared.jobs import command_of, find_job, follow_job, is_busy, job_of, start_now
from pages.shared.kinds.tiny import TINY_LLAMA, offer_tiny
from pages.shared.widgets import chart_head, escaped, key_figures, plain, table
from pricer.curation.dataset import Dataset
from pricer.errors import PricerError
from pricer.figures.formats import count, count_of, dollars, duration, size
from pricer.llm.local.bases import TINY, known_base
from pricer.llm.local.memory import PRECISION_WORDS, has_card
from pricer.llm.tuned.arithmetic import Plan, plan
from pricer.llm.tuned.presets import Hyperparameters, hyperparameters_of
from pricer.models import Value
from pricer.models.registry import find_kind
from pricer.runs.adapters import base_arguments, find_base_run
from pricer.runs.launch import Launch, may_stop_and_keep, stop_and_keep
from pricer.runs.training import Order, trained_on

DRY_RUN, GUESS = "dry-run", "guess"
WORDS = {"adamw": "AdamW", "paged-adamw-32bit": "paged AdamW, 32 bit", "paged-adamw-8bit": "paged AdamW, 8 bit"}


def show_tuning(dataset: Dataset, order: Order) -> None:
    """Draw the panel for an order as it stands; what takes long is a job that a button starts."""
    chosen = find_kind(order.model).check_settings(order.settings)
    tuning = hyperparameters_of(chosen)
    find_job(state.DRY_RUN_JOB, (DRY_RUN, TINY_LLAMA, GUESS))
    with st.container(gap="small"):
        _show_stop()
        if chosen["base"] == TINY and known_base(TINY) is None:
            offer_tiny(state.DRY_RUN_JOB)
            return
        chart_head("What is tuned", f"{_base_words(chosen)}. A text is cut to {count(tuning.length)} tokens.")
        _show_plan(chosen, tuning, trained_on(order, dataset), dataset.manifest.validation)
        _show_values(tuning)
        _show_dry_run(order)
        _show_base(chosen, order, dataset.manifest.exam_hash)


def _base_words(chosen: Mapping[str, Value]) -> str:
    known = known_base(chosen["base"], chosen["revision"])
    title = known.title if known else chosen["base"]
    return f"{title}, held {PRECISION_WORDS[chosen['precision']]}, stays as it is; an adapter beside its layers learns"


def _show_plan(chosen: Mapping[str, Value], tuning: Hyperparameters, train: int, validation: int) -> None:
    try:
        found = plan(chosen["base"], chosen["precision"], tuning, train, validation, chosen["revision"])
    except PricerError as error:
        st.info(plain(str(error)), icon=":material/info:")
        return
    parts = f"base {size(found.base_bytes)}, adapter with its moments {size(found.adapter_bytes)}"
    key_figures(
        [
            ("Weights learned", count(found.trained_parameters), f"{_share(found)} of the base's"),
            ("Steps", count(found.steps), f"of {count_of(tuning.rows_per_step, 'row')}, on {count_of(train, 'item')}"),
            ("Held in memory", size(found.base_bytes + found.adapter_bytes), parts),
        ]
    )
    if not found.shape.is_tiny:
        cards = " or ".join(f"{duration(found.seconds_on(card))} on one {card}" for card in ("T4", "A100"))
        _note(f"By arithmetic, which nobody has measured here, it takes about {cards}; {size(found.bytes)} of memory.")


def _share(found: Plan) -> str:
    return f"{found.trained_parameters / found.shape.parameters:.1%}"


def _note(words: str) -> None:
    st.html(f'<p class="pr-note"><span>{escaped(words)}</span></p>')


def _show_values(tuning: Hyperparameters) -> None:
    values = [
        ("Prompt", tuning.prompt),
        ("Rank and alpha", f"{tuning.r} and {tuning.alpha}"),
        ("Dropout", f"{tuning.dropout:g}"),
        ("Layers", ", ".join(name.removesuffix("_proj") for name in tuning.targets)),
        ("Learning rate", f"{tuning.learning_rate:g}, {tuning.schedule}, rising over {tuning.warmup:.0%} of the steps"),
        ("Rows in a step", f"{tuning.batch} × {tuning.accumulation}"),
        ("Epochs", str(tuning.epochs)),
        ("Optimiser", WORDS[tuning.optimiser] + _optimiser_note(tuning)),
        ("Weight decay, longest gradient", f"{tuning.weight_decay:g}, {tuning.longest_gradient:g}"),
        ("Packing", f"into {count(tuning.packing)} tokens" if tuning.packing else "none"),
        ("Activations", "computed again on the way back" if tuning.recompute else "kept"),
        ("Read off", "the base's number tokens" if tuning.head == "tokens" else "a layer over 1,000 dollars"),
    ]
    with st.expander("All values", expanded=True):
        table(["Setting", "Value"], values)


def _optimiser_note(tuning: Hyperparameters) -> str:
    return "" if tuning.optimiser == "adamw" or has_card() else "; without a graphics card plain AdamW"


def _show_dry_run(order: Order) -> None:
    arguments = [DRY_RUN, f"--dataset={order.dataset}"]
    arguments += [f"--set={name}={value}" for name, value in order.settings.items()]
    arguments += [f"--seed={order.seed}"] if order.seed != Order.seed else []
    arguments += [f"--first={order.first_n}"] if order.first_n else []
    with st.container(horizontal=True, vertical_alignment="center"):
        busy = is_busy(state.DRY_RUN_JOB)
        if st.button(
            "Dry run", icon=":material/speed:", key="start_dry_run", disabled=busy, help=command_of(arguments)
        ):
            start_now(state.DRY_RUN_JOB, arguments)
        _note("Twenty real steps on the longest rows, thrown away.")
    job = follow_job(state.DRY_RUN_JOB)
    if job and job.arguments[0] == DRY_RUN:
        _show_measured(job, arguments)


def _show_measured(job: Launch, arguments: list[str]) -> None:
    found = job.result
    if list(job.arguments) != arguments:
        st.info("These were measured with other settings than now stand.", icon=":material/info:")
    where = "graphics card" if found["device"] == "cuda" else "processor"
    largest, longest = count_of(found["largest_batch"], "row"), count_of(found["longest_row"], "token")
    key_figures(
        [
            (
                "Measured step",
                f"{found['seconds_per_step']:.3g} s",
                f"{count(round(found['tokens_per_second']))} tokens a second",
            ),
            ("Whole tuning", duration(found["seconds"]), f"{count_of(found['steps'], 'step')}, without validation"),
            ("Peak memory", size(found["bytes_peak"]), f"{where}, {size(found['bytes_before'])} before the first step"),
        ]
    )
    _note(f"The largest batch that fits is about {largest} of {longest}.")


def _show_base(chosen: Mapping[str, Value], order: Order, exam_hash: str) -> None:
    """The base's own run on the same exam, which a tuned run is held against; where there is none, how to get it."""
    known = known_base(chosen["base"], chosen["revision"])
    run = find_base_run(order, exam_hash, known.revision if known else "")
    if run:
        found = cached.run_metrics(run, run.reading)
        error = f"error {dollars(found.error)} on {count_of(found.items, 'item')}"
        _note(f"The base alone, in the same precision: {run.name}, {error} of the {run.reading} exam.")
        return
    arguments = base_arguments(order)
    st.info(
        "The base alone has no run on this exam in this precision and with this prompt, so nothing will show what "
        "tuning has brought.",
        icon=":material/info:",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Ask the base", key="ask_base", icon=":material/play_arrow:", disabled=is_busy(state.DRY_RUN_JOB)):
            start_now(state.DRY_RUN_JOB, arguments)
        st.code(command_of(arguments), language=None, wrap_lines=True)


def _show_stop() -> None:
    """While a tuning runs that was started here: end it after its step, and keep what it has."""
    job = job_of(state.TRAIN_JOB)
    if job is None or not may_stop_and_keep(job):
        return
    if st.button(
        "Stop and keep", key="stop_and_keep", icon=":material/stop:", help="What was learned becomes the run."
    ):
        stop_and_keep(job.id)
        st.toast("It ends after its step; then the exam is asked.")
