"""What people write beside a run, tags and a note, and do with it: again, more of the exam, delete and bring back."""

from dataclasses import replace

import streamlit as st

from pages.shared import state
from pages.shared.jobs import command_of
from pages.shared.runs.elsewhere import show_place
from pages.shared.runs.in_work import act
from pages.shared.spending import choose_cap
from pages.shared.widgets import Html, checks, distinct, escaped, plain, table
from pricer.figures.formats import count, count_of, moment
from pricer.models.registry import STACK, trainable_kinds
from pricer.runs.extending import may_extend
from pricer.runs.history import Entry, delete_entry, history, undelete_entry
from pricer.runs.launch import cancel, launch, may_stop_and_keep, resume, retry, stop_and_keep
from pricer.runs.orders import EXTEND, order_arguments, order_of, read_order
from pricer.runs.preflight import checks_to_extend
from pricer.runs.spending import may_cost
from pricer.runs.store import LONGEST_NOTE, Run, list_runs, set_note, set_tags
from pricer.runs.training import Order

TAG_HELP = "Words by which runs are found again; type a new one and press Enter."


def show_actions(entry: Entry) -> None:
    """The buttons of one entry, the likeliest first."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if entry.job and may_stop_and_keep(entry.job):
            _button("Stop and keep", "stop", "keep", entry, stop_and_keep)
        if entry.alive:
            _button("Cancel", "close", "cancel", entry, cancel)
        elif entry.job and entry.job.left_nothing:
            if entry.job.resumable:
                _button("Resume", "resume", "resume", entry, _follow, resume)
            _button("Retry", "replay", "retry", entry, _follow, retry)
        if entry.run:
            st.page_link("results/compare.py", label="Open Compare", icon=":material/arrow_forward:")
        else:
            show_place(entry.job)
        if _order(entry):
            _change_and_run_again(entry)
        if entry.run and may_extend(entry.run):
            _extend(entry.run)
        if not entry.alive:
            _button("Delete", "delete", "delete", entry, _delete)


def _button(label: str, icon: str, key: str, entry: Entry, do, *arguments) -> None:
    st.button(
        label,
        icon=f":material/{icon}:",
        key=f"{key}_{entry.id}",
        on_click=act,
        args=(do, *arguments, entry.id),
    )


def _follow(do, job_id: str) -> None:
    """Launch a job once more, and show the new one."""
    st.session_state[state.SHOWN_RUN] = do(job_id).id


def _delete(entry_id: str) -> None:
    delete_entry(entry_id)
    st.session_state[state.RUN_DELETED] = entry_id


def _undelete(entry_id: str) -> None:
    undelete_entry(entry_id)
    st.session_state[state.RUN_DELETED] = None
    st.session_state[state.SHOWN_RUN] = entry_id


# Once more


def _order(entry: Entry) -> Order | None:
    """What was ordered, where Train can order it, without its name."""
    if entry.run and entry.run.manifest.model in (*trainable_kinds(), STACK.name):
        return replace(order_of(entry.run), dataset=entry.run.manifest.dataset_id, name=None)
    order = None if entry.run else read_order(entry.job.arguments)
    return replace(order, name=None) if order else None


def _change_and_run_again(entry: Entry) -> None:
    if st.button("Change and run again", icon=":material/edit:", key=f"again_{entry.id}"):
        st.session_state[state.TRAIN_DRAFT] = order_arguments(_order(entry))
        st.switch_page("models/train.py")


# More of the exam


def _extend(run: Run) -> None:
    opened = st.popover(
        "Ask more of the exam", icon=":material/playlist_add:", key=f"extend_{run.id}", on_change="rerun"
    )
    if opened.open:
        with opened:
            _show_extension(run, may_extend(run))


def _show_extension(run: Run, most: int) -> None:
    """Up to which k, what that takes and may cost, the command, and the button."""
    asked = run.manifest.first_k
    st.html(
        f'<p class="pr-note">It was asked the first {count(asked)} of {count_of(most, "item")}. Its model guesses '
        "the others; nothing is asked twice. The result is a run of its own, which names this one.</p>"
    )
    wanted = st.number_input(
        "First k of the exam", asked + 1, most, None, key=f"extend_k_{run.id}", placeholder=f"all {count(most)}"
    )
    if may_cost(run.manifest.model, run.manifest.model_settings):
        choose_cap(f"extend_cap_{run.id}")
    found = checks_to_extend(run, wanted, list_runs())
    checks((check.verdict, check.words, check.value) for check in found)
    arguments = [EXTEND, run.id, f"--ask={wanted or 'all'}"]
    st.code(command_of(arguments), language=None, wrap_lines=True)
    stopped = any(check.verdict == "stop" for check in found)
    if st.button(
        "Ask more", type="primary", icon=":material/play_arrow:", key=f"extend_start_{run.id}", disabled=stopped
    ):
        st.session_state[state.RUN_WANTED] = launch(arguments).id
        st.rerun()


# Tags and note


def show_tags_and_note(run: Run, known_tags: list[str]) -> None:
    """Edited in place: what is typed is kept at once."""
    left, right = st.columns(2, gap="large")
    tags_key, note_key = f"tags_{run.id}", f"note_{run.id}"
    if tags_key not in st.session_state:
        st.session_state[tags_key] = list(run.tags)
    if note_key not in st.session_state:
        st.session_state[note_key] = run.note
    with left:
        st.multiselect(
            "Tags",
            sorted({*known_tags, *run.tags, *st.session_state[tags_key]}),
            key=tags_key,
            accept_new_options=True,
            placeholder="none",
            help=TAG_HELP,
            on_change=_keep,
            args=(set_tags, run, tags_key),
        )
    with right:
        st.text_input(
            "Note",
            key=note_key,
            placeholder="what to remember of this run",
            max_chars=LONGEST_NOTE,
            on_change=_keep,
            args=(set_note, run, note_key),
        )


def _keep(write, run: Run, key: str) -> None:
    act(write, run, st.session_state[key])
    del st.session_state[key]  # drawn again from what was kept


# Deleted


def show_undo() -> None:
    """Right after a deletion: the way back."""
    deleted = st.session_state[state.RUN_DELETED]
    if deleted is None:
        return
    found = next((entry for entry in history(deleted=True) if entry.id == deleted), None)
    if found is None:
        st.session_state[state.RUN_DELETED] = None
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.info(plain(f"{found.name} was deleted."), icon=":material/delete:", width=520)
        st.button("Undo", icon=":material/undo:", key="undo_delete", on_click=act, args=(_undelete, deleted))


def show_deleted() -> None:
    """All that was deleted, each with the way back; read only once it is opened."""
    opened = st.expander("Deleted", icon=":material/delete:", key="deleted_runs", on_change="rerun")
    if not opened.open:
        return
    with opened:
        entries = history(deleted=True)
        if not entries:
            st.html('<p class="pr-note">Nothing was deleted. What is deleted comes here, and can be brought back.</p>')
            return
        rows = [(Html(f"<b>{escaped(entry.name)}</b>"), entry.state, moment(entry.began)) for entry in entries[:50]]
        table(["Run", "State", "Began"], rows)
        names = distinct({entry.id: f"{entry.name}, {moment(entry.began)}" for entry in entries})
        with st.container(horizontal=True, vertical_alignment="bottom"):
            chosen = st.selectbox("Deleted run", list(names), format_func=names.get, key="deleted_run", width=420)
            st.button("Bring back", icon=":material/undo:", key="undelete", on_click=act, args=(_undelete, chosen))
