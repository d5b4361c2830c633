"""The switches that score stored guesses anew: what is clipped, what a no-answer counts as, which point is read."""

import streamlit as st

from pages.shared.widgets import plain
from pricer.evaluation.scoring import Scoring, Thresholds
from pricer.runs.store import Run

POINTS = {
    "as guessed": "as guessed",
    "median": "median",
    "mean": "mean",
    "mode": "mode",
    "top 3": "top 3",
    "quantile": "quantile",
}
NO_ANSWERS = {"train median": "as the train median", "left out": "left out"}
_DEFAULT = Scoring()


def choose_scoring(runs: list[Run]) -> Scoring:
    """The rules by which all of the page is computed; the leaderboard's own, unless a switch says otherwise."""
    with st.popover("Scoring", icon=":material/tune:", key="scoring"):
        clipped = st.toggle(
            "Clip guesses to $1 to $999",
            value=True,
            key="compare_clipped",
            persist_state="session",
            help="A single wild guess otherwise decides the mean of hundreds.",
        )
        no_answer = st.segmented_control(
            "No-answers count",
            NO_ANSWERS,
            default="train median",
            required=True,
            format_func=NO_ANSWERS.get,
            key="compare_no_answer",
            persist_state="session",
            help="Left out, a model that refuses what is hard looks better than it is.",
        )
        point, quantile = _choose_point(runs)
        thresholds = _choose_thresholds()
    return Scoring(thresholds, clipped, no_answer, point, quantile)


def tell_scoring(scoring: Scoring, applies: bool) -> None:
    """Say above the figures that they are not the leaderboard's own, or that they are all the same."""
    if not scoring.is_default and not applies:
        st.info("This section goes by the leaderboard's own rules, whatever Scoring says.", icon=":material/tune:")
    elif not scoring.is_default:
        st.warning(plain(f"Not the leaderboard's own rules: {scoring.in_words()}."), icon=":material/tune:")


def _choose_point(runs: list[Run]) -> tuple[str, float]:
    if not any(run.distribution() is not None for run in runs):
        return "as guessed", _DEFAULT.quantile
    point = st.segmented_control(
        "Read off distributions",
        POINTS,
        default="as guessed",
        required=True,
        format_func=POINTS.get,
        key="compare_point",
        persist_state="session",
        help="The median errs least in dollars on average; the mode is the likeliest dollar; a quantile guesses low or "
        "high on purpose; top 3 is the mean of the three likeliest dollars, weighed by their chances.",
    )
    if point != "quantile":
        return point, _DEFAULT.quantile
    share = st.slider("Quantile", 5, 95, 50, 5, format="%d%%", key="compare_quantile", persist_state="session")
    return point, share / 100


def _choose_thresholds() -> Thresholds:
    """Four numbers, the notebook's at first: dollars, or per cent of the price."""
    usual, chosen = _DEFAULT.thresholds, {}
    left, right = st.columns(2)
    for column, colour in ((left, "good"), (right, "fair")):
        dollars, share = getattr(usual, f"{colour}_dollars"), getattr(usual, f"{colour}_share")
        with column:
            chosen[f"{colour}_dollars"] = st.number_input(
                f"{colour.capitalize()}: under $", 0.0, 999.0, float(dollars), 5.0, "%.0f",
                key=f"compare_{colour}_dollars", persist_state="session",
            )  # fmt: skip
            chosen[f"{colour}_share"] = st.number_input(
                "or under % off", 0.0, 1000.0, 100.0 * share, 5.0, "%.0f",
                key=f"compare_{colour}_share", persist_state="session",
            ) / 100  # fmt: skip
    return Thresholds(**chosen)
