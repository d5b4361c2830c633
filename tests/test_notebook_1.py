"""The first notebook's recipe on a pool made to its published counts, and what docs/notebook-1.md says of it."""

from pathlib import Path

import pytest

from benchmarks.notebook_1 import AFTER, BEFORE, MEAN_AFTER, MEAN_BEFORE, NAMES, measure

PAGE = Path(__file__).parents[1] / "docs" / "notebook-1.md"


@pytest.fixture(scope="module")
def found() -> dict:
    return measure()


def test_the_made_pool_has_the_published_counts_and_mean(found):
    assert [row["before"] for row in found["categories"]] == BEFORE.tolist()
    assert found["pool"] == 2_811_408
    assert found["price_mean_before"] == pytest.approx(MEAN_BEFORE, abs=0.01)


def test_notebook_1_gives_the_published_size_mean_and_shares(found):
    assert found["size"] == pytest.approx(AFTER.sum(), abs=5)
    assert found["price_mean"] == pytest.approx(MEAN_AFTER, abs=0.01)
    kept = [row["pricer"] for row in found["categories"]]
    assert kept == pytest.approx(AFTER.tolist(), rel=0.015)
    shares = [items / found["size"] for items in kept]
    assert shares == pytest.approx((AFTER / AFTER.sum()).tolist(), abs=0.001)


def test_the_notebooks_own_cell_gives_the_same_on_the_made_pool(found):
    assert found["notebook_price_mean"] == pytest.approx(found["price_mean"], abs=0.01)
    for row in found["categories"]:
        assert row["pricer"] == pytest.approx(row["notebook_cell"], rel=0.02)


def test_automotive_grows_although_its_weight_is_the_lowest(found):
    share = found["automotive_share"]
    assert round(share["market"], 3) == 0.324 and round(share["notebook_1"], 3) == 0.347
    assert share["above_the_cutoff"] > share["equal_weights"] > share["notebook_1"]
    assert share["conflict"] == ["at this size and mean, Automotive keeps at least 27.4%"]


def test_the_page_states_what_is_measured(found):
    page = PAGE.read_text(encoding="utf-8")
    for row in found["categories"]:
        figures = (f"{row[key]:,}" for key in ("before", "published", "pricer", "notebook_cell"))
        assert f"| {row['category'].replace('_', ' ')} | {' | '.join(figures)} |" in page
    assert f"{found['size']:,}" in page and len(NAMES) == 8
