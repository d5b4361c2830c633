"""Launch slow work: a `python -m pricer …` command that outlives the server, watched through its folder.

A job's folder holds `launch.json` (what was started, when, as which process), `log.txt` (all that it printed),
`progress.json` and `result.json` (left by the command itself), and `cancelled` once someone asked for its end.
What state a job is in follows from these files and from whether its process lives, so any process can tell.
"""

import json
import os
import re
import secrets
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import psutil
from filelock import FileLock

from pricer import settings
from pricer.errors import PricerError
from pricer.files import write_json
from pricer.progress import Progress

State = Literal["running", "done", "failed", "cancelled", "crashed"]

PROJECT = Path(__file__).resolve().parents[2]
JOB_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
LOWEST_PRIORITY = 19
SECONDS_TO_END = 5.0  # between asking a job to end and ending it
LOG_TAIL_BYTES = 4_000


@dataclass(frozen=True)
class Launch:
    """A launched command, as it stood when it was looked at."""

    id: str
    arguments: tuple[str, ...]
    started: datetime
    pid: int
    state: State
    progress: Progress | None
    result: dict | None  # what the command reports with --json, once it is done
    error: str | None  # why it failed or crashed, in one line

    @property
    def command(self) -> str:
        """What a person could type instead."""
        return shlex.join(["python", "-m", "pricer", *self.arguments])

    @property
    def log_tail(self) -> str:
        """The last lines that the command printed."""
        return _log_tail(settings.jobs_folder() / self.id)


def launch(arguments: Sequence[str]) -> Launch:
    """Start `python -m pricer` with these arguments, in a session of its own and at the lowest priority.

    While a job with the same arguments runs, that one is given back: a second click starts nothing.
    """
    settings.make_home()
    jobs = settings.jobs_folder()
    jobs.mkdir(exist_ok=True)
    with FileLock(jobs / ".lock"):
        for job in list_launches():
            if job.state == "running" and job.arguments == tuple(arguments):
                return job
        started = datetime.now(UTC)
        folder = jobs / f"{started:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        folder.mkdir()
        process = _start(arguments, folder)
        record = {"id": folder.name, "arguments": list(arguments), "started": started.isoformat()}
        write_json(folder / "launch.json", record | process)
    return _read(folder)


def _start(arguments: Sequence[str], folder: Path) -> dict[str, float]:
    """Start the process and say which it is: a process id alone may be given to another one later."""
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "pricer", *arguments],
            cwd=PROJECT,
            env=settings.job_environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    details = psutil.Process(process.pid)
    details.nice(LOWEST_PRIORITY)
    threading.Thread(target=process.wait, daemon=True).start()  # or it would stay a zombie while we live
    return {"pid": process.pid, "pid_created": details.create_time()}


def list_launches() -> list[Launch]:
    """Every job that was launched here, the newest first."""
    return sorted(map(_read, _folders()), key=lambda job: job.started, reverse=True)


def open_launch(job_id: str) -> Launch:
    """Look at one job; PricerError if there is none with this id."""
    folder = settings.jobs_folder() / job_id
    if not JOB_ID.fullmatch(job_id) or not (folder / "launch.json").exists():
        raise PricerError(f"there is no job {job_id!r}")
    return _read(folder)


def cancel(job_id: str) -> Launch:
    """End a job and all processes that it started: first asked, then forced. What it had finished stays finished."""
    job = open_launch(job_id)
    if job.state != "running":
        return job
    folder = settings.jobs_folder() / job_id
    (folder / "cancelled").touch()
    _signal_group(job.pid, signal.SIGTERM)
    _wait_for_end(folder)
    _signal_group(job.pid, signal.SIGKILL)  # also what it started and left behind
    _wait_for_end(folder)
    return _read(folder)


def _signal_group(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, number)


def _wait_for_end(folder: Path) -> None:
    record = _record(folder / "launch.json")
    deadline = time.monotonic() + SECONDS_TO_END
    while _lives(record) and time.monotonic() < deadline:
        time.sleep(0.05)


def _folders() -> Iterator[Path]:
    for record in settings.jobs_folder().glob("*/launch.json"):
        yield record.parent


def _read(folder: Path) -> Launch:
    record = _record(folder / "launch.json")
    lives = _lives(record)  # asked first: what it writes as it ends is then seen below
    result = _record(folder / "result.json")
    progress = _record(folder / "progress.json")
    state = _state(lives, result, cancelled=(folder / "cancelled").exists())
    return Launch(
        id=record["id"],
        arguments=tuple(record["arguments"]),
        started=datetime.fromisoformat(record["started"]),
        pid=record["pid"],
        state=state,
        progress=Progress(**{field.name: progress[field.name] for field in fields(Progress)}) if progress else None,
        result=result.get("result"),
        error=_error(state, result, folder),
    )


def _state(lives: bool, result: dict, cancelled: bool) -> State:
    if result.get("exit_code") == 0:
        return "done"
    if lives and not result:
        return "running"
    if cancelled:
        return "cancelled"
    return "failed" if result else "crashed"


def _error(state: State, result: dict, folder: Path) -> str | None:
    if state == "failed":
        return result["error"]
    if state == "crashed":
        last_words = _log_tail(folder).strip().rpartition("\n")[2]
        return f"it ended without a result; its last words: {last_words or 'none'}"
    return None


def _lives(record: dict) -> bool:
    """Whether this very process runs; a zombie has ended, and another one may have got its number."""
    try:
        process = psutil.Process(record["pid"])
        return process.create_time() == record["pid_created"] and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _record(path: Path) -> dict:
    """A file of a job, empty if it is not there yet."""
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}


def _log_tail(folder: Path) -> str:
    with (folder / "log.txt").open("rb") as log:
        log.seek(max(0, log.seek(0, os.SEEK_END) - LOG_TAIL_BYTES))
        return log.read().decode(errors="replace")
