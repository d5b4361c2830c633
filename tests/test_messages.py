"""Files for hosted fine-tuning: what is written, and fifteen and more ways in which a file can be broken."""

import json

import numpy as np
import polars as pl
import pytest

from pricer.catalogue.roles import BANDS
from pricer.catalogue.tokens import llama3
from pricer.curation.dataset import make_dataset
from pricer.curation.recipe import Recipe
from pricer.errors import PricerError
from pricer.items import item_key
from pricer.llm.prompts import CHATS
from pricer.publish.loading import load
from pricer.publish.messages import Limits, check_both, check_content, check_file, choose_items, rows_of, write_messages
from tests.products import raw_row, write_rows
from tests.test_command_line import run

USER, ANSWER = {"role": "user", "content": "How much?"}, {"role": "assistant", "content": "$3.00"}


def line(*messages, **more) -> bytes:
    return json.dumps({"messages": list(messages)} | more).encode()


GOOD = line(USER, ANSWER)
LONG = line({"role": "user", "content": "lamp " * 300}, ANSWER)
BROKEN = {
    "not UTF-8": (b'{"messages": "\xff"}', "byte 15 is not UTF-8"),
    "a byte order mark": (b"\xef\xbb\xbf" + GOOD, "it begins with a byte order mark; save the file as plain UTF-8"),
    "an empty line": (b"  ", "the line is empty"),
    "no JSON": (b'{"messages": [}', "not JSON: expecting value at character 15"),
    "cut off": (GOOD[:-3], "not JSON: expecting ',' delimiter at character"),
    "two objects": (GOOD + GOOD, "not JSON: extra data at character"),
    "NaN": (b'{"messages": NaN}', "NaN is not JSON"),
    "nested too deeply": (b'{"messages": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
    "a number of 5,000 digits": (b'{"messages": ' + b"9" * 5000 + b"}", "not JSON that can be read: Exceeds the limit"),
    "a key twice": (b'{"messages": [], "messages": []}', "'messages' stands twice in one object"),
    "half a surrogate": (line({"role": "user", "content": "\ud83d"}, ANSWER), "half of a surrogate pair"),
    "a list": (b"[1]", "a line is an object with messages, got a list"),
    "no messages": (b'{"prompt": "x", "completion": "y"}', "there is no messages; it has 'prompt', 'completion'"),
    "more than messages": (line(USER, ANSWER, note="x"), "beside messages there is 'note'"),
    "messages of text": (
        b'{"messages": "hello"}',
        "messages is a list with at least a question and an answer, got text",
    ),
    "no message": (b'{"messages": []}', "messages is a list with at least a question and an answer, got an empty list"),
    "a message of text": (line("hello", ANSWER), "message 1 is an object with role and content, got text"),
    "no role": (line({"content": "x"}, ANSWER), "message 1 has no role"),
    "no content": (line(USER, {"role": "assistant"}), "message 2 has no content"),
    "an unknown role": (line({"role": "human", "content": "x"}, ANSWER), "the role of message 1 is system or user or"),
    "an unknown key": (line(USER | {"text": "x"}, ANSWER), "message 1 has 'text', which no host knows"),
    "content that is a number": (
        line(USER, {"role": "assistant", "content": 3}),
        "the content of message 2 is text, got a",
    ),
    "an empty answer": (line(USER, {"role": "assistant", "content": " \n"}), "message 2, of assistant, is empty"),
    "no answer": (line(USER), "the last message is the assistant's answer, got one of user"),
    "no question": (line({"role": "system", "content": "x"}, ANSWER), "there is no user message"),
    "the system in the middle": (
        line(USER, {"role": "system", "content": "x"}, ANSWER),
        "a system message stands first",
    ),
    "a weight of text": (line(USER, ANSWER | {"weight": "heavy"}), "the weight of message 2 is 0 or 1, got 'heavy'"),
    "a weight between": (line(USER, ANSWER | {"weight": 0.5}), "the weight of message 2 is 0 or 1, got '0.5'"),
    "a weight of a question": (line(USER | {"weight": 1}, ANSWER), "message 1, of user, has a weight, which only"),
    "no answer of any weight": (
        line(USER, ANSWER | {"weight": 0}, USER, ANSWER | {"weight": 0}),
        "every answer has weight 0, so nothing would be learned",
    ),
    "too long": (LONG, "tokens, and the model takes at most 200"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_bad_line_is_named_with_its_number_and_reason(broken):
    bad, reason = BROKEN[broken]
    lines = [GOOD] * 12
    lines[6] = bad
    check = check_content("train.jsonl", b"\n".join(lines) + b"\n", Limits(most_tokens=200))
    assert [problem.line for problem in check.problems] == [7] and reason in check.problems[0].reason
    assert check.bad_lines == 1 and check.cost_dollars is None and not check.can_be_sent


def test_a_file_as_a_whole_is_looked_at_too(tmp_path, monkeypatch):
    few = check_content("train.jsonl", GOOD + b"\n", Limits())
    assert [(problem.line, problem.reason) for problem in few.problems] == [(0, "1 rows, and a host wants at least 10")]
    assert check_content("train.jsonl", b"").problems[0].reason.startswith("0 rows")
    long = check_content("train.jsonl", b"\n".join([LONG] * 5), Limits(most_tokens=200))
    assert [problem.line for problem in long.problems] == [1, 2, 3, 4, 5, 0] and long.bad_lines == 5
    weighed = line(USER, ANSWER | {"weight": 0}, USER, ANSWER | {"weight": 1})
    assert check_content("train.jsonl", b"\n".join([weighed] * 10)).can_be_sent
    monkeypatch.setattr("pricer.publish.messages.MOST_BYTES", 100)
    file = tmp_path / "train.jsonl"
    file.write_bytes((GOOD + b"\n") * 20)
    assert "a host takes at most 100" in check_file(file).problems[0].reason
    with pytest.raises(PricerError, match="there is no such file"):
        check_file(tmp_path / "none.jsonl")


def test_a_row_of_train_in_validation_is_found():
    rows = [line(USER | {"content": f"How much is {n}?"}, ANSWER) for n in range(24)]
    train, validation = b"\n".join(rows[:12]), b"\n".join([*rows[12:], rows[3]])
    checks = check_both({"train.jsonl": train, "validation.jsonl": validation})
    assert checks[0].can_be_sent and checks[1].problems[0].line == 13
    assert checks[1].problems[0].reason == "it is line 4 of train.jsonl too"


def test_tokens_and_cost_follow_from_the_texts():
    check = check_content("train.jsonl", b"\n".join([GOOD] * 10), Limits(dollars_per_million=5.0, epochs=3))
    each = len(llama3().encode_ordinary("How much?")) + len(llama3().encode_ordinary("$3.00")) + 2 * 4 + 3
    assert (check.rows, check.tokens, check.longest_tokens) == (10, 10 * each, each)
    assert check.cost_dollars == pytest.approx(10 * each * 3 * 5e-6)


def test_the_notebooks_questions_and_answers_are_met_to_the_letter():
    item = pl.DataFrame({"text": ["Lamp\nOf brass"], "price": [226.951]})
    first, second = (rows_of(item, name)[0]["messages"] for name in ("notebook-1", "notebook-2"))
    system = "You estimate prices of items. Reply only with the price, no explanation"
    assert first == [
        {"role": "system", "content": system},
        {"role": "user", "content": "How much does this cost?\n\nLamp\nOf brass"},
        {"role": "assistant", "content": "Price is $226.95"},
    ]
    question = "Estimate the price of this product. Respond with the price, no explanation"
    assert second == [
        {"role": "user", "content": f"{question}\n\nLamp\nOf brass"},
        {"role": "assistant", "content": "$226.95"},
    ]
    assert not any(
        "226" in message["content"] for chat in CHATS.values() for message in chat.messages("Lamp\nOf brass")
    )


@pytest.fixture
def dataset(tmp_path):
    rows = [raw_row(n, price=1.5 + (n * n) % 990, main_category=f"C{n % 3}") for n in range(500)]
    catalogue = load([str(write_rows(tmp_path / "shop.jsonl", rows))], "shop").catalogue
    return make_dataset(catalogue, Recipe(cutoff=1, cap=1), "whole")


def test_the_first_n_are_a_random_beginning_and_the_balanced_n_take_every_band_in_turn():
    items = pl.DataFrame({"key": [item_key(str(n)) for n in range(900)], "price": [1.0 + n for n in range(900)]})
    first = choose_items(items, 100, "first")
    assert (
        choose_items(items.sample(900, shuffle=True, seed=1), 50, "first")["key"].to_list()
        == first["key"][:50].to_list()
    )
    assert 350 < first["price"].mean() < 550
    counts = np.histogram(choose_items(items, 64, "balanced")["price"], bins=BANDS)[0]
    assert counts.tolist() == [8] * 8


def test_both_files_are_written_and_can_be_sent(dataset, tmp_path):
    written = write_messages(dataset, tmp_path / "out", {"train": 40, "validation": 12}, "balanced", "notebook-2")
    assert [path.name for path in written] == ["train.jsonl", "validation.jsonl"]
    checks = [check_file(path) for path in written]
    assert [check.rows for check in checks] == [40, 12] and all(check.can_be_sent for check in checks)
    texts = set(dataset.train().collect()["text"])
    for row in map(json.loads, written[0].read_text().splitlines()):
        assert row["messages"][0]["content"].split("\n\n", 1)[1] in texts


def test_too_few_rows_are_refused(dataset, tmp_path):
    with pytest.raises(PricerError, match="hosts want at least 10 rows in validation, got 5"):
        write_messages(dataset, tmp_path / "out", {"train": 40, "validation": 5})


def test_the_command_line_writes_and_checks(dataset, tmp_path, capsys):
    folder = tmp_path / "out"
    code, out, _ = run(capsys, "export", "whole", "--to", str(folder), "--train", "30", "--validation", "10")
    assert code == 0 and "train.jsonl: 30 rows" in out and "can be sent" in out
    (folder / "bad.jsonl").write_bytes(GOOD + b"\n{}\n")
    code, out, _ = run(capsys, "export", "--check", str(folder / "bad.jsonl"))
    assert code == 0 and "line 2: there is no messages" in out
    assert run(capsys, "export", "whole")[0] == 2
