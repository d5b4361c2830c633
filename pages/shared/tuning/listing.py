"""Every fine-tuning: the table of all, and one of them with its curves, its checkpoints, and what can be done."""

from collections.abc import Callable

import streamlit as st

from pages.shared import state
from pages.shared.jobs import SECONDS_BETWEEN_LOOKS
from pages.shared.look import look
from pages.shared.tuning.form import USUAL_GRADE, fill_form
from pages.shared.tuning.graded import show_graded
from pages.shared.widgets import (
    Cell,
    Html,
    chart,
    chart_head,
    distinct,
    downloads,
    escaped,
    key_figures,
    page_of,
    plain,
    progress_bar,
    table,
)
from pricer.errors import PricerError
from pricer.figures.curves import loss_chart
from pricer.figures.formats import NOT_MEASURED, count, count_of, dollars, moment
from pricer.llm.providers import Provider, list_providers
from pricer.llm.tuning import Adapter, adapter_class
from pricer.progress import TRAINING_LOSS, VALIDATION_LOSS
from pricer.runs import tuning as work
from pricer.runs.curves import read_curves
from pricer.runs.launch import alive_launches, launch
from pricer.runs.tuning_orders import grade
from pricer.runs.tunings import UNSURE, Tuning, list_tunings, open_tuning

STATES = {
    "preparing": "files are being made",
    "creating": "being created",
    "unknown": "nobody knows",
    "queued": "queued there",
    "running": "trains",
    "paused": "paused",
    "done": "done",
    "failed": "failed",
    "cancelled": "cancelled",
    "unfamiliar": "at work there",
}


def show_tunings() -> None:
    """The list, and below it the one that is chosen, the newest at first."""
    found = list_tunings()
    chart_head("Tunings", "on this machine, the newest first" if found else "")
    if not found:
        st.html('<p class="pr-note">None yet. What is started stands here, with its losses and what came of it.</p>')
        return
    shown = page_of(found, "tuning", "tunings_page")
    table(["Tuning", "State", "Progress", "Rows", "Price", "Begun"], [_row(each) for each in shown], right=(3, 4))
    names = distinct({each.id: f"{each.base_model}, {STATES[each.state]}, {moment(each.created_at)}" for each in found})
    if st.session_state.get("tuning_shown") not in names:
        st.session_state["tuning_shown"] = found[0].id
    st.selectbox("Show tuning", list(names), format_func=names.get, key="tuning_shown", width=560)
    tuning = open_tuning(st.session_state["tuning_shown"])
    if tuning.is_over or tuning.state == "unknown":
        show_tuning(tuning)
    else:
        st.fragment(_show_alive, run_every=SECONDS_BETWEEN_LOOKS)(tuning.id)


def _row(tuning: Tuning) -> tuple[Cell, ...]:
    kept = tuning.kept
    share = kept.step / kept.total_steps if kept.total_steps else None
    name = Html(
        f'<b>{escaped(tuning.base_model)}</b><br><span class="pr-note">{escaped(tuning.mark)}, {tuning.provider}</span>'
    )
    price = NOT_MEASURED if kept.cost_dollars is None else dollars(kept.cost_dollars)
    return (
        name,
        _state(tuning),
        progress_bar(1.0 if tuning.state == "done" else share),
        count(kept.train_rows),
        price,
        moment(tuning.created_at),
    )


def _state(tuning: Tuning) -> str:
    said = tuning.kept.said if tuning.state == "unfamiliar" else ""
    return f"{STATES[tuning.state]}: {said}" if said else STATES[tuning.state]


def _show_alive(tuning_id: str) -> None:
    """One that is under way; runs again by itself until it is over."""
    tuning = open_tuning(tuning_id)
    if tuning.is_over or tuning.state == "unknown":
        st.rerun()
    show_tuning(tuning)


def show_tuning(tuning: Tuning) -> None:
    kept = tuning.kept
    if tuning.state in UNSURE:
        _show_unclear(tuning)
    elif kept.why:
        (st.error if tuning.state == "failed" else st.info)(plain(kept.why), icon=":material/info:")
    if tuning.state == "done":
        st.success(plain(f"{tuning.tuned_model} is ready."), icon=":material/check_circle:")
        _show_afterwards(tuning)
    key_figures(_figures(tuning))
    _show_actions(tuning)
    show_graded(tuning)
    _show_losses(tuning)
    details, told = st.tabs(["All figures", "What the host told"], key=f"tuning_tabs_{tuning.id}")
    with details:
        table(["What", "Value"], _facts(tuning))
        if kept.checkpoints:
            rows = [(count(each["step"]), each["model"], _loss(each["validation_loss"])) for each in kept.checkpoints]
            table(["Checkpoint at step", "Model", "Validation loss"], rows, right=(0, 2))
    with told:
        st.code("\n".join(kept.events) or "nothing yet", language=None, wrap_lines=True)


def _provider(tuning: Tuning) -> Provider:
    """The host, whether or not it has an address now; one that was removed keeps its name."""
    known = {provider.name: provider for provider in list_providers()}
    return known.get(tuning.provider) or Provider(name=tuning.provider, title=tuning.provider, base_url="")


def _adapter(tuning: Tuning) -> Adapter | None:
    """How the host is spoken to; None of one that was removed."""
    tunes = _provider(tuning).tunes
    return adapter_class(tunes) if tunes else None


def _loss(value: float | None) -> str:
    return NOT_MEASURED if value is None else f"{value:,.4g}"


def _figures(tuning: Tuning) -> list[tuple[str, Cell, Cell]]:
    kept = tuning.kept
    steps = f"of {count(kept.total_steps)}" if kept.total_steps else "so far"
    ends = f"ends about {moment(kept.finishes_at)}" if kept.finishes_at and not tuning.is_over else ""
    trained = (
        count_of(kept.trained_tokens, "token") + " trained"
        if kept.trained_tokens
        else f"{count(kept.train_tokens)} tokens a pass"
    )
    price = NOT_MEASURED if kept.cost_dollars is None else dollars(kept.cost_dollars)
    return [
        ("State", _state(tuning), f"the host says {kept.said}" if kept.said else "the host has said nothing"),
        ("Step", count(kept.step), f"{steps}{', ' + ends if ends else ''}"),
        ("Price", price, trained),
    ]


def _show_unclear(tuning: Tuning) -> None:
    """Nobody knows whether the host has a job: what a person can do about it, and nothing that pays."""
    title = _provider(tuning).title
    if tuning.state == "creating":
        st.info(
            plain(f"The creation was sent to {title}, and its answer is not there yet."),
            icon=":material/hourglass_top:",
        )
    else:
        words = (
            f"Nobody knows whether {title} has begun this tuning: {tuning.kept.why}. Nothing is created a second time."
        )
        st.warning(plain(words), icon=":material/help:")
    words = f"Look at {title}'s own page: a job whose name ends with {tuning.mark} is to be adopted; if none is there, "
    words += "drop this tuning, and start it anew."
    st.caption(plain(words))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        remote = st.text_input(
            "The host's id of the job", key=f"tuning_remote_{tuning.id}", placeholder="ftjob-…", width=260
        )
        _button("Adopt", "link", tuning, lambda label: work.adopt(remote.strip(), label), disabled=not remote.strip())
        _button("Drop: no job is there", "link_off", tuning, work.drop)


def _show_afterwards(tuning: Tuning) -> None:
    adapter = _adapter(tuning)
    if adapter and adapter.afterwards:
        st.caption(plain(f"Before it answers: {adapter.afterwards}."))


def _show_actions(tuning: Tuning) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if tuning.state == "done":
            key = f"tuning_grade_{tuning.id}"
            st.session_state.setdefault(key, tuning.order.grade or USUAL_GRADE)
            first_k = st.number_input("First k of the exam", 1, 100_000, key=key, width=170)
            _button("Grade beside its base", "leaderboard", tuning, lambda _: grade(tuning, first_k))
        if not tuning.is_over and tuning.state != "preparing":
            _button("Look now", "refresh", tuning, work.check)
            if not _is_followed(tuning):
                _button("Follow", "visibility", tuning, _follow)
        if tuning.remote_id and not tuning.is_over:
            adapter = _adapter(tuning)
            if adapter and adapter.can_pause and tuning.state == "paused":
                _button("Resume", "play_arrow", tuning, work.resume)
            elif adapter and adapter.can_pause:
                _button("Pause", "pause", tuning, work.pause)
        if not tuning.is_over:
            _button("Cancel", "close", tuning, work.cancel)
        st.button(
            "Change and run again", icon=":material/edit:", key=f"tuning_change_{tuning.id}", on_click=fill_form,
            args=(tuning.order,),
        )  # fmt: skip


def _is_followed(tuning: Tuning) -> bool:
    return any(job.id == tuning.kept.followed_by for job in alive_launches())


def _follow(label: str) -> None:
    st.session_state[state.TUNE_JOB] = launch(["tune", "follow", label]).id


def _button(label: str, icon: str, tuning: Tuning, do: Callable, disabled: bool = False) -> None:
    st.button(
        label, icon=f":material/{icon}:", key=f"tuning_{icon}_{tuning.id}", on_click=_act, args=(do, tuning.id),
        disabled=disabled,
    )  # fmt: skip


def _act(do: Callable, tuning_id: str) -> None:
    """Do what a button says; what the host, or the record, has against it is told."""
    try:
        do(tuning_id)
    except PricerError as error:
        st.toast(plain(str(error)), icon=":material/error:")


def _show_losses(tuning: Tuning) -> None:
    curves = read_curves(tuning.folder)
    if curves is None:
        return
    training, validation = (curves.filter(name=name).select("at", "value") for name in (TRAINING_LOSS, VALIDATION_LOSS))
    last = [
        f"{name} {line['value'][-1]:,.4g}"
        for name, line in (("training", training), ("validation", validation))
        if len(line)
    ]
    chart(
        loss_chart(training, validation, "steps", look()),
        "Loss",
        alt=f"Loss by steps, at last {' and '.join(last)}.",
        key=f"tuning_losses_{tuning.id}",
        note="what the host makes less, after so many steps, as it tells",
    )
    downloads(curves, f"losses-{tuning.mark}")


def _facts(tuning: Tuning) -> list[tuple[Cell, Cell]]:
    order, kept = tuning.order, tuning.kept
    left = "the host's choice"
    return [
        ("Host", _provider(tuning).title),
        ("Base model", tuning.base_model),
        ("Tuned model", tuning.tuned_model or "none yet"),
        ("Job of the host", tuning.remote_id or "none known"),
        ("Dataset", f"{order.dataset}, {kept.dataset_id}"),
        (
            "Rows",
            f"{order.choice}, {count(kept.train_rows)} to train on, {count(order.validation)} to validate on at most",
        ),
        ("Prompt", order.prompt),
        ("Epochs", count(order.epochs)),
        ("Batch size", left if order.batch_size is None else count(order.batch_size)),
        (
            "Learning-rate multiplier",
            left if order.learning_rate_multiplier is None else f"{order.learning_rate_multiplier:g}",
        ),
        ("Seed", str(order.seed)),
        ("Tuning", tuning.id),
    ]
