"""The ladder: its orders and its stack, what each step bought, its verb and its part of Compare."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pricer.__main__ import main
from pricer.curation.dataset import Dataset, open_dataset
from pricer.errors import PricerError
from pricer.evaluation.effects import steps
from pricer.figures.ladder import ladder_chart, ladder_finding, ladder_note
from pricer.models.registry import STACK
from pricer.runs import jobs
from pricer.runs.experiments import launch_missing, read_parts
from pricer.runs.experiments_ladder import RUNGS, ladder_orders
from pricer.runs.store import list_runs
from tests.grading import graded, graded_run

QUICK = ("mean", "features", "bag-of-words", STACK.name)


@pytest.fixture
def even(home: Path, trained_home: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """The dataset even with runs of mean, bag-of-words and tfidf-ridge; what is launched stays queued."""
    shutil.copytree(trained_home, home)
    monkeypatch.setattr("pricer.runs.launch.ensure_worker", lambda: None)
    return open_dataset("even")


def states(even: Dataset, rungs=QUICK) -> list[str]:
    return [part.state for part in read_parts(ladder_orders(even, rungs))]


def three_rungs() -> list:
    """Errors of $20, $12 and about $12 on the same items."""
    price = np.linspace(30, 400, 300)
    noise = np.random.default_rng(0).normal(0, 3, 300)
    errors = {"Mean": np.full(300, 20.0), "Words": np.full(300, 12.0), "Trees": 12 + noise}
    return [(name, graded_run(graded(price, price + error), name)) for name, error in errors.items()]


def test_a_step_is_the_paired_difference_to_the_rung_before():
    found = steps(three_rungs())
    assert found["difference"][0] is None and found["verdict"].to_list() == [None, "better", "tie"]
    assert found["difference"][1] == pytest.approx(-8) and found["error"].to_list()[:2] == pytest.approx([20, 12])
    assert ladder_finding(found) == "The step to Words buys most, $8.00; one step is a tie"
    assert "for the tie of Trees about" in ladder_note(found, "300 items")


def test_a_ladder_that_leads_nowhere_says_so():
    found = steps([(name, run) for name, run in reversed(three_rungs()[:2])])
    assert ladder_finding(found) == "No step buys anything; one step makes it worse"


def test_the_chart_makes_names_safe():
    names = ("<b>a</b>", "<script>")
    figure = ladder_chart(steps(list(zip(names, [run for _, run in three_rungs()[:2]], strict=True))), "dark").to_json()
    assert "<script>" not in figure and "<b>a" not in figure


def test_the_stack_weighs_every_rung_that_reads_by_id_or_by_name(even):
    by_model = {run.manifest.model: run.id for run in list_runs()}
    *_, (_, stack, _) = ladder_orders(even, QUICK)
    assert set(stack.of) == {by_model["bag-of-words"], "features on even"}
    assert [order.model for _, order, _ in ladder_orders(even)] == list(RUNGS)


def test_one_click_launches_all_and_the_stack_is_found_when_it_is_done(even):
    launched = launch_missing(read_parts(ladder_orders(even, QUICK)))
    assert [job.arguments[1] for job in launched] == ["features", "stack"]
    assert states(even) == ["done", "queued", "done", "queued"]
    jobs.cancel_job(launched[0].id)
    assert main(list(launched[0].arguments)) == 0
    assert states(even) == ["done", "done", "done", "queued"]  # its job still names the run that now has an id
    jobs.cancel_job(launched[1].id)
    assert main(list(launched[1].arguments)) == 0
    assert states(even) == ["done"] * 4


def test_a_stack_of_other_runs_is_not_taken(even):
    assert main(["train", "stack", "--dataset", "even", "--of", "mean on even", "--of", "bag-of-words on even"]) == 0
    assert states(even)[-1] == "missing"


def test_a_rung_that_failed_can_be_left_out(even):
    for job in launch_missing(read_parts(ladder_orders(even, QUICK))):
        mine = jobs.claim("worker")
        assert mine.id == job.id and jobs.finish(mine, "failed", "no memory")
    assert states(even) == ["done", "failed", "done", "failed"]
    rest = ("mean", "bag-of-words", "tfidf-ridge", STACK.name)
    assert states(even, rest) == ["done", "done", "done", "missing"]


def test_a_stack_needs_two_rungs_and_an_exam_that_does_not_leak(even):
    with pytest.raises(PricerError, match="at least two rungs"):
        ladder_orders(even, ("mean", "features", STACK.name))
    assert main(["sample", "demo", "--dataset", "own", "--split", "naive"]) == 0
    with pytest.raises(PricerError, match="may leak"):
        ladder_orders(open_dataset("own"))


def test_the_verb_climbs(even, capsys):
    assert main(["ladder", "--dataset", "even", "--without", "nothing"]) == 2
    without = [f"--without={rung}" for rung in RUNGS if rung not in QUICK]
    capsys.readouterr()
    assert main(["ladder", "--dataset", "even", *without, "--launch", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert len(said["launched"]) == 2 and [row["rung"] for row in said["steps"]] == ["mean", "bag-of-words"]
    assert main(["ladder", "--dataset", "even", *without]) == 0
    out = capsys.readouterr().out
    assert "ladder on even, natural exam" in out and "bag-of-words" in out.splitlines()[-1]


def test_the_page_climbs_and_shows_each_step(even):
    def script(exam_hash: str) -> None:
        from pages.shared import experiments, state

        state.start()
        experiments.show(exam_hash, "natural")

    app = AppTest.from_function(script, default_timeout=60, args=(even.manifest.exam_hash,))
    app.session_state["experiment"] = "ladder"
    app.run()
    app.button_group(key="ladder_rungs").set_value(list(QUICK)).run()
    assert not app.exception
    standing = [(part.label, part.run.graded()) for part in read_parts(ladder_orders(even, QUICK)) if part.run]
    words = "\n".join(element.proto.body for element in app.get("html"))
    assert ladder_finding(steps(standing)) in words and "missing" in words
    app.button(key="ladder_start").click().run()
    assert not app.exception and len(jobs.list_jobs("queued")) == 2
    [mine] = [jobs.claim("worker")]
    jobs.finish(mine, "failed", "no memory")
    app.run()
    assert "no memory" in app.error[0].value and "features" in app.info[0].value
