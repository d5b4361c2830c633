"""What people do with jobs: move, retry, delete."""

import pytest

from pricer.errors import PricerError
from pricer.runs.jobs import cancel_job, claim, finish, list_jobs, open_job, submit
from pricer.runs.queue import delete_job, move_job, retry_job, undelete_job

pytestmark = pytest.mark.usefixtures("each_database")  # SQLite and PostgreSQL

TRAIN = ["train", "mean", "--dataset", "even"]


@pytest.fixture
def queued() -> dict[str, str]:
    """Four queued jobs by name; their order is a, b, c, d."""
    return {name: submit(["train", name], "heavy").id for name in "abcd"}


def order() -> str:
    return "".join(job.arguments[1] for job in sorted(list_jobs("queued"), key=lambda job: (job.place, job.number)))


@pytest.mark.parametrize(
    ("name", "place", "expected"),
    [
        ("c", "up", "acbd"),
        ("b", "down", "acbd"),
        ("d", "first", "dabc"),
        ("a", "last", "bcda"),
        ("a", "up", "abcd"),
        ("a", "first", "abcd"),
        ("d", "down", "abcd"),
        ("d", "last", "abcd"),
    ],
)
def test_a_queued_job_is_moved(queued, name, place, expected):
    move_job(queued[name], place)
    assert order() == expected
    assert claim("worker").arguments[1] == expected[0]


def test_what_is_submitted_later_comes_last_however_others_were_moved(queued):
    move_job(queued["a"], "last")
    submit(["train", "e"], "heavy")
    assert order() == "bcdae"


def test_what_runs_or_has_ended_is_not_moved(queued):
    running = claim("worker")
    with pytest.raises(PricerError, match=r"only a queued job can be moved; .* is running"):
        move_job(running.id, "first")
    cancel_job(queued["b"])
    with pytest.raises(PricerError, match="is cancelled"):
        move_job(queued["b"], "up")
    assert order() == "cd"


@pytest.mark.parametrize("state", ["failed", "crashed", "cancelled"])
def test_what_did_not_succeed_is_tried_again_as_a_new_job(state):
    submit(TRAIN, "network", "openai")
    old = claim("worker")
    finish(old, state, "no luck")
    new = retry_job(old.id)
    assert (new.arguments, new.resources, new.key_name) == (old.arguments, old.resources, old.key_name)
    assert (new.state, new.attempt, new.continues) == ("queued", 0, None)
    assert retry_job(old.id).id == new.id  # a double click
    assert open_job(old.id).state == state


def test_what_is_resumed_goes_on_from_the_first_job_s_checkpoints():
    submit(TRAIN, "heavy")
    first = claim("worker")
    finish(first, "crashed", "no luck")
    second = retry_job(first.id, resume=True)
    finish(claim("worker"), "crashed", "none again")
    assert (second.continues, retry_job(second.id, resume=True).continues) == (first.id, first.id)


def test_what_lives_or_has_succeeded_is_not_tried_again():
    job = submit(TRAIN, "heavy")
    with pytest.raises(PricerError, match="is queued; cancel it before"):
        retry_job(job.id)
    finish(claim("worker"), "done", result={})
    with pytest.raises(PricerError, match="has done its work"):
        retry_job(job.id)


def test_a_deleted_job_is_out_of_the_lists_until_it_is_brought_back():
    job = submit(TRAIN, "heavy")
    with pytest.raises(PricerError, match="is queued; cancel it before"):
        delete_job(job.id)
    cancel_job(job.id)
    assert delete_job(job.id).deleted_at
    assert (list_jobs(), [gone.id for gone in list_jobs(deleted=True)]) == ([], [job.id])
    assert undelete_job(job.id).deleted_at is None
    assert ([back.id for back in list_jobs()], list_jobs(deleted=True)) == ([job.id], [])


@pytest.mark.parametrize("job_id", ["", "..", "20260501-120000-00c0de", "' or 1 = 1"])
def test_an_unknown_job_is_one_line(job_id):
    for change in (retry_job, delete_job, undelete_job, lambda unknown: move_job(unknown, "up")):
        with pytest.raises(PricerError, match="there is no job"):
            change(job_id)
