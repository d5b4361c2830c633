"""Full disks, power cuts as far as they can be played, locks that the dead have left, and clocks that jump."""

import errno
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from filelock import FileLock

from pricer import files
from pricer.__main__ import main
from pricer.checkpoints import latest_complete, save_checkpoint
from pricer.curation.dataset import list_datasets
from pricer.runs import jobs
from tests.processes import eventually


@pytest.fixture
def order(monkeypatch) -> list[tuple[str, str]]:
    """What was forced to disk or renamed, and in which order, by the last part of its path."""
    seen = []
    rename, replace, force = Path.rename, Path.replace, files.force_to_disk

    def recorded(name, act):
        def wrapper(path, *more):
            seen.append((name, Path(more[0] if more else path).name))
            return act(path, *more)

        return wrapper

    monkeypatch.setattr(Path, "rename", recorded("rename", rename))
    monkeypatch.setattr(Path, "replace", recorded("rename", replace))
    monkeypatch.setattr(files, "force_to_disk", recorded("force", force))
    return seen


def test_a_file_is_on_disk_before_its_name_and_its_name_before_we_go_on(tmp_path, order):
    files.write_whole(tmp_path / "draft.json", "{}")
    beside, renamed, folder = order
    assert (beside[0], renamed, folder) == ("force", ("rename", "draft.json"), ("force", tmp_path.name))
    assert beside[1].startswith(".draft.json.")


def test_all_of_a_folder_is_on_disk_before_it_stands_in_its_place(tmp_path, order):
    save_checkpoint(tmp_path / "kept", lambda folder: (folder / "state").write_text("1"))
    at = order.index(("rename", "checkpoint-1"))
    assert {"state", "SHA256SUMS.json"} <= {name for what, name in order[:at] if what == "force"}
    assert order[at + 1] == ("force", "kept")


def fails_at(call: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full when something is forced to it for that time."""
    force, calls = files.force_to_disk, []

    def full(path: Path) -> None:
        calls.append(path)
        if len(calls) == call:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        force(path)

    monkeypatch.setattr(files, "force_to_disk", full)


@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_full_disk_leaves_the_old_checkpoint_and_no_litter(call, tmp_path, monkeypatch):
    save_checkpoint(tmp_path, lambda folder: (folder / "state").write_text("old"))
    fails_at(call, monkeypatch)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(tmp_path, lambda folder: (folder / "state").write_text("new"))
    assert (latest_complete(tmp_path) / "state").read_text() == "old"
    assert list((tmp_path / ".staging").iterdir()) == []


@pytest.mark.parametrize("call", [1, 2, 4])
def test_a_full_disk_is_one_line_and_leaves_no_dataset(call, demo, monkeypatch, capsys):
    fails_at(call, monkeypatch)
    assert main(["sample", "demo", "--dataset", "even"]) == 2
    assert "No space left on device" in capsys.readouterr().err.splitlines()[-1]
    assert list_datasets() == []


SUBMITS = """
from pricer.runs.jobs import submit
number = 0
while True:
    print(submit(["plan", str(number)], "light").id, flush=True)
    number += 1
"""


@pytest.mark.slow
def test_what_was_answered_survives_a_kill_of_its_writer(home):
    answered: list[str] = []
    for round_ in range(3):
        writer = subprocess.Popen([sys.executable, "-c", SUBMITS], stdout=subprocess.PIPE, text=True)
        answered += [writer.stdout.readline().strip() for _ in range(20 + round_)]
        writer.send_signal(signal.SIGKILL)
        answered += writer.communicate()[0].split("\n")[:-1]  # the last line may be torn
    with closing(sqlite3.connect(home / "pricer.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert set(answered) <= {job.id for job in jobs.list_jobs()}


def test_a_lock_whose_holder_was_killed_is_free(tmp_path):
    script = "import sys; from filelock import FileLock\nwith FileLock(sys.argv[1]):\n print(flush=True); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    holder.stdout.readline()
    assert not free(tmp_path / "lock")
    holder.kill()
    holder.wait()
    assert eventually(lambda: free(tmp_path / "lock"), 1)


def free(path: Path) -> bool:
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except TimeoutError:
        return False
    lock.release()
    return True


@pytest.mark.parametrize("days", [-1, 1])
def test_a_clock_that_jumps_neither_doubles_a_job_nor_strands_one(days, monkeypatch):
    jobs.submit(["train", "a"], "heavy")
    mine = jobs.claim("here:1")
    true_time = jobs.database_time
    monkeypatch.setattr(jobs, "database_time", lambda connection: true_time(connection) + timedelta(days=days))
    assert jobs.claim("here:1") is None
    assert jobs.beat(mine)  # from now on the lease goes by the new time
    assert jobs.end_lapsed("there:") == []
    later = jobs.database_time
    monkeypatch.setattr(jobs, "database_time", lambda connection: later(connection) + 2 * jobs.LEASE)
    assert [gone.id for gone in jobs.end_lapsed("there:")] == [mine.id]


def test_which_job_comes_first_goes_by_no_clock(monkeypatch):
    true_time = jobs.database_time
    submitted = []
    for days in (0, -1, 1):
        monkeypatch.setattr(jobs, "database_time", lambda at, days=days: true_time(at) + timedelta(days=days))
        submitted.append(jobs.submit(["plan", str(days)], "light").id)
    assert [job.id for job in jobs.list_jobs()] == submitted[::-1]
    assert [jobs.claim("worker").id, jobs.claim("worker").id] == submitted[:2]
