"""The tiny Llama: its tokenizers, what it is taught, and that it is saved as any model of the hub is."""

import itertools
import statistics

import pytest

from pricer.catalogue.tokens import llama3
from pricer.llm.local.market import listings


@pytest.fixture(scope="module")
def tokenizer(tiny_llama):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny_llama)


def pieces(tokenizer, text):
    return [tokenizer.decode(token) for token in tokenizer.encode(text, add_special_tokens=False)]


def test_each_number_to_999_is_one_token_as_in_llama_3(tokenizer):
    numbers = [str(number) for number in range(1000)] + ["00", "007"]
    assert {len(tokenizer.encode(number, add_special_tokens=False)) for number in numbers} == {1}
    assert pieces(tokenizer, "1000") == ["100", "0"]


def test_a_price_after_the_prompt_is_split_as_llama_3_splits_it(tokenizer):
    line = "Price is $56.00"
    assert pieces(tokenizer, line) == ["Price", " is", " $", "56", ".", "00"]
    assert [llama3().decode([token]) for token in llama3().encode_ordinary(line)] == pieces(tokenizer, line)


def test_the_other_tokenizer_gives_each_digit_a_token(tiny_llama_digits):
    from transformers import AutoTokenizer

    digits = AutoTokenizer.from_pretrained(tiny_llama_digits)
    assert pieces(digits, "a 56.00")[-5:] == ["5", "6", ".", "0", "0"]


def test_a_text_comes_back_and_begins_with_the_token_that_says_so(tokenizer):
    text = "Ein Tüftler's 24V-Schrauber, 毎日\n\nPrice is $7"
    tokens = tokenizer.encode(text)
    assert tokens[0] == tokenizer.bos_token_id
    assert tokenizer.decode(tokens, skip_special_tokens=True) == text
    assert tokenizer.pad_token is None


def test_a_talk_is_laid_out_as_llama_3_does(tokenizer):
    asked = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Lamp?"}], tokenize=False, add_generation_prompt=True
    )
    assert asked == (
        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nLamp?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    )


def test_the_market_sells_the_same_things_again_and_others_with_another_seed():
    first, again, other = (list(itertools.islice(listings(seed), 20)) for seed in (7, 7, 8))
    assert first == again
    assert first != other
    assert all(0 < listing.price < 999.5 and listing.title in listing.text for listing in first)
    assert max(len(llama3().encode_ordinary(listing.text)) for listing in first) <= 160


def test_the_market_is_cheaper_than_the_demo_so_that_tuning_has_something_to_teach(items):
    market = statistics.median(listing.price for listing in itertools.islice(listings(7), 300))
    assert 0.2 < market / items["price"].median() < 0.6


def test_a_loaded_one_continues_a_prompt(tiny_llama, tokenizer):
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tiny_llama)
    asked = tokenizer("Price is $", return_tensors="pt")
    with torch.inference_mode():
        logits = model(**asked).logits
    assert logits.shape == (1, asked["input_ids"].shape[1], len(tokenizer))
    assert logits.isfinite().all()
