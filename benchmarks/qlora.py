"""What tuning is for: a tuned tiny Llama errs less than its base, and its median less than greedy decoding.

    python benchmarks/qlora.py            # makes the tiny Llama first where it is not made (8 minutes of a core)
    python benchmarks/qlora.py --json     # keys `gain` and `greedy`: dollars, each with its 95 % interval

The tiny Llama knows a market where everything is cheaper and brands are worth something else. Held in 4 bit it is tuned
40 steps on 640 listings of another such market at two and a half times its prices, and asked 400 others. Both
intervals are paired, item by item, and each must lie above zero: else the benchmark ends with an error.
"""

import argparse
import json
import sys
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pricer.evaluation.intervals import Interval, mean_interval
from pricer.items import HIGHEST_SLOT
from pricer.llm.local.bases import TINY, tiny_folder
from pricer.llm.local.market import listings
from pricer.llm.local.tiny import make_tiny_llama
from pricer.llm.tuned.presets import PRESETS
from pricer.llm.tuned.rows import make_rows
from pricer.llm.tuned.steps import Learner, tune
from pricer.llm.tuned.tuner import BaseChoice, start
from pricer.models.bins import distribution_median
from pricer.progress import silent

TUNING = replace(PRESETS["modest"], length=96, most_steps=40)
MARKET, DEARER = 99, 2.5
LEARNED, ASKED = 640, 400  # listings


@dataclass(frozen=True)
class Found:
    """Mean errors in dollars on listings that were not learned, and what they differ by."""

    base: float
    tuned: float
    gain: Interval  # how much less the tuned model errs than its base
    greedy: Interval  # how much more the likeliest dollar errs than the median


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not tiny_folder().exists():
        make_tiny_llama(tiny_folder())
    found = measure(BaseChoice(TINY, "4bit"))
    if options.json:
        print(json.dumps(asdict(found) | {name: getattr(found, name)._asdict() for name in ("gain", "greedy")}))
    else:
        print(f"base ${found.base:,.2f}, tuned ${found.tuned:,.2f}")
        for name, each in (("tuned against its base", found.gain), ("median against greedy", found.greedy)):
            print(f"{name}: ${each.mean:,.2f} less, 95 % interval {each.low:,.2f} to {each.high:,.2f}")
    if min(found.gain.low, found.greedy.low) <= 0:
        sys.exit("tuning, or reading off the median, has brought nothing that can be told from chance")


def measure(base: BaseChoice, seed: int = 1) -> Found:
    """Tune a base in a few steps and hold it against itself as it was, and against greedy decoding."""
    sold = list(islice(listings(MARKET), LEARNED + ASKED))
    texts, prices = [each.text for each in sold], [min(HIGHEST_SLOT, DEARER * each.price) for each in sold]
    asked, true = texts[LEARNED:], np.array(prices[LEARNED:])
    tuned = start(base, TUNING, seed, silent)
    before = np.abs(distribution_median(tuned.chances(asked)) - true)
    rows = make_rows(tuned.tokenizer, texts[:LEARNED], prices[:LEARNED], TUNING)
    tune(Learner(tuned.model, TUNING), rows, seed, silent)
    chances = tuned.chances(asked)
    after, greedy = (np.abs(guess - true) for guess in (distribution_median(chances), chances.argmax(axis=1)))
    alone = np.arange(len(asked))
    gain, more = mean_interval(before - after, alone), mean_interval(greedy - after, alone)
    return Found(float(before.mean()), float(after.mean()), gain, more)


if __name__ == "__main__":
    main()
