"""A real server for the tests: its own process, port and home."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.processes import end_processes_of

ROOT = Path(__file__).resolve().parents[1]
STREAMLIT = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.headless", "true"]


@dataclass(frozen=True)
class Server:
    port: int
    home: Path
    process: subprocess.Popen

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving(home: Path) -> Iterator[Server]:
    """Start the server on a free port and wait until it is healthy."""
    port = free_port()
    log = home.with_name(f"{home.name}-server.log")
    with log.open("w") as output:
        process = subprocess.Popen(
            [*STREAMLIT, "--server.port", str(port)],
            cwd=ROOT,
            env=os.environ | {"PRICER_HOME": str(home)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    server = Server(port, home, process)
    try:
        _wait_until_healthy(server, log)
        yield server
    finally:
        process.terminate()
        process.wait(20)
        end_processes_of(home)  # its worker, which outlives it


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_healthy(server: Server, log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=5):
                return
        except OSError:
            assert server.process.poll() is None, f"the server ended:\n{log.read_text()}"
            assert time.monotonic() < deadline, f"the server does not answer:\n{log.read_text()}"
            time.sleep(0.1)
