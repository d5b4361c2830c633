"""A tiny real Llama, made here: for trying quantisation and tuning without a key, a graphics card or a download.

    python -m pricer tiny-llama

It has Llama's architecture and Llama 3's way with numbers, and is saved as any model of the hub is. What it knows is
prices of an invented market (`pricer.llm.local.market`) and nothing else: it is always shown as tiny.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from pricer.llm.local.market import listings
from pricer.llm.local.tokenizer import make_tokenizer
from pricer.llm.prompts import COMPLETIONS

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

NAME = "tiny-llama"
LONGEST = 512  # tokens that it reads
TOKENIZER_TEXTS = 2_000  # listings that its tokenizer is learned from


def new_llama(tokenizer: "PreTrainedTokenizerFast", seed: int, width: int = 128, layers: int = 4) -> "LlamaForCausalLM":
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
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        name_or_path=NAME,
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
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
