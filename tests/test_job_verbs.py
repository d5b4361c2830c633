"""The verb jobs, as it is typed."""

import json

import pytest

from pricer.__main__ import main
from pricer.runs.jobs import claim, end_attempt, finish, submit


def typed(capsys, *arguments: str) -> str:
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


@pytest.fixture
def queued() -> list[str]:
    return [submit(["train", name], "heavy").id for name in "ab"]


def test_without_a_job_it_says_so(capsys):
    assert typed(capsys, "jobs") == "no job\n"


def test_a_queued_job_is_moved_cancelled_deleted_and_brought_back(capsys, queued):
    first, second = queued
    assert typed(capsys, "jobs", "move", second, "first").startswith(f"{second}  queued     python -m pricer train b")
    assert claim("worker").id == second
    assert "cancelled" in typed(capsys, "jobs", "cancel", first)
    assert "(deleted)" in typed(capsys, "jobs", "delete", first)
    assert [job["id"] for job in json.loads(typed(capsys, "jobs", "--json"))["jobs"]] == [second]
    assert first in typed(capsys, "jobs", "--deleted")
    assert "(deleted)" not in typed(capsys, "jobs", "undelete", first)


def test_a_job_says_what_became_of_its_attempts(capsys, queued):
    end_attempt(claim("worker"), "killed", "it was killed by SIGKILL")
    assert "\n    attempt 1: it was killed by SIGKILL" in typed(capsys, "jobs")


def test_a_failed_job_is_tried_again(capsys, queued):
    finish(claim("worker"), "failed", "no such dataset")
    assert "no such dataset" in typed(capsys, "jobs")
    again = json.loads(typed(capsys, "jobs", "retry", queued[0], "--json"))
    assert (again["command"], again["id"] != queued[0]) == ("python -m pricer train a", True)


@pytest.mark.parametrize("arguments", [["move", "x", "up"], ["cancel", "x"], ["retry", "x"], ["delete", "x"]])
def test_an_unknown_job_is_one_line(arguments, capsys):
    assert main(["jobs", *arguments]) == 2
    assert capsys.readouterr().err == "pricer: there is no job 'x'\n"
