"""How fast a provider is asked: 2,000 items at a server in a process of its own that takes 50 ms for each answer.

    python benchmarks/ask.py                     # eight questions at once; a minute
    python benchmarks/ask.py --concurrency 16 --json

The ideal rate is what so many askers would reach who lost no moment between two answers: concurrency / latency. The
latency is measured beside it, by one plain connection to the same server, for a server on a busy machine takes longer
than it was told to. What is measured is all that a run does with the items: prompts, asking, keeping every reply on the
disk, and reading its price.

ratio: the rate that is reached, divided by the ideal one; the best of three, so that other work on the machine changes
little. It is to be at least 0.90.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import httpx2
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))

from pricer.llm.providers import add_provider
from pricer.models.hosted import Hosted

ROOT = Path(__file__).parents[1]
ITEMS, ROUNDS, PROBES = 2000, 3, 40
PROMISED = 0.90


@contextmanager
def server(latency_seconds: float) -> Iterator[str]:
    """The tests' provider; gives its base address."""
    command = [sys.executable, "-m", "tests.provider_server", f"--latency={latency_seconds}"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def measured_latency(address: str) -> float:
    """Seconds that one answer takes on one connection, the median."""
    body = {"model": "small-1", "messages": [{"role": "user", "content": "one"}], "max_tokens": 5}
    taken = []
    with httpx2.Client(trust_env=False) as client:
        for _ in range(PROBES):
            started = time.perf_counter()
            client.post(f"{address}/chat/completions", json=body).raise_for_status()
            taken.append(time.perf_counter() - started)
    return median(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds (default 0.05)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    texts = [
        f"Desk lamp {number}\nOf brass, {number % 90} cm high, with a switch. " * 8 for number in range(options.items)
    ]
    items = pl.DataFrame({"item_id": [f"i{number}" for number in range(options.items)], "text": texts})
    rounds = []
    with tempfile.TemporaryDirectory() as home, server(options.latency) as address:
        os.environ["PRICER_HOME"] = home
        add_provider("bench", address)
        for seed in range(ROUNDS):
            latency = measured_latency(address)
            model = Hosted(seed, "bench", "small-1", concurrency=options.concurrency)
            model.fit(items.with_columns(price=pl.lit(20.0)))
            started = time.perf_counter()
            table = model.answers(items)
            seconds = time.perf_counter() - started
            assert (table["status"] == "answer").all()
            rounds.append((options.items / seconds / (options.concurrency / latency), seconds, latency))
    ratio, seconds, latency = max(rounds)
    found = {
        "ratio": ratio,
        "seconds": seconds,
        "rate_per_second": options.items / seconds,
        "latency_seconds": latency,
        "concurrency": options.concurrency,
        "items": options.items,
    }
    if options.json:
        print(json.dumps(found))
        return
    print(
        f"{options.items:,} items, {options.concurrency} at once, {1000 * latency:.1f} ms an answer: "
        f"{found['rate_per_second']:,.1f} items a second in {seconds:.1f} s, {ratio:.1%} of the ideal rate "
        f"(promised: {PROMISED:.0%})"
    )


if __name__ == "__main__":
    main()
