"""Batches: one file of questions, answered later, created once whatever breaks, its replies kept like all others."""

import json

import pytest
from pydantic import SecretStr

from pricer.errors import PricerError
from pricer.keys import Key
from pricer.llm.batch_records import note_batch
from pricer.llm.batches import MARK, ask_batch, cancel_of_job
from pricer.llm.calls import Call
from pricer.llm.limiter import limiter_of
from pricer.llm.providers import Price, Provider, find_provider
from pricer.llm.replies import Reply, find_replies
from tests.provider_server import Fault, ProviderServer, Refused, price_of

KEY = Key("OPENAI_API_KEY", SecretStr("sk-good"), "typed")


@pytest.fixture
def server(home, monkeypatch):
    limiter_of.cache_clear()
    with ProviderServer() as running:
        running.keys = {"sk-good"}
        monkeypatch.setenv("OPENAI_BASE_URL", running.url)
        yield running


@pytest.fixture
def provider(server) -> Provider:
    return find_provider("openai").model_copy(update={"prices": {"small-1": Price(10.0, 100.0)}})


def calls(count: int) -> list[Call]:
    said = [[{"role": "user", "content": f"product {number}"}] for number in range(count)]
    return [Call("openai", "small-1", messages, {"max_completion_tokens": 5}) for messages in said]


def asked(wanted: list[Call], provider: Provider, **more) -> list[Reply]:
    return ask_batch(wanted, provider, KEY, **{"sleep": lambda seconds: None} | more)


def created(server: ProviderServer) -> int:
    return sum(request.method == "POST" and request.path == "/v1/batches" for request in server.requests)


def test_a_batch_is_answered_at_its_price_in_the_order_of_the_calls_and_once(server, provider):
    replies = asked(calls(25), provider)
    assert [reply.text for reply in replies] == [price_of(call.body) for call in calls(25)]
    (reply,) = replies[:1]
    assert reply.cost_dollars == pytest.approx(0.5 * (reply.tokens_in * 10 + reply.tokens_out * 100) / 1e6)
    assert asked(calls(25), provider)[3].cached
    assert (created(server), server.paid, server.count("/chat/completions")) == (1, 25, 0)


def test_what_a_batch_does_not_answer_is_a_failure_and_asked_by_the_next(server, provider):
    def answer(body: dict) -> str:
        if "product 3" in str(body) and created(server) == 1:
            raise Refused(500, "a fault")
        return price_of(body)

    server.answer = answer
    replies = asked(calls(5), provider)
    assert [reply.text is None for reply in replies] == [False, False, False, True, False]
    assert all(reply.text for reply in asked(calls(5), provider))
    marks = {batch["metadata"][MARK] for batch in server.batches.values()}
    assert (created(server), server.paid, len(marks)) == (2, 5, 2)


@pytest.mark.parametrize("kind", ["lost", "hang"])
def test_a_lost_reply_to_the_creation_creates_no_second_batch(server, provider, kind, monkeypatch):
    monkeypatch.setattr("pricer.llm.batches.SECONDS_TO_CREATE", 1.0)
    server.faults = [Fault(kind, "POST /v1/batches", seconds=5)]
    assert all(reply.text for reply in asked(calls(8), provider))
    assert (created(server), server.paid) == (1, 8)


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("moment", ["POST /v1/batches", "GET /v1/batches/", "GET /v1/files/"])
def test_who_is_killed_at_any_moment_goes_on_with_the_same_batch(server, provider, monkeypatch, moment):
    from pricer.llm import batches, wire

    def dies(provider, key, method, path, *more, **content):
        answered = wire.ask(provider, key, method, path, *more, **content)
        if f"{method} /v1{path}".startswith(moment):
            raise Killed
        return answered

    monkeypatch.setattr(batches, "ask", dies)
    with pytest.raises(Killed):
        asked(calls(8), provider)
    monkeypatch.setattr(batches, "ask", wire.ask)
    assert all(reply.text for reply in asked(calls(8), provider))
    assert (created(server), server.paid) == (1, 8)


def test_who_was_killed_before_the_creation_creates_it_then(server, provider, monkeypatch):
    from pricer.llm import batches, wire

    def dies(provider, key, method, path, *more, **content):
        if (method, path) == ("POST", "/batches"):
            raise Killed
        return wire.ask(provider, key, method, path, *more, **content)

    monkeypatch.setattr(batches, "ask", dies)
    with pytest.raises(Killed):
        asked(calls(8), provider)
    monkeypatch.setattr(batches, "ask", wire.ask)
    assert all(reply.text for reply in asked(calls(8), provider))
    assert created(server) == 1


def test_a_batch_is_found_again_on_whichever_page_of_the_list_it_stands(server, provider, monkeypatch):
    from pricer.llm import batches

    def dies(key: str, state: str, remote_id: str | None) -> None:
        if state == "created":
            raise Killed
        note_batch(key, state, remote_id)

    monkeypatch.setattr(batches, "note_batch", dies)
    with pytest.raises(Killed):
        asked(calls(3), provider)
    monkeypatch.setattr(batches, "note_batch", note_batch)
    (ours,) = server.batches.values()
    server.batches |= {f"other-{n}": ours | {"id": f"other-{n}", "metadata": None} for n in range(220)}
    assert all(reply.text for reply in asked(calls(3), provider))
    assert (created(server), server.paid) == (1, 3)


def stopped_halfway(wanted: list[Call], provider: Provider) -> None:
    def stops(seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asked(wanted, provider, sleep=stops)


def test_what_is_under_way_in_another_batch_is_waited_for_and_not_sent_again(server, provider):
    stopped_halfway(calls(10), provider)
    assert all(reply.text for reply in asked(calls(15)[5:], provider))
    assert (created(server), server.paid) == (2, 15)
    assert all(reply.cached for reply in asked(calls(15), provider))


def test_a_batch_ends_with_the_job_that_is_cancelled_and_what_it_answered_is_collected(server, provider, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-good")
    monkeypatch.setenv("PRICER_JOB_FOLDER", "/jobs/job-7")
    stopped_halfway(calls(10), provider)
    cancel_of_job("job-6", None)
    assert [batch["status"] for batch in server.batches.values()] == ["in_progress"]
    cancel_of_job("job-7", None)
    cancel_of_job("job-7", None)
    assert [batch["status"] for batch in server.batches.values()] == ["cancelled"]
    assert all(reply.text for reply in asked(calls(15), provider))
    assert (created(server), server.paid) == (2, 15)


def test_a_batch_that_its_provider_has_forgotten_is_over(server, provider):
    stopped_halfway(calls(3), provider)
    server.batches.clear()
    assert all(reply.text for reply in asked(calls(3), provider))
    assert (created(server), server.paid) == (2, 3)


def test_faults_on_the_way_are_waited_out(server, provider):
    server.faults = [Fault("status", "/batches/", first=2, times=2), Fault("reset", "POST /v1/files", times=1)]
    assert all(reply.text for reply in asked(calls(4), provider))
    assert created(server) == 1


@pytest.mark.parametrize("status, sent", [(400, 1), (402, 1), (404, 1), (503, 5)])
def test_only_what_may_succeed_another_time_is_sent_again(server, provider, status, sent):
    server.faults = [Fault("status", "POST /v1/files", status=status)]
    with pytest.raises(PricerError, match=str(status)):
        asked(calls(2), provider)
    assert server.count("/v1/files", "POST") == sent


def test_who_asks_too_often_waits_as_long_as_the_provider_says(server, provider):
    server.faults = [Fault("rate", "POST /v1/files", times=1, seconds=7)]
    waits = []
    asked(calls(2), provider, sleep=waits.append)
    assert waits[0] == 7


def test_a_batch_that_the_provider_refuses_is_over_and_the_next_start_sends_another(server, provider):
    polls, server.batch_polls = server.batch_polls, 10**9

    def is_refused(seconds: float) -> None:
        batch = list(server.batches.values())[-1]
        batch |= {"status": "failed", "errors": {"data": [{"code": "token_limit_exceeded"}]}}

    with pytest.raises(PricerError, match=r"refused the batch: .*token_limit_exceeded.*; start again"):
        asked(calls(3), provider, sleep=is_refused)
    server.batch_polls = polls
    assert all(reply.text for reply in asked(calls(3), provider))
    assert (created(server), server.paid) == (2, 3)


def test_a_batch_above_the_cap_or_where_there_are_none_is_not_sent(server, provider):
    with pytest.raises(PricerError, match=r"might cost \$0\.04, and \$0\.01 are allowed"):
        asked(calls(100), provider, most_dollars=0.01)
    with pytest.raises(PricerError, match="answers no batches"):
        asked(calls(1), provider.model_copy(update={"batches": False}))
    assert server.count() == 0 and find_replies([calls(1)[0].key]) == {}


def test_a_line_that_is_garbage_or_a_stranger_s_is_no_reply(server, provider):
    asked(calls(1), provider)
    output = next(file for file in server.files.values() if file["purpose"] == "batch_output")
    deep = json.dumps({"custom_id": calls(3)[1].key}).encode()[:-1] + b', "response": ' + b'{"a":' * 100_000
    lines = [b"{", deep, json.dumps({"custom_id": "stranger", "response": {"status_code": 200, "body": {}}}).encode()]
    server.batch_polls = 10**9
    wanted = calls(3)[1:]

    def arrives(seconds: float) -> None:
        batch = list(server.batches.values())[-1]
        server.files[output["id"]]["content"] = b"\n".join(lines) + b"\n"
        batch |= {"status": "completed", "output_file_id": output["id"]}

    replies = ask_batch(wanted, provider, KEY, sleep=arrives)
    assert [reply.text for reply in replies] == [None, None]
