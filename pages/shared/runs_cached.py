"""What the page Runs keeps between looks. A run's guesses never change, so neither does what is computed from them."""

from collections.abc import Sequence

import streamlit as st

from pricer.runs.store import Run, errors_of

MOST_ERRORS = 20_000  # a number each


@st.cache_resource(max_entries=1, show_spinner=False)
def _known() -> dict[str, float | None]:
    """The errors of the runs that anyone has looked at, by run id."""
    return {}


def run_errors(runs: Sequence[Run]) -> dict[str, float | None]:
    """The error of each run by its id, computed for those that nobody has looked at yet."""
    known = _known()
    new = [run for run in runs if run.id not in known]
    if len(known) + len(new) > MOST_ERRORS:
        known.clear()
        new = list(runs)
    known.update(errors_of(new))
    return {run.id: known[run.id] for run in runs}
