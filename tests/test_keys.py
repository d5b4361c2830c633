"""Keys: where they are found, who is given them, and that they are nowhere else."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psutil
import pytest

from pricer import keys, settings
from pricer.curation.dataset import make_dataset
from pricer.curation.recipe import Recipe
from pricer.errors import PricerError
from pricer.keys import HUB_TOKEN, find_key, forget, remember, wait_for_key
from pricer.progress import silent
from pricer.publish.loading import load
from pricer.runs.jobs import open_job
from pricer.runs.launch import launch, open_launch
from tests.hub_server import ADA, Fault
from tests.processes import eventually
from tests.products import raw_row, write_rows
from tests.test_command_line import run

CANARY = "hf_CANARYthatMustBeNowhere0123456789"
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def nothing_typed(monkeypatch):
    monkeypatch.setattr(keys, "_typed", {})


def write_secrets(text: str, mode: int = 0o600) -> None:
    settings.secrets_file().write_text(text)
    settings.secrets_file().chmod(mode)


def test_a_typed_key_goes_before_the_environment_and_that_before_the_file(home, monkeypatch):
    assert find_key(HUB_TOKEN) is None
    write_secrets('HF_TOKEN = "hf_file"')
    assert find_key(HUB_TOKEN).place == "secrets.toml"
    monkeypatch.setenv(HUB_TOKEN, " hf_environment ")
    assert find_key(HUB_TOKEN).text.get_secret_value() == "hf_environment"
    remember(HUB_TOKEN, "hf_typed")
    assert find_key(HUB_TOKEN).place == "typed"
    forget(HUB_TOKEN)
    assert find_key(HUB_TOKEN).place == "environment"


def test_a_file_that_others_may_read_or_that_is_no_toml_is_refused_without_quoting_it(home):
    write_secrets(f'HF_TOKEN = "{CANARY}"', 0o644)
    with pytest.raises(PricerError, match="chmod 600"):
        find_key(HUB_TOKEN)
    write_secrets(f"HF_TOKEN = {CANARY}")
    with pytest.raises(PricerError, match="is not TOML") as caught:
        find_key(HUB_TOKEN)
    assert CANARY not in str(caught.value)


def test_a_key_shows_stars(home):
    remember(HUB_TOKEN, CANARY)
    assert CANARY not in repr(find_key(HUB_TOKEN)) and CANARY not in str(find_key(HUB_TOKEN))
    for wrong in ("", "two words", "ünlike", "x" * 2000, "line\nbreak"):
        with pytest.raises(PricerError, match="a key is one word"):
            remember(HUB_TOKEN, wrong)


def test_another_process_of_the_same_user_is_given_a_typed_key(home, monkeypatch):
    remember(HUB_TOKEN, "hf_typed")
    assert settings.keys_socket().stat().st_mode & 0o777 == 0o600
    asks = "from pricer.keys import find_key; print(find_key('HF_TOKEN').text.get_secret_value())"
    done = subprocess.run([sys.executable, "-c", asks], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "hf_typed\n", done.stderr
    monkeypatch.setenv(HUB_TOKEN, "hf_environment")
    told = {}
    for folder in ("", str(home)):  # a person's command, and a job
        monkeypatch.setenv("PRICER_JOB_FOLDER", folder)
        told[folder] = subprocess.run([sys.executable, "-c", asks], cwd=ROOT, capture_output=True, text=True).stdout
    assert told == {"": "hf_environment\n", str(home): "hf_typed\n"}
    monkeypatch.delenv(HUB_TOKEN)
    forget(HUB_TOKEN)
    assert subprocess.run([sys.executable, "-c", asks], cwd=ROOT, capture_output=True).returncode != 0


def test_a_socket_that_nobody_serves_is_no_key(home):
    home.mkdir()
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(str(settings.keys_socket()))
    assert find_key(HUB_TOKEN) is None


def test_a_job_waits_for_a_key_until_it_is_typed_and_a_person_does_not(home, tmp_path, monkeypatch):
    with pytest.raises(PricerError, match="there is no HF_TOKEN"):
        wait_for_key(HUB_TOKEN, silent)
    monkeypatch.setenv("PRICER_JOB_FOLDER", str(tmp_path))
    told = []
    threading.Timer(0.2, remember, (HUB_TOKEN, "hf_late")).start()
    assert wait_for_key(HUB_TOKEN, told.append).text.get_secret_value() == "hf_late"
    assert told[0].stage.startswith("Waiting for HF_TOKEN")
    monkeypatch.setattr(keys, "SECONDS_TO_WAIT", 0.0)
    forget(HUB_TOKEN)
    with pytest.raises(PricerError, match="there is no HF_TOKEN"):
        wait_for_key(HUB_TOKEN, silent)


def test_keys_are_listed_checked_and_never_shown(hub, capsys, monkeypatch):
    hub.add_user("bob", "hf_reads", role="read")
    hub.add_user("eve", "hf_scoped", role="fineGrained", scoped=("eve", "lab/set"))
    hub.put("meta/llama", {"config.json": b"{}"}, kind="models", gated=True)
    said = {
        ADA: "ada: may write; new sets under ada, lab",
        "hf_reads": "bob: may only read",
        "hf_scoped": "eve: may write to eve, lab/set; new sets under eve",
        CANARY: "the hub does not accept it",
    }
    for token, told in said.items():
        monkeypatch.setenv(HUB_TOKEN, token)
        code, out, err = run(capsys, "keys", "--check")
        assert code == 0 and told in out and token not in out + err
    monkeypatch.setenv(HUB_TOKEN, ADA)
    assert "ask for access there" in run(capsys, "keys", "--model", "meta/llama")[1]
    hub.repositories["models", "meta/llama"].allowed.add("ada")
    assert "meta/llama is open to this token" in run(capsys, "keys", "--model", "meta/llama")[1]
    assert "OPENAI_API_KEY     OpenAI         none" in run(capsys, "keys")[1]


class _Provider(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        known = f"Bearer {CANARY}" in self.headers.get("Authorization", "") or self.headers.get("x-api-key") == CANARY
        body = json.dumps({"data": [{"id": "one"}, {"id": "two"}]} if known else {"error": "no"}).encode()
        self.send_response(200 if known and self.path.endswith("/models") else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(
    "name, base", [("OPENAI_API_KEY", "OPENAI_BASE_URL"), ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL")]
)
def test_a_provider_s_key_is_checked_by_its_list_of_models(home, name, base, monkeypatch, capsys):
    server = HTTPServer(("127.0.0.1", 0), _Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv(base, f"http://127.0.0.1:{server.server_port}")
    for key, told in ((CANARY, "2 models"), ("sk-wrong", "it is not accepted")):
        monkeypatch.setenv(name, key)
        assert told in run(capsys, "keys", "--check")[1]
    server.shutdown()
    server.server_close()
    assert "cannot be reached" in run(capsys, "keys", "--check")[1]


@pytest.mark.slow
def test_a_typed_token_stands_nowhere_after_success_and_after_every_failure(home, hub, tmp_path, monkeypatch):
    rows = [raw_row(number, price=2 + number) for number in range(300)]
    catalogue = load([str(write_rows(tmp_path / "shop.jsonl", rows))], "shop").catalogue
    make_dataset(catalogue, Recipe(cutoff=1, cap=1), "whole")
    hub.add_user("carl", CANARY)
    monkeypatch.setenv(HUB_TOKEN, ADA)  # the server's own, of an account that may not write to carl
    hub.put("carl/taken", {"data.csv": b"1"})
    monkeypatch.delenv("HF_HUB_DISABLE_XET")  # jobs send as they do on any machine
    remember(HUB_TOKEN, CANARY)
    ends = {
        "carl/whole": ("done", None),
        "carl/taken": ("failed", None),
        "other/whole": ("failed", None),
        "carl/reset": ("failed", Fault("reset", "GET /api/datasets/carl/reset")),
        "carl/broken": ("failed", Fault("status", "POST /api/datasets/carl/broken/commit", status=400)),
    }
    seen: list[str] = []
    for place, (end, fault) in ends.items():
        hub.faults = [fault] if fault else []
        job = launch(["publish", "whole", "--to", place])
        assert (open_job(job.id).resources, open_job(job.id).key_name) == ("network", HUB_TOKEN)
        while (now := open_launch(job.id)).alive:
            seen += command_lines()
            time.sleep(0.05)
        assert now.state == end, now
    hub.put("meta/gated", {"train.jsonl": b"{}"}, gated=True)
    for address, end in {"hub:carl/whole": "done", "hub:meta/gated": "failed"}.items():  # the first is private
        job = launch(["load", address, "--catalogue", "back"])
        while (now := open_launch(job.id)).alive:
            seen += command_lines()
            time.sleep(0.05)
        assert now.state == end, now
    assert any("publish whole" in line for line in seen) and not any(CANARY in line for line in seen)
    assert whereabouts(home) == []
    assert whereabouts(hub.folder) == []
    database = sqlite3.connect(home / "pricer.db")
    assert not any(CANARY in line for line in database.iterdump())
    database.close()


def command_lines() -> list[str]:
    lines = []
    for process in psutil.process_iter():
        try:
            lines.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return lines


def whereabouts(folder: Path) -> list[str]:
    """The files of a folder that hold the canary."""
    files = [Path(where) / name for where, _, names in os.walk(folder) for name in names]
    return [str(file) for file in files if file.is_file() and CANARY.encode() in file.read_bytes()]


def test_the_search_itself_finds_a_canary(home):
    home.mkdir()
    (home / "log.txt").write_text(f"Bearer {CANARY}")
    assert eventually(lambda: whereabouts(home)) == [str(home / "log.txt")]
