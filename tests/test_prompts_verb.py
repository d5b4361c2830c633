"""The verb `prompts`, as a person types it."""

import json

import pytest

from pricer.__main__ import main


def run(capsys: pytest.CaptureFixture, *arguments: str) -> dict:
    assert main(["prompts", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_presets_and_saved_prompts_are_listed_and_shown(capsys):
    assert [preset["name"] for preset in run(capsys)["presets"]][:2] == ["plain", "json"]
    shown = run(capsys, "show", "notebook-1-suffix", "--text", "Lamp")
    assert shown["messages"][-1]["content"] == "How much does this cost?\n\nLamp\n\nPrice is $"
    assert main(["prompts", "show", "notebook-1"]) == 0
    assert "[assistant]\nPrice is $" in capsys.readouterr().out


@pytest.mark.parametrize("text", ['{"question": "What?", "seed": 7}', "question: What?\nseed: 7\n"])
def test_a_prompt_is_saved_from_a_file_and_options_count_more(capsys, tmp_path, text):
    (tmp_path / "prompt").write_text(text)
    saved = run(capsys, "save", "short", "--file", str(tmp_path / "prompt"), "--price-range", "1", "500")
    assert (saved["name"], saved["prompt"]["seed"], saved["prompt"]["price_range"]) == ("short@1", 7, [1.0, 500.0])
    again = run(capsys, "save", "short", "--from", "short", "--no-tagged", "--seed", "8")
    assert (again["name"], again["prompt"]["question"], again["prompt"]["seed"]) == ("short@2", "What?", 8)
    assert run(capsys, "changes", "short@1", "short@2")["changes"] == [["seed", 7, 8]]
    assert [each["name"] for each in run(capsys)["saved"]] == ["short@2"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[1, 2]", "has no named settings"),
        (b"{", "is neither JSON nor YAML"),
        (b"\xff\xfe", "is neither JSON nor YAML"),
        (b"question: What?\ncolour: red", "a prompt has no setting 'colour'"),
        (b"x" * 200_000, "more than 100,000 bytes"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(capsys, tmp_path, content, told):
    (tmp_path / "prompt.yaml").write_bytes(content)
    assert main(["prompts", "save", "short", "--file", str(tmp_path / "prompt.yaml")]) == 2
    assert told in capsys.readouterr().err


def test_a_reply_is_read_and_the_reason_told(capsys):
    assert run(capsys, "read", "It costs $45")["price"] == 45
    assert main(["prompts", "read", "3 for $10"]) == 0
    assert capsys.readouterr().out == "no answer (unparsable): two numbers that belong together: '3 for $10'\n"
