"""Asking a provider: what each fault leads to, with every request counted, and that nothing is asked or paid twice."""

import asyncio
import json
import threading
import time
from contextlib import suppress
from dataclasses import replace

import pytest
from pydantic import SecretStr

from pricer.errors import PricerError
from pricer.keys import Key
from pricer.llm import calling
from pricer.llm.calling import Stopped, Tries, ask_all
from pricer.llm.calls import FAILED, Call, most_dollars_of
from pricer.llm.limiter import Limiter, limiter_of
from pricer.llm.offered import Offered, list_models
from pricer.llm.providers import Price, Provider, add_provider, check_address, find_provider, set_limit, set_price
from pricer.llm.replies import Reply, find_replies, read_answer
from pricer.llm.wire import NotAccepted
from tests.provider_server import Answer, Fault, ProviderServer, Refused

CANARY = "sk-CANARYthatMustBeNowhere0123456789"
KEY = Key("OPENAI_API_KEY", SecretStr(CANARY), "typed")
SOON = Tries(first_wait_seconds=0.01)


@pytest.fixture
def server(home, monkeypatch):
    """A provider in OpenAI's place, which takes one key."""
    limiter_of.cache_clear()
    with ProviderServer() as running:
        running.keys = {CANARY}
        monkeypatch.setenv("OPENAI_BASE_URL", running.url)
        yield running


@pytest.fixture
def provider(server) -> Provider:
    return find_provider("openai").model_copy(update={"prices": {"small-1": Price(1000.0, 10_000.0)}})


def calls(count: int, **changes) -> list[Call]:
    given = {"provider": "openai", "model": "small-1", "parameters": {"max_completion_tokens": 5}} | changes
    return [Call(messages=[{"role": "user", "content": f"product {number}"}], **given) for number in range(count)]


def asked(wanted: list[Call], provider: Provider, key: Key | None = KEY, **more) -> list[Reply]:
    return ask_all(wanted, provider, key, **{"tries": SOON, "deadline_seconds": 20.0} | more)


def test_replies_come_in_the_order_of_the_calls_and_no_question_is_asked_twice(server, provider):
    wanted = calls(30)
    replies = asked(wanted + wanted[:5], provider)
    assert [reply.text for reply in replies[:30]] == [server.answer(call.body) for call in wanted]
    assert replies[30:] == replies[:5]
    assert server.count("/chat/completions") == 30
    again = asked(wanted, provider)
    assert all(reply.cached for reply in again) and [one.text for one in again] == [one.text for one in replies[:30]]
    assert server.count("/chat/completions") == server.paid == 30


def test_a_call_s_key_depends_on_all_that_is_asked_and_on_nothing_else():
    (plain,) = calls(1)
    assert plain.key == calls(1)[0].key
    changed = [{"provider": "other"}, {"model": "large-1"}, {"parameters": {"max_completion_tokens": 6}}, {"repeat": 1}]
    assert len({plain.key} | {calls(1, **change)[0].key for change in changed}) == 5
    assert "repeat" not in plain.body


def test_too_many_requests_are_sent_again_after_the_pause_that_the_provider_asks_for(server, provider):
    server.faults = [Fault("rate", times=3, seconds=1)]
    started = time.monotonic()
    (reply,) = asked(calls(1), provider)
    assert reply.text and time.monotonic() - started >= 3
    assert server.count("/chat/completions") == 4 and server.paid == 1


def test_all_calls_of_a_key_pause_when_one_is_told_to(server, provider):
    asked(calls(1), provider)
    server.faults = [Fault("rate", times=1, seconds=1)]
    replies = asked(calls(9)[1:], provider, concurrency=1)
    assert all(reply.text for reply in replies)
    sent = [request.at for request in server.requests]
    assert sent[2] - sent[1] >= 1 and len(sent) == 10


@pytest.mark.parametrize(
    "fault, words",
    [
        (Fault("quota"), "quota or credit at OpenAI is used up"),
        (Fault("key"), "does not accept the key OPENAI_API_KEY"),
        (Fault("status", status=403), "does not accept the key"),
        (Fault("status", status=402), "quota or credit"),
        (Fault("rate", seconds=3600), "pause of 3,600 seconds"),
        (Fault("busy", seconds=3600), "pause of 3,600 seconds"),
        (Fault("redirect"), "redirect, which is never followed"),
    ],
    ids=lambda value: f"{value.kind}-{value.status}" if isinstance(value, Fault) else "",
)
def test_what_would_fail_for_all_calls_stops_after_the_first(server, provider, fault, words):
    server.faults = [fault]
    with pytest.raises(Stopped, match=words) as caught:
        asked(calls(20), provider)
    assert server.count() == 1
    assert CANARY not in str(caught.value)


def test_a_key_that_is_refused_halfway_leaves_the_answers_and_a_better_one_goes_on(server, provider):
    server.faults = [Fault("key", first=11)]
    with pytest.raises(Stopped, match="of 40 answers are kept"):
        asked(calls(40), provider, concurrency=4)
    kept = set(find_replies([call.key for call in calls(40)]))
    assert len(kept) == server.paid == 10
    server.faults = []
    assert all(reply.text for reply in asked(calls(40), provider))
    assert server.paid == 40


@pytest.mark.parametrize("kind", ["status", "reset", "lost", "html", "garbage", "empty", "deep"])
def test_a_fault_that_passes_is_tried_again_and_the_others_go_on(server, provider, kind):
    asked(calls(1), provider)
    server.faults = [Fault(kind, first=3, times=3)]
    replies = asked(calls(21)[1:], provider)
    assert all(reply.text for reply in replies)
    assert server.count("/chat/completions") == 1 + 20 + 3


@pytest.mark.parametrize("kind", ["status", "reset", "html", "garbage"])
def test_a_fault_that_stays_is_tried_five_times_then_counts_as_failed(server, provider, kind):
    asked(calls(1), provider)
    server.faults = [Fault(kind)]
    replies = asked(calls(4)[1:], provider)
    assert [reply.finish for reply in replies] == [FAILED] * 3
    assert all(reply.text is None and "asked 5 times" in reply.error for reply in replies)
    assert server.count("/chat/completions") == 1 + 3 * 5
    server.faults = []
    assert all(reply.text and not reply.cached for reply in asked(calls(4)[1:], provider))


def test_tries_end_after_two_minutes_however_few_they_were(server, provider):
    server.faults = [Fault("rate", first=2, seconds=1)]
    asked(calls(1), provider)
    (reply,) = asked(calls(2)[1:], provider, tries=Tries(seconds=0.5))  # the pause alone is longer
    assert reply.finish == FAILED and server.count("/chat/completions") == 2


def test_a_dripped_answer_fails_at_the_deadline_and_is_not_paid_for_again(server, provider):
    asked(calls(1), provider)
    server.faults = [Fault("drip", times=1, seconds=0.1)]
    started = time.monotonic()
    first, second = asked(calls(3)[1:], provider, deadline_seconds=2.0, concurrency=1)
    assert "no whole answer in 2 seconds" in first.error and second.text
    assert 2.0 <= time.monotonic() - started < 20.0
    assert first.cost_dollars > 0  # it may have been charged, so it counts towards the cap
    assert server.count("/chat/completions") == 3


def test_an_answer_without_end_is_cut_off(server, provider):
    asked(calls(1), provider)
    server.faults = [Fault("huge", times=1)]
    (reply,) = asked(calls(2)[1:], provider)
    assert reply.finish == FAILED and "longer than" in reply.error


def test_a_server_that_is_gone_is_told_and_stops_the_asking(server, provider, monkeypatch):
    monkeypatch.setattr(calling, "FAILURES_IN_A_ROW", 3)
    gone = provider.model_copy(update={"base_url": "http://127.0.0.1:9/v1"})
    with pytest.raises(Stopped, match="3 calls failed one after the other, the last: OpenAI: it cannot be reached"):
        asked(calls(50), gone, concurrency=1)


def test_a_filter_s_refusal_is_a_reply_and_a_bad_request_a_failure(server, provider):
    def answer(body: dict) -> str:
        text = body["messages"][0]["content"]
        if text == "product 1":
            raise Refused(400, "The response was filtered", "content_filter")
        if text == "product 2":
            raise Refused(400, f"{CANARY} is no temperature", "unsupported_value")
        return "12"

    server.answer = answer
    fine, filtered, bad = asked(calls(3), provider, concurrency=1)
    assert (fine.text, filtered.finish, bad.finish) == ("12", "content_filter", FAILED)
    assert "*** is no temperature" in bad.error and CANARY not in str(bad)
    assert server.count() == 3


def refuses(server: ProviderServer, answer: Answer, times: int = 10**9) -> None:
    """From now on questions are answered so, some times; answers are the usual ones after that."""
    left = iter(range(times))

    def route(provider: ProviderServer, request) -> Answer:
        return answer if next(left, None) is not None else Answer(provider.complete(request.body))

    server.routes.insert(0, ("POST", "/v1/chat/completions", route))


@pytest.mark.parametrize(
    "status, body, words",
    [
        (422, {"object": "error", "message": "Expected last role User", "type": "invalid"}, "Expected last role User"),
        (422, {"detail": [{"loc": ["body", "top_p"], "msg": "Extra inputs are not permitted"}]}, "top_p: Extra inputs"),
        (400, {"detail": "no such thing"}, "no such thing"),
        (400, [{"error": {"code": 400, "message": "Invalid value", "status": "INVALID_ARGUMENT"}}], "Invalid value"),
        (400, {"error": "plain words"}, "plain words"),
        (400, "<html>", "it does not say why"),
        (400, "[" * 200_000, "it does not say why"),
    ],
)
def test_what_an_error_says_is_told_in_whichever_form_it_comes(server, provider, status, body, words):
    refuses(server, Answer(body, status))
    (reply,) = asked(calls(1), provider)
    assert reply.finish == FAILED and words in reply.error


def test_a_key_that_gemini_refuses_stops_after_the_first_question(server, provider):
    refuses(server, Answer([{"error": {"code": 400, "message": "API key not valid. Please pass a valid one."}}], 400))
    with pytest.raises(Stopped, match="does not accept the key"):
        asked(calls(60), provider)
    assert server.count() == 1


def test_a_text_that_a_moderator_flags_is_a_refusal_of_that_item_alone(server, provider):
    flagged = {"error": {"code": 403, "message": "Your chosen model requires moderation and your input was flagged"}}
    refuses(server, Answer(flagged, 403), times=1)
    first, second = asked(calls(2), provider, concurrency=1)
    assert (first.finish, second.finish) == ("content_filter", "stop")


def test_a_pause_without_end_is_none(server, provider):
    refuses(server, Answer({"error": {"message": "busy"}}, 503, {"Retry-After": "inf"}), times=1)
    (reply,) = asked(calls(1), provider)
    assert reply.text and server.count("/chat/completions") == 2


def test_a_wish_that_a_model_refuses_is_left_out_and_the_others_are_not_sent_with_it(server, provider):
    def thinks(body: dict) -> str:
        if "temperature" in body:
            raise Refused(
                400, "Unsupported value: 'temperature' does not support 0 with this model", "unsupported_value"
            )
        return "$12"

    server.answer = thinks
    replies = asked(calls(12, parameters={"temperature": 0, "seed": 42}), provider, concurrency=4)
    assert [reply.text for reply in replies] == ["$12"] * 12
    assert server.count("/chat/completions") == 13 and all("seed" in request.body for request in server.requests)


def test_an_answer_that_ended_with_an_error_is_not_kept(server, provider):
    broken = {"choices": [{"message": {"content": ""}, "finish_reason": "error"}], "usage": {}}
    refuses(server, Answer(broken), times=5)
    (reply,) = asked(calls(1), provider)
    assert reply.finish == FAILED and "the model broke off with an error" in reply.error
    assert asked(calls(1), provider)[0].text


def test_tokens_are_counted_as_they_are_billed_and_absurd_counts_are_none():
    def answer(**usage: int) -> Reply:
        return read_answer({"choices": [{"message": {"content": "$5"}}], "usage": usage})

    thought = answer(prompt_tokens=20, completion_tokens=5, total_tokens=1016)
    assert (thought.tokens_in, thought.tokens_out) == (20, 996)
    assert answer(prompt_tokens=10**400, completion_tokens=5).tokens_in == 0


def test_answers_of_another_address_are_another_provider_s(home, monkeypatch):
    usual = find_provider("openai").identity
    assert usual == "openai"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    assert find_provider("openai").identity == "openai http://127.0.0.1:9/v1"


def test_nothing_is_asked_that_might_lead_above_the_cap(server, provider):
    (reply,) = asked(calls(1), provider, most_dollars=1.0)
    assert reply.cost_dollars == pytest.approx((reply.tokens_in * 1000 + reply.tokens_out * 10_000) / 1e6)
    with pytest.raises(Stopped, match=r"cap of \$1.00 is reached"):
        asked(calls(50), provider, most_dollars=1.0)
    spent = sum(reply.cost_dollars for reply in find_replies([call.key for call in calls(50)]).values())
    assert 0.8 < spent <= 1.0
    assert server.paid < 25
    assert all(reply.text for reply in asked(calls(50), provider, most_dollars=10.0))
    assert server.paid == 50


@pytest.mark.parametrize("kind", ["lost", "garbage"])
def test_answers_that_are_lost_or_cannot_be_read_count_towards_the_cap(server, provider, kind):
    asked(calls(1), provider)
    (call,) = calls(2)[1:]
    dollars = most_dollars_of(call, provider.price("small-1"))
    server.faults, paid = [Fault(kind)], server.paid
    with pytest.raises(Stopped, match=r"the cap of .* is reached"):
        asked([call], provider, most_dollars=2.5 * dollars)
    assert server.paid - paid == 2
    server.faults = [Fault(kind, times=2)]
    (reply,) = asked([call], provider, most_dollars=10 * dollars)
    assert reply.text and 2 * dollars < reply.cost_dollars <= 3 * dollars


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_who_waits_for_money_near_the_cap_goes_on_or_stops_when_it_does_not_come_back(server, provider, share):
    server.faults = [Fault("status", share=share, seed=1), Fault("lost", share=share, seed=2)]
    wanted = [replace(call, parameters={"max_completion_tokens": 1 + n % 30}) for n, call in enumerate(calls(30))]
    ended = []

    def ask(most_dollars: float) -> None:
        with suppress(Stopped):
            asked(wanted, provider, most_dollars=most_dollars, concurrency=16)
        ended.append(most_dollars)

    for most_dollars in (0.0, 0.4, 1.1, 2.0):
        thread = threading.Thread(target=ask, args=(most_dollars,), daemon=True)
        thread.start()
        thread.join(60)
        assert ended[-1:] == [most_dollars], "it waits for ever"
        spent = sum(reply.cost_dollars for reply in find_replies([call.key for call in wanted]).values())
        assert spent <= most_dollars


def test_a_price_that_nobody_stated_is_no_price_of_nothing(server, provider):
    unknown = provider.model_copy(update={"prices": {}})
    with pytest.raises(PricerError, match="nobody has stated what small-1 costs at OpenAI"):
        asked(calls(1), unknown, most_dollars=5.0)
    assert server.count() == 0


def test_five_hundred_items_with_a_fifth_of_faults_all_end_and_few_are_paid_twice(server, provider):
    kinds = ("status", "reset", "lost", "html", "garbage")
    server.faults = [Fault(kind, share=0.04, seed=seed) for seed, kind in enumerate(kinds)]
    server.faults.append(Fault("rate", share=0.01, seed=9, seconds=0.05))
    replies = asked(calls(500), provider, concurrency=16)
    assert len(replies) == 500 and all(reply.text or reply.finish == FAILED for reply in replies)
    assert sum(reply.finish == FAILED for reply in replies) <= 5
    struck = sum(request.fault is not None for request in server.requests)
    assert struck >= 0.15 * len(server.requests)
    assert server.paid <= 1.3 * 500
    paid = server.paid
    asked(calls(500), provider, concurrency=16)
    assert server.paid - paid <= sum(reply.finish == FAILED for reply in replies) * 5


def test_replies_that_cannot_be_kept_end_the_asking(server, provider, monkeypatch):
    def full(given: dict) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(calling, "keep_replies", full)
    with pytest.raises(OSError, match="No space left"):
        asked(calls(2000), provider, concurrency=2)
    assert server.paid < 1000


def test_asking_works_where_a_loop_runs_already_as_in_a_notebook(server, provider):
    async def cell() -> int:
        return len(asked(calls(3), provider))

    assert asyncio.run(cell()) == 3


@pytest.mark.parametrize(
    "message, text, finish",
    [
        ({"content": "$5"}, "$5", "stop"),
        ({"content": None, "refusal": "I cannot"}, "I cannot", "refusal"),
        ({"content": [{"type": "thinking"}, {"type": "text", "text": "$5"}]}, "$5", "stop"),
        ({"content": None}, "", "stop"),
        ({"content": "lone \ud800"}, "lone ?", "stop"),
    ],
)
def test_the_text_of_an_answer_is_read_in_all_its_forms(message, text, finish):
    answer = {"choices": [{"message": message, "finish_reason": "stop"}], "usage": {"prompt_tokens": "many"}}
    reply = read_answer(answer)
    assert (reply.text, reply.finish, reply.tokens_in) == (text, finish, 0)


@pytest.mark.parametrize("answer", [{}, {"choices": []}, {"choices": [None]}, {"choices": [{"message": "x"}]}])
def test_what_is_no_answer_is_not_read_as_one(answer):
    with pytest.raises(ValueError):
        read_answer(answer)


# The limiter


def test_a_stated_rate_is_kept():
    limiter = Limiter(per_minute=60)
    assert [limiter.take() for _ in range(10)] == [0.0] * 10
    assert 0 < limiter.take() <= 1.0
    limiter.set_rate(None)
    assert limiter.take() == 0.0


def test_one_key_has_one_limiter_and_a_stated_limit_reaches_it(server, provider):
    set_limit("openai", 600)
    asked(calls(3), find_provider("openai"))
    assert limiter_of("OPENAI_API_KEY") is limiter_of("OPENAI_API_KEY")
    assert limiter_of("OPENAI_API_KEY")._per_second == 10


# Providers


def test_models_and_their_prices_are_listed_by_the_server(server, provider):
    assert [offered.id for offered in list_models(provider, KEY)] == ["large-1", "small-1"]
    with pytest.raises(NotAccepted):
        list_models(provider, None)
    listed = {"data": [{"id": "dear", "pricing": {"prompt": 10**400, "completion": "nan"}}]}
    server.routes.insert(0, ("GET", "/v1/models", lambda provider, request: Answer(listed)))
    assert list_models(provider, KEY) == [Offered("dear", None)]
    for kind in ("html", "deep"):
        server.faults = [Fault(kind, where="/models")]
        with pytest.raises(PricerError, match="cannot be reached, or is no such service"):
            list_models(provider, KEY)


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/v1",
        "https://evil.example/v1",
        "http://api.openai.com/v1",
        "https://api.openai.com@evil.example/v1",
        "https://api.openai.com.evil.example/v1",
        "https://user:word@api.openai.com/v1",
        "https://api.openai.com:8443/v1",
        "https://evil.example/openai.azure.com",
        "file:///etc/passwd",
        "http://127.0.0.1:99999/v1",
        "http://127.0.0.1:80/v1?x=1",
        "http://127.0.0.1/v1/../..",
        "127.0.0.1:80",
        "",
    ],
)
def test_no_address_is_asked_that_nobody_has_allowed(home, address):
    with pytest.raises(PricerError):
        add_provider("mine", address)


def test_own_providers_are_kept_and_a_key_goes_to_its_own_host_only(home, monkeypatch):
    add_provider("mine", "http://127.0.0.1:8765/v1/")
    mine = find_provider("mine")
    assert (mine.base_url, mine.key, mine.price("any")) == ("http://127.0.0.1:8765/v1", None, Price(0, 0))
    with pytest.raises(PricerError, match="belongs to no known provider"):
        add_provider("mine", "http://127.0.0.1:8765/v1", key="OPENAI_API_KEY")
    azure = add_provider("ours", "https://lab.openai.azure.com/openai/v1")
    assert (azure.key, azure.batches) == ("AZURE_OPENAI_API_KEY", True)
    with pytest.raises(PricerError, match="AZURE_OPENAI_API_KEY and no other key"):
        add_provider("ours", "https://lab.openai.azure.com/openai/v1", key="OPENAI_API_KEY")
    with pytest.raises(PricerError, match=r"PRICER_PROVIDER_HOSTS=llm\.lab\.example"):
        add_provider("lab", "https://llm.lab.example/v1", key="LAB_API_KEY")
    monkeypatch.setenv("PRICER_PROVIDER_HOSTS", "llm.lab.example")
    assert add_provider("lab", "https://llm.lab.example/v1", key="LAB_API_KEY").price("any") is None
    monkeypatch.delenv("PRICER_PROVIDER_HOSTS")
    with pytest.raises(PricerError, match="is no known provider's host"):
        find_provider("lab")


def test_prices_are_stated_changed_and_forgotten(home):
    set_price("openai", "big", Price(2.0, 8.0))
    assert find_provider("openai").price("big") == Price(2.0, 8.0)
    set_price("openai", "big", None)
    assert find_provider("openai").price("big") is None
    for wrong in (Price(-1.0, 0.0), Price(float("nan"), 1.0)):
        with pytest.raises(PricerError, match="dollars for a million tokens"):
            set_price("openai", "big", wrong)


def test_a_damaged_file_of_providers_says_what_to_do(home):
    home.mkdir()
    (home / "providers.json").write_text(json.dumps({"own": 5}))
    with pytest.raises(PricerError, match="remove it"):
        find_provider("openai")


def test_an_address_of_this_machine_needs_no_leave():
    assert check_address("http://[::1]:8000/v1").hostname == "::1"
    assert check_address("http://localhost:8000/v1").port == 8000
