"""From an order to its command and back, what stands in its way, and the list of what became of orders."""

from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricer.__main__ import main
from pricer.catalogue.build import build_catalogue
from pricer.catalogue.store import open_catalogue
from pricer.curation.dataset import Dataset, make_dataset
from pricer.curation.recipe import Recipe
from pricer.runs import jobs
from pricer.runs.history import history
from pricer.runs.orders import order_arguments, read_order
from pricer.runs.preflight import preflight
from pricer.runs.store import list_runs
from pricer.runs.training import Order, train_run
from tests.products import raw_row, write_rows

ORDERS = st.builds(
    Order,
    model=st.just("tfidf-ridge"),
    dataset=st.text(min_size=1),
    settings=st.dictionaries(st.just("alpha"), st.floats(0.001, 1000)),
    seed=st.integers(0, 2**63 - 1),
    first_n=st.none() | st.integers(1, 10**9),
    asked=st.sampled_from(["natural", "balanced", "both"]),
    first_k=st.none() | st.integers(1, 10**9),
    name=st.none() | st.text(min_size=1),
)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    rows = [raw_row(number, price=5 + number * 7 % 900) for number in range(400)]
    catalogue = build_catalogue([write_rows(tmp_path / "rows.jsonl", rows)], "test")
    return make_dataset(catalogue, Recipe(cutoff=1, cap=10), "all")


@given(ORDERS)
def test_an_order_comes_back_from_its_command(order):
    assert read_order(order_arguments(order)) == order


@pytest.mark.parametrize(
    "arguments", [["load", "a", "b"], ["train"], ["train", "mean", "x"], ["train", "no", "--dataset=a"]]
)
def test_another_command_is_no_order(arguments):
    assert read_order(arguments) is None


def test_the_command_line_carries_out_what_an_order_states(dataset):
    order = Order("tfidf-ridge", "all", {"alpha": 2.5}, 7, 100, "natural", 30, "-- mine")
    assert main(order_arguments(order)) == 0
    [run] = list_runs()
    it = run.manifest
    stated = Order(it.model, it.dataset_name, it.model_settings, it.seed, it.first_n, it.asked, it.first_k, it.name)
    assert stated == order


def test_preflight_says_what_an_order_takes(dataset):
    found = preflight(Order("mean", "all", first_n=50, asked="natural", first_k=20), dataset)
    assert found.train_items == 50 and found.exam_items == {"natural": 20}
    assert found.may_start and found.bytes_needed > 0


def test_preflight_warns_of_few_items_and_of_the_same_run(dataset):
    order = Order("mean", "all", first_n=50)
    run = train_run(order)
    looks = [check for check in preflight(order, dataset, [run]).checks if check.verdict == "look"]
    assert (looks[0].value, looks[-1].value) == ("50", run.name)
    other = preflight(replace(order, seed=1), dataset, [run])
    assert run.name not in [check.value for check in other.checks]


def test_preflight_leaves_out_a_part_that_an_own_exam_does_not_have(dataset):
    own = make_dataset(open_catalogue("test"), Recipe(cutoff=1, cap=10), "naive", split="naive")
    found = preflight(Order("mean", "naive"), own)
    assert found.exam_items == {"natural": own.manifest.exam} and found.may_start
    assert any("Own exam, may leak" in check.words for check in found.checks)
    assert not preflight(Order("mean", "naive", asked="balanced"), own).may_start


def test_preflight_stops_where_memory_is_short(dataset, monkeypatch):
    free = psutil.virtual_memory()._replace(available=1_000_000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    assert not preflight(Order("mean", "all"), dataset).may_start


def test_preflight_stops_where_a_part_of_the_dataset_is_gone(dataset):
    (dataset.folder / "exam.parquet").unlink()
    assert not preflight(Order("mean", "all"), dataset).may_start


def test_history_lists_each_run_once_with_the_job_that_made_it(dataset, home, monkeypatch):
    typed = train_run(Order("mean", "all"))
    jobs.submit(order_arguments(Order("bag-of-words", "all")), "heavy")
    job = jobs.claim("worker")
    (home / "jobs" / job.id).mkdir(parents=True)
    monkeypatch.setenv("PRICER_JOB_FOLDER", str(home / "jobs" / job.id))
    launched = train_run(Order("bag-of-words", "all"))
    waiting = jobs.submit(order_arguments(Order("mean", "all", name="later")), "heavy")
    sampling = jobs.submit(["sample", "test", "--dataset", "other"], "light")
    found = [(entry.id, entry.run and entry.run.id, entry.name) for entry in history()]
    assert found == [
        (sampling.id, None, "sample other"),
        (waiting.id, None, "later"),
        (job.id, launched.id, "bag-of-words on all"),
        (typed.id, typed.id, "mean on all"),
    ]
