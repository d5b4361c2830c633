"""Tune: fine-tune a model at a host, watch it, and see it beside its base."""

import streamlit as st

from pages.shared import shelf, state
from pages.shared.jobs import find_job, follow_job, is_news, show_done
from pages.shared.tuning.before import show_before, show_closing
from pages.shared.tuning.form import choose_order, choose_provider
from pages.shared.tuning.listing import show_tunings
from pages.shared.widgets import page_head, plain
from pricer.curation.dataset import list_datasets
from pricer.errors import PricerError
from pricer.llm.providers import Provider, find_provider

EXPLANATION = """
A **host** trains a copy of one of its models on rows of a dataset: each row is a question with the product's text, and
the price as its answer. Pricer builds both files, checks every line, uploads them, and creates **one** job.

**Never two paid jobs**: what is wished is written down before the one request that creates the job, and that request is
never repeated. Where its answer is lost, the host's list is searched for our mark; where that shows nothing, a person
is asked. The same wish, started again, gives the tuning that there is.

**Price**: tokens to train on (by Llama 3's tokenizer, some percent off the host's own count), times epochs, times the
host's price. It is held by the cap for a run before anything is sent.

**Loss** is what training makes less; the host tells it after each step. Whether the tuned model guesses better is
another question: it and its base are asked the same first part of the exam.
"""


def show_job() -> None:
    """Follow the tuning that was started last."""
    find_job(state.TUNE_JOB, ("tune",))
    job = follow_job(state.TUNE_JOB)
    if job is None:
        return
    if is_news(job) and job.result.get("id"):
        st.session_state["tuning_shown"] = job.result["id"]
    words = f"{job.result.get('tuned_model') or job.result['base_model']}: {job.result['state']}."
    show_done(state.TUNE_JOB, plain(words))
    if refused := job.result.get("not_graded"):
        st.warning(plain(f"Not graded yet: {refused}"), icon=":material/warning:")


def has_address(provider: Provider) -> bool:
    """Whether a host has an address; where it has none, how to give it one is on the page."""
    try:
        find_provider(provider.name)
    except PricerError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return False
    return True


page_head("Tune", "Fine-tune a model at a host, and see it beside its base.", EXPLANATION)
left, right = st.columns([1, 1.45], gap="large")
with left:
    dataset = shelf.choose_dataset(
        list_datasets(), "A model is tuned on a dataset, which Curate makes from a catalogue."
    )
if dataset:
    with left:
        provider = choose_provider()
        order = choose_order(provider, dataset)
    with right:
        show_closing(provider)
        show_job()
        if order and has_address(provider):
            show_before(order, dataset, provider)
show_tunings()
