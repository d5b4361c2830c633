"""Tokenizers for the tiny Llama: byte pairs as in Llama 3, each of "0" to "999" one token, or with single digits."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pricer.catalogue.tokens import PATTERN

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

BEGIN, END = "<|begin_of_text|>", "<|end_of_text|>"
SPECIAL = (BEGIN, END, "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
VOCABULARY = 4096
# Llama 3's form of a talk; the answer ends as the text does, so that one model serves both.
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)


def make_tokenizer(
    texts: Iterable[str], digits: bool = False, vocabulary: int = VOCABULARY
) -> "PreTrainedTokenizerFast":
    """Learn byte pairs from texts, and give numbers the tokens that they have in Llama 3.

    There every run of one to three digits is one token ("56", "007"; "1000" is "100" and "0"). With `digits` each digit
    is a token of its own, as in Qwen's. Like Llama 3's it has no token for padding, and puts one before every text that
    says where the text begins. The same texts give the same tokenizer.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    split = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN.replace("{1,3}", "") if digits else PATTERN), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    numbers = () if digits else _numbers()
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = split
    learner.normalizer = normalizers.Replace(Regex(r"\p{N}+"), "")  # so that no pair of digits is learned
    learner.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=vocabulary - len(set(numbers) - set("0123456789")) - len(SPECIAL),
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        ),
    )
    words, merges = _learned(learner)
    for number in numbers:
        words.setdefault(number, len(words))
    tokenizer = Tokenizer(models.BPE(words, merges, ignore_merges=True))
    tokenizer.pre_tokenizer = split
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A",
        pair=f"{BEGIN} $A {BEGIN}:1 $B:1",
        special_tokens=[(BEGIN, tokenizer.token_to_id(BEGIN))],
    )
    made = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=BEGIN, eos_token=END, clean_up_tokenization_spaces=False
    )
    made.chat_template = CHAT_TEMPLATE
    return made


def _numbers() -> list[str]:
    """Every run of one to three digits."""
    return [f"{number:0{width}d}" for width in (1, 2, 3) for number in range(10**width)]


def _learned(tokenizer: "Tokenizer") -> tuple[dict[str, int], list[tuple[str, str]]]:
    """The words that a tokenizer has learned, by their number, and the pairs that make them."""
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], [tuple(pair) for pair in model["merges"]]
