"""What a test's home keeps running: workers and jobs outlive whoever started them, on purpose."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import psutil

T = TypeVar("T")


def processes_of(home: Path) -> list[psutil.Process]:
    """The living processes of a home outside the tests' own session: workers, jobs and what these started."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError, PermissionError):
            elsewhere = os.getsid(process.pid) != os.getsid(0)
            if elsewhere and process.environ().get("PRICER_HOME") == str(home):
                found.append(process)
    return found


def workers_of(home: Path) -> list[psutil.Process]:
    return [process for process in processes_of(home) if process.cmdline()[-3:] == ["-m", "pricer", "worker"]]


def end_processes_of(home: Path) -> None:
    """Kill all of a home's processes, and those that they start meanwhile."""
    while found := processes_of(home):
        for process in found:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(found, timeout=5)


def eventually(look: Callable[[], T], seconds: float = 60, pause: float = 0.05) -> T:
    """What a look gives as soon as it gives something."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(pause)
    return seen
