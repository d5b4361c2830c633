"""Teaching the tiny Llama: broken off and gone on with, told how far it is, and its folder whole or not there."""

import json

import pytest

from pricer.__main__ import main
from pricer.llm.local.bases import known_base
from pricer.llm.local.teaching import Lessons, teach
from pricer.llm.local.tiny import market_tokenizer, new_llama
from pricer.progress import silent

FEW = Lessons(listings=60, titles=3, texts=5)  # the fourth lesson of texts is in the form of a talk


class Killed(BaseException):
    """As sudden as a kill: nothing catches it."""


@pytest.fixture(scope="module")
def tokenizer():
    return market_tokenizer(7, texts=100)


def test_it_is_taught_the_same_whether_broken_off_or_not(tokenizer, tmp_path):
    def killed_at_texts(step):
        if step.stage.startswith("Teaching texts") and step.count == 2:
            raise Killed

    straight = teach(model := new_llama(tokenizer, 7, width=32, layers=1), tokenizer, FEW, 7, silent)
    assert len(straight) == FEW.steps
    assert all(loss > 0 for loss in straight)
    broken = new_llama(tokenizer, 7, width=32, layers=1)
    with pytest.raises(Killed):
        teach(broken, tokenizer, FEW, 7, killed_at_texts, tmp_path, seconds_between_saves=0)
    resumed = new_llama(tokenizer, 7, width=32, layers=1)
    assert teach(resumed, tokenizer, FEW, 7, silent, tmp_path) == pytest.approx(straight, abs=1e-6)
    for name, weight in model.state_dict().items():
        assert weight.allclose(resumed.state_dict()[name], atol=1e-6), name


@pytest.mark.slow
def test_the_verb_makes_it_where_it_is_found_and_says_that_it_is_tiny(home, capsys):
    assert known_base("tiny-llama") is None
    assert main(["tiny-llama", "--steps", "3", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["tokens"] == 4096
    base = known_base("tiny-llama")
    assert base.shape.is_tiny
    assert base.shape.parameters == made["parameters"]
    assert "tiny" in base.title
    assert not any((home / "cache").rglob("checkpoint-*"))
    assert main(["tiny-llama", "--steps", "3"]) == 2
    assert "remove it to make another" in capsys.readouterr().err
