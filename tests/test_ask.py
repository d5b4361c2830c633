"""Runs of models at a provider: asked, extended, killed in the middle, within the cap, their key nowhere."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sqlalchemy import select

from pages.shared import state
from pricer.database import engine, replies
from pricer.errors import PricerError
from pricer.llm.calls import FAILED, Call
from pricer.llm.limiter import limiter_of
from pricer.llm.prompts import find_prompt
from pricer.llm.providers import Price, add_provider, find_provider, set_price
from pricer.llm.replies import Reply
from pricer.llm.wire import Answered, judge
from pricer.models import load
from pricer.models.hosted import Hosted, read_reply
from pricer.runs.guessing import ask_prices, asks, describe, quote_asking, runs_that_guess, runs_that_price
from pricer.runs.jobs import open_job
from pricer.runs.launch import launch, open_launch
from pricer.runs.orders import order_arguments, order_of
from pricer.runs.replies import replies_of
from pricer.runs.spending import set_cap
from pricer.runs.store import list_runs
from pricer.runs.training import Order
from tests.processes import eventually
from tests.provider_server import Fault, ProviderServer, price_of
from tests.test_command_line import run
from tests.test_keys import command_lines
from tests.test_model_pages import opened, text

CANARY = "sk-CANARYthatMustBeNowhere0123456789"
ASK = ["ask", "small-1", "--dataset", "even", "--exam", "natural"]


@pytest.fixture
def server(home, trained_home, monkeypatch):
    """A home with a dataset, and a provider in OpenAI's place, which takes one key and is paid well."""
    shutil.copytree(trained_home, home)
    limiter_of.cache_clear()
    with ProviderServer() as running:
        running.keys = {CANARY}
        monkeypatch.setenv("OPENAI_BASE_URL", running.url)
        monkeypatch.setenv("OPENAI_API_KEY", CANARY)
        set_price("openai", "small-1", Price(10.0, 100.0))
        set_cap(10.0)
        yield running


def asked(capsys, *more: str) -> dict:
    code, out, err = run(capsys, *ASK, *more, "--json")
    assert code == 0, err
    return json.loads(out)


def test_a_run_keeps_answers_costs_and_the_prompt(server, capsys):
    said = iter(["$12", "I cannot say", "$12 to $15", "Price is $30.50"])
    server.answer = lambda body: next(said)
    facts = asked(capsys, "--first", "4", "--concurrency", "1")
    assert facts["statuses"] == {"answer": 2, "refusal": 1, "unparsable": 1}
    (made,) = filter(asks, runs_that_price())
    table = made.guesses()
    assert table["guess"].to_list() == [12.0, None, None, 30.5]
    assert table["raw_answer"].to_list() == ["$12", "I cannot say", "$12 to $15", "Price is $30.50"]
    assert made.manifest.cost_dollars == pytest.approx(table["cost_dollars"].sum()) and made.manifest.cost_dollars > 0
    assert made.model().prompt_ == find_prompt("plain")
    assert made.manifest.train_items and made.name not in [each.name for each in runs_that_guess()]


def test_what_was_answered_is_not_asked_again_by_another_run_or_a_longer_one(server, capsys):
    asked(capsys, "--first", "20")
    assert server.paid == 20
    asked(capsys, "--first", "30", "--name", "longer")
    assert server.paid == 30
    code, _, err = run(capsys, "extend", "longer", "--ask", "50")
    assert code == 0, err
    assert server.paid == server.count("/chat/completions") == 50
    asked(capsys, "--first", "20", "--seed", "7")
    assert server.paid == 70


def test_an_extension_is_quoted_and_above_the_cap_nothing_is_asked(server, capsys):
    asked(capsys, "--first", "5", "--name", "short")
    set_cap(0.06)
    code, _, err = run(capsys, "extend", "short", "--ask", "all")
    assert code == 2 and "would cost about" in err and "a run may cost $0.06" in err
    code, out, _ = run(capsys, "extend", "short", "--ask", "all", "--check")
    assert code == 0 and "stop  Price" in out and "95% interval" in out and "Time to ask" in out
    assert server.paid == server.count() == 5 and len(list_runs()) == 4
    code, out, _ = run(capsys, "extend", "short", "--ask", "8", "--check", "--json")
    found = {check["words"]: check["value"] for check in json.loads(out)["checks"]}
    assert found["Items that are asked, beside those that were"] == "3" and json.loads(out)["may_start"]
    assert run(capsys, "extend", "short", "--ask", "8")[0] == 0
    assert server.paid == server.count() == 8


def test_the_page_quotes_an_extension_and_does_not_start_one_above_the_cap(server, capsys, monkeypatch):
    monkeypatch.setattr("pricer.runs.launch.ensure_worker", lambda: None)
    made = asked(capsys, "--first", "5")
    app = opened("runs")
    app.session_state[state.SHOWN_RUN], app.session_state[f"extend_{made['id']}"] = made["id"], True
    app.run()
    assert not app.exception and "Price, and what a run may cost at most" in text(app)
    start = f"extend_start_{made['id']}"
    assert not app.button(key=start).disabled
    set_cap(0.01)
    assert app.run().button(key=start).disabled and server.count() == 5


def test_ask_and_train_hosted_are_one_order(server, capsys):
    asked(capsys, "--first", "5", "--prompt", "json")
    order = Order("hosted", "even", {"model": "small-1", "prompt": "json"}, asked="natural", first_k=5)
    assert order_of(list_runs()[0]) == order
    code, _, err = run(capsys, *order_arguments(order), "--json")
    assert code == 0, err
    assert server.paid == 5


@pytest.mark.parametrize("prompt", ["notebook-1", "notebook-1-suffix", "notebook-2", "json", "examples", "thinking"])
def test_every_preset_is_asked_and_shows_no_price_that_is_asked_for(server, capsys, prompt):
    asked(capsys, "--first", "10", "--prompt", prompt)
    exam = list_runs()[0].dataset().exam().collect()
    body = server.requests[-1].body
    text = body["messages"][-1 if body["messages"][-1]["role"] == "user" else -2]["content"]
    (item,) = [each for each in exam.iter_rows(named=True) if each["text"] in text]
    assert f"{item['price']:.2f}" not in text.replace(item["text"], "")


def test_similar_products_come_from_train_alone_and_none_from_the_item_s_group(server, capsys):
    asked(capsys, "--first", "10", "--prompt", "similar")
    made = list_runs()[0]
    train, exam = (part.collect() for part in (made.dataset().train(), made.dataset().exam()))
    found = made.model().neighbours(exam[:20])
    assert all(len(each) == 5 for each in found)
    groups = dict(train.select("item_id", "group").iter_rows())
    for group, shown in zip(exam["group"][:20], found, strict=True):
        assert all(groups[each.item_id] != group for each in shown)
    content = server.requests[-1].body["messages"][-1]["content"]
    assert content.count("Price is $") == 5


def test_the_quote_is_an_upper_bound_and_stops_a_run_that_is_too_dear(server, capsys):
    set_cap(0.01)
    code, _, err = run(capsys, *ASK, "--first", "50")
    assert code == 2 and "would cost about" in err
    assert server.count() == 0
    set_cap(10.0)
    code, out, _ = run(capsys, *ASK, "--first", "50", "--check", "--json")
    words = {check["words"]: check for check in json.loads(out)["checks"]}
    quoted = float(words["Price, and what a run may cost at most"]["value"].split()[1].strip("$"))
    assert words["Key OPENAI_API_KEY"]["value"] == "environment"
    assert 0 < asked(capsys, "--first", "50")["cost_dollars"] <= quoted


def test_a_run_stops_at_the_cap_keeps_its_answers_and_goes_on_when_it_is_raised(server, capsys, monkeypatch):
    monkeypatch.setattr("pricer.runs.training.check_spending", lambda *_: None)  # as if the quote had been too low
    set_cap(0.05)
    code, _, err = run(capsys, *ASK, "--first", "60")
    assert code == 2 and "the cap of $0.05 is reached" in err
    paid = server.paid
    assert 0 < paid < 60
    set_cap(10.0)
    assert asked(capsys, "--first", "60")["asked_items"] == 60
    assert server.paid == 60


def test_a_whole_run_may_be_one_batch_at_half_the_price(server, capsys, monkeypatch):
    monkeypatch.setattr("pricer.llm.batches.SECONDS_BETWEEN_LOOKS", 0.0)
    one_by_one = asked(capsys, "--first", "10", "--seed", "7")
    batched = asked(capsys, "--first", "10", "--batch")
    assert server.count("/chat/completions") == 10 and server.count("/batches", "POST") == 1
    assert batched["cost_dollars"] == pytest.approx(one_by_one["cost_dollars"] / 2)
    assert batched["error_dollars"] == one_by_one["error_dollars"]


def test_a_model_whose_price_nobody_stated_is_refused(server, capsys):
    code, _, err = run(capsys, "ask", "large-1", "--dataset", "even", "--first", "5")
    assert code == 2 and "nobody has stated what large-1 costs at OpenAI" in err
    assert server.count() == 0


@pytest.mark.parametrize(
    "more, words",
    [
        (["--provider", "nobody"], "there is no provider 'nobody'"),
        (["--prompt", "nothing"], "there is no prompt 'nothing'"),
        (["--provider", "azure"], "has an address for each customer"),
        (["--concurrency", "0"], "concurrency must be"),
    ],
)
def test_what_cannot_be_asked_is_told(server, capsys, more, words):
    code, _, err = run(capsys, *ASK, *more, "--first", "5")
    assert code == 2 and words in err
    assert server.count() == 0


def test_a_key_that_is_not_accepted_ends_the_run_with_one_request(server, capsys):
    server.keys = {"another"}
    code, _, err = run(capsys, *ASK, "--first", "30")
    assert code == 2 and "does not accept the key OPENAI_API_KEY" in err and CANARY not in err
    assert server.count() == 1


def test_predict_asks_only_where_it_is_told_to(server, capsys):
    asked(capsys, "--first", "5", "--name", "paid")
    assert run(capsys, "predict", "Desk lamp")[0] == 0
    assert server.paid == 5
    item = describe(["Desk lamp"])
    (paid,) = filter(asks, runs_that_price())
    assert 0 < quote_asking(paid, item) < 0.1
    server.answer = lambda body: "between $5 and $9"
    assert ask_prices(item, paid)["status"].to_list() == ["unparsable"]
    assert server.paid == 6
    set_cap(0.0)
    with pytest.raises(PricerError, match=r"cap of \$0.00"):
        ask_prices(describe(["Another lamp"]), paid)


def test_a_model_saved_and_loaded_asks_the_same(server, tmp_path):
    train = pl.DataFrame({
        "item_id": ["a", "b", "c"], "group": [1, 2, 3], "title": ["x"] * 3, "text": ["red lamp", "oak desk", "lamp"],
        "price": [5.0, 50.0, 7.0],
    })  # fmt: skip
    for prompt in ("plain", "examples", "similar"):
        fitted = Hosted(model="small-1", prompt=prompt).fit(train)
        fitted.save(tmp_path / prompt)
        again = load(tmp_path / prompt)
        assert [call.key for call in again.calls(train)] == [call.key for call in fitted.calls(train)]
    with pytest.raises(PricerError, match="train has no items"):
        Hosted(model="small-1").fit(train[:0])
    for damage in ("{}", "{", '{"name": 1}'):
        (tmp_path / "similar" / "prompt.json").write_text(damage)
        with pytest.raises(PricerError, match="is damaged"):
            load(tmp_path / "similar")


def test_two_items_with_one_text_are_asked_and_paid_for_once(server):
    items = pl.DataFrame({"item_id": ["a", "b"], "text": ["lamp"] * 2, "price": [5.0] * 2})
    model = Hosted(model="small-1").fit(items)
    model.most_dollars = 1.0
    table = model.answers(items)
    assert server.paid == 1
    assert table["guess"][0] == table["guess"][1] and np.count_nonzero(table["cost_dollars"]) == 1


@pytest.mark.parametrize(
    "reply, expected",
    [
        (Reply("$45", finish="stop"), (45.0, "answer")),
        (Reply("Price is $12", finish="length"), (None, "unparsable")),  # of $125, perhaps
        (Reply("Price is $12.50", finish="length"), (12.5, "answer")),
        (Reply("$12.50 is what it", finish="length"), (12.5, "answer")),
        (Reply("$12 to", finish="length"), (None, "unparsable")),
        (Reply("No", finish="refusal"), (None, "refusal")),
        (Reply("", finish="content_filter"), (None, "refusal")),
        (Reply(None, error="gone", finish=FAILED), (None, "failed")),
        (Reply('{"price": 8.5}', finish="stop"), (8.5, "answer")),
    ],
)
def test_a_reply_is_read_with_how_it_ended(reply, expected):
    assert read_reply(reply) == expected


# Jobs


def test_compare_shows_each_reply_how_it_was_read_and_why(server, capsys):
    replies_given = iter(["$12 to $15", "I cannot say", "$45"] * 4)
    server.answer = lambda body: next(replies_given)
    asked(capsys, "--first", "12")
    told = replies_of(list_runs()[0], "natural")
    assert told["status"][-4:].to_list() == ["answer"] * 4, "what is no price comes first"
    page = opened("compare")
    assert not page.exception
    shown = text(page)
    assert "What was replied" in shown and "two prices: $12.00 and $15.00" in shown and "the only price" in shown
    page.selectbox(key="replies_status").select("refusal").run()
    assert not page.exception and "I cannot say" in text(page) and "$12 to $15" not in text(page)
    page.text_input(key="replies_words").set_value("no such words").run()
    assert not page.exception and any("No reply" in caption.value for caption in page.caption)


def job_of(first_k: int, concurrency: int = 4) -> list[str]:
    stated = {"model": "small-1", "concurrency": concurrency}
    return order_arguments(Order("hosted", "even", stated, asked="natural", first_k=first_k))


def ended(job_id: str):
    return eventually(lambda: (now := open_launch(job_id)).alive or now, 120) and eventually(
        lambda: not (now := open_launch(job_id)).alive and now, 120
    )


@pytest.mark.slow
def test_a_job_killed_in_the_middle_asks_nothing_again_that_was_answered(server, home):
    server.latency_seconds = 0.05
    job = launch(job_of(120))
    assert (open_job(job.id).resources, open_job(job.id).key_name) == ("network", "OPENAI_API_KEY")
    eventually(lambda: len(_kept()) >= 20, 120)
    kept = _kept()
    os.kill(open_job(job.id).pid, signal.SIGKILL)
    done = ended(job.id)
    assert (done.state, done.attempt, done.result["asked_items"]) == ("done", 2, 120)
    times = Counter(_key_of(request.body) for request in server.requests if request.path.endswith("/completions"))
    assert _kept() == set(times) and len(times) == 120
    assert all(times[key] == 1 for key in kept)
    assert max(times.values()) <= 2  # of those that were on their way, or not yet on the disk, when it was killed


def _kept() -> set[str]:
    with engine().begin() as connection:
        return set(connection.scalars(select(replies.c.key)))


def _key_of(body: dict) -> str:
    """What a question is kept under."""
    sent = {name: value for name, value in body.items() if name not in ("model", "messages")}
    return Call(find_provider("openai").identity, body["model"], body["messages"], sent, repeat=Order.seed).key


@pytest.mark.slow
def test_the_key_stands_nowhere_after_success_and_after_every_failure(server, home):
    seen: list[str] = []
    ends = {10: None, 11: Fault("key"), 12: Fault("status", status=400)}
    server.answer = lambda body: f"{CANARY} costs $5" if "lamp" in str(body) else price_of(body)
    for first_k, fault in ends.items():
        server.faults = [fault] if fault else []
        job = launch(job_of(first_k))
        while open_launch(job.id).alive:
            seen += command_lines()
            time.sleep(0.05)
        assert open_launch(job.id).state in ("done", "failed")
    assert any("train hosted" in line for line in seen) and not any(CANARY in line for line in seen)
    files = [Path(where) / name for where, _, names in os.walk(home) for name in names]
    assert [str(file) for file in files if file.is_file() and CANARY.encode() in file.read_bytes()] == []


def test_an_echoed_key_is_not_shown(server):
    from pricer.keys import find_key
    from pricer.llm.providers import find_provider

    body = json.dumps({"error": {"message": f"{CANARY} is no model", "code": "x"}}).encode()
    words = judge(Answered(400, {}, body), find_provider("openai"), find_key("OPENAI_API_KEY")).words
    assert "*** is no model" in words


# Another implementation of the protocol


@contextmanager
def served(model: Path) -> Iterator[str]:
    """`transformers serve` with this model, as a process of its own; gives its base address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [Path(sys.executable).with_name("transformers"), "serve", model, "--host=127.0.0.1", f"--port={port}"]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with (model / "log.txt").open("w") as log, subprocess.Popen(
        [*map(str, command), "--device=cpu"], env=environment, stdout=log, stderr=subprocess.STDOUT
    ) as process:  # fmt: skip
        try:
            eventually(lambda: process.poll() is not None or _answers(port), 180)
            assert process.poll() is None, (model / "log.txt").read_text()
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()


def _answers(port: int) -> bool:
    with socket.socket() as knock:
        return knock.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.slow
def test_transformers_serve_is_asked_like_any_other(home, trained_home, tiny_llama, tmp_path, capsys):
    shutil.copytree(trained_home, home)
    model = shutil.copytree(tiny_llama, tmp_path / "model")
    (model / "chat_template.jinja").write_text("{% for said in messages %}{{ said['content'] }}\n{% endfor %}")
    with served(model) as address:
        add_provider("served", address)
        code, out, err = run(
            capsys, "ask", str(model), "--provider", "served", "--dataset", "even", "--exam", "natural", "--first", "5",
            "--prompt", "notebook-2", "--concurrency", "2", "--json",
        )  # fmt: skip
    assert code == 0, err
    facts = json.loads(out)
    assert facts["asked_items"] == 5 and facts["cost_dollars"] == 0
    assert sum(facts["statuses"].values()) == 5 and "failed" not in facts["statuses"], list_runs()[0].guesses()
