"""How fast an open-weight model guesses: the distribution from one pass, beside one `generate` an item.

    python benchmarks/guess.py                     # the tiny Llama, on two cores, some minutes
    python benchmarks/guess.py --json              # key `ratio`: guesses a second, one pass over one generate an item
    python benchmarks/guess.py --shape llama-3.2-3b --device cuda    # random weights of that shape, on a graphics card

As in the notebooks the model is held in 4 bit, an item is its prompt and about 160 tokens of text, and `generate` is
greedy, one item at a time, at most 8 new tokens. The tiny Llama is that of `python -m pricer tiny-llama` where it is
made, and ends its answers itself; one with random weights, which would never end, stops after the 4 tokens that a price
takes. Both sides are timed in turn, with one and with all threads, and the best of each counts. Of a shape on a card
the share of its peak counts two operations a weight and token; the peak is that of dense bfloat16, where it is known.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from pricer.llm.local.bases import TINY, tiny_folder
from pricer.llm.local.digits import PriceTree, price_tree
from pricer.llm.local.loading import Loaded, load_base, mend_quantised, quantisation
from pricer.llm.local.market import listings
from pricer.llm.local.memory import PRECISIONS
from pricer.llm.local.slots import ask_slots, fit_prompts, longest_prompt
from pricer.llm.local.tiny import market_tokenizer, new_llama, save_llama
from pricer.llm.prompts import COMPLETIONS

PROMPT = COMPLETIONS["notebook-2"].prompt
ROUNDS = 3
SHAPES = {  # of the configurations that their makers published
    "llama-3.2-3b": {
        "vocab_size": 128_256, "hidden_size": 3072, "intermediate_size": 8192, "num_hidden_layers": 28,
        "num_attention_heads": 24, "num_key_value_heads": 8, "head_dim": 128, "tie_word_embeddings": True,
    },
    "llama-3.1-8b": {
        "vocab_size": 128_256, "hidden_size": 4096, "intermediate_size": 14_336, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "tie_word_embeddings": False,
    },
}  # fmt: skip
PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "L4": 121e12, "T4": 65e12}  # operations/s


def open_tiny(precision: str, device: str, folder: Path) -> Loaded:
    """The tiny Llama as it was made, or one with random weights."""
    if (tiny_folder() / "config.json").is_file():
        return load_base(TINY, precision, device)
    if not (folder / "config.json").is_file():
        tokenizer = market_tokenizer(7)
        save_llama(new_llama(tokenizer, 7), tokenizer, folder)
    return load_base(str(folder), precision, device)


def make_shape(name: str, precision: str, device: str, folder: Path) -> Loaded:
    """A model of a published shape with random weights; its tokenizer is that of the tiny Llama."""
    import torch
    from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

    tokenizer = market_tokenizer(7)
    torch.manual_seed(7)
    config = LlamaConfig(**SHAPES[name], max_position_embeddings=8192, rope_theta=500_000.0)
    with torch.device(device):
        torch.set_default_dtype(torch.bfloat16)
        model = LlamaForCausalLM(config)
        torch.set_default_dtype(torch.float32)
    if precision != "none":
        model.save_pretrained(folder)
        del model
        torch.cuda.empty_cache()
        model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.bfloat16, device_map={"": device},
            quantization_config=quantisation(precision, "bfloat16"),
        )  # fmt: skip
        mend_quantised(model)
    size = model.get_memory_footprint()
    return Loaded(model.eval(), tokenizer, name, "random", precision, device, "bfloat16", size, size, False)


def generate_each(loaded: Loaded, texts: list[str], new_tokens: int) -> None:
    """The notebook's way."""
    import torch

    for text in texts:
        inputs = loaded.tokenizer(PROMPT(text), return_tensors="pt").to(loaded.device)
        with torch.no_grad():
            loaded.model.generate(
                **inputs, max_new_tokens=new_tokens, do_sample=False, pad_token_id=loaded.tokenizer.eos_token_id
            )


def ask_all(loaded: Loaded, tree: PriceTree, texts: list[str], batch: int) -> None:
    """Ours, from the texts on."""
    most = longest_prompt(loaded.model)
    ask_slots(loaded.model, tree, fit_prompts(loaded.tokenizer, PROMPT, texts, most), batch)


def rate(work: Callable[[], None], items: int, device: str) -> float:
    """Items a second, once."""
    import torch

    started = time.perf_counter()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return items / (time.perf_counter() - started)


def measure(loaded: Loaded, items: int, alone: int, batch: int, new_tokens: int) -> dict:
    """Both ways in turn; the best round of each."""
    import torch

    tree = price_tree(loaded.tokenizer)
    texts = [listing.text for listing in islice(listings(8), items)]
    threads = sorted({1, len(os.sched_getaffinity(0))}) if loaded.device == "cpu" else [torch.get_num_threads()]
    one_pass, generated = [], []
    ask_all(loaded, tree, texts[:batch], batch)
    for _ in range(ROUNDS):
        for count in threads:
            torch.set_num_threads(count)
            one_pass.append(rate(lambda: ask_all(loaded, tree, texts, batch), items, loaded.device))
            generated.append(rate(lambda: generate_each(loaded, texts[:alone], new_tokens), alone, loaded.device))
    tokens = sum(len(loaded.tokenizer(PROMPT(text)).input_ids) for text in texts) / items
    return {
        "precision": loaded.precision,
        "bytes": loaded.bytes_measured,
        "tokens_per_prompt": tokens,
        "one_pass_per_second": max(one_pass),
        "generate_per_second": max(generated),
        "ratio": max(one_pass) / max(generated),
    }


def share_of_peak(loaded: Loaded, found: dict) -> float | None:
    """Of the card's operations, those that guessing used; None on a card whose peak is not known."""
    import torch

    card = torch.cuda.get_device_name()
    peak = next((value for name, value in PEAKS.items() if name in card), None)
    weights = SHAPES[loaded.place]["num_hidden_layers"] * _weights_of_layer(SHAPES[loaded.place])
    return peak and 2 * weights * found["tokens_per_prompt"] * found["one_pass_per_second"] / peak


def _weights_of_layer(shape: dict) -> int:
    width, head = shape["hidden_size"], shape["head_dim"]
    attention = 2 * width * head * (shape["num_attention_heads"] + shape["num_key_value_heads"])
    return attention + 3 * width * shape["intermediate_size"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, help="random weights of this shape, instead of the tiny Llama")
    parser.add_argument("--precision", choices=PRECISIONS, action="append", help="default 4bit; may be repeated")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--items", type=int, default=256, help="that are asked in one pass (default 256)")
    parser.add_argument("--alone", type=int, default=16, help="that are generated one by one (default 16)")
    parser.add_argument("--batch", type=int, help="items of a pass (default 16, on a card 64)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    batch = options.batch or (64 if options.device == "cuda" else 16)
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for precision in options.precision or ["4bit"]:
            if options.shape:
                loaded = make_shape(options.shape, precision, options.device, Path(folder) / "shape")
            else:
                loaded = open_tiny(precision, options.device, Path(folder) / "tiny")
            ends_itself = loaded.place == TINY
            found = measure(loaded, options.items, options.alone, batch, 8 if ends_itself else 4)
            if options.shape and options.device == "cuda":
                found["share_of_peak"] = share_of_peak(loaded, found)
            results.append(found)
    answer = {"model": options.shape or TINY, "device": options.device, "batch": batch, "results": results}
    answer["ratio"] = results[0]["ratio"]
    if options.json:
        print(json.dumps(answer))
        return
    for found in results:
        print(
            f"{answer['model']} in {found['precision']} on {options.device}, {found['tokens_per_prompt']:.0f} tokens: "
            f"{found['one_pass_per_second']:,.1f} guesses/s from one pass, {found['generate_per_second']:,.1f} with "
            f"one generate each: {found['ratio']:.1f} times"
        )
        if found.get("share_of_peak") is not None:
            print(f"  {found['share_of_peak']:.1%} of the card's peak")


if __name__ == "__main__":
    main()
