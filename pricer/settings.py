"""Folders, database and switches of this installation: the only reader of the environment."""

import os
from pathlib import Path

from platformdirs import user_data_path

from pricer.errors import PricerError

_OTHER_HOME = "set PRICER_HOME to a folder that you may write"


def home() -> Path:
    """The folder that holds everything Pricer keeps (`PRICER_HOME`, or the user's data folder)."""
    return Path(os.environ.get("PRICER_HOME") or user_data_path("pricer")).expanduser().resolve()


def make_home() -> Path:
    """Make the home folder if there is none; PricerError if nothing can be written there."""
    folder = home()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PricerError(f"cannot make the folder {folder} ({error.strerror}): {_OTHER_HOME}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PricerError(f"cannot write to the folder {folder}: {_OTHER_HOME}")
    return folder


def catalogues_folder() -> Path:
    return home() / "catalogues"


def datasets_folder() -> Path:
    return home() / "datasets"


def runs_folder() -> Path:
    return home() / "runs"


def cache_folder() -> Path:
    return home() / "cache"


def jobs_folder() -> Path:
    return home() / "jobs"


def database_url() -> str:
    """Where recipes, and later jobs and runs, are recorded (`PRICER_DATABASE_URL`, or SQLite in the home folder)."""
    return os.environ.get("PRICER_DATABASE_URL") or f"sqlite:///{home() / 'pricer.db'}"


def job_folder() -> Path | None:
    """Where this process leaves its progress and result when it was launched as a job (`PRICER_JOB_FOLDER`)."""
    folder = os.environ.get("PRICER_JOB_FOLDER")
    return Path(folder) if folder else None


def job_environment(folder: Path) -> dict[str, str]:
    """The environment of a command that is launched as the job of this folder: ours, with its output unbuffered."""
    return os.environ | {"PRICER_JOB_FOLDER": str(folder), "PYTHONUNBUFFERED": "1"}


def served_hosts() -> frozenset[str]:
    """The names under which a browser may reach the server (this machine's own, and those in `PRICER_HOSTS`)."""
    named = os.environ.get("PRICER_HOSTS", "").replace(",", " ").split()
    return frozenset({"127.0.0.1", "localhost", "::1"} | {name.strip("[]").lower() for name in named})


def worker_count() -> int:
    """How many processes share parallel work (`PRICER_WORKERS`, or every core that this process may use)."""
    configured = os.environ.get("PRICER_WORKERS")
    if configured:
        return max(1, int(configured))
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
