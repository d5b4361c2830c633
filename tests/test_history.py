"""The list of runs: searched, tagged, noted, deleted and brought back."""

import json
import shutil
from pathlib import Path

import pytest

from pricer.__main__ import main
from pricer.errors import PricerError
from pricer.evaluation.errors import metrics
from pricer.runs import jobs
from pricer.runs.history import delete_entry, history, search, undelete_entry
from pricer.runs.orders import order_arguments, order_of, read_order
from pricer.runs.store import Run, errors_of, list_runs, open_run, set_note, set_tags
from pricer.runs.training import Order, train_run
from tests.many_runs import copy_runs


@pytest.fixture
def runs(home: Path, trained_home: Path) -> dict[str, Run]:
    shutil.copytree(trained_home, home)
    return {run.manifest.model: run for run in list_runs()}


def names(entries) -> list[str]:
    return [entry.name for entry in entries]


def test_tags_are_kept_in_lower_case_each_once_and_a_note_as_it_is(runs):
    set_tags(runs["mean"], ["Baseline", " baseline ", "v1.2"])
    set_note(runs["mean"], " To beat. ")
    run = open_run("mean on even")
    assert run.tags == ("baseline", "v1.2") and run.note == "To beat." and run == runs["mean"]
    set_tags(run, [])
    assert open_run("mean on even").tags == ()


@pytest.mark.parametrize("tags", [["two words"], ["x" * 31], ["<b>"], [str(number) for number in range(21)]])
def test_what_is_no_tag_is_refused(runs, tags):
    with pytest.raises(PricerError, match="tag"):
        set_tags(runs["mean"], tags)
    assert open_run("mean on even").tags == ()


def test_a_search_looks_through_names_models_datasets_tags_and_notes(runs):
    set_tags(runs["mean"], ["yard"])
    set_note(runs["tfidf-ridge"], "The best before trees")
    entries = history()
    assert names(search(entries, "YARD")) == ["mean on even"]
    assert names(search(entries, "best even")) == ["tfidf-ridge on even"]
    assert len(search(entries, "even")) == 3 and not search(entries, "best yard")
    assert names(search(entries, tag="yard")) == ["mean on even"]
    assert set(names(search(entries, family="words"))) == {"bag-of-words on even", "tfidf-ridge on even"}
    assert len(search(entries, state="done")) == 3 and not search(entries, state="failed")


def test_a_deleted_run_is_in_no_list_until_it_is_brought_back(runs):
    copy_runs(1)  # which has a job
    copied = history()[-1]
    delete_entry(copied.run.name)
    assert copied.id not in {entry.id for entry in history()}
    assert copied.run.id not in {run.id for run in list_runs()} and copied.run.folder.is_dir()
    [gone] = history(deleted=True)
    assert (gone.id, gone.run.id) == (copied.id, copied.run.id)
    with pytest.raises(PricerError, match="no run"):
        open_run(copied.run.id)
    undelete_entry(copied.id)
    assert len(history()) == 4 and not history(deleted=True)


def test_a_job_without_a_run_is_deleted_too_but_not_while_it_is_alive(runs):
    job = jobs.submit(["train", "mean", "--dataset=even"], "heavy")
    with pytest.raises(PricerError, match="cancel it"):
        delete_entry(job.id)
    jobs.cancel_job(job.id)
    delete_entry(job.id)
    assert job.id not in {entry.id for entry in history()}
    undelete_entry(job.id)
    assert job.id in {entry.id for entry in history()}


def test_errors_are_those_of_the_whole_figures(runs):
    for run in runs.values():
        graded = run.graded()
        whole = metrics(graded.table, graded.train_median, run.reading).error
        assert errors_of([run])[run.id] == pytest.approx(whole, rel=1e-12)


def test_the_error_of_a_run_whose_dataset_is_gone_is_not_known(runs, home):
    shutil.rmtree(home / "datasets")
    assert set(errors_of(list(runs.values())).values()) == {None}


def test_the_order_of_a_run_is_the_one_that_made_it(runs):
    for run in runs.values():
        assert order_of(run) == Order(run.manifest.model, "even")
    order = Order("bag-of-words", "even", {"words": 40}, seed=3, first_n=300, asked="natural", first_k=50, name="Mine")
    assert main(order_arguments(order)) == 0
    assert order_of(open_run("Mine")) == order == read_order(order_arguments(order))


def test_the_command_line_tags_notes_deletes_and_brings_back(runs, capsys):
    def told(*arguments: str) -> dict:
        assert main([*arguments, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    assert told("tag", "mean on even", "low", "yard")["tags"] == ["low", "yard"]
    assert told("note", "mean on even", "A yardstick")["note"] == "A yardstick"
    told("delete", "mean on even")
    assert [each["name"] for each in told("undelete")["deleted"]] == ["mean on even"]
    assert len(told("runs")["runs"]) == 2
    told("undelete", "mean on even")
    assert len(told("runs")["runs"]) == 3
    assert main(["delete", "nothing"]) == 2 and "no run 'nothing'" in capsys.readouterr().err


def test_a_run_that_was_asked_the_first_k_of_both_exams_is_judged_by_k_natural_items(runs):
    """The balanced exam brings dear items of the natural one beyond its first k: no random sample of the market."""
    part, whole = train_run(Order("mean", "even", first_k=30)), runs["mean"]
    reread = part.graded().table
    assert reread["natural_rank"].drop_nulls().sort().to_list() == list(range(30)) and len(reread) > 30
    first = metrics(whole.graded().table, whole.manifest.train_median, "natural", 30).error
    assert errors_of([part])[part.id] == first == metrics(reread, part.manifest.train_median).error
    alone = train_run(Order("mean", "even", asked="balanced", first_k=30))
    assert alone.graded().table["natural_rank"].null_count() == len(alone.graded().table)
    assert errors_of([alone])[alone.id] == metrics(whole.graded().table, 0.0, "balanced", 30).error
