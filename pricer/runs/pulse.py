"""The sign of life that a job's process gives, and how its worker tells from it that a process is frozen.

The process leaves `pulse.json` in its folder every few seconds. One that was stopped, or swapped out for good, leaves
none and uses no processor time either; one that is merely busy inside a library does.
"""

import resource
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread

import psutil

from pricer.files import write_beside
from pricer.runs import memory

PULSE = "pulse.json"
SECONDS_BETWEEN_BEATS = 2.0
SECONDS_OF_SILENCE = 20.0  # then a process that used no processor time is frozen
_LONGEST_LOOK = 1.0  # a watcher that was asleep for longer has not seen that nothing happened


def give_pulse(folder: Path) -> None:
    """Leave signs of life in a job's folder from now on, as long as this process runs."""
    out_of_memory_before = memory.killed_processes()

    def beat() -> None:
        while True:
            with suppress(OSError):  # a full disk: the processor time that the work takes still speaks for it
                facts = {"peak_bytes": peak_bytes(), "killed_for_memory_before": out_of_memory_before}
                write_beside(folder / PULSE, facts)
            time.sleep(SECONDS_BETWEEN_BEATS)

    Thread(target=beat, name="pulse", daemon=True).start()


def peak_bytes() -> int:
    """The most memory that this process, or one that it waited for, has held."""
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


class Watch:
    """Notices that a process gives no sign of life, by how long its watcher looked on, and by no clock on the wall."""

    def __init__(self, folder: Path, pid: int):
        self._file = folder / PULSE
        self._pid = pid
        self._looked = time.monotonic()
        self._silence = 0.0
        self._beat: int | None = None
        self._used: float | None = None  # processor seconds, since it has been silent for a while

    def is_frozen(self) -> bool:
        """Look once, at least every second; whether nothing has happened for too long."""
        now = time.monotonic()
        self._silence += min(now - self._looked, _LONGEST_LOOK)
        self._looked = now
        beat = _modified(self._file)
        if beat != self._beat:
            self._beat, self._silence, self._used = beat, 0.0, None
        if self._used is None and self._silence >= SECONDS_OF_SILENCE / 3:
            self._used = processor_seconds(self._pid)
        if self._silence < SECONDS_OF_SILENCE:
            return False
        if processor_seconds(self._pid) == self._used:
            return True
        self._silence, self._used = 0.0, None
        return False


def processor_seconds(pid: int) -> float:
    """What a process and those that it started have used of the processor."""
    total = 0.0
    with suppress(psutil.NoSuchProcess):
        leader = psutil.Process(pid)
        for process in (leader, *leader.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                total += sum(process.cpu_times()[:2])
    return total


def _modified(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return None
