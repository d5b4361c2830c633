"""Many jobs, several workers, and no mercy: workers killed and frozen, jobs killed, and nothing may be lost or doubled.

    python -m tests.soak                     # 150 jobs, 10 kill -9 and 8 SIGSTOP of workers, 6 kill -9 of jobs
    python -m tests.soak --jobs 10 --kills 2 --stops 1 --job-kills 1 --lease 3

Workers of three homes share one database. A frozen one wakes after its lease has run out, when others have its jobs.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from pricer.runs import jobs
from tests.processes import end_processes_of

HOMES = 3
WORKER = """
import sys
from datetime import timedelta
from pricer.runs import jobs, worker
jobs.LEASE = timedelta(seconds=float(sys.argv[1]))
worker.SECONDS_BETWEEN_BEATS = float(sys.argv[1]) / 4
worker.run_worker(lambda step: print(step.stage, flush=True))
"""


@dataclass
class Soak:
    """What is done to the workers of a folder, and what has become of their jobs."""

    folder: Path
    lease_seconds: float
    random: random.Random
    workers: dict[int, subprocess.Popen] = field(default_factory=dict)
    asleep: dict[int, float] = field(default_factory=dict)  # by worker: when it wakes
    done_to_them: Counter = field(default_factory=Counter)

    def keep_workers(self) -> None:
        for number in range(HOMES):
            if number not in self.workers or self.workers[number].poll() is not None:
                with (self.folder / f"worker-{number}.log").open("ab") as log:
                    self.workers[number] = subprocess.Popen(
                        [sys.executable, "-c", WORKER, str(self.lease_seconds)],
                        env=os.environ | {"PRICER_HOME": str(self.home(number))},
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                    )
        for number, wakes in list(self.asleep.items()):
            if time.monotonic() > wakes:
                self.workers[number].send_signal(signal.SIGCONT)
                del self.asleep[number]

    def home(self, number: int) -> Path:
        return self.folder / f"home-{number}"

    def strike(self, what: str) -> bool:
        """Do one thing to a worker or job that is at work; False if there is none."""
        running = jobs.list_jobs("running")
        awake = [number for number in self.workers if number not in self.asleep]
        busy = [n for n in awake if any(f":{self.workers[n].pid}:" in job.owner for job in running)]
        started = [job.pid for job in running if job.pid]
        if what == "job killed" and started:
            with suppress(psutil.NoSuchProcess):
                psutil.Process(self.random.choice(started)).kill()
        elif what == "worker killed" and busy:
            number = self.random.choice(busy)
            self.workers[number].kill()
            self.workers[number].wait()
        elif what == "worker stopped" and busy:
            number = self.random.choice(busy)
            self.workers[number].send_signal(signal.SIGSTOP)
            self.asleep[number] = time.monotonic() + 1.5 * self.lease_seconds
        else:
            return False
        self.done_to_them[what] += 1
        return True

    def end(self) -> None:
        for process in self.workers.values():
            process.kill()
            process.wait()
        for number in range(HOMES):
            end_processes_of(self.home(number))


def soak(folder: Path, count: int, kills: int, stops: int, job_kills: int, lease_seconds: float, seed: int) -> dict:
    """Carry so many jobs out while so much is done to them, in the database that PRICER_DATABASE_URL names."""
    soaked = Soak(folder, lease_seconds, random.Random(seed))
    strikes = ["worker killed"] * kills + ["worker stopped"] * stops + ["job killed"] * job_kills
    soaked.random.shuffle(strikes)
    planned = len(strikes)
    began = time.monotonic()
    try:
        for number in range(count):
            rows = ["--rows", "2000", "--seed", str(number), "--output", str(folder / f"{number}.jsonl")]
            jobs.submit(["demo", *rows], "light")
        while alive := len(jobs.list_jobs(*jobs.ALIVE)):
            soaked.keep_workers()
            due = planned * (count - alive + 1) / count > planned - len(strikes)
            if strikes and due and soaked.strike(strikes[-1]):
                strikes.pop()
            time.sleep(0.1)
    finally:
        soaked.end()
    ended = jobs.list_jobs()
    logs = [(folder / f"worker-{number}.log").read_text().lower() for number in range(HOMES)]
    return {
        "seconds": round(time.monotonic() - began),
        "done to them": dict(soaked.done_to_them),
        "jobs": len(ended),
        "states": dict(Counter(job.state for job in ended)),
        "attempts": dict(sorted(Counter(job.attempt for job in ended).items())),
        "taken over": sum(job.fence - job.attempt for job in ended),
        "crashes": dict(Counter(job.crash for job in ended if job.crash)),
        "results": sum(job.result is not None and job.result["rows"] == 2000 for job in ended),
        "files": sum(len(path.read_bytes().splitlines()) == 2000 for path in folder.glob("*.jsonl")),
        "too late": sum(log.count("too late") for log in logs),  # workers that woke and had lost their jobs
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name, default in (("jobs", 150), ("kills", 10), ("stops", 8), ("job-kills", 6), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--lease", type=float, default=jobs.LEASE.total_seconds(), help="of a worker, in seconds")
    stated = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="soak"))
    os.environ["PRICER_HOME"] = str(folder / "home")
    os.environ.setdefault("PRICER_DATABASE_URL", f"sqlite:///{folder / 'soak.db'}")
    try:
        told = soak(folder, stated.jobs, stated.kills, stated.stops, stated.job_kills, stated.lease, stated.seed)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(told, indent=1))
    lost = told["jobs"] != stated.jobs or told["results"] != told["states"].get("done")
    return int(lost or told["states"].get("done", 0) + told["states"].get("crashed", 0) != stated.jobs)


if __name__ == "__main__":
    sys.exit(main())
