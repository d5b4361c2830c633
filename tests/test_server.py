"""Who may connect: only this machine's own names, only this server's own pages."""

import http.client
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest
from starlette.datastructures import Headers

from app import host_name, refusal
from tests.serving import STREAMLIT, Server

ROOT = Path(__file__).resolve().parents[1]
OURS = ["127.0.0.1", "127.0.0.1:8501", "localhost:8501", "LOCALHOST", "[::1]:8501"]
OTHERS = ["", "evil.example", "evil.example:8501", "127.0.0.1.evil.example", "localhost@evil.example",
          "evil.example#@localhost", "localhost/x", "[::1", "0.0.0.0", "192.168.0.2"]  # fmt: skip


@pytest.mark.parametrize("host", OURS)
def test_this_machines_own_names_are_answered(host):
    assert refusal(Headers({"host": host}), "http") is None


@pytest.mark.parametrize("host", OTHERS)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_other_names_are_refused(host, kind):
    assert "does not answer under the name" in refusal(Headers({"host": host, "origin": f"http://{host}"}), kind)


def test_further_names_can_be_allowed(monkeypatch):
    monkeypatch.setenv("PRICER_HOSTS", "pricer.example, 10.0.0.7")
    for host in ("pricer.example", "10.0.0.7:8501"):
        assert refusal(Headers({"host": host, "origin": f"https://{host}"}), "websocket") is None
    assert refusal(Headers({"host": "other.example"}), "http")


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost:9999", "http://localhost:8501.evil"]
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_what_another_sites_page_sends_is_refused(origin, kind):
    assert "may not talk" in refusal(Headers({"host": "localhost:8501", "origin": origin}), kind)


def test_a_websocket_without_an_origin_is_refused_a_plain_request_is_not():
    assert refusal(Headers({"host": "localhost"}), "websocket")
    assert not refusal(Headers({"host": "localhost"}), "http")


def test_a_host_header_that_is_no_host_has_no_name():
    assert [host_name(host) for host in ("[::1", "a@b", "a/b")] == [None, None, None]


# A real server


WEBSOCKET = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
             "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}  # fmt: skip


def ask(server: Server, path: str, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", path, headers=headers)
    return connection.getresponse()


def handshake(server: Server, **headers: str) -> int:
    """The status that an opening websocket gets: 101 if it may be opened."""
    return ask(server, "/_stcore/stream", **WEBSOCKET, **headers).status


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/", "/curate", "/_stcore/health", "/_stcore/host-config", "/app/static/icon.svg"])
def test_every_route_refuses_another_name(server, path):
    refused = ask(server, path, Host="evil.example")
    assert (refused.status, refused.read().count(b"\n")) == (403, 1)
    assert ask(server, path).status == 200


@pytest.mark.slow
def test_the_websocket_opens_to_its_own_pages_only(server):
    assert handshake(server, Origin=server.url) == 101
    assert handshake(server) == 403
    assert handshake(server, Origin="http://evil.example") == 403
    assert handshake(server, Origin="http://evil.example", Host="evil.example") == 403


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/", "/curate", "/_stcore/health", "/app/static/icon.svg"])
def test_every_answer_forbids_framing_sniffing_and_other_hosts(server, path):
    headers = ask(server, path).headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'self'" in headers["Content-Security-Policy"]


@pytest.mark.slow
def test_the_server_listens_on_this_machine_only(server):
    sockets = psutil.Process(server.process.pid).net_connections("tcp")
    assert {socket.laddr.ip for socket in sockets if socket.status == psutil.CONN_LISTEN} == {"127.0.0.1"}


def start_and_fail(**environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(STREAMLIT, env=os.environ | environment, capture_output=True, text=True, timeout=60)


@pytest.mark.slow
def test_a_taken_port_ends_the_start_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = start_and_fail(STREAMLIT_SERVER_PORT=str(port))
    assert ended.returncode == 1
    assert ended.stderr.strip().endswith(f"Port {port} is not available")


@pytest.mark.slow
def test_a_home_that_cannot_be_written_ends_the_start_in_one_line(tmp_path):
    (tmp_path / "file").touch()
    ended = start_and_fail(PRICER_HOME=str(tmp_path / "file" / "home"), STREAMLIT_SERVER_PORT="0")
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert "set PRICER_HOME to a folder that you may write" in ended.stderr


def test_a_folder_of_mode_0555_ends_a_command_in_one_line_that_names_it():
    """As anyone but root, whom no mode stops: root becomes nobody first."""
    code = """
import os, sys
from pricer.__main__ import main
from pricer.runs import spending
if os.getuid() == 0:
    try:
        os.setgid(65534), os.setuid(65534)
    except PermissionError:
        sys.exit(77)
sys.exit(main(["cap", "1"]))
"""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        environment = os.environ | {"PRICER_HOME": folder}
        ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=ROOT)
        left = list(Path(folder).iterdir())
        Path(folder).chmod(0o700)
    if ended.returncode == 77:
        pytest.skip("root may not become another user here")
    assert (ended.returncode, len(ended.stderr.splitlines()), left) == (2, 1, [])
    assert f"cannot write to the folder {Path(folder).resolve()}: set PRICER_HOME" in ended.stderr
