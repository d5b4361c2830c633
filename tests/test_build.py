import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pricer.catalogue import build, sources
from pricer.catalogue.build import build_catalogue
from pricer.catalogue.store import Catalogue, Manifest, list_catalogues, open_catalogue
from pricer.errors import PricerError
from pricer.files import STAGING
from pricer.items import ITEM_SCHEMA, content_hash, exam_hash
from tests.products import raw_row, write_rows

DIRT = [b"{", b"\xff\xfe", b"[]", b'{"price": NaN, "title": "\\ud800"}', b'{"price": Infinity}', b'{"price": []}']


def assert_nothing_is_lost(manifest: Manifest) -> None:
    assert manifest.rows == manifest.items + manifest.duplicates + sum(manifest.rejections.values())
    assert manifest.items == manifest.exam + manifest.validation + manifest.sealed + manifest.pool
    for count in manifest.by_category:
        assert count.rows == count.items + count.duplicates + sum(count.rejections.values())
    for name in ("rows", "items", "duplicates"):
        assert sum(getattr(count, name) for count in manifest.by_category) == getattr(manifest, name)


def load(tmp_path: Path, rows: list, name: str = "test", suffix: str = ".jsonl") -> Catalogue:
    return build_catalogue([write_rows(tmp_path / f"{name}{suffix}", rows)], name)


def test_a_catalogue_holds_what_its_manifest_says(tmp_path):
    catalogue = load(tmp_path, [raw_row(number) for number in range(200)])
    items, manifest = catalogue.items().collect(), catalogue.manifest
    assert items.columns == ITEM_SCHEMA.names and len(items) == manifest.items == 200
    assert items["role"].value_counts().sort("role").rows() == [
        ("exam", manifest.exam), ("pool", manifest.pool), ("validation", manifest.validation)
    ]  # fmt: skip
    assert content_hash(items.select("item_id", "price", "text").rows()) == manifest.content_hash
    assert exam_hash(catalogue.exam().select("item_id", "price").rows()) == manifest.exam_hash
    assert_nothing_is_lost(manifest)


@given(
    rows=st.lists(st.integers(0, 30).map(raw_row) | st.sampled_from(DIRT) | st.just(raw_row(1, price="from 9.99")),
                  min_size=1, max_size=60),
    zipped=st.booleans(),
)  # fmt: skip
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_row_is_an_item_a_rejection_or_a_duplicate(tmp_path, rows, zipped):
    catalogue = load(tmp_path, [raw_row(99), *rows], suffix=".jsonl.gz" if zipped else ".jsonl")
    assert catalogue.manifest.rows == len(rows) + 1
    assert_nothing_is_lost(catalogue.manifest)
    assert len(catalogue.rows().collect()) == len(rows) + 1


def test_neither_order_nor_files_nor_processes_change_what_is_decided(tmp_path, monkeypatch):
    rows = [raw_row(number, price=5 + number % 700) for number in range(300)]
    rows += [raw_row(7, price=40), raw_row(8, parent_asin="A"), raw_row(9, title="another")]
    straight = load(tmp_path, rows, "straight")
    random.Random(3).shuffle(rows)
    monkeypatch.setattr(build, "_IN_ONE_PROCESS_BYTES", 0)
    monkeypatch.setattr(sources, "BLOCK_BYTES", 20_000)
    halves = [write_rows(tmp_path / "a.jsonl.gz", rows[:99]), write_rows(tmp_path / "b.jsonl", rows[99:])]
    parted = build_catalogue(halves, "parted")
    told = straight.manifest.content_hash, straight.manifest.exam_hash
    assert told == (parted.manifest.content_hash, parted.manifest.exam_hash)
    one, other = (catalogue.items().sort("item_id").collect() for catalogue in (straight, parted))
    assert one.equals(other)


def test_duplicates_become_the_smallest_id_at_the_lower_median_price(tmp_path):
    same = [raw_row(5, parent_asin=asin, price=price) for asin, price in (("C", 9), ("A", 30), ("B", 12), ("B", 10))]
    catalogue = load(tmp_path, [*same, *(raw_row(number) for number in range(10, 20))])
    item = catalogue.items().filter(pl.col("item_id") == "A").collect().row(0, named=True)
    assert (item["price"], item["price_spread"], item["slot"]) == (10, 21, 10)
    assert catalogue.manifest.duplicates == 3
    dropped = catalogue.rows().filter(pl.col("outcome") == "duplicate").collect()
    assert dropped["duplicate_of"].to_list() == ["A"] * 3


def test_a_planted_near_duplicate_of_an_exam_item_is_sealed(tmp_path):
    rows = [raw_row(number) for number in range(100)]
    exam = load(tmp_path, rows, "first").exam()["item_id"].to_list()
    number = int(exam[0][1:])
    twin = raw_row(number, parent_asin="TWIN", title="Table reloaded")
    items = load(tmp_path, [*rows, twin], "second").items().collect()
    of_group = items.filter(pl.col("group") == items.filter(pl.col("item_id") == "TWIN")["group"][0])
    assert len(of_group) == 2 and "pool" not in of_group["role"]
    groups = {role: set(items.filter(pl.col("role") == role)["group"]) for role in ("exam", "validation", "pool")}
    assert not groups["exam"] & groups["validation"] and not (groups["exam"] | groups["validation"]) & groups["pool"]


def test_raw_rows_can_be_found_again_with_what_became_of_them(tmp_path):
    catalogue = load(tmp_path, [b"", raw_row(1), b"{broken", raw_row(2, price=None), b"  "])
    rows = catalogue.rows().sort("row_number").collect()
    assert rows["line"].to_list() == [2, 3, 4]
    assert rows["outcome"].to_list() == ["item", "corrupt", "no-price"]
    assert json.loads(rows["raw"][0]) == raw_row(1) and rows["raw"][1] == "{broken"


def test_rules_are_chosen_by_what_most_priced_rows_pass(tmp_path):
    short = [raw_row(number, description=["too short for a notebook, long enough for us"]) for number in range(9)]
    unpriced = [raw_row(50 + number, price=None) for number in range(30)]
    mostly_long = load(tmp_path, [*unpriced, *short, *(raw_row(20 + number) for number in range(9))])
    assert mostly_long.manifest.rules.name == "notebook-1"
    mostly_short = load(tmp_path, [*unpriced, *short, raw_row(20)])
    assert mostly_short.manifest.rules.name == "short-texts"
    assert mostly_short.manifest.rules_reason == "1 of the first 10 priced rows pass notebook-1, fewer than half"


def test_a_truncated_file_is_loaded_as_far_as_it_goes_and_marked(tmp_path):
    whole = write_rows(tmp_path / "whole.jsonl.gz", [raw_row(number) for number in range(400)]).read_bytes()
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(whole[: len(whole) * 2 // 3])
    manifest = build_catalogue([path], "cut").manifest
    assert not manifest.sources[0].complete and "cut off" in manifest.sources[0].note
    assert 100 < manifest.items < 400 and sum(manifest.rejections.values()) <= 1
    assert_nothing_is_lost(manifest)


@pytest.mark.parametrize(
    ("rows", "said"), [([], "no rows"), ([b"", b" "], "no rows"), ([raw_row(1, price=None), b"{"], "no price 1")]
)
def test_a_file_without_items_is_an_error_and_leaves_nothing(tmp_path, rows, said):
    with pytest.raises(PricerError, match=said):
        load(tmp_path, rows)
    assert list_catalogues() == []


def test_loading_a_name_again_makes_a_version_and_keeps_the_other(tmp_path):
    load(tmp_path, [raw_row(1)])
    load(tmp_path, [raw_row(1), raw_row(2)])
    assert (open_catalogue("test@1").manifest.items, open_catalogue("test").manifest.items) == (1, 2)
    assert [catalogue.label for catalogue in list_catalogues()] == ["test"]
    assert open_catalogue("test@1").label == "test@1"


@pytest.mark.parametrize("label", ["unknown", "../test", "test@9", "test@x", "", "@1"])
def test_what_does_not_stand_here_is_told_in_one_line(tmp_path, label):
    load(tmp_path, [raw_row(1)])
    with pytest.raises(PricerError):
        open_catalogue(label)


def test_a_single_item_and_a_single_category_make_a_catalogue(tmp_path):
    manifest = load(tmp_path, [raw_row(1, main_category="")]).manifest
    assert manifest.categories == ("(none)",) and manifest.pool == 1


def test_generated_rows_mark_the_catalogue(tmp_path):
    assert load(tmp_path, [raw_row(1), raw_row(2, generated=True)]).manifest.generated
    assert not load(tmp_path, [raw_row(1)]).manifest.generated


@pytest.mark.slow
def test_killing_the_load_at_any_moment_leaves_no_catalogue_or_a_whole_one(tmp_path, home):
    path = write_rows(tmp_path / "rows.jsonl", [raw_row(number, price=5 + number % 700) for number in range(4000)])
    command = [sys.executable, "-m", "pricer", "load", str(path), "--catalogue", "test"]
    for delay in (0.3, 0.8, 1.3, 1.8, 2.3, 2.8, 3.3):
        process = subprocess.Popen(
            command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
        )
        time.sleep(delay)
        process.kill()
        process.wait()
        for catalogue in list_catalogues():
            assert len(catalogue.items().collect()) == catalogue.manifest.items == 4000
        assert _ends(process.pid), "worker processes outlived the load"
    build_catalogue([path], "test")
    assert list((home / "catalogues" / STAGING).iterdir()) == []
    assert open_catalogue("test").manifest.items == 4000


def test_an_attempt_that_died_right_after_its_version_stood_makes_no_second_one(tmp_path, home, monkeypatch):
    rows = [raw_row(number) for number in range(50)]
    monkeypatch.setenv("PRICER_CHECKPOINTS", str(home / "jobs" / "one" / "checkpoints"))
    first, again = load(tmp_path, rows), load(tmp_path, rows)
    assert first.folder == again.folder and first.manifest.job_id == "one"
    monkeypatch.setenv("PRICER_CHECKPOINTS", str(home / "jobs" / "another" / "checkpoints"))
    assert load(tmp_path, rows).version == 2
    monkeypatch.delenv("PRICER_CHECKPOINTS")
    assert [load(tmp_path, rows).version for _ in range(2)] == [3, 4]


def _ends(group: int) -> bool:
    """Whether every process of a group is gone within a few seconds."""
    for _ in range(50):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    os.killpg(group, signal.SIGKILL)
    return False
