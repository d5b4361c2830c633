"""A real PostgreSQL for the tests: find its programs, or get them with `python -m tests.postgres`, and start one."""

import os
import platform
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BINARIES = "/usr/lib/postgresql"  # Debian's place, one folder for each version


def find() -> Path | None:
    """The folder that holds PostgreSQL's programs, the newest version; None if there is none."""
    found = sorted(Path(BINARIES).glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).resolve().parent if on_path else None


@contextmanager
def running() -> Iterator[str]:
    """Start a PostgreSQL of our own, that listens on a socket file alone; gives its folder, for `url`."""
    programs = find()
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # short: the path of a socket has few characters
    data = folder / "data"
    as_user = {}
    if os.geteuid() == 0:  # it refuses to run as root
        names = {entry.pw_name for entry in pwd.getpwall()}
        owner = "postgres" if "postgres" in names else "nobody"
        shutil.chown(folder, owner)
        as_user = {"user": owner, "group": pwd.getpwnam(owner).pw_gid, "extra_groups": []}
    try:
        initdb = [programs / "initdb", "-D", data, "-U", "pricer", "--auth=trust", "--no-sync", "-E", "UTF8"]
        subprocess.run(initdb, check=True, capture_output=True, cwd=folder, **as_user)
        settings = ("fsync=off", "listen_addresses=", f"unix_socket_directories={folder}", "max_connections=200")
        options = [part for setting in settings for part in ("-c", setting)]
        with (folder / "log.txt").open("wb") as log:
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, *options], stdout=log, stderr=log, cwd=folder, **as_user
            )
        try:
            ready = [programs / "pg_isready", "-h", folder, "-U", "pricer", "-t", "30"]
            while subprocess.run(ready, capture_output=True).returncode:
                assert server.poll() is None, (folder / "log.txt").read_text()
            yield str(folder)
        finally:
            server.send_signal(signal.SIGINT)  # without waiting for those who are connected
            server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def url(folder: str, database: str) -> str:
    return f"postgresql+psycopg://pricer@/{database}?host={folder}"


def get() -> None:
    """Install Debian's PostgreSQL where that is allowed."""
    if not shutil.which("apt-get") or os.geteuid() != 0 or not _is_debian():
        print("No PostgreSQL found: its tests will be skipped (install your system's postgresql to run them)")
        return
    print("No PostgreSQL found: installing Debian's", flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "postgresql"]
    for command in (["apt-get", "update", "-qq"], install):
        if subprocess.run(command, env=environment, stdin=subprocess.DEVNULL).returncode:
            print("It could not be installed: its tests will be skipped")
            return


def _is_debian() -> bool:
    return Path("/etc/os-release").exists() and platform.freedesktop_os_release().get("ID") == "debian"


if __name__ == "__main__":
    if find() is None:
        get()
