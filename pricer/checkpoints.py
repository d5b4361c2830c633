"""Checkpoints of long work: folders that are complete or ignored, so that what was killed goes on from the last one.

    save_checkpoint(folder, write)       # write(path) leaves files in an empty folder
    found = latest_complete(folder)      # a folder whose every file is what it was, or None

A checkpoint is written beside, its SHA-256 sums last, forced to disk and renamed into place. One whose sums do not
match, which a crash of the machine or of a disk can leave, counts for nothing, and the one before it is taken.
"""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

from pricer import settings
from pricer.files import STAGING, publish, staged_folder

SUMS = "SHA256SUMS.json"
KEPT = 2  # the last one, and the one before it should the last be damaged
_PREFIX = "checkpoint-"


def checkpoints_of(job_id: str) -> Path:
    """Where a job leaves its checkpoints, and those that go on from it too."""
    return settings.jobs_folder() / job_id / "checkpoints"


def save_checkpoint(folder: Path, write: Callable[[Path], None]) -> Path:
    """Publish what `write` leaves in an empty folder as the next checkpoint, and remove all but the last two."""
    number = max(_numbered(folder), default=0) + 1
    with staged_folder(folder) as staged:
        write(staged)
        sums = {path.relative_to(staged).as_posix(): _sum(path) for path in _files(staged)}
        (staged / SUMS).write_text(json.dumps(sums), encoding="utf-8")
        while not publish(staged, place := folder / f"{_PREFIX}{number}"):
            number += 1
    for old in sorted(_numbered(folder))[:-KEPT]:
        shutil.rmtree(folder / f"{_PREFIX}{old}", ignore_errors=True)
    return place


def latest_complete(folder: Path) -> Path | None:
    """The last checkpoint in a folder that is complete; None if there is none."""
    places = (folder / f"{_PREFIX}{number}" for number in sorted(_numbered(folder), reverse=True))
    return next((place for place in places if is_complete(place)), None)


def holds_checkpoint(folder: Path) -> bool:
    """Whether a checkpoint was ever published in a folder or below; quick, for nothing is read."""
    return any(place.parent.parent.name != STAGING for place in folder.rglob(SUMS))


def is_complete(place: Path) -> bool:
    """Whether a checkpoint holds just the files that were written, unchanged."""
    try:
        sums = json.loads((place / SUMS).read_bytes())
        return sums == {path.relative_to(place).as_posix(): _sum(path) for path in _files(place)}
    except (OSError, ValueError):
        return False


def _numbered(folder: Path) -> list[int]:
    names = (path.name.removeprefix(_PREFIX) for path in folder.glob(f"{_PREFIX}*"))
    return [int(name) for name in names if name.isdecimal()]


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and path.relative_to(folder) != Path(SUMS)]


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
