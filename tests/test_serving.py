"""One warm model answers with a token, and ends itself."""

import json
import os
import shutil
import stat
import threading
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest
from streamlit.testing.v1 import AppTest

from pricer import settings
from pricer.__main__ import main
from pricer.errors import PricerError
from pricer.llm.local import serving
from pricer.llm.local.bases import tiny_folder
from pricer.llm.local.loading import held, release
from pricer.runs.serving import ask_served, start_serving
from pricer.runs.store import list_runs
from tests.processes import end_processes_of, eventually

NAVIGATION = Path(__file__).parent.parent / "pages" / "navigation.py"


def prices(texts):
    if "nothing" in texts:
        raise PricerError("describe the product in a few words")
    return {"guesses": [float(len(text)) for text in texts]}


@pytest.fixture
def served(home):
    """A server in a thread, which answers the length of a text."""
    asked = []
    thread = threading.Thread(target=lambda: asked.append(serving.serve("run", lambda: ("a model", prices))))
    thread.start()
    found = eventually(lambda: (seen := serving.look()) and seen.state == "ready" and seen)
    yield found
    serving.stop()
    thread.join(30)
    assert not thread.is_alive()


def status_of(found, method, path, token, body=None):
    connection = HTTPConnection("127.0.0.1", found.port, timeout=10)
    connection.request(method, path, body, {"Authorization": f"Bearer {token}"})
    return connection.getresponse().status


def test_it_answers_and_says_how_it_is(served):
    assert serving.ask(served, ["lamp", "a table"]) == {"guesses": [4.0, 7.0]}
    seen = serving.look()
    assert (seen.run, seen.about, seen.asked, seen.pid) == ("run", "a model", 2, os.getpid())
    assert seen.bytes > 1_000_000
    with pytest.raises(PricerError, match="in a few words"):
        serving.ask(served, ["nothing"])


def test_nobody_is_answered_without_the_token(served):
    assert stat.S_IMODE((settings.home() / "serving.json").stat().st_mode) == 0o600
    for method, path in (("GET", "/state"), ("POST", "/ask"), ("POST", "/stop")):
        assert status_of(served, method, path, "guessed", "{}") == 401
    assert status_of(served, "GET", "/state", served.token) == 200
    assert [status_of(served, method, "/nothing", served.token, "{}") for method in ("GET", "POST")] == [404, 404]
    assert serving.look().asked == 0


@pytest.mark.parametrize("body", ["", "{}", '{"texts": "lamp"}', '{"texts": [1]}', json.dumps({"texts": ["a"] * 300})])
def test_what_is_no_list_of_texts_is_refused(served, body):
    assert status_of(served, "POST", "/ask", served.token, body) == 400


def test_one_model_is_served_at_a_time(served, monkeypatch):
    monkeypatch.setattr(serving.FileLock, "acquire", quick(serving.FileLock.acquire))
    with pytest.raises(PricerError, match="another model is served"):
        serving.serve("other", lambda: ("a model", prices))
    assert serving.look().run == "run"


def quick(acquire):
    return lambda lock, timeout=None: acquire(lock, timeout=0.1)


def test_it_ends_when_nobody_asks(home):
    assert serving.serve("run", lambda: ("a model", prices), idle_seconds=0.2, look_seconds=0.05) == 0
    assert serving.look() is None


def test_why_it_could_not_be_loaded_is_kept(home):
    def load():
        raise PricerError("too large")

    with pytest.raises(PricerError, match="too large"):
        serving.serve("run", load)
    assert (serving.look().state, serving.look().error) == ("failed", "too large")
    serving.stop()
    assert serving.look() is None


def test_a_process_that_died_while_it_loaded_is_told(home):
    serving.expect("run", 2**22 + 1)  # a number that no process has
    assert serving.look().state == "failed"
    assert "serving.log" in serving.look().error


@pytest.mark.slow
def test_a_run_is_served_by_a_process_of_its_own_and_unloaded(demo, tiny_llama):
    assert main(["sample", "demo", "--dataset", "even"]) == 0
    shutil.copytree(tiny_llama, tiny_folder())
    assert (
        main(["guess", "tiny-llama", "--precision", "none", "--device", "cpu", "--dataset", "even", "--first=5"]) == 0
    )
    release(held())
    run = list_runs()[0]
    try:
        start_serving(run)
        found = eventually(lambda: (seen := serving.look()) and seen.state != "loading" and seen, seconds=240)
        assert (found.state, found.error) == ("ready", "")
        assert found.pid != os.getpid()
        assert "tiny" in found.about
        guess, chances = ask_served(found, "A brass lamp with a shade")
        assert 1 <= guess <= 999
        assert sum(chances) == pytest.approx(1, abs=1e-3)
        assert held() is None
        serving.stop()
        eventually(lambda: not psutil.pid_exists(found.pid) or psutil.Process(found.pid).status() == "zombie")
        assert serving.look() is None
    finally:
        end_processes_of(settings.home())


@pytest.mark.slow
def test_predict_loads_no_language_model_itself(demo, tiny_llama):
    """It offers to load one; it shows what a process of its own says, and unloads it."""
    assert main(["sample", "demo", "--dataset", "even"]) == 0
    shutil.copytree(tiny_llama, tiny_folder())
    assert (
        main(["guess", "tiny-llama", "--precision", "none", "--device", "cpu", "--dataset", "even", "--first=5"]) == 0
    )
    release(held())
    page = AppTest.from_file(str(NAVIGATION), default_timeout=120).run().switch_page("results/predict.py").run()
    assert not page.exception
    assert page.button(key="served_load").label == "Load it"
    assert held() is None
    thread = threading.Thread(target=lambda: serving.serve(list_runs()[0].id, lambda: ("a tiny model", told)))
    thread.start()
    try:
        eventually(lambda: (seen := serving.look()) and seen.state == "ready")
        page.run()
        assert not page.exception
        assert any("a tiny model" in block.body for block in page.get("html"))
        page.button(key="served_unload").click().run()
        assert page.button(key="served_load")
        assert held() is None
    finally:
        serving.stop()
        thread.join(30)


def told(texts):
    return {"guesses": [100.0], "chances": [[0.001] * 1000]}
