"""Files and folders that appear whole or not at all: written beside, forced to disk, then renamed.

A folder that is being written lies under `.staging/` next to its final place, holding a kernel lock that dies with
its process; whoever stages next sweeps what dead processes left.
"""

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

STAGING = ".staging"


def force_to_disk(path: Path) -> None:
    """Wait until a file, or the entries of a folder, would survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write or replace a small file in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        beside.write_bytes(content.encode() if isinstance(content, str) else content)
        force_to_disk(beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    force_to_disk(path.parent)


def write_json(path: Path, content: object) -> None:
    write_whole(path, json.dumps(content, indent=1, ensure_ascii=False))


def write_beside(path: Path, content: object) -> None:
    """Write or replace a small JSON file in one step, without waiting for the disk."""
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        beside.write_text(json.dumps(content), encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def staged_folder(parent: Path) -> Iterator[Path]:
    """Give an empty folder to write in; it is removed at the end unless `publish` moved it away."""
    staging = parent / STAGING
    staging.mkdir(parents=True, exist_ok=True)
    sweep(staging)
    folder = staging / uuid.uuid4().hex
    lock = FileLock(f"{folder}.lock")
    with lock:
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            Path(lock.lock_file).unlink(missing_ok=True)


@contextmanager
def staged_beside(parent: Path) -> Iterator[Path]:
    """As `staged_folder`, in a folder that is someone's own: nothing of ours stays, unless another is writing there."""
    try:
        with staged_folder(parent) as folder:
            yield folder
    finally:
        with suppress(OSError):
            (parent / STAGING).rmdir()


def publish(folder: Path, destination: Path) -> bool:
    """Move a finished folder to its place; False if something stands there already.

    What it holds must be complete, its manifest written last.
    """
    for path in sorted(folder.rglob("*")):
        force_to_disk(path)
    force_to_disk(folder)
    destination.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.rename(destination)
    except OSError:
        if destination.exists():
            return False
        raise
    force_to_disk(destination.parent)
    return True


def sweep(staging: Path) -> None:
    """Remove what processes left that died while they wrote."""
    for path in staging.glob("*.lock"):
        lock = FileLock(path)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            continue
        shutil.rmtree(path.with_suffix(""), ignore_errors=True)
        path.unlink(missing_ok=True)
        lock.release()
