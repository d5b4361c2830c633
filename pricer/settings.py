"""Folders, database, keys and switches of this installation: the only reader of the environment."""

import os
import tomllib
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


def job_attempt() -> int:
    """Which attempt at its job this process is (`PRICER_JOB_ATTEMPT`)."""
    return int(os.environ.get("PRICER_JOB_ATTEMPT") or 1)


def checkpoints_folder() -> Path | None:
    """Where this process leaves checkpoints, and finds those to go on from (`PRICER_CHECKPOINTS`); a job has one."""
    folder = os.environ.get("PRICER_CHECKPOINTS")
    return Path(folder) if folder else None


def job_environment(folder: Path, attempt: int, checkpoints: Path) -> dict[str, str]:
    """The environment of a command that is launched as the job of this folder: ours, with its output unbuffered."""
    return os.environ | {
        "PRICER_JOB_FOLDER": str(folder),
        "PRICER_JOB_ATTEMPT": str(attempt),
        "PRICER_CHECKPOINTS": str(checkpoints),
        "PYTHONUNBUFFERED": "1",
    }


def served_hosts() -> frozenset[str]:
    """The names under which a browser may reach the server (this machine's own, and those in `PRICER_HOSTS`)."""
    named = os.environ.get("PRICER_HOSTS", "").replace(",", " ").split()
    return frozenset({"127.0.0.1", "localhost", "::1"} | {name.strip("[]").lower() for name in named})


def provider_hosts() -> frozenset[str]:
    """The hosts, with a port or without, that own providers may stand on (`PRICER_PROVIDER_HOSTS`)."""
    return frozenset(os.environ.get("PRICER_PROVIDER_HOSTS", "").replace(",", " ").lower().split())


def worker_count() -> int:
    """How many processes share parallel work (`PRICER_WORKERS`, or every core that this process may use)."""
    configured = os.environ.get("PRICER_WORKERS")
    if configured:
        return max(1, int(configured))
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# Keys, and the hub that one of them opens

HUB = "https://huggingface.co"
_PROJECT = Path(__file__).resolve().parents[1]
# Its warnings quote the addresses that it retries, and those of uploads are signed.
_HUB_QUIET = {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_VERBOSITY": "error"}


def key_in_environment(name: str) -> str:
    """A key that the environment holds; empty if there is none."""
    return os.environ.get(name, "").strip()


def secrets_file() -> Path:
    """The file that may hold keys (`PRICER_SECRETS`, or `.streamlit/secrets.toml` beside the app)."""
    return Path(os.environ.get("PRICER_SECRETS") or _PROJECT / ".streamlit" / "secrets.toml").expanduser()


def key_in_file(name: str) -> str:
    """A key that the file of secrets holds; empty if there is none.

    PricerError where others may read the file, or where it is no TOML.
    """
    file = secrets_file()
    if not file.is_file():
        return ""
    if file.stat().st_mode & 0o077:
        raise PricerError(f"others may read {file}, so no key is taken from it: chmod 600 {file}")
    try:
        value = tomllib.loads(file.read_text(encoding="utf-8")).get(name, "")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):  # without the cause: its message may quote a key
        raise PricerError(f'{file} is not TOML: a key stands there as {name} = "…"') from None
    return value.strip() if isinstance(value, str) else ""


def keys_socket() -> Path:
    """Where the server hands typed keys to its jobs."""
    return home() / "keys.sock"


def hub_endpoint() -> str:
    """The address of the hub (`HF_ENDPOINT`, or huggingface.co)."""
    return (os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")


def hub_is_offline() -> bool:
    """Whether nothing may be asked of the hub, and only what was downloaded before is there (`HF_HUB_OFFLINE`)."""
    return os.environ.get("HF_HUB_OFFLINE", "").strip().upper() in ("1", "ON", "YES", "TRUE")


def quieten_hub() -> None:
    """Keep the hub's library from telling how it is used, drawing bars and warning, and to plain HTTP.

    Called before it is imported: it reads its environment once.
    """
    for name, value in _HUB_QUIET.items():
        os.environ.setdefault(name, value)
    # Its other way of transfer has errors, progress and resumption of its own; the plain one is what the tests prove.
    os.environ["HF_HUB_DISABLE_XET"] = "1"


def base_url(name: str, usual: str) -> str:
    """The address of a provider, which the environment may change (`OPENAI_BASE_URL`, say)."""
    return (os.environ.get(name) or usual).rstrip("/")
