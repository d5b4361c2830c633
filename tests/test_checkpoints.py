import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pricer.checkpoints import KEPT, SUMS, is_complete, latest_complete, save_checkpoint


def written(text: str):
    def write(folder: Path) -> None:
        (folder / "state.json").write_text(json.dumps({"epoch": text}))
        (folder / "model").mkdir()
        (folder / "model" / "weights.bin").write_bytes(text.encode() * 1000)

    return write


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two checkpoints; the first is complete whatever is done to the second."""
    for text in "ab":
        save_checkpoint(tmp_path / "checkpoints", written(text))
    return tmp_path / "checkpoints"


def epoch(folder: Path) -> str:
    return json.loads((latest_complete(folder) / "state.json").read_text())["epoch"]


def test_where_nothing_was_written_there_is_no_checkpoint(tmp_path):
    assert latest_complete(tmp_path / "nowhere") is None


def test_the_last_one_is_found_and_two_are_kept(folder):
    for text in "cdefghijklm":
        save_checkpoint(folder, written(text))
    assert epoch(folder) == "m"  # the thirteenth, not the one whose name comes last in the alphabet
    assert len(list(folder.glob("checkpoint-*"))) == KEPT


DAMAGES = {
    "no sums": lambda place: (place / SUMS).unlink(),
    "torn sums": lambda place: (place / SUMS).write_text('{"state'),
    "empty sums": lambda place: (place / SUMS).write_text(""),
    "sums that are no object": lambda place: (place / SUMS).write_text("[]"),
    "a missing file": lambda place: (place / "state.json").unlink(),
    "a truncated file": lambda place: os.truncate(place / "model" / "weights.bin", 500),
    "an empty file": lambda place: (place / "model" / "weights.bin").write_bytes(b""),
    "a flipped bit": lambda place: (place / "model" / "weights.bin").write_bytes(b"b" * 999 + b"c"),
    "a file too many": lambda place: (place / "optimiser.bin").write_bytes(b""),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_one_that_is_not_what_was_written_counts_for_nothing(damage, folder):
    damage(folder / "checkpoint-2")
    assert not is_complete(folder / "checkpoint-2")
    assert epoch(folder) == "a"


def test_what_is_no_checkpoint_is_passed_over(folder):
    (folder / "checkpoint-9").write_text("a file")
    (folder / "checkpoint-tmp").mkdir()
    assert epoch(folder) == "b"


def test_after_a_damaged_one_the_next_is_the_last(folder):
    (folder / "checkpoint-2" / SUMS).unlink()
    save_checkpoint(folder, written("c"))
    assert epoch(folder) == "c"


KILLED_AT = """
import os, signal, sys
from pathlib import Path
from pricer import files
from pricer.checkpoints import save_checkpoint

left = int(sys.argv[2])

def count(frame, event, argument):
    global left
    if event == "c_call" and argument.__name__ in ("open", "write", "fsync", "rename", "mkdir", "replace"):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

def write(folder):
    (folder / "state.json").write_text('{"epoch": "c"}')

sys.setprofile(count)
save_checkpoint(Path(sys.argv[1]), write)
"""


@pytest.mark.slow
def test_a_save_killed_at_any_step_leaves_the_last_one_or_the_new_one(folder):
    for step in range(1, 200, 2):
        code = subprocess.run([sys.executable, "-c", KILLED_AT, str(folder), str(step)]).returncode
        assert epoch(folder) in ("b", "c")
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert step > 10
    assert epoch(folder) == "c"
    save_checkpoint(folder, written("d"))
    assert list((folder / ".staging").iterdir()) == []  # what the dead had begun is swept
