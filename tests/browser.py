"""The Chromium that the browser tests drive: find one, or get one with `python -m tests.browser`."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",  # it finds this machine only
]


def find() -> str | None:
    """The path of a Chromium that starts: `PRICER_CHROMIUM`, one on the path, or Playwright's own."""
    return next((path for path in _candidates() if path and _starts(path)), None)


def _candidates() -> Iterator[str | None]:
    yield os.environ.get("PRICER_CHROMIUM")
    yield from map(shutil.which, COMMANDS)
    with sync_playwright() as playwright:
        yield playwright.chromium.executable_path


def _starts(path: str) -> bool:
    """Whether it runs at all: Ubuntu's `chromium-browser` may be a note that asks for a snap."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=30).returncode == 0
    except OSError:
        return False


def get() -> None:
    """Install Debian's Chromium where that is allowed, otherwise Playwright's."""
    if _is_debian() and os.geteuid() == 0 and shutil.which("apt-get"):
        print("No browser found: installing Debian's chromium", flush=True)
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
        subprocess.run(install, check=True, env=environment, stdin=subprocess.DEVNULL)
    else:
        print("No browser found: downloading Playwright's Chromium", flush=True)
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)


def _is_debian() -> bool:
    return Path("/etc/os-release").exists() and platform.freedesktop_os_release().get("ID") == "debian"


def main() -> int:
    path = find()
    if path is None:
        try:
            get()
        except subprocess.CalledProcessError as error:
            print(f"`{' '.join(map(str, error.cmd))}` failed", file=sys.stderr)
        path = find()
    if path is None:
        print(
            "The tests need Chromium: install it, or type PRICER_CHROMIUM=/path/to/chromium make test", file=sys.stderr
        )
        return 1
    print(f"Browser: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
