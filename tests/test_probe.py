"""A fixed random part of the pool: which items it holds, and what it says of a plan."""

import numpy as np
import polars as pl
import pytest

from pricer.curation.index import open_index
from pricer.curation.probe import Probe, by_band, changed_items, probe_pool, share_unknown
from pricer.curation.recipe import Recipe
from pricer.curation.sampler import Plan, in_sample, make_plan


def plan_of(catalogue, **settings) -> Plan:
    return make_plan(open_index(catalogue), Recipe(**({"cutoff": 240, "cap": 5} | settings)))


@pytest.fixture
def probe(demo) -> Probe:
    return probe_pool(demo)


def test_a_small_pool_is_its_own_probe(demo, probe):
    assert len(probe.items) == probe.pool == demo.pool().filter(pl.col("slot") >= 1).collect().height


def test_a_probe_of_a_larger_pool_holds_so_many_items_and_grows_by_adding(demo):
    few, more = (set(probe_pool(demo, most).items["key"]) for most in (50, 80))
    assert len(few) == 50 and len(more) == 80 and few < more


def test_medians_are_those_of_the_items_before_and_after(demo, probe):
    plan = plan_of(demo)
    items = demo.pool().filter(pl.col("price").is_between(10, 19.999), pl.col("slot") >= 1).collect()
    codes = np.array([plan.categories.index(name) for name in items["category"]])
    kept = items.filter(in_sample(items["key"].to_numpy(), items["slot"].to_numpy(), codes, plan))
    row = by_band(probe, plan, "characters").row(by_predicate=pl.col("lowest") == 10, named=True)
    assert (row["highest"], row["before_known"], row["after_known"]) == (19, len(items), len(kept))
    assert row["before_median"] == items["characters"].median()
    assert row["after_median"] == kept["characters"].median()
    assert row["before_low"] <= row["before_median"] <= row["before_high"]


def test_unknown_weights_are_counted_and_left_out(demo, probe):
    weights = demo.pool().filter(pl.col("slot") >= 1).collect()["weight_pounds"]
    assert share_unknown(probe, "weight_pounds") == weights.null_count() / len(weights) > 0
    assert by_band(probe, plan_of(demo), "weight_pounds")["before_known"].sum() == weights.count()


def test_a_recipe_that_keeps_nothing_of_a_band_has_no_median_there(demo, probe):
    nothing = plan_of(demo, default_weight=0.0, weights={demo.manifest.categories[0]: 1.0}, cutoff=1000, cap=1)
    found = by_band(probe, nothing, "characters")
    assert (found["after_known"] <= found["before_known"]).all()
    assert found.filter(pl.col("after_known") == 0)["after_median"].null_count() == (found["after_known"] == 0).sum()


def test_items_that_another_recipe_adds_and_removes(demo, probe):
    plan, other = plan_of(demo), plan_of(demo, cap=2, cutoff=100)
    changed = changed_items(probe, plan, other, most=10**6)
    counts = dict(changed.group_by("change").len().iter_rows())
    both = np.minimum(plan.counts, other.counts)
    assert counts.get("removed", 0) == plan.size - both.sum() > 0
    assert counts.get("added", 0) == other.size - both.sum()
    assert changed_items(probe, plan, plan).is_empty()


def test_the_first_examples_are_of_several_categories(demo, probe):
    changed = changed_items(probe, plan_of(demo), plan_of(demo, cap=1, cutoff=999), most=10)
    assert changed.filter(pl.col("change") == "removed")["category"].n_unique() > 1
