"""What docs/metrics.md says is true, complete, and can be read in the app without a network."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pricer.evaluation.errors import Metrics, metrics
from pricer.figures.formats import dollars, percent
from tests.grading import graded

ROOT = Path(__file__).parents[1]
DOCS = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
HEADINGS = re.findall(r"^## (.+)$", DOCS, re.MULTILINE)
FIELDS = {
    "Error": ("error", dollars),
    "Error on answers alone": ("error_answered", dollars),
    "Share answered": ("share_answered", percent),
    "Within 20%": ("within_20", percent),
    "Hits": ("hits", percent),
    "Median error": ("median_error", dollars),
    "Bias": ("bias", dollars),
    "MAPE": ("mape", percent),
    "RMSLE": ("rmsle", "{:.2f}".format),
    "RMSE": ("rmse", dollars),
    "R²": ("r2", "{:.2f}".format),
}
TOLD_WITH_OTHERS = {"items", "bands", "error_low", "error_high", "fair", "poor"}


def rows(head: str) -> list[list[str]]:
    """The rows of the table that begins with this line."""
    lines = DOCS.split(head + "\n")[1].split("\n\n")[0].splitlines()[1:]
    return [[cell.strip().replace("\\$", "$") for cell in line.strip("|").split("|")] for line in lines]


def test_every_figure_has_a_section():
    assert {name for name, _ in FIELDS.values()} | TOLD_WITH_OTHERS == {field.name for field in fields(Metrics)}
    assert set(FIELDS) <= set(HEADINGS)


def test_the_worked_example_is_what_the_library_computes():
    items = rows("| price | guess |")
    guesses = [None if guess == "no answer" else float(guess) for _, guess in items]
    table = graded([float(price) for price, _ in items], guesses)
    natural, balanced = (metrics(table, 40.0, reading) for reading in ("natural", "balanced"))
    expected = {
        name: [write(getattr(natural, field)), write(getattr(balanced, field))]
        for name, (field, write) in FIELDS.items()
    }
    assert {name: said for name, *said in rows("| figure | natural | balanced |")} == expected


def test_the_page_shows_every_section():
    app = AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=60).run()
    app.switch_page("results/metrics.py").run()
    assert not app.exception
    assert [header.value for header in app.header] == HEADINGS


@pytest.mark.parametrize(
    "place", ["home.py", "models/train.py", "models/runs.py", "results/compare.py", "results/predict.py"]
)
def test_every_page_with_figures_of_runs_leads_to_their_formulas(place, home):
    app = AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=60).run()
    app.switch_page(place).run()
    assert any(link.proto.label.startswith("Formulas and sources") for link in app.get("page_link"))
