"""Folders, database and switches of this installation: the only reader of the environment."""

import os
from pathlib import Path

from platformdirs import user_data_path


def home() -> Path:
    """The folder that holds everything Pricer keeps (`PRICER_HOME`, or the user's data folder)."""
    return Path(os.environ.get("PRICER_HOME") or user_data_path("pricer")).expanduser().resolve()


def catalogues_folder() -> Path:
    return home() / "catalogues"


def datasets_folder() -> Path:
    return home() / "datasets"


def cache_folder() -> Path:
    return home() / "cache"


def database_url() -> str:
    """Where recipes, and later jobs and runs, are recorded (`PRICER_DATABASE_URL`, or SQLite in the home folder)."""
    return os.environ.get("PRICER_DATABASE_URL") or f"sqlite:///{home() / 'pricer.db'}"


def job_folder() -> Path | None:
    """Where this process leaves its progress and result when it was launched as a job (`PRICER_JOB_FOLDER`)."""
    folder = os.environ.get("PRICER_JOB_FOLDER")
    return Path(folder) if folder else None


def worker_count() -> int:
    """How many processes share parallel work (`PRICER_WORKERS`, or every core that this process may use)."""
    configured = os.environ.get("PRICER_WORKERS")
    if configured:
        return max(1, int(configured))
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
