"""Open-weight models on a graphics card: what they take there, how fast they are tuned, how fast they guess.

    python benchmarks/gpu.py                  # shapes of Llama 3.2 3B and 3.1 8B, weights at random
    python benchmarks/gpu.py --shape tiny     # a toy on any machine, to see that the script runs

Weights do not matter for time and memory, so they are drawn, saved as a hub model is, and loaded by Pricer's own code
in 4 and 8 bit. Tuning is measured by the dry run: twenty steps on the longest rows, with the second edition's lite
preset, with each of `FASTER`, and with the preset once more, whose better figure counts; the ratio is of tokens a
second, best by preset. The disk must hold 7 and 17 GB.
"""

import argparse
import json
import sys
import tempfile
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pricer.llm.local.digits import price_tree
from pricer.llm.local.loading import choose_device, load_base, release
from pricer.llm.local.market import listings
from pricer.llm.local.slots import ask_slots, fit_prompt
from pricer.llm.local.tiny import market_tokenizer
from pricer.llm.prompts import COMPLETIONS
from pricer.llm.tuned.arithmetic import KNOWN
from pricer.llm.tuned.dry_run import dry_run
from pricer.llm.tuned.presets import PRESETS, Hyperparameters
from pricer.llm.tuned.tuner import BaseChoice, PricedTexts
from pricer.progress import silent

SHAPES = {"3b": KNOWN["meta-llama/Llama-3.2-3B"], "8b": KNOWN["meta-llama/Llama-3.1-8B"], "tiny": KNOWN["tiny-llama"]}
LITE = PRESETS["second-edition-lite"]
# What may be faster than the preset: activations kept, rows packed, smaller moments, which leave its steps as they are;
# and more rows at once, which makes them fewer.
FASTER: dict[str, Hyperparameters] = {
    "kept": replace(LITE, recompute=False),
    "kept, 64 rows": replace(LITE, recompute=False, batch=64),
    "kept, 128 rows": replace(LITE, recompute=False, batch=128),
    "kept, packed into 1,024": replace(LITE, recompute=False, packing=1024),
    "kept, 8-bit moments": replace(LITE, recompute=False, optimiser="paged-adamw-8bit"),
}
ITEMS = 512
GUESSED = 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=SHAPES, action="append", help="default: 3b and 8b")
    parser.add_argument("--folder", type=Path, help="where the weights are written for a while")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = {"device": device_words(), "shapes": {}}
    for name in options.shape or ["3b", "8b"]:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            found["shapes"][name] = measure(SHAPES[name], Path(folder) / name)
    ratios = {name: each["ratio"] for name, each in found["shapes"].items()}
    found["ratio"] = next(iter(ratios.values()))
    if options.json:
        print(json.dumps(found))
    else:
        show(found)


def device_words() -> str:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "processor"


def measure(config: dict, folder: Path) -> dict:
    """Footprints, guesses a second, and tokens a second of tuning, of one shape."""
    draw_model(config, folder)
    texts, prices = zip(*((each.text, each.price) for each in islice(listings(1), ITEMS)), strict=True)
    held = {precision: footprint(folder, precision, texts) for precision in ("4bit", "8bit")}
    train, base = PricedTexts(texts, prices), BaseChoice(str(folder), "4bit")
    first = dry_run(base, LITE, train, 1, silent)
    others = {name: dry_run(base, tuning, train, 1, silent) for name, tuning in FASTER.items()}
    lite = max(first, dry_run(base, LITE, train, 1, silent), key=lambda each: each.tokens_per_second)
    best = max(others, key=lambda name: others[name].tokens_per_second)
    return {
        "held": held,
        "lite_tokens_per_second": lite.tokens_per_second,
        "lite_bytes_peak": lite.bytes_peak,
        "tokens_per_second": {name: each.tokens_per_second for name, each in others.items()},
        "bytes_peak": {name: each.bytes_peak for name, each in others.items()},
        "batch": {name: each.batch for name, each in others.items()},
        "best": best,
        "ratio": others[best].tokens_per_second / lite.tokens_per_second,
    }


def draw_model(config: dict, folder: Path) -> None:
    """Save a model of this shape with random weights; its tokenizer is the tiny Llama's, whose tokens it has too."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    shape = {name: value for name, value in config.items() if name not in ("dtype", "model_type")}
    dtype = getattr(torch, config["dtype"])
    with torch.device(choose_device()):
        torch.set_default_dtype(dtype)
        model = LlamaForCausalLM(LlamaConfig(**shape, max_position_embeddings=4096))
        torch.set_default_dtype(torch.float32)
    model.save_pretrained(folder)
    market_tokenizer(1).save_pretrained(folder)
    del model


def footprint(folder: Path, precision: str, texts: tuple[str, ...]) -> dict:
    """What a model takes, as expected and as measured, and how many guesses a second it makes."""
    loaded = load_base(str(folder), precision)
    prompt, tree = COMPLETIONS[LITE.prompt].prompt, price_tree(loaded.tokenizer)
    prompts = [fit_prompt(loaded.tokenizer, prompt, text, LITE.length) for text in texts[:GUESSED]]
    ask_slots(loaded.model, tree, prompts[:32])  # kernels are chosen
    started = time.monotonic()
    ask_slots(loaded.model, tree, prompts)
    seconds = time.monotonic() - started
    held = {
        "bytes_estimated": loaded.bytes_estimated,
        "bytes_measured": loaded.bytes_measured,
        "guesses_per_second": len(prompts) / seconds,
    }
    release(loaded)
    return held


def show(found: dict) -> None:
    print(f"on {found['device']}")
    for name, each in found["shapes"].items():
        print(f"{name}")
        for precision, held in each["held"].items():
            print(
                f"  {precision}: {held['bytes_measured'] / 1e9:.2f} GB (expected {held['bytes_estimated'] / 1e9:.2f}), "
                f"{held['guesses_per_second']:,.1f} guesses a second"
            )
        lite = each["lite_tokens_per_second"]
        print(f"  tuned, lite preset: {lite:,.0f} tokens a second, {each['lite_bytes_peak'] / 1e9:.2f} GB")
        for setting, speed in each["tokens_per_second"].items():
            print(
                f"  tuned, {setting}: {speed:,.0f} tokens a second, {each['bytes_peak'][setting] / 1e9:.2f} GB, "
                f"{speed / lite:.2f} times"
            )


if __name__ == "__main__":
    main()
