"""What Train shows of an open-weight base: its memory in three precisions, how it writes prices, and one item whole."""

from collections.abc import Mapping

import numpy as np
import psutil
import streamlit as st

from pages.shared import state
from pages.shared.jobs import command_of, find_job, follow_job, is_busy, start_now
from pages.shared.kinds.tiny import TINY_LLAMA, offer_tiny
from pages.shared.look import look
from pages.shared.widgets import Html, chart, chart_head, escaped, key_figures, table
from pricer.curation.dataset import Dataset
from pricer.evaluation.ranges import USUAL_LEVEL, distribution_ranges, read_point
from pricer.figures.distribution import distribution_chart, distribution_finding
from pricer.figures.formats import NOT_MEASURED, count, dollars, percent, size, whole_dollars
from pricer.llm.local.bases import TINY, Base, known_base
from pricer.llm.local.memory import PRECISION_WORDS, footprints, has_card, needed_bytes
from pricer.models import Value
from pricer.models.registry import find_kind
from pricer.runs.training import Order

VERB = "base"
USUAL_COMPUTE = "bfloat16"  # of what is not quantised, on cards of today


def show_base(dataset: Dataset, order: Order) -> None:
    """Draw the panel for the base that an order names; what loads or asks it is a job that a button starts."""
    chosen = find_kind(order.model).check_settings(order.settings)
    find_job(state.BASE_JOB, (VERB, TINY_LLAMA))
    known = known_base(str(chosen["base"]), str(chosen["revision"]))
    with st.container(gap="small"):
        if known is None and chosen["base"] == TINY:
            offer_tiny(state.BASE_JOB)
            return
        chart_head("The base model", _words(known, str(chosen["base"])))
        memory = st.container()
        _offer_look(chosen, order.dataset, known)
        job = follow_job(state.BASE_JOB)
        found = job.result if job and job.arguments[0] == VERB and job.result["base"] == chosen["base"] else None
        with memory:
            if known:
                _show_memory(known, found)
        if found and "item" in found:
            _show_item(found)


def _words(known: Base | None, place: str) -> str:
    if known is None:
        return f"{place} was not looked at yet: what it takes is told before anything is downloaded."
    million = f"{known.shape.parameters / 1e6:,.1f} million weights"
    return f"{known.title}, {million}, revision {known.revision[:12]}, reads {count(known.shape.reads)} tokens."


def _show_memory(known: Base, found: Mapping | None) -> None:
    """What the weights take by arithmetic and as measured, and what fits: where it would run, once it was looked at."""
    if found:
        estimates, free = found["estimated_bytes"], found["free_bytes"]
    else:
        estimates, free = (
            footprints(known.shape, USUAL_COMPUTE),
            None if has_card() else psutil.virtual_memory().available,
        )
    measured = found["measured_bytes"] if found else {}
    rows = []
    for precision, estimated in estimates.items():
        fits = NOT_MEASURED if free is None else "yes" if needed_bytes(estimated) <= free else "no"
        fits = "no" if found and precision in found.get("refused", ()) else fits
        seen = size(measured[precision]) if precision in measured else NOT_MEASURED
        rows.append((PRECISION_WORDS[precision].capitalize(), size(estimated), seen, fits))
    place = "Fits, once looked at" if free is None else f"Fits into {size(free)}"
    table(["Weights held", "By its configuration", "Measured", place], rows, right=(1, 2))
    if not found:
        st.caption(f"What is not quantised counts as {USUAL_COMPUTE}; where the machine has none, a look says more.")


def _offer_look(chosen: Mapping[str, Value], dataset: str, known: Base | None) -> None:
    of_base = [VERB, str(chosen["base"])]
    if chosen["revision"]:
        of_base.append(f"--revision={chosen['revision']}")
    whole = [*of_base, f"--precision={chosen['precision']}", f"--device={chosen['device']}"]
    whole += [f"--prompt={chosen['prompt']}", "--measure", f"--dataset={dataset}"]
    arguments, label = (whole, "Measure and try one item") if known and known.folder else (of_base, "Look at it")
    busy = is_busy(state.BASE_JOB)
    if st.button(label, icon=":material/search:", key="look_at_base", disabled=busy, help=command_of(arguments)):
        start_now(state.BASE_JOB, arguments)


def _show_item(found: Mapping) -> None:
    item, chances = found["item"], np.array(found["item"]["chances"])
    ranges = distribution_ranges(chances[None], USUAL_LEVEL)
    low, high = float(ranges.low[0]), float(ranges.high[0])
    guess = float(read_point(chances[None], "quantile")[0])
    read = item["read"]
    written = "no price" if read["price"] is None else dollars(read["price"])
    chart_head("One item", f"The first of the exam, {PRECISION_WORDS[found['precision']]}, on {found['device']}.")
    key_figures(
        [
            (
                "Median",
                whole_dollars(guess),
                f"its price: {dollars(item['price'])}" if item["price"] else "of one pass",
            ),
            ("Written", written, read["why"] or "read from its own words"),
            ("On prices", percent(item["on_prices"]), "of the chance of the next token"),
        ]
    )
    chart(
        distribution_chart(chances, (low, high), guess, look()),
        distribution_finding("the base", low, high, USUAL_LEVEL),
        alt=f"Distribution of the price of one item, {whole_dollars(low)} to {whole_dollars(high)}.",
        key="chart_base",
        note="how likely it thinks each whole dollar",
        image="distribution of one item",
    )
    single = "one token" if item["single_token_prices"] else "several tokens, read by their digits"
    chart_head("Tokens around the price", f"Each price is {single}. A dot is a space, ⏎ the end of a line.")
    rows = [("end of the prompt", _tokens(item["around"])), ("what it wrote", _tokens(item["written"]))]
    rows += [(name, _tokens(tokens)) for name, tokens in item["examples"].items()]
    table(["Text", "Tokens"], rows)
    with st.expander("Prompt and raw answer"):
        st.code(f"{item['prompt']}{item['raw']}", language=None, wrap_lines=True)


def _tokens(tokens: list[Mapping]) -> Html:
    return Html(" | ".join(f"<code>{escaped(token['text'])}</code>" for token in tokens))
