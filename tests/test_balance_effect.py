"""The effect of balance: errors by slice, the orders of the experiment, its verb, and its part of Compare."""

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import psutil
import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.widgets import spreadsheet_csv
from pricer.__main__ import main
from pricer.curation.dataset import Dataset, open_dataset
from pricer.errors import PricerError
from pricer.evaluation.effects import effect, slices
from pricer.figures.effect import effect_chart, effect_finding, effect_table, where_finding
from pricer.runs import jobs
from pricer.runs.experiments import launch_missing, missing, read_parts
from pricer.runs.experiments_balance import balance_orders, sharing_an_exam
from pricer.runs.orders import order_arguments
from pricer.runs.store import list_runs
from tests.grading import graded, graded_run

NAVIGATION = Path(__file__).parent.parent / "pages" / "navigation.py"
RNG = np.random.default_rng(1)


@pytest.fixture
def datasets(home: Path, trained_home: Path) -> list[Dataset]:
    """The datasets whole and even of the demo, and three runs on even."""
    shutil.copytree(trained_home, home)
    assert main(["sample", "demo", "--dataset", "whole", "--cutoff", "1"]) == 0
    return [open_dataset("whole"), open_dataset("even")]


@pytest.fixture
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is launched stays queued."""
    monkeypatch.setattr("pricer.runs.launch.ensure_worker", lambda: None)


def two_runs(items: int = 400):
    """A reference, and a run that errs $4 more below $10, $20 less from $200, and elsewhere differs by noise."""
    price = np.tile([5.0, 30.0, 300.0, 800.0], items // 4)
    shift = np.select([price < 10, price > 200], [4.0, -20.0], 0.0)
    noise = RNG.uniform(-1, 1, items) * np.where(shift == 0, 6, 1)
    category = np.where(np.arange(items) % 3 == 0, "Tools", "Toys")
    reference = graded(price, price + 40, category=category)
    other = graded(price, price + 40 + shift + noise, category=category)
    return graded_run(reference, "whole"), graded_run(other, "even")


def test_slices_tell_where_a_run_is_better_worse_and_tied():
    found = slices(*two_runs(), "band")
    assert found["slice"].to_list() == ["$0 to $10", "$20 to $50", "$200 to $400", "$700 to $1,000"]
    assert found["verdict"].to_list() == ["worse", "tie", "better", "better"]
    assert found["difference"][0] == pytest.approx(4, abs=0.3) and found["error_reference"][0] == pytest.approx(40)
    assert (found["error"] - found["error_reference"] - found["difference"]).abs().max() < 1e-9


def test_intervals_of_many_slices_hold_together():
    """Runs that differ by noise alone in twenty categories: no slice may stand out in more than 1 of 20 comparisons."""
    stood_out = 0
    for trial in range(40):
        rng = np.random.default_rng(trial)
        price, category = np.full(600, 50.0), [f"c{place % 12:02}" for place in range(600)]
        tables = [graded(price, 60 + rng.normal(0, 5, 600), category=category) for _ in range(2)]
        found = slices(graded_run(tables[0], "a"), graded_run(tables[1], "b"), "category")
        stood_out += found.filter(pl.col("verdict") != "tie").height > 0
    assert stood_out <= 5


def test_small_categories_are_taken_together():
    category = [f"c{min(place // 10, 19):02}" for place in range(200)]
    table = graded(np.full(200, 50.0), np.full(200, 60.0), category=category)
    found = slices(graded_run(table, "a"), graded_run(table, "b"), "category")
    assert len(found) == 12 and found["slice"][-1] == "others" and found["items"].sum() == 200


def test_the_balanced_reading_weighs_every_band_of_a_category_the_same():
    price = np.array([5.0] * 30 + [800.0] * 10)
    reference = graded_run(graded(price, price + 10), "a")
    other = graded_run(graded(price, price + np.where(price > 100, 20, 10)), "b")
    [row] = slices(reference, other, "category", "balanced").to_dicts()
    assert (row["error_reference"], row["error"], row["difference"]) == (10, 15, 5)


def test_two_exams_are_not_set_side_by_side():
    one, two = two_runs()
    with pytest.raises(PricerError, match="different exams"):
        effect(one, graded_run(two.table, "even", exam="f" * 64))


@pytest.mark.parametrize(
    ("natural", "balanced", "words"),
    [
        ((1.2, False), (-9.1, False), "even buys $9.10 on the balanced exam and costs $1.20 on the natural one"),
        ((0.1, True), (0.2, True), "even and whole are tied, on the natural exam and on the balanced one"),
        ((-2.0, False), (-3.0, False), "even buys $2.00 on the natural exam and $3.00 on the balanced one"),
        ((2.0, False), (3.0, True), "even costs $2.00 on the natural exam; on the balanced one it is tied with whole"),
        ((None, True), (None, True), "No item that both were asked"),
    ],
)
def test_the_finding_says_what_balance_bought_and_cost(natural, balanced, words):
    assert effect_finding("whole", "even", natural, balanced) == words


def test_chart_and_file_hold_every_slice_with_names_made_safe():
    price = np.full(40, 50.0)
    category = ["=cmd()", "<b>bold</b>"] * 20
    table = graded(price, price + 5, category=category)
    found = slices(graded_run(table, "<script>"), graded_run(table, "b"), "category")
    figure = effect_chart(found, ("<script>", "b"), "light").to_json()
    assert "<script>" not in figure and "<b>bold" not in figure and "&lt;b&gt;bold" in figure
    assert b"'=cmd()" in spreadsheet_csv(effect_table(found, found))
    assert where_finding(found, "b") == "Tied everywhere"


# The orders


def test_orders_are_of_equal_size(datasets):
    orders = [order for _, order, _ in balance_orders("mean", datasets)]
    assert [order.first_n for order in orders] == [datasets[1].manifest.train, None]
    assert {order.first_n for _, order, _ in balance_orders("mean", datasets, first_n=50)} == {50}


def test_datasets_that_cannot_be_compared_are_refused(datasets):
    assert main(["sample", "demo", "--dataset", "own", "--split", "naive"]) == 0
    own = open_dataset("own")
    assert list(sharing_an_exam([*datasets, own]).values()) == [datasets]
    for wrong in ([datasets[0]], [datasets[0], datasets[0]], [datasets[0], own]):
        with pytest.raises(PricerError):
            balance_orders("mean", wrong)
    with pytest.raises(PricerError, match="the smallest has"):
        balance_orders("mean", datasets, first_n=10**6)


def test_an_experiment_is_read_off_the_record(datasets, no_worker):
    orders = balance_orders("tfidf-ridge", datasets)
    whole, even = read_parts(orders)
    assert (whole.state, even.state) == ("missing", "done")
    [job] = launch_missing([whole, even])
    assert job.arguments == tuple(order_arguments(whole.order))
    assert [part.state for part in read_parts(orders)] == ["queued", "done"]
    assert not missing(read_parts(orders)) and not launch_missing(read_parts(orders))
    jobs.cancel_job(job.id)
    assert [part.state for part in missing(read_parts(orders))] == ["cancelled"]
    assert main(order_arguments(whole.order)) == 0
    assert [part.state for part in read_parts(orders)] == ["done", "done"]


def test_a_run_of_another_size_or_seed_is_not_taken(datasets):
    even = datasets[1]
    assert main(["train", "mean", "--dataset", "even", "--first", "100", "--seed", "7"]) == 0
    states = [part.state for part in read_parts(balance_orders("mean", datasets, seed=7, first_n=100))]
    assert states == ["missing", "done"]
    assert read_parts(balance_orders("mean", datasets, seed=7))[1].state == "missing"
    stated_in_full = balance_orders("mean", datasets, first_n=even.manifest.train)
    assert read_parts(stated_in_full)[1].state == "done"


def test_memory_is_refused_before_anything_is_launched(datasets, no_worker, monkeypatch):
    little = psutil.virtual_memory()._replace(available=1_000_000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: little)
    with pytest.raises(PricerError, match="GB are free"):
        launch_missing(read_parts(balance_orders("tfidf-ridge", datasets)))
    assert not jobs.list_jobs()


# The verb and the page


def test_the_verb_shows_commands_and_then_the_effect(datasets, capsys):
    wanted = ["balance", "mean", "--dataset", "whole", "--dataset", "even", "--json"]
    assert main(wanted) == 0
    said = json.loads(capsys.readouterr().out)
    [command] = [part["command"] for part in said["parts"] if part["state"] == "missing"]
    assert said["effects"] == {} and "--launch" not in command
    assert main(command.split()[3:]) == 0
    capsys.readouterr()
    assert main(wanted) == 0
    found = json.loads(capsys.readouterr().out)["effects"]["even"]
    assert found["natural"]["items"] > 0 and len(found["bands"]) > 4
    assert main(wanted[:-1]) == 0
    assert "by price band, natural exam:" in capsys.readouterr().out


def experiment_page(exam_hash: str, reading: str = "natural") -> AppTest:
    def script(exam_hash: str, reading: str) -> None:
        from pages.shared import experiments, state

        state.start()
        experiments.show(exam_hash, reading)

    return AppTest.from_function(script, default_timeout=60, args=(exam_hash, reading)).run()


def text(app: AppTest) -> str:
    assert not app.exception
    return "\n".join([element.proto.body for element in app.get("html")] + [str(code.value) for code in app.code])


@pytest.mark.parametrize(("split", "words"), [("roles", "Make a second one on Curate"), ("naive", "own exam may leak")])
def test_compare_says_what_a_comparison_of_trains_needs(home, trained_home, split, words):
    shutil.copytree(trained_home, home)
    if split == "naive":
        assert main(["sample", "demo", "--dataset", "own", "--split", "naive"]) == 0
        assert main(["train", "mean", "--dataset", "own"]) == 0
    app = AppTest.from_file(str(NAVIGATION), default_timeout=60).run()
    app.session_state["exam"] = list_runs()[0].manifest.exam_hash
    app.switch_page("results/compare.py").run()
    app.button_group(key="compare_section").set_value("experiments").run()
    assert words in text(app)


def test_the_page_launches_what_is_missing_and_shows_the_effect(datasets, no_worker):
    exam = datasets[0].manifest.exam_hash
    app = experiment_page(exam)
    assert "balance tfidf-ridge --dataset=whole --dataset=even --launch" in text(app)
    app.button(key="balance_start").click().run()
    [job] = jobs.list_jobs("queued")
    assert "queued" in text(app)
    jobs.cancel_job(job.id)
    assert main(list(job.arguments)) == 0
    app = experiment_page(exam, "balanced")
    assert "buys" in text(app) or "costs" in text(app) or "tied" in text(app)
    assert "balanced exam; the intervals of all rows hold together" in text(app)
