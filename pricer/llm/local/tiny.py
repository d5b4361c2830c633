"""A tiny real Llama, made here: for trying quantisation and tuning without a key, a graphics card or a download.

    python -m pricer tiny-llama

It has Llama's architecture and Llama 3's way with numbers, and is saved as any model of the hub is. What it knows is
prices of an invented market (`pricer.llm.local.market`) and nothing else: it is always shown as tiny.
"""

import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pricer.errors import PricerError
from pricer.files import publish, staged_folder, write_json
from pricer.llm.local.bases import TINY
from pricer.llm.local.market import listings
from pricer.llm.local.teaching import Lessons, teach
from pricer.llm.local.tokenizer import make_tokenizer
from pricer.llm.prompts import COMPLETIONS
from pricer.progress import Report, Step, silent

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

ABOUT = "tiny.json"  # in its folder: says what it is
SEED = 7  # of the market that it knows; the demo has others
LESSONS = Lessons()
LONGEST = 512  # tokens that it reads
TOKENIZER_TEXTS = 2_000  # listings that its tokenizer is learned from
INITIAL = 0.04  # standard deviation of its first weights; they are few, so larger than is usual


@dataclass(frozen=True)
class Made:
    """What was made."""

    folder: Path
    parameters: int
    tokens: int  # that it knows
    steps: int
    seconds: float


def make_tiny_llama(
    folder: Path,
    report: Report = silent,
    *,
    seed: int = SEED,
    lessons: Lessons = LESSONS,
    checkpoints: Path | None = None,
) -> Made:
    """Make a tiny Llama and teach it; its folder appears whole or not at all.

    The same seed gives the same weights on the same machine, whether broken off (with a folder for checkpoints) or not.
    PricerError if something stands there already.
    """
    import torch

    if folder.exists():
        raise PricerError(f"{folder} exists: remove it to make another")
    started = time.monotonic()
    report(Step("Learning a tokenizer", 0, "texts"))
    tokenizer = market_tokenizer(seed)
    threads_before = torch.get_num_threads()
    torch.set_num_threads(1)  # products this small are not sped up by more, and one gives the same weights anywhere
    try:
        model = new_llama(tokenizer, seed)
        losses = teach(model, tokenizer, lessons, seed, report, checkpoints)
    finally:
        torch.set_num_threads(threads_before)
    with staged_folder(folder.parent) as staged:
        save_llama(model, tokenizer, staged)
        write_json(staged / ABOUT, {"made_by": "pricer tiny-llama", "seed": seed, **asdict(lessons)})
        if not publish(staged, folder):
            raise PricerError(f"{folder} exists: remove it to make another")
    if checkpoints:
        shutil.rmtree(checkpoints, ignore_errors=True)
    return Made(folder, model.num_parameters(), len(tokenizer), len(losses), time.monotonic() - started)


def new_llama(tokenizer: "PreTrainedTokenizerFast", seed: int, width: int = 96, layers: int = 3) -> "LlamaForCausalLM":
    """A small Llama that knows nothing yet, in float32; the same seed gives the same weights.

    Widths are multiples of 32, which 4-bit products on some processors ask for.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=3 * width,
        num_hidden_layers=layers,
        num_attention_heads=width // 32,
        num_key_value_heads=max(1, width // 64),
        max_position_embeddings=LONGEST,
        rope_theta=10_000.0,
        tie_word_embeddings=True,
        initializer_range=INITIAL,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        name_or_path=TINY,
        attn_implementation="sdpa",
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return LlamaForCausalLM(config)


def market_tokenizer(seed: int, digits: bool = False, texts: int = TOKENIZER_TEXTS) -> "PreTrainedTokenizerFast":
    """A tokenizer learned from listings of the market, which knows the words of the prompts too."""
    sold = listings(seed)
    prompts = list(COMPLETIONS.values())
    return make_tokenizer((prompts[turn % len(prompts)].prompt(next(sold).text) for turn in range(texts)), digits)


def save_llama(model: "LlamaForCausalLM", tokenizer: "PreTrainedTokenizerFast", folder: Path) -> None:
    """Write weights, configuration, tokenizer and chat template, as a folder of the hub holds them."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
