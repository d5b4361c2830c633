"""How fast Curate follows the hand: a frame while a slider is dragged, and the exact plan after it is released.

    python benchmarks/balancer.py            # a generated catalogue of 2.8 million items; three minutes and 2 GB
    python benchmarks/balancer.py --json

A headless Chromium opens the page on a server of its own; the catalogue has 33 categories and items in all 999 slots.
Twenty times a mouse drags the slider of the cap or of a weight and lets it go.

frame_ms: from a move of the slider until its estimate is drawn and laid out, script and layout together.
exact_ms: from letting go until Python's exact plan is drawn. Both are medians.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from statistics import median

from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.enlarge import enlarge
from pricer.__main__ import main as pricer
from pricer.catalogue.store import open_catalogue
from tests import browser as chromium
from tests.serving import serving

TIMES = 20
DEMO_ROWS = 20_000
SLIDERS = ("cap", "weight-0", "cutoff", "others")

# Times what the balancer does between two frames, and how long it takes from letting go to the exact plan.
WATCH = """
() => {
  const root = document.querySelector(".st-key-balancer [data-testid=stBidiComponentIsolated]").shadowRoot;
  const balancer = root.querySelector(".balancer");
  const times = (window.times = { frames: [], exact: [] });
  const next = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (draw) =>
    next((now) => {
      const began = performance.now();
      draw(now);
      if (draw.name !== "draw" || balancer.dataset.exact === "true") return; // another's, or no estimate
      balancer.getBoundingClientRect(); // lays out what was drawn
      times.frames.push(performance.now() - began);
    });
  let released = 0;
  window.addEventListener("pointerup", () => (released = performance.now()), true);
  new MutationObserver((changes) => {
    const estimated = changes.some((change) => change.oldValue === "false");
    if (estimated && balancer.dataset.exact === "true") times.exact.push(performance.now() - released);
  }).observe(balancer, { attributeFilter: ["data-exact"], attributeOldValue: true });
}
"""


def measure(page: Page, url: str) -> dict[str, float]:
    """Drag and let go on the page at a URL; milliseconds."""
    page.goto(url)
    page.locator(".balancer[data-exact=true]").wait_for(timeout=120_000)
    page.wait_for_load_state("networkidle")
    page.evaluate(WATCH)
    for time in range(TIMES):
        _drag(page, SLIDERS[time % len(SLIDERS)], 25 if time // len(SLIDERS) % 2 else -25)
        page.wait_for_function(f"window.times.exact.length > {time}", timeout=60_000)
        page.wait_for_load_state("networkidle")
        page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    times = page.evaluate("window.times")
    return {
        "frame_ms_median": median(times["frames"]),
        "frame_ms_slowest": max(times["frames"]),
        "exact_ms_median": median(times["exact"]),
        "exact_ms_slowest": max(times["exact"]),
        "frames": len(times["frames"]),
    }


def _drag(page: Page, name: str, by: int) -> None:
    """Move a slider's thumb by so many pixels, one at a time, and let it go."""
    slider = page.locator(f".balancer input[type=range][data-name={name}]")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    low, high, value = (float(slider.evaluate(f"input => input.{each}")) for each in ("min", "max", "value"))
    x = box["x"] + 7.5 + (value - low) / (high - low) * (box["width"] - 15)
    if not box["x"] < x + by < box["x"] + box["width"]:
        by = -by
    page.mouse.move(x, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(x + by, box["y"] + box["height"] / 2, steps=abs(by))
    page.mouse.up()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=2_800_000)
    parser.add_argument("--categories", type=int, default=33)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    options = parser.parse_args()
    path = chromium.find()
    if path is None:
        sys.exit("No Chromium: `python -m tests.browser` gets one")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        os.environ["PRICER_HOME"] = str(home)
        pricer(["demo", "--rows", str(DEMO_ROWS), "--catalogue", "demo", "--json"])
        enlarge(open_catalogue("demo"), "big", options.items, options.categories, lambda step: None)
        with serving(home) as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=chromium.ARGUMENTS)
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            figures = measure(page, f"{server.url}/curate")
            browser.close()
    figures = {name: round(figure, 1) for name, figure in figures.items()}
    if options.json:
        print(json.dumps(figures))
        return
    print(f"{options.items:,} items in 999 slots and {options.categories} categories, {TIMES} drags")
    print(f"  frame      {figures['frame_ms_median']:7.1f} ms  slowest {figures['frame_ms_slowest']:7.1f} ms")
    print(f"  exact plan {figures['exact_ms_median']:7.1f} ms  slowest {figures['exact_ms_slowest']:7.1f} ms")


if __name__ == "__main__":
    main()
