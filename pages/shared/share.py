"""What Compare shows as one file to send."""

import streamlit as st

from pricer.evaluation.scoring import Scoring
from pricer.report.comparison import comparison_report, file_name
from pricer.runs.store import Run


def show_share(runs: list[Run], reading: str, scoring: Scoring) -> None:
    """The button that writes the file, once it is clicked."""
    st.download_button(
        "Share as one HTML file",
        lambda: comparison_report(runs, reading, scoring),
        file_name(runs, reading),
        "text/html",
        key="share",
        icon=":material/ios_share:",
        on_click="ignore",
        help="Opens without a server, light and dark, and prints. It holds names of runs, hashes, guesses, and titles "
        "of exam items; no key and no path.",
    )
