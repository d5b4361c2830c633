"""What a job takes of the machine over time: memory and processor of its whole family of processes, and of the card.

The job's process measures itself and all that it started every two seconds, from a thread, and leaves a line each time.
Each says: at (seconds from the start), memory_bytes (resident; pages that processes share count for each), cores
(processor seconds a second, so 2.0 is two cores at work), gpu_bytes (null without a card).
"""

import json
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread

import psutil

LIVE = "meters.jsonl"  # in a job's folder
SECONDS_BETWEEN_READINGS = 2.0
_QUERY = ("--query-compute-apps=pid,used_memory", "--format=csv,noheader,nounits")


def keep_meters(folder: Path) -> None:
    """Leave readings in a job's folder from now on, as long as this process runs."""
    (folder / LIVE).unlink(missing_ok=True)  # an earlier attempt's

    def read_on() -> None:
        meter = Meter(psutil.Process())
        time.sleep(SECONDS_BETWEEN_READINGS / 4)  # so that short jobs leave a reading too
        while True:
            with suppress(OSError):  # a full disk is told elsewhere
                _append(folder / LIVE, meter.read())
            time.sleep(SECONDS_BETWEEN_READINGS)

    Thread(target=read_on, name="meters", daemon=True).start()


def _append(path: Path, reading: dict) -> None:
    with path.open("a", encoding="utf-8") as live:
        live.write(json.dumps(reading) + "\n")


class Meter:
    """Reads what a process and all that it started take, now and since the last reading."""

    def __init__(self, leader: psutil.Process):
        self._leader = leader
        self._started = self._read_at = time.monotonic()
        self._used: dict[tuple[int, float], float] = {}  # processor seconds by process
        self._spend(self._family())

    def read(self) -> dict[str, float | int | None]:
        """One row of a reading."""
        before, now = self._read_at, time.monotonic()
        self._read_at, family = now, self._family()
        return {
            "at": round(now - self._started, 2),
            "memory_bytes": sum(_resident(process) for process in family),
            "cores": round(self._spend(family) / max(1e-6, now - before), 3),
            "gpu_bytes": gpu_bytes([process.pid for process in family]),
        }

    def _family(self) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            return [self._leader, *self._leader.children(recursive=True)]
        return []

    def _spend(self, family: list[psutil.Process]) -> float:
        """Processor seconds since the last call; what ended meanwhile counts as far as it was seen."""
        used = {}
        for process in family:
            with suppress(psutil.Error):
                times = process.cpu_times()
                used[process.pid, process.create_time()] = times.user + times.system
        spent = sum(seconds - self._used.get(process, 0.0) for process, seconds in used.items())
        self._used = used
        return max(0.0, spent)


def _resident(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.Error:  # it has just ended
        return 0


def gpu_bytes(pids: list[int]) -> int | None:
    """Memory of the graphics card that these processes hold, by `nvidia-smi`; None on a machine without one."""
    if shutil.which("nvidia-smi") is None:
        return None
    try:
        told = subprocess.run(["nvidia-smi", *_QUERY], capture_output=True, text=True, timeout=5, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    rows = (line.partition(",")[::2] for line in told.splitlines())
    return sum(int(mib) << 20 for pid, mib in rows if pid.strip().isdecimal() and mib.strip().isdecimal()
               and int(pid) in pids)  # fmt: skip
