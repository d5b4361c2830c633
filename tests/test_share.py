"""Sharing: one file that opens anywhere, holds what Compare says and nothing of this machine, and acts on nothing."""

import base64
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest
from playwright.sync_api import Page
from streamlit.testing.v1 import AppTest

from pricer.__main__ import main
from pricer.errors import PricerError
from pricer.evaluation.leaderboard import leaderboard
from pricer.evaluation.scoring import Scoring
from pricer.figures.formats import dollars
from pricer.report.comparison import comparison_report
from pricer.report.page import Charts, document, element, table
from pricer.runs.store import Run, list_runs

NAVIGATION = Path(__file__).parent.parent / "pages" / "navigation.py"
NASTY = ["<script>alert(1)</script>", "=HYPERLINK(1)", '"><img src=x onerror=alert(1)>', "</script><b>x"]


@pytest.fixture
def runs(home: Path, trained_home: Path) -> list[Run]:
    shutil.copytree(trained_home, home)
    return list_runs()


@pytest.fixture
def nasty(runs: list[Run]) -> list[Run]:
    """The same runs, where every title of the exam is mark-up or a formula."""
    exam = runs[0].dataset().folder / "exam.parquet"
    rows = pl.read_parquet(exam)
    rows.with_columns(title=pl.Series([NASTY[place % len(NASTY)] for place in range(len(rows))])).write_parquet(exam)
    return runs


class Elements(HTMLParser):
    def __init__(self, text: str):
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.words.append(data)


def own(text: str) -> str:
    """The report without the library that draws it."""
    parts = re.split(r"<script>", text)
    assert len(parts) == 3  # what comes before, Plotly, and a few lines of ours
    return parts[0] + parts[2]


def test_the_file_says_what_compare_says(runs):
    text = own(comparison_report(runs))
    for row in leaderboard([run.graded() for run in runs]).iter_rows(named=True):
        assert row["name"] in text and dollars(row["error"]) in text
    assert runs[0].manifest.exam_hash in text and runs[0].manifest.catalogue_hash in text
    assert '<span class="badge">generated</span>' in text and "How to read this" in text


def test_the_file_names_nothing_of_this_machine(runs, home):
    text = own(comparison_report(runs))
    for secret in (str(home), str(Path.home()), str(Path(__file__).parents[1]), runs[0].manifest.job_id or "no job"):
        assert secret == "/" or secret not in text
    assert not re.search(r"(?:src|href)=\"(?!data:)", text) and "http" not in text.replace("http-equiv", "")


def test_titles_of_products_act_on_nothing(nasty):
    text = own(comparison_report(nasty))
    found = Elements(text)
    assert set(found.tags).isdisjoint({"img", "iframe", "object"}) and found.tags.count("script") == 1
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert any("<script>alert(1)</script>" in words for words in found.words)  # written out, not run
    held = re.search(r'<script type="application/json" id="charts">(.*?)</script>', text, re.S).group(1)
    assert not set("<>&") & set(held) and len(json.loads(held)) == 6


def test_files_that_the_page_holds_are_safe_for_a_spreadsheet(runs):
    renamed = Run(runs[0].manifest.model_copy(update={"name": "=1+1"}))
    text = own(comparison_report([renamed, *runs[1:]]))
    files = [base64.b64decode(part).decode() for part in re.findall(r"base64,([^\"]+)\"", text)]
    assert len(files) == 5 and any("'=1+1" in file for file in files)
    assert not any(re.search(r"(^|,)=1", file, re.M) for file in files)


def test_runs_of_one_name_are_told_apart(runs):
    alike = [Run(run.manifest.model_copy(update={"name": "mine"})) for run in runs]
    text = own(comparison_report(alike))
    assert all(text.count(f"<b>mine, {run.id[-4:]}</b>") == 2 for run in runs)


def test_other_scoring_is_told(runs):
    text = comparison_report(runs, "balanced", Scoring(clipped=False))
    assert "guesses not clipped" in text and "balanced exam" in text


def test_one_run_and_no_run(runs):
    assert "which model prices best" in comparison_report(runs[:1])
    with pytest.raises(PricerError, match="no run to share"):
        comparison_report([])


def test_an_own_exam_says_that_it_may_leak(runs):
    assert main(["sample", "demo", "--dataset", "own", "--split", "naive"]) == 0
    assert main(["train", "mean", "--dataset", "own"]) == 0
    assert "own exam, may leak" in comparison_report(list_runs()[:1])
    with pytest.raises(PricerError, match="different exams"):
        comparison_report(list_runs())


def test_pieces_escape_what_they_hold():
    row = table(["<a>"], [["<b>"]])
    assert "&lt;a&gt;" in row and "<b>" not in row
    assert "<title>&lt;i&gt;</title>" in document("<i>", Charts(), [])
    assert element("p", '"', title='"') == '<p title="&quot;">&quot;</p>'


def test_the_verb_writes_the_file(runs, tmp_path, capsys):
    out = tmp_path / "report.html"
    assert main(["share", "--out", str(out), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["bytes"] == out.stat().st_size and len(said["runs"]) == 3
    assert main(["share", "--out", str(tmp_path / "none" / "report.html")]) == 2


def test_compare_offers_the_file(runs):
    app = AppTest.from_file(str(NAVIGATION), default_timeout=60).run()
    app.switch_page("results/compare.py").run()
    assert not app.exception and "Share as one HTML file" in [each.proto.label for each in app.get("download_button")]


@pytest.mark.browser
def test_it_opens_without_a_server_in_both_looks_and_runs_no_title(nasty, tmp_path, page: Page):
    out = tmp_path / "report.html"
    out.write_text(comparison_report(nasty), encoding="utf-8")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: pytest.fail("a title was run"))
    for look in ("light", "dark"):
        page.emulate_media(color_scheme=look)
        page.goto(out.as_uri())
        page.locator(".plot svg").first.wait_for()
        assert page.locator(".plot:has(svg)").count() == 6
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    paper = page.evaluate("document.querySelector('.plot svg text').style.fill")
    assert paper not in ("", "rgb(232, 239, 241)")  # dark ink, for paper
    assert not [url for url in asked if not url.startswith(("file:", "data:", "blob:"))]
