"""What a job takes of the machine: measured by its own process, with those that it started."""

import subprocess
import sys
import time

import polars as pl
import psutil

from pages.shared.runs.meters import peaks_of
from pricer.figures.formats import size
from pricer.runs.meters import Meter, keep_meters
from pricer.runs.readings import SCHEMA, peak, readings, thinned
from tests.processes import eventually

BUSY = "held = bytearray(60_000_000)\nprint('held', flush=True)\nwhile True: pass"


def test_a_reading_counts_a_process_and_what_it_started():
    meter = Meter(psutil.Process())
    alone = meter.read()["memory_bytes"]
    child = subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE)
    try:
        child.stdout.readline()
        meter.read()
        eventually(lambda: psutil.Process(child.pid).cpu_times().user > 0.3)
        reading = meter.read()
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    assert reading["memory_bytes"] > alone + 50_000_000 and reading["cores"] > 0
    assert meter.read()["memory_bytes"] < reading["memory_bytes"]


def test_readings_are_left_in_the_jobs_folder(home, monkeypatch):
    monkeypatch.setattr("pricer.runs.meters.SECONDS_BETWEEN_READINGS", 0.04)
    folder = home / "jobs" / "a-job"
    folder.mkdir(parents=True)
    (folder / "meters.jsonl").write_text("of an earlier attempt\n")
    keep_meters(folder)
    eventually(lambda: len(readings("a-job")) > 2)
    table = readings("a-job")
    assert table.schema == pl.Schema(SCHEMA) and table["memory_bytes"].min() > 1_000_000
    assert table["at"].is_sorted() and peak(table).memory_bytes == table["memory_bytes"].max()
    assert peaks_of("a-job")[0][1] == size(peak(readings("a-job")).memory_bytes)
    monkeypatch.setattr("pricer.runs.meters.SECONDS_BETWEEN_READINGS", 3600)
    time.sleep(0.1)


def test_a_job_that_left_no_reading_has_no_peak(home):
    assert readings("none").is_empty() and peak(readings("none")) is None
    assert peaks_of(None)[0] == ("Peak memory", "–")


def test_long_readings_are_thinned_and_keep_their_peak():
    many = pl.DataFrame(
        {"at": range(5000), "memory_bytes": range(5000), "cores": [0.1] * 5000, "gpu_bytes": [None] * 5000},
        schema=SCHEMA,
    ).with_columns(cores=pl.when(pl.col("at") == 777).then(9.0).otherwise("cores"))
    few = thinned(many, 100)
    assert len(few) <= 100 and few["cores"].max() == 9.0 and few["at"][-1] == 4999 and few.columns == many.columns
