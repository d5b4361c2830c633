"""A job's process and its folder: started behind a gate, told from others, ended with all that it started.

The folder holds `log.txt` (all that the command printed) and what the command itself leaves there:
`progress.json` and `pulse.json` while it works, `result.json` at its end.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from pricer import settings

PROJECT = Path(__file__).resolve().parents[2]
LOWEST_PRIORITY = 19
LOG_TAIL_BYTES = 4_000
LEFT = ("progress.json", "pulse.json", "result.json", "guesses.jsonl")  # by an attempt, and of no use to the next

# A job's process waits for one line before it becomes the command. Its starter writes that line once the process is on
# record, so whoever takes over from a starter that died knows: no process on record, no work done.
GATE = 'read -r go && exec "$@" </dev/null'


def start(
    arguments: Sequence[str], folder: Path, attempt: int = 1, checkpoints: Path | None = None
) -> subprocess.Popen:
    """Start `python -m pricer` with these arguments as the job of this folder, in a session of its own.

    It has the lowest priority, is the first that the system kills when memory runs out, and does nothing until
    `open_gate`. What an earlier attempt left in the folder is gone, but for its log and its checkpoints.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in LEFT:
        (folder / name).unlink(missing_ok=True)
    with (folder / "log.txt").open("ab") as log:
        if attempt > 1:
            log.write(f"\n--- attempt {attempt} ---\n".encode())
            log.flush()
        process = subprocess.Popen(
            ["sh", "-c", GATE, "job", sys.executable, "-m", "pricer", *arguments],
            cwd=PROJECT,
            env=settings.job_environment(folder, attempt, checkpoints or folder / "checkpoints"),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    os.setpriority(os.PRIO_PROCESS, process.pid, LOWEST_PRIORITY)
    with suppress(OSError):  # Linux only
        Path(f"/proc/{process.pid}/oom_score_adj").write_text("1000")
    return process


def open_gate(process: subprocess.Popen) -> None:
    with suppress(BrokenPipeError), process.stdin:  # it was ended before it began
        process.stdin.write(b"go\n")


def born(pid: int) -> float | None:
    """What tells the living process with this number from others that had it or will; None if there is none.

    On Linux it counts clock ticks from the machine's start, as a date would move when someone sets the clock.
    A zombie has ended.
    """
    try:
        if sys.platform == "linux":
            state, *others = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
            return None if state in (b"Z", b"X") else float(others[18])  # fields 3 and 22 of proc(5)
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except (FileNotFoundError, ProcessLookupError, psutil.NoSuchProcess):
        return None


def lives(pid: int | None, pid_created: float | None) -> bool:
    """Whether this very process lives, not just one with its number; one that ended before it was seen does not."""
    return pid is not None and pid_created is not None and born(pid) == pid_created


def is_stopped(pid: int) -> bool:
    """Whether a process was stopped by a signal, and waits for another to go on."""
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() == psutil.STATUS_STOPPED
    return False


def end_all(pid: int, pid_created: float | None, number: signal.Signals) -> None:
    """Send a signal to a job's process and to all that it started, what it has left behind included."""
    if born(pid) not in (None, pid_created):
        return  # the number went to another process, so none of the job's own is left
    for process in list(_family(pid)):
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _family(pid: int) -> Iterator[psutil.Process]:
    """The processes of the session that a process leads, and its descendants that have left that session."""
    with suppress(psutil.NoSuchProcess):
        leader = psutil.Process(pid)
        yield from (leader, *leader.children(recursive=True))
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, PermissionError):
            if os.getsid(process.pid) == pid:
                yield process


def record(path: Path) -> dict:
    """A file that a job left, empty if there is none, or none that can be read after a power cut."""
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}


def log_tail(folder: Path) -> str:
    """The last lines that a job printed."""
    with suppress(FileNotFoundError), (folder / "log.txt").open("rb") as log:
        log.seek(max(0, log.seek(0, os.SEEK_END) - LOG_TAIL_BYTES))
        return log.read().decode(errors="replace")
    return ""
