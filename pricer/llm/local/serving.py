"""One warm language model for the pages: a process of its own on loopback, which ends itself when nobody asks.

It writes where it listens, and a token that opens it, into `serving.json` (mode 0600) in the home folder. It answers
`GET /state`, `POST /ask` and `POST /stop`, all with that token, and only one such process serves a home at a time.
"""

import hmac
import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

import psutil
from filelock import FileLock, Timeout

from pricer import settings
from pricer.errors import PricerError

IDLE_SECONDS = 900.0
MOST_BYTES = 5_000_000  # of a request
MOST_TEXTS = 256
ANSWER_SECONDS = 300.0
_LOOK_SECONDS = 5.0
_HOST = "127.0.0.1"
_FILE = "serving.json"

State = Literal["loading", "ready", "failed"]
Answer = Callable[[Sequence[str]], dict]


@dataclass(frozen=True)
class Serving:
    """The process that serves a run, as it last said of itself."""

    run: str
    pid: int
    token: str
    started: float  # seconds since 1970
    state: State = "loading"
    port: int = 0
    about: str = ""  # the model, its precision, device and memory
    bytes: int = 0  # that the process holds
    asked: int = 0  # products until now
    error: str = ""


def serve(
    run: str, load: Callable[[], tuple[str, Answer]], idle_seconds: float = IDLE_SECONDS, look_seconds: float = 1.0
) -> int:
    """Load a model, answer until nobody has asked for a while or someone stops it; gives how many products were asked.

    `load` gives words about the model, and what answers texts with a JSON-ready object. PricerError where another
    process serves this home already, or the model cannot be loaded.
    """
    lock = FileLock(settings.make_home() / "serving.lock")
    try:
        lock.acquire(timeout=10)  # one that was just stopped may still be on its way out
    except Timeout as error:
        raise PricerError("another model is served already: unload it first (python -m pricer serve --stop)") from error
    try:
        serving = Serving(run, os.getpid(), secrets.token_urlsafe(32), time.time())
        _write(serving)
        try:
            about, answer = load()
        except PricerError as error:
            _write(replace(serving, state="failed", error=str(error)))
            raise
        with _Server(replace(serving, state="ready", about=about), answer, idle_seconds, look_seconds) as server:
            _write(server.serving)
            server.serve_forever(poll_interval=0.1)
            asked = server.asked
        if (known := _read()) and known.pid == os.getpid():  # nobody has started another meanwhile
            _file().unlink(missing_ok=True)
        return asked
    finally:
        lock.release()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, serving: Serving, answer: Answer, idle_seconds: float, look_seconds: float):
        super().__init__((_HOST, 0), _Handler)
        self.serving = replace(serving, port=self.server_port)
        self.answer, self.asked = answer, 0
        self.one_at_a_time = threading.Lock()
        self.last_asked = time.monotonic()
        threading.Thread(target=self._end_when_idle, args=(idle_seconds, look_seconds), daemon=True).start()

    def _end_when_idle(self, idle_seconds: float, look_seconds: float) -> None:
        while time.monotonic() - self.last_asked < idle_seconds:
            time.sleep(look_seconds)
        with self.one_at_a_time:
            self.shutdown()

    def state(self) -> Serving:
        return replace(self.serving, asked=self.asked, bytes=psutil.Process().memory_info().rss)

    def ask(self, texts: list[str]) -> dict:
        with self.one_at_a_time:
            try:
                return self.answer(texts)
            finally:
                self.asked += len(texts)
                self.last_asked = time.monotonic()


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 30

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        if not self._may():
            return
        if self.path == "/state":
            self._say(200, asdict(self.server.state()) | {"token": ""})
        else:
            self._say(404, {"error": "there is nothing"})

    def do_POST(self) -> None:
        if not self._may():
            return
        if self.path == "/stop":
            self._say(200, {})
            threading.Thread(target=self.server.shutdown, daemon=True).start()
        elif self.path == "/ask":
            self._ask()
        else:
            self._say(404, {"error": "there is nothing"})

    def _ask(self) -> None:
        size = self.headers.get("Content-Length", "")
        if not size.isdigit() or int(size) > MOST_BYTES:
            self._say(413, {"error": f"a request has at most {MOST_BYTES:,} bytes"})
            return
        try:
            texts = json.loads(self.rfile.read(int(size)))["texts"]
        except (ValueError, KeyError, TypeError):
            texts = None
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts) or len(texts) > MOST_TEXTS:
            self._say(400, {"error": f"expected texts: a list of at most {MOST_TEXTS} descriptions"})
            return
        try:
            self._say(200, self.server.ask(texts))
        except PricerError as error:
            self._say(422, {"error": str(error)})

    def _may(self) -> bool:
        given = self.headers.get("Authorization", "").encode()
        if hmac.compare_digest(given, f"Bearer {self.server.serving.token}".encode()):
            return True
        self._say(401, {"error": "the token is wrong"})
        return False

    def _say(self, status: int, answer: dict) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


# Who asks


def look() -> Serving | None:
    """The model that is served now, is being loaded, or could not be; None where there is none."""
    known = _read()
    if known is None or known.state == "failed":
        return known
    if known.state == "loading":
        ended = "the process ended by itself; serving.log in the home folder tells more"
        return known if _lives(known.pid) else replace(known, state="failed", error=ended)
    try:
        return replace(_serving(_call(known, "GET", "/state", None, _LOOK_SECONDS)), token=known.token)
    except PricerError:
        return None


def ask(serving: Serving, texts: Sequence[str]) -> dict:
    """What a served model says of descriptions; PricerError where it refuses, or does not answer any more."""
    return _call(serving, "POST", "/ask", {"texts": list(texts)}, ANSWER_SECONDS)


def stop() -> None:
    """End the process that serves, and so free its memory; nothing happens where there is none."""
    known = _read()
    if known is None:
        return
    if known.state == "ready":
        with suppress(PricerError):  # it has ended already
            _call(known, "POST", "/stop", {}, _LOOK_SECONDS)
    elif known.state == "loading" and _is_ours(known):
        psutil.Process(known.pid).terminate()
    _file().unlink(missing_ok=True)


def expect(run: str, pid: int) -> None:
    """Record a process that was started to serve a run, until it speaks for itself."""
    known = _read()
    if known is None or known.pid != pid:
        _write(Serving(run, pid, "", time.time()))


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _is_ours(serving: Serving) -> bool:
    """Whether the process with this number is the one that was recorded, and not one that has its number now."""
    try:
        process = psutil.Process(serving.pid)
        return "serve" in process.cmdline() and process.create_time() <= serving.started + 5
    except psutil.Error:
        return False


def _call(serving: Serving, method: str, path: str, body: dict | None, seconds: float) -> dict:
    connection = HTTPConnection(_HOST, serving.port, timeout=seconds)
    try:
        headers = {"Authorization": f"Bearer {serving.token}", "Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        said = json.loads(answer.read())
    except (OSError, HTTPException, ValueError) as error:
        raise PricerError("the language model does not answer; load it again") from error
    finally:
        connection.close()
    if answer.status != 200:
        raise PricerError(said.get("error", f"the language model answered {answer.status}"))
    return said


def _file() -> Path:
    return settings.home() / _FILE


def _write(serving: Serving) -> None:
    path = settings.make_home() / _FILE
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    beside.write_text(json.dumps(asdict(serving)), encoding="utf-8")
    beside.replace(path)


def _read() -> Serving | None:
    try:
        return _serving(json.loads(_file().read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _serving(said: dict) -> Serving:
    return Serving(**{field.name: said[field.name] for field in fields(Serving) if field.name in said})
