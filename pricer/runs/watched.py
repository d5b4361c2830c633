"""A job's process as its worker sees it: whether it lives, is frozen, has left a result, and how it ended."""

import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from pricer import settings
from pricer.runs import memory, processes, pulse
from pricer.runs.jobs import Crash, Job

SECONDS_TO_END = 5.0  # between asking a process to end and forcing it, and for its last steps after its result


@dataclass
class Watched:
    """A job whose process is looked after."""

    job: Job
    process: subprocess.Popen | None = None  # none if another worker started it
    ending_since: float | None = None
    frozen: bool = False
    _watch: pulse.Watch | None = field(default=None, repr=False)

    @property
    def folder(self) -> Path:
        return settings.jobs_folder() / self.job.id

    def lives(self) -> bool:
        if self.process is not None:
            return self.process.poll() is None
        return processes.lives(self.job.pid, self.job.pid_created)

    def result(self) -> dict:
        """What this attempt has left as its result; empty if nothing."""
        left = processes.record(self.folder / "result.json")
        return left if left.get("attempt", self.job.attempt) == self.job.attempt else {}

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process and all that it started."""
        if self.job.pid is not None:
            processes.end_all(self.job.pid, self.job.pid_created, number)

    def see_off(self, asked: bool) -> None:
        """Bring the process to its end: asked first, if it was to work on, then forced."""
        if self.ending_since is None:
            self.ending_since = time.monotonic()
            if asked:
                self.send(signal.SIGTERM)
        elif time.monotonic() - self.ending_since > SECONDS_TO_END:
            self.send(signal.SIGKILL)

    def end_if_frozen(self) -> None:
        """Force the process to its end if it gives no sign of life."""
        if self._watch is None:
            self._watch = pulse.Watch(self.folder, self.job.pid)
        if self._watch.is_frozen():
            self.frozen = True
            self.send(signal.SIGKILL)

    def evidence_of_memory(self) -> str | None:
        """Why it probably ran out of memory, where the system or its last pulse say so."""
        return memory.evidence(processes.record(self.folder / pulse.PULSE))

    def how_it_ended(self) -> tuple[Crash | None, str]:
        """How an attempt without a result ended, in one line; None for one that ended by itself."""
        code = self.process.poll() if self.process else None
        last = processes.log_tail(self.folder).strip().rpartition("\n")[2]
        words = f"; its last words: {last or 'none'}"
        if self.frozen:
            return "frozen", f"it gave no sign of life for {pulse.SECONDS_OF_SILENCE:.0f} seconds and was ended{words}"
        if self.job.pid is None:
            return "killed", "its worker ended before the work began"
        evidence = self.evidence_of_memory()
        if evidence and code in (None, -signal.SIGKILL):
            return "out of memory", f"it was killed as memory ran out ({evidence}){words}"
        if code is None:
            return "killed", f"it ended without a result, while no worker looked on{words}"
        if code < 0:
            return "killed", f"it was killed by {signal.Signals(-code).name}{words}"
        if code == 130:  # see `pricer.__main__`
            return "killed", f"someone other than Pricer asked it to end{words}"
        return None, f"it ended by itself without a result, with code {code}{words}"
