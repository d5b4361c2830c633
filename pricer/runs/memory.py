"""What the system says of memory that ran out: how many processes it has killed for it, and how much there is."""

from contextlib import suppress
from pathlib import Path

import psutil

_NEAR = 0.9  # of the limit; a peak is measured now and then, so it is seldom the last


def killed_processes() -> int:
    """How many processes the kernel has killed for memory, in this control group, or on this machine; 0 if unknown."""
    return next((count for file in _counters() if (count := _counted(file)) is not None), 0)


def limit_bytes() -> int:
    """The most memory that processes here may hold together: what the control group grants, or what the machine has."""
    limits = [psutil.virtual_memory().total]
    for folder in _control_groups():
        for name in ("memory.max", "memory.limit_in_bytes"):
            with suppress(OSError, ValueError):
                limits.append(int((folder / name).read_text()))
    return min(limits)


def evidence(pulse: dict) -> str | None:
    """Why a process that was killed probably ran out of memory, from the last sign of life that it gave; or None."""
    if killed_processes() > pulse.get("killed_for_memory_before", killed_processes()):
        return "the system kills for memory"
    peak = pulse.get("peak_bytes", 0)
    if peak > _NEAR * limit_bytes():
        return f"it held {peak / 1e9:.1f} GB of {limit_bytes() / 1e9:.1f}"
    return None


def _counters() -> list[Path]:
    files = [folder / name for folder in _control_groups() for name in ("memory.events", "memory.oom_control")]
    return [*files, Path("/proc/vmstat")]


def _counted(file: Path) -> int | None:
    with suppress(OSError):
        for line in file.read_text().splitlines():
            name, _, value = line.partition(" ")
            if name == "oom_kill":
                return int(value)
    return None


def _control_groups() -> list[Path]:
    """Where the control group of this process keeps its memory, of either version; in a container it is the root."""
    root = Path("/sys/fs/cgroup")
    folders = []
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers in ("", "memory"):
                top = root / controllers
                folders += [top / path.strip("/"), top]
    return folders
