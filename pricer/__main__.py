"""The command line: `python -m pricer VERB`, the same verbs as the pages.

Each verb returns one JSON-ready object; `--json` prints it, otherwise its words are printed. Everything else goes to
standard error. What a person can put right is one line there and exit code 2.
"""

import argparse
import dataclasses
import errno
import json
import os
import signal
import socket
import sys
import time
from concurrent.futures import BrokenExecutor
from pathlib import Path

from pricer import settings
from pricer.errors import PricerError
from pricer.files import write_beside
from pricer.progress import Pace, Progress, Report, Step, duration
from pricer.runs.meters import keep_meters
from pricer.runs.pulse import give_pulse
from pricer.verbs import (
    ask,
    compare,
    data,
    experiments,
    guess,
    guesses,
    jobs,
    learned,
    models,
    prompts,
    providers,
    publish,
    recipes,
    rewrite,
    runs,
    solve,
    tune,
    tuned,
)
from pricer.verbs.verb import Verbs

_WRITES_PER_SECOND = 4
_SECONDS_BETWEEN_LINES = 5
_DEMO_ROWS = 20_000


def main(arguments: list[str] | None = None) -> int:
    """Run one verb and return its exit code: 0, 2 for what a person can put right, 130 when interrupted."""
    options = _parser().parse_args(arguments)
    display = _Display()
    try:
        result = options.run_verb(options, display)
    except PricerError as error:
        killed = isinstance(error.__cause__, BrokenExecutor)  # a process that we had started, and so a part of the job
        return _fail(display, str(error), **({"crash": "killed"} if killed else {}))
    except MemoryError as error:
        return _fail(display, f"out of memory: {error or 'no more was to be had'}", crash="out of memory")
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT):
            raise
        return _fail(display, f"{error.filename or settings.home()}: {error.strerror}")
    except KeyboardInterrupt:
        display.end()
        print("interrupted; nothing was kept", file=sys.stderr)
        return 130
    except Exception as error:
        _leave_result(exit_code=1, error=f"a bug in Pricer, {type(error).__name__}: {_line(error)}; the log tells more")
        raise
    display.end()
    _leave_result(exit_code=0, result=result)
    print(json.dumps(result, ensure_ascii=False) if options.json else options.words_of_verb(result))
    return 0


def _fail(display: "_Display", message: str, **more: str) -> int:
    display.end()
    _leave_result(exit_code=2, error=_line(message), **more)
    print(f"pricer: {_line(message)}", file=sys.stderr)
    return 2


def _line(message: object) -> str:
    return " ".join(str(message).split())


class _Display:
    """Shows progress on standard error, and leaves it where the page that launched this command looks."""

    def __init__(self) -> None:
        self._pace = Pace()
        self._terminal = sys.stderr.isatty()
        self._stage = ""
        self._shown = self._left = 0.0
        self._open_line = False

    def __call__(self, step: Step) -> None:
        progress = self._pace.of(step)
        now = time.monotonic()
        changed = step.stage != self._stage
        if changed or now - self._left >= 1 / _WRITES_PER_SECOND:
            self._left = now
            _leave("progress.json", dataclasses.asdict(progress) | {"updated": time.time()})
        if changed or now - self._shown >= (1 / _WRITES_PER_SECOND if self._terminal else _SECONDS_BETWEEN_LINES):
            self._shown = now
            self._show(progress, changed)
        self._stage = step.stage

    def _show(self, progress: Progress, changed: bool) -> None:
        if self._terminal:
            start = "\n" if changed and self._open_line else "\r"
            print(f"{start}\x1b[K{_told(progress)}", end="", file=sys.stderr, flush=True)
            self._open_line = True
        else:
            print(_told(progress), file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._open_line:
            print(file=sys.stderr)
            self._open_line = False


def _told(progress: Progress) -> str:
    words = [progress.stage, f"{progress.count:,} {progress.unit}"]
    if progress.fraction is not None:
        words.append(f"{progress.fraction:.0%}")
    if progress.elapsed_seconds > 1 and progress.rate_per_second:
        words.append(f"{progress.rate_per_second:,.0f} {progress.unit}/s")
    if progress.remaining_seconds is not None and progress.fraction != 1:
        words.append(f"{duration(progress.remaining_seconds)} left")
    return "  ".join(words)


def _leave_result(**result: object) -> None:
    _leave("result.json", {"attempt": settings.job_attempt(), **result})


def _leave(name: str, content: dict) -> None:
    """Leave a record in the job's folder, if this command was launched as a job."""
    if folder := settings.job_folder():
        write_beside(folder / name, content)


# The server


def _app(options: argparse.Namespace, report: Report) -> dict:
    from pricer.catalogue.store import list_catalogues

    settings.make_home()
    _check_port(options.port)
    if not list_catalogues():
        print("No catalogue yet: preparing the demo (generated data)", file=sys.stderr)
        data.load_demo("demo", _DEMO_ROWS, 42, report)
    script = Path(__file__).resolve().parent.parent / "app.py"
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.address", "127.0.0.1",
               "--server.port", str(options.port)]  # fmt: skip
    command += ["--server.headless", "true"] if options.headless else []
    print(f"Pricer opens on http://127.0.0.1:{options.port} (end it with Ctrl+C)", file=sys.stderr, flush=True)
    os.chdir(script.parent)
    os.execv(sys.executable, command)


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PricerError(f"port {port} is taken ({error.strerror}); choose another with --port") from error


# The parser


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        """A slip in the options is one line too."""
        _leave_result(exit_code=2, error=message)
        self.exit(2, f"{self.prog}: {message} (--help tells more)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m pricer", description="What does this product cost?")
    verbs = Verbs(parser.add_subparsers(metavar="VERB", required=True))
    data.add_verbs(verbs)
    solve.add_verbs(verbs)
    recipes.add_verbs(verbs)
    models.add_verbs(verbs)
    guess.add_verbs(verbs)
    compare.add_verbs(verbs)
    jobs.add_verbs(verbs)
    runs.add_verbs(verbs)
    guesses.add_verbs(verbs)
    publish.add_verbs(verbs)
    prompts.add_verbs(verbs)
    rewrite.add_verbs(verbs)
    ask.add_verbs(verbs)
    providers.add_verbs(verbs)
    tune.add_verbs(verbs)
    tuned.add_verbs(verbs)
    learned.add_verbs(verbs)
    experiments.add_verbs(verbs)
    verb = verbs.add("app", "open Pricer in a browser, with a demo catalogue if there is none", _app, str)
    verb.add_argument("--port", type=int, default=8501, help="on 127.0.0.1 (default 8501)")
    verb.add_argument("--headless", action="store_true", help="do not open a browser")
    return parser


def _interrupt(*_signal: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)  # so that a cancelled job clears away what it was writing
    if job_folder := settings.job_folder():
        give_pulse(job_folder)
        keep_meters(job_folder)
    sys.exit(main())
