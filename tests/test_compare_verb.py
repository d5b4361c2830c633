"""The verb compare tells the figures that the library computes, and takes the page's switches."""

import json
import shutil
from pathlib import Path

import pytest

from pricer.__main__ import main
from pricer.evaluation.errors import metrics
from pricer.evaluation.leaderboard import leaderboard
from pricer.evaluation.matrix import paired_matrix
from pricer.evaluation.scoring import Scoring, scored
from pricer.evaluation.slices import BAND_NAMES, by_part
from pricer.figures.formats import percent
from pricer.runs.store import list_runs
from pricer.verbs.compare import FIGURES


@pytest.fixture
def graded(home: Path, trained_home: Path) -> list:
    shutil.copytree(trained_home, home)
    return [run.graded() for run in list_runs()]


@pytest.fixture
def told(graded, capsys):
    def tell(*options: str) -> dict:
        assert main(["compare", *options, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return tell


def test_it_tells_the_leaderboard(graded, told):
    for reading in ("natural", "balanced"):
        assert told("--exam", reading)["leaderboard"] == leaderboard(graded, reading).to_dicts()


@pytest.mark.parametrize("metric", FIGURES)
def test_any_figure_can_sort_it(graded, told, capsys, metric):
    column = metric.replace("-", "_")
    rows = told("--metric", metric)["leaderboard"]
    values = [FIGURES[metric][1](row[column]) for row in rows]
    assert values == sorted(values)
    assert main(["compare", "--metric", metric]) == 0
    assert FIGURES[metric][0](rows[0][column]) in capsys.readouterr().out


def test_errors_by_band_and_category_are_those_of_the_page(graded, told, capsys):
    run = graded[0]
    for by in ("band", "category"):
        parts = [part for part in told("--by", by)["parts"] if part["run"] == run.id]
        expected = by_part(scored(run.table.filter(run.table["natural_rank"].is_not_null()), run.train_median), by)
        assert [part["error"] for part in parts] == pytest.approx(expected["error"].to_list())
    hits = [percent(part["hits"]) for part in told("--by", "band", "--metric", "hits")["parts"]]
    assert main(["compare", "--by", "band", "--metric", "hits"]) == 0
    out = capsys.readouterr().out
    assert BAND_NAMES[2] in out and all(share in out for share in hits)


def test_every_two_runs_are_compared_on_the_first_of_the_exam(graded, told, capsys):
    expected = paired_matrix(graded, k=40).pairs
    pairs = told("--paired", "--ask", "40")["pairs"]
    assert {(pair["run"], pair["other"]): pair["difference"] for pair in pairs} == {
        names: pair.difference for names, pair in expected.items()
    }
    assert all(pair["items"] == 40 for pair in pairs)
    joint = told("--paired", "--joint")["pairs"]
    alone = told("--paired")["pairs"]
    assert joint[0]["high"] - joint[0]["low"] > alone[0]["high"] - alone[0]["low"]
    assert main(["compare", "--paired"]) == 0
    assert " against " in capsys.readouterr().out


def test_the_switches_score_stored_guesses_anew(graded, told, capsys):
    scoring = Scoring(clipped=False, no_answer="left out", point="quantile", quantile=0.25)
    switches = ("--unclipped", "--answers-only", "--point", "0.25")
    by_id = {run.id: run for run in graded}
    for row in told(*switches)["leaderboard"]:
        run = by_id[row["run"]]
        assert row["error"] == metrics(run.table, run.train_median, scoring=scoring).error
    assert told(*switches)["scoring"] == scoring.in_words()
    assert main(["compare", *switches]) == 0
    assert "guesses not clipped" in capsys.readouterr().out


@pytest.mark.parametrize("point", ["middle", "1.5"])
def test_a_point_that_is_none_is_refused(graded, capsys, point):
    assert main(["compare", "--point", point]) == 2
    assert "quantile" in capsys.readouterr().err
