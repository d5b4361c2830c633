"""Keys to other services: found in the environment, in the file of secrets, or typed into the server for a while.

A typed key stays in the server's memory. A job of the same user asks for it over a Unix socket of mode 0600 in the home
folder, before it looks anywhere else, so it uses the key that the page has shown; no key ever stands in an argument, a
file, the database or a log. After a restart of the server a job that needs a typed key waits until it is typed again.
"""

import os
import socket
import stat
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from pydantic import SecretStr

from pricer import settings
from pricer.errors import PricerError
from pricer.progress import Report, Step

HUB_TOKEN = "HF_TOKEN"
KNOWN = {
    HUB_TOKEN: "Hugging Face",
    "OPENAI_API_KEY": "OpenAI",
    "ANTHROPIC_API_KEY": "Anthropic",
    "AZURE_OPENAI_API_KEY": "Azure OpenAI",
    "GEMINI_API_KEY": "Google Gemini",
    "GROQ_API_KEY": "Groq",
    "MISTRAL_API_KEY": "Mistral",
    "OPENROUTER_API_KEY": "OpenRouter",
    "TOGETHER_API_KEY": "Together",
}
SECONDS_TO_WAIT = 1800.0  # for a key that is to be typed again
LONGEST = 1000
_SECONDS_BETWEEN_LOOKS = 0.5
_LONGEST_SOCKET = 100  # a path of more bytes cannot be bound

Place = Literal["environment", "secrets.toml", "typed"]


@dataclass(frozen=True)
class Key:
    """A key and where it was found; printing it shows stars."""

    name: str
    text: SecretStr
    place: Place


_typed: dict[str, SecretStr] = {}
_server: threading.Thread | None = None
_lock = threading.Lock()


def find_key(name: str | None) -> Key | None:
    """The key of this name: one that was typed, else the environment's, else the file's; None if there is none.

    A command that a person types has the environment of their own shell: there a key that was typed on a page is last.
    """
    if name is None:
        return None
    if name in _typed:
        return Key(name, _typed[name], "typed")
    if settings.job_folder() and (text := _ask(name)):
        return Key(name, SecretStr(text), "typed")
    if text := settings.key_in_environment(name):
        return Key(name, SecretStr(text), "environment")
    if text := settings.key_in_file(name):
        return Key(name, SecretStr(text), "secrets.toml")
    if text := _ask(name):
        return Key(name, SecretStr(text), "typed")
    return None


def need_key(name: str | None) -> Key | None:
    """The key of this name, None where none is needed; PricerError where there is none."""
    found = find_key(name)
    if name and found is None:
        raise PricerError(
            f"there is no {name}: set it in the environment, put it into {settings.secrets_file()}, or type it on the "
            f"page {page_of(name)}"
        )
    return found


def wait_for_key(name: str | None, report: Report) -> Key | None:
    """As `need_key`, but a job waits for one that was typed into a server which has been restarted since.

    PricerError where there is none, or none came in half an hour.
    """
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while name and find_key(name) is None and settings.job_folder() and time.monotonic() < deadline:
        report(Step(f"Waiting for {name}: type it again on the page {page_of(name)}", 0, "keys"))
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    return need_key(name)


def page_of(name: str) -> str:
    """Where a key of this name is typed."""
    return "Publish" if name == HUB_TOKEN else "Train"


def remember(name: str, text: str) -> None:
    """Keep a typed key in this process until it ends or forgets it, and hand it to jobs.

    PricerError where it cannot be a key: it is empty, or has spaces or control characters.
    """
    text = text.strip()
    if not text or len(text) > LONGEST or not text.isascii() or not text.isprintable() or " " in text:
        raise PricerError("a key is one word of plain letters, digits and signs")
    with _lock:
        _typed[name] = SecretStr(text)
        _serve()


def forget(name: str) -> None:
    _typed.pop(name, None)


# The socket


def _serve() -> None:
    global _server
    path = settings.keys_socket()
    if _server is not None and _server.is_alive() and path.exists():
        return
    settings.make_home()
    if len(os.fsencode(path)) > _LONGEST_SOCKET:
        raise PricerError(f"{path} is too long for a socket: set PRICER_HOME to a shorter path, or {HUB_TOKEN} itself")
    with suppress(FileNotFoundError):
        path.unlink()  # left by a server that is gone, or of one that will not be asked any more
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)  # the socket is born with mode 0600
    try:
        listener.bind(os.fspath(path))
    finally:
        os.umask(before)
    listener.listen()
    _server = threading.Thread(target=_answer, args=(listener,), daemon=True)
    _server.start()


def _answer(listener: socket.socket) -> None:
    """Give whoever may open the socket the typed key that they name."""
    while True:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.settimeout(5)
            name = connection.recv(100).decode("ascii", "replace").strip()
            if name in _typed:
                connection.sendall(_typed[name].get_secret_value().encode())


def _ask(name: str) -> str:
    """Ask the server of this home for a typed key; empty if there is no server or it has none."""
    path = settings.keys_socket()
    with suppress(OSError):
        if not stat.S_ISSOCK(path.stat().st_mode) or path.stat().st_uid != os.getuid():
            return ""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(os.fspath(path))
            connection.sendall(name.encode())
            connection.shutdown(socket.SHUT_WR)
            return connection.recv(LONGEST + 1).decode("ascii", "replace")
    return ""
