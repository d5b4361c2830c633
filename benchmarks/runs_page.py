"""The page Runs with many runs: how soon it answers, and what following two jobs costs the server.

    python benchmarks/runs_page.py               # 200 finished runs, two at work; about two minutes
    python benchmarks/runs_page.py --runs 1000 --json

A home is made with generated data and three real runs, which are copied under new ids; two jobs are put on record as at
work, and leave a guess and their progress four times a second, as real ones do. A real server serves it to a headless
Chromium. Answer: from the click on Runs, coming from Train, until the page's script has ended; the least and the middle
of several visits. Processor: what the server's process uses while one browser looks on, as a share of one core.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from statistics import median
from threading import Event, Thread

import psutil
from playwright.sync_api import Page, expect, sync_playwright
from sqlalchemy import update

sys.path.insert(0, str(Path(__file__).parents[1]))

from pricer import database, settings
from pricer.__main__ import main as pricer
from pricer.runs import jobs
from pricer.runs.orders import order_arguments
from pricer.runs.training import Order
from tests import browser as chromium
from tests.many_runs import copy_runs
from tests.serving import serving

VISITS = 7
WRITES_PER_SECOND = 4


def fill(number: int) -> None:
    """A catalogue, a dataset, three real runs and their copies."""
    for command in (
        ["demo", "--rows", "20000", "--catalogue", "demo"],
        ["sample", "demo", "--dataset", "even"],
        *(["train", model, "--dataset", "even"] for model in ("mean", "bag-of-words", "tfidf-ridge")),
    ):
        if pricer([*command, "--json"]) != 0:
            raise SystemExit(f"{command} failed")
    copy_runs(number - 3)


def put_at_work() -> list[Path]:
    """Two jobs that a worker elsewhere holds for an hour; gives their folders."""
    folders = []
    for seed, resources in ((1, "heavy"), (2, "light")):
        jobs.submit(order_arguments(Order("tfidf-ridge", "even", seed=seed)), resources)
        job = jobs.claim("elsewhere")
        with database.engine().begin() as connection:
            later = jobs.database_time(connection) + timedelta(hours=1)
            held = {"lease_until": later, "heartbeat_at": later}
            connection.execute(update(database.jobs).where(database.jobs.c.id == job.id).values(**held))
        folders.append(settings.jobs_folder() / job.id)
        folders[-1].mkdir(parents=True, exist_ok=True)
    return folders


def work(folders: list[Path], ended: Event) -> None:
    """Leave what jobs that guess leave, as often as they do."""
    done = 0
    row = {"title": "Cordless drill", "price": 80.0, "guess": 95.0, "error": 15.0, "colour": "good"}
    while not ended.wait(1 / WRITES_PER_SECOND):
        done += 1
        progress = {"stage": "Guessing", "count": done, "unit": "items", "fraction": done / 10_000}
        times = {"rate_per_second": 4.0, "elapsed_seconds": done / 4, "remaining_seconds": 2500.0, "updated": 0}
        for folder in folders:
            with (folder / "guesses.jsonl").open("a") as guesses:
                guesses.write(json.dumps(row) + "\n")
            beside = folder / "progress.new"
            beside.write_text(json.dumps(progress | times))
            beside.replace(folder / "progress.json")


def seconds_to_answer(page: Page, name: str) -> float:
    """From a click in the navigation until the page's script has ended."""
    link = page.get_by_test_id("stSidebarNavLink").filter(has_text=name)
    started = time.perf_counter()
    link.click()
    expect(page.locator("h1")).to_have_text(name)
    if name == "Runs":
        expect(page.get_by_text("runs, page 1 of")).to_be_visible()
    expect(page.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_be_visible()
    return time.perf_counter() - started


def share_of_a_core(process: psutil.Process, seconds: float) -> float:
    """What a process uses of the processor for so long."""
    before = process.cpu_times()
    started = time.perf_counter()
    time.sleep(seconds)
    after = process.cpu_times()
    return (after.user + after.system - before.user - before.system) / (time.perf_counter() - started)


def measure(home: Path, seconds: float) -> dict:
    expect.set_options(timeout=60_000)
    with serving(home) as server, sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.ARGUMENTS)
        page = opened.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{server.url}/train")
        expect(page.locator("h1")).to_have_text("Train")
        process = psutil.Process(server.process.pid)
        first = seconds_to_answer(page, "Runs")
        answers = []
        for _ in range(VISITS):
            seconds_to_answer(page, "Train")
            page.wait_for_timeout(500)
            answers.append(seconds_to_answer(page, "Runs"))
        page.wait_for_timeout(3000)
        polling = share_of_a_core(process, seconds)
        seconds_to_answer(page, "Compare")
        page.wait_for_timeout(3000)
        elsewhere = share_of_a_core(process, seconds / 2)
        opened.close()
    return {
        "answer_first_seconds": first,
        "answer_least_seconds": min(answers),
        "answer_median_seconds": median(answers),
        "polling_share_of_a_core": polling,
        "idle_share_of_a_core": elsewhere,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=30.0, help="of looking on")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        os.environ["PRICER_HOME"] = str(home)
        fill(options.runs)
        ended = Event()
        worker = Thread(target=work, args=(put_at_work(), ended))
        worker.start()
        try:
            found = measure(home, options.seconds)
        finally:
            ended.set()
            worker.join()
    if options.json:
        print(json.dumps(found))
        return
    print(f"{options.runs:,} finished runs, two at work; load of this machine {os.getloadavg()[0]:.1f}")
    print(f"  answer: first {found['answer_first_seconds']:.2f} s, then {found['answer_median_seconds']:.2f} s "
          f"(least {found['answer_least_seconds']:.2f} s)")  # fmt: skip
    print(f"  polling: {found['polling_share_of_a_core']:.1%} of a core, of which {found['idle_share_of_a_core']:.1%} "
          "on a page that follows nothing")  # fmt: skip


if __name__ == "__main__":
    main()
