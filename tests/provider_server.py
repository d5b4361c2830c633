"""A provider of language models for the tests: a real HTTP server that speaks the protocol of OpenAI.

    with ProviderServer() as provider:
        provider.keys = {"sk-…"}                                  # none: every key is good
        provider.answer = lambda asked: "Price is $12.50"         # of the request's body
        provider.faults.append(Fault("rate", first=1, times=3, seconds=2))
        …ask provider.url, such as http://127.0.0.1:4711/v1…
        provider.count("/chat/completions")                       # requests that came
        provider.paid                                             # answers that were made, lost ones too

It keeps models, chat completions, files and batches; other routes (of fine-tuning, say) are added to `routes`. Every
request is counted and kept in `requests`. As a process of its own: `python -m tests.provider_server --latency=0.05`
prints its address and serves until it is killed.
"""

import argparse
import hashlib
import itertools
import json
import random
import re
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

HTML = "<!doctype html><html><body><h1>502 Bad Gateway</h1></body></html>"
_SPOILED = {"html": HTML, "garbage": '{"choices": [{"mess', "empty": "", "deep": '{"a":' * 100_000}
_LONGEST_WAIT = 60.0


@dataclass
class Fault:
    """What goes wrong with requests whose method and path hold `where`.

    It strikes from the `first` such request on, `times` times, or a `share` of them that the seed draws.
    "rate": 429 with `Retry-After: seconds`, "busy": 503 with it. "quota": 429 insufficient_quota. "key": 401.
    "status": an error of this `status`. "reset": closed unanswered, and nothing was done. "lost": done, then closed
    unanswered. "hang": done, then no answer for `seconds`. "drip": the answer, a byte every `seconds`. "html",
    "garbage", "empty", "deep": 200 with such a body. "huge": 200 with a body of `size` bytes. "redirect": 302 to
    `target`.
    """

    kind: str
    where: str = "/chat/completions"
    first: int = 1
    times: int = 10**9
    share: float | None = None
    seed: int = 0
    status: int = 500
    seconds: float = 0.0
    size: int = 1 << 26
    target: str = "/elsewhere"
    seen: int = 0

    def __post_init__(self) -> None:
        self._draws = random.Random(self.seed)

    def strikes(self, request: str) -> bool:
        if self.where not in request:
            return False
        self.seen += 1
        drawn = self.share is None or self._draws.random() < self.share
        return drawn and self.first <= self.seen < self.first + self.times


@dataclass
class Request:
    """A request as it came: `path` is without the query, `body` is read as JSON where it is JSON."""

    method: str
    path: str
    key: str
    body: object
    headers: dict[str, str]
    query: dict[str, list[str]]
    at: float  # time.monotonic()
    fault: str | None = None  # its kind


@dataclass
class Answer:
    """What a route answers: JSON, text or bytes."""

    body: object
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Refused(Exception):
    """An error as the protocol has it; a route or an answer function may raise it."""

    def __init__(self, status: int, message: str, code: str | None = None, kind: str = "invalid_request_error"):
        self.status = status
        self.body = {"error": {"message": message, "type": kind, "param": None, "code": code}}


Route = tuple[str, str, Callable[..., Answer]]  # method, pattern of the whole path, route(provider, request, **groups)


def price_of(asked: dict) -> str:
    """The usual answer: a price from $1 to $999 that depends on the messages alone, as JSON where that is asked for."""
    said = json.dumps(asked["messages"], sort_keys=True)
    price = 1 + int(hashlib.sha256(said.encode()).hexdigest()[:8], 16) % 99_800 / 100
    return json.dumps({"price": price}) if "response_format" in asked else f"Price is ${price:.2f}"


class ProviderServer:
    """The server, what it holds, its faults, and the requests that it was sent."""

    def __init__(self, port: int = 0):
        self.keys: set[str] = set()
        self.models: list[str] = ["small-1", "large-1"]
        self.answer: Callable[[dict], str] = price_of
        self.latency_seconds = 0.0
        self.batch_polls = 2  # how often a batch is looked at before it is done
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        self.paid = 0  # answers that were made, those in batches too
        self.files: dict[str, dict] = {}  # id -> its facts and "content", bytes
        self.batches: dict[str, dict] = {}
        self.routes: list[Route] = list(_ROUTES)
        self.lock = threading.RLock()
        self.ended = threading.Event()
        self._numbers = itertools.count(1)
        self._server = _Server(("127.0.0.1", port), type("Handler", (_Handler,), {"provider": self}))

    @property
    def url(self) -> str:
        """The base address, with /v1 and no slash at its end."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> "ProviderServer":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()  # what still hangs or drips
        self._server.shutdown()
        self._server.server_close()

    def count(self, where: str = "", method: str = "") -> int:
        """How many requests came whose path holds `where`."""
        with self.lock:
            return sum(where in request.path and method in request.method for request in self.requests)

    def new_id(self, kind: str) -> str:
        return f"{kind}-{next(self._numbers):04}"

    def keep_file(self, name: str, purpose: str, content: bytes) -> dict:
        """Keep a file as if it had been uploaded; gives its facts."""
        facts = {"id": self.new_id("file"), "object": "file", "bytes": len(content), "created_at": int(time.time())}
        facts |= {"filename": name, "purpose": purpose, "status": "processed"}
        self.files[facts["id"]] = facts | {"content": content}
        return facts

    def complete(self, asked: dict) -> dict:
        """The answer to a chat; it is paid for from now on."""
        if asked.get("model") not in self.models:
            raise Refused(404, f"The model `{asked.get('model')}` does not exist", "model_not_found")
        text = self.answer(asked)
        self.paid += 1
        tokens_in, tokens_out = _tokens(json.dumps(asked["messages"])), _tokens(text)
        message = {"role": "assistant", "content": text, "refusal": None}
        return {
            "id": self.new_id("chatcmpl"),
            "object": "chat.completion",
            "created": int(time.time()),
            "model": asked["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
            "usage": {
                "prompt_tokens": tokens_in,
                "completion_tokens": tokens_out,
                "total_tokens": tokens_in + tokens_out,
            },
        }


def _tokens(text: str) -> int:
    return max(1, len(text) // 4)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512  # many connect at once, and who is not queued tries again after a second


class _Handler(BaseHTTPRequestHandler):
    provider: ProviderServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or every answer of two writes takes 40 ms

    def log_message(self, *_: object) -> None:
        pass

    def _serve(self) -> None:
        provider, request = self.provider, self._read()
        if request is None:
            self.close_connection = True
            return
        with provider.lock:
            provider.requests.append(request)
            struck = [fault for fault in provider.faults if fault.strikes(f"{request.method} {request.path}")]
            fault = struck[0] if struck else None
            request.fault = fault and fault.kind
        if provider.latency_seconds:
            provider.ended.wait(provider.latency_seconds)
        try:
            self._answer(request, fault)
        except OSError:
            self.close_connection = True  # who asked has left

    do_GET = do_POST = do_DELETE = do_PUT = _serve

    def _answer(self, request: Request, fault: Fault | None) -> None:
        kind = fault.kind if fault else ""
        if kind == "reset":
            return self._close()
        try:
            if fault:
                _refuse(fault)
            answer = self._route(request)
        except Refused as refused:
            headers = {"Retry-After": f"{fault.seconds:g}"} if kind in ("rate", "busy") else {}
            return self._send(Answer(refused.body, refused.status, headers))
        if kind == "lost":
            return self._close()
        if kind == "hang":
            self.provider.ended.wait(min(fault.seconds, _LONGEST_WAIT))
            return self._close()
        if kind == "redirect":
            answer = Answer("", 302, {"Location": fault.target})
        if kind == "huge":
            answer = Answer(b" " * fault.size)
        if kind in _SPOILED:
            answer = Answer(_SPOILED[kind])
        self._send(answer, fault.seconds if kind == "drip" else 0.0)

    def _route(self, request: Request) -> Answer:
        if self.provider.keys and request.key not in self.provider.keys:
            raise Refused(401, f"Incorrect API key provided: {request.key[:3]}***", "invalid_api_key")
        for method, pattern, answer in self.provider.routes:
            match = re.fullmatch(pattern, request.path)
            if match and method == request.method:
                with self.provider.lock:
                    return answer(self.provider, request, **match.groupdict())
        raise Refused(404, f"Invalid URL ({request.method} {request.path})")

    def _read(self) -> Request | None:
        """The request; None where who sends it has died before its end."""
        parts, length = urlsplit(self.path), int(self.headers.get("Content-Length") or 0)
        content = self.rfile.read(length)
        if len(content) < length:
            return None
        body: object = content
        if "json" in self.headers.get("Content-Type", "") and content:
            body = json.loads(content)
        key = self.headers.get("Authorization", "").removeprefix("Bearer ") or self.headers.get("api-key", "")
        headers = {name.lower(): value for name, value in self.headers.items()}
        path, query = unquote(parts.path), parse_qs(parts.query)
        return Request(self.command, path, key, body, headers, query, time.monotonic())

    def _send(self, answer: Answer, seconds_per_byte: float = 0.0) -> None:
        is_text = isinstance(answer.body, str | bytes)
        text = answer.body if is_text else json.dumps(answer.body)
        content = text.encode() if isinstance(text, str) else text
        self.send_response(answer.status)
        for name, value in ({"Content-Type": "text/html" if is_text else "application/json"} | answer.headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if not seconds_per_byte:
            self.wfile.write(content)
            return
        for place in range(len(content)):
            if self.provider.ended.wait(seconds_per_byte):
                return
            self.wfile.write(content[place : place + 1])

    def _close(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)


def _refuse(fault: Fault) -> None:
    if fault.kind == "rate":
        raise Refused(429, "Rate limit reached for requests", "rate_limit_exceeded", "requests")
    if fault.kind == "quota":
        raise Refused(429, "You exceeded your current quota", "insufficient_quota", "insufficient_quota")
    if fault.kind == "key":
        raise Refused(401, "Incorrect API key provided", "invalid_api_key")
    if fault.kind == "busy":
        raise Refused(503, "The server is overloaded", None, "server_error")
    if fault.kind == "status":
        raise Refused(fault.status, "The server had an error", None, "server_error")


# What it answers


def _models(provider: ProviderServer, request: Request) -> Answer:
    listed = [
        {"id": name, "object": "model", "created": 1_700_000_000, "owned_by": "tests"} for name in provider.models
    ]
    return Answer({"object": "list", "data": listed})


def _chat(provider: ProviderServer, request: Request) -> Answer:
    return Answer(provider.complete(request.body))


def _upload(provider: ProviderServer, request: Request) -> Answer:
    form = read_form(request)
    purpose, file = form["purpose"].get_payload(decode=True).decode(), form["file"]
    return Answer(provider.keep_file(file.get_filename() or "", purpose.strip(), file.get_payload(decode=True)))


def read_form(request: Request) -> dict[str, EmailMessage]:
    """The parts of a multipart form by name, as email messages."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    parts = BytesParser(policy=HTTP).parsebytes(head + request.body).iter_parts()
    return {part.get_param("name", header="content-disposition"): part for part in parts}


def _files(provider: ProviderServer, request: Request) -> Answer:
    return Answer({"object": "list", "data": [_facts(file) for file in provider.files.values()], "has_more": False})


def _file(provider: ProviderServer, request: Request, id: str) -> Answer:
    return Answer(_facts(_found(provider.files, id)))


def _content(provider: ProviderServer, request: Request, id: str) -> Answer:
    return Answer(_found(provider.files, id)["content"])


def _delete(provider: ProviderServer, request: Request, id: str) -> Answer:
    _found(provider.files, id)
    del provider.files[id]
    return Answer({"id": id, "object": "file", "deleted": True})


def _found(kept: dict[str, dict], id: str) -> dict:
    if id not in kept:
        raise Refused(404, f"No such object: {id}")
    return kept[id]


def _facts(file: dict) -> dict:
    return {name: value for name, value in file.items() if name != "content"}


def _new_batch(provider: ProviderServer, request: Request) -> Answer:
    asked = request.body
    lines = [json.loads(line) for line in _found(provider.files, asked["input_file_id"])["content"].splitlines()]
    batch = {"id": provider.new_id("batch"), "object": "batch", "endpoint": asked["endpoint"], "errors": None}
    batch |= {"input_file_id": asked["input_file_id"], "completion_window": asked["completion_window"]}
    batch |= {"status": "validating", "output_file_id": None, "error_file_id": None, "created_at": int(time.time())}
    batch |= {"metadata": asked.get("metadata"), "request_counts": {"total": len(lines), "completed": 0, "failed": 0}}
    provider.batches[batch["id"]] = batch | {"polls": 0}
    return Answer(batch)


def _batches(provider: ProviderServer, request: Request) -> Answer:
    """A page of them, the newest first."""
    listed = [_told(each) for each in reversed(provider.batches.values())]
    limit, after = int(request.query.get("limit", ["20"])[0]), request.query.get("after", [None])[0]
    first = next((place for place, each in enumerate(listed, 1) if each["id"] == after), 0)
    return Answer({"object": "list", "data": listed[first : first + limit], "has_more": len(listed) > first + limit})


def _batch(provider: ProviderServer, request: Request, id: str) -> Answer:
    batch = _found(provider.batches, id)
    batch["polls"] += 1
    if batch["status"] in ("validating", "in_progress"):
        batch["status"] = "in_progress"
        if batch["polls"] >= provider.batch_polls:
            _finish(provider, batch)
    return Answer(_told(batch))


def _cancel_batch(provider: ProviderServer, request: Request, id: str) -> Answer:
    batch = _found(provider.batches, id)
    if batch["status"] in ("validating", "in_progress"):
        batch["status"] = "cancelled"
    return Answer(_told(batch))


def _finish(provider: ProviderServer, batch: dict) -> None:
    """Answer every line of a batch; what is refused goes into the file of errors."""
    done, failed = [], []
    for line in provider.files[batch["input_file_id"]]["content"].splitlines():
        asked = json.loads(line)
        reply = {"id": provider.new_id("batch_req"), "custom_id": asked["custom_id"], "error": None}
        try:
            done.append(reply | {"response": {"status_code": 200, "body": provider.complete(asked["body"])}})
        except Refused as refused:
            failed.append(reply | {"response": {"status_code": refused.status, "body": refused.body}})
    for name, lines in (("output_file_id", done), ("error_file_id", failed)):
        if lines:
            random.Random(0).shuffle(lines)  # no order is promised
            content = "".join(json.dumps(line) + "\n" for line in lines).encode()
            batch[name] = provider.keep_file("batch.jsonl", "batch_output", content)["id"]
    batch["status"] = "completed"
    batch["request_counts"] = {"total": len(done) + len(failed), "completed": len(done), "failed": len(failed)}


def _told(batch: dict) -> dict:
    return {name: value for name, value in batch.items() if name != "polls"}


_ID = r"(?P<id>[^/]+)"
_ROUTES: list[Route] = [
    ("GET", "/v1/models", _models),
    ("POST", "/v1/chat/completions", _chat),
    ("POST", "/v1/files", _upload),
    ("GET", "/v1/files", _files),
    ("GET", f"/v1/files/{_ID}", _file),
    ("GET", f"/v1/files/{_ID}/content", _content),
    ("DELETE", f"/v1/files/{_ID}", _delete),
    ("POST", "/v1/batches", _new_batch),
    ("GET", "/v1/batches", _batches),
    ("GET", f"/v1/batches/{_ID}", _batch),
    ("POST", f"/v1/batches/{_ID}/cancel", _cancel_batch),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before every answer")
    options = parser.parse_args()
    with ProviderServer(options.port) as provider:
        provider.latency_seconds = options.latency
        sys.stdout.write(f"{provider.url}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
