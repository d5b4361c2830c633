"""The benchmark of what is promised measures what it says."""

import numpy as np
import polars as pl
import pytest

from benchmarks import required
from benchmarks.models import deal_folds, fit, ratio_interval
from pricer.catalogue.store import Catalogue


def test_promised_figures_come_from_folds_that_share_no_group(demo_home, monkeypatch):
    monkeypatch.setattr(required, "SINGLE", ("tfidf-ridge", "neighbours"))
    monkeypatch.setattr(required, "STACKED", ("tfidf-ridge", "bag-of-words words=20 seed=43"))
    monkeypatch.setattr(required, "FOREST", "median")
    items = Catalogue(demo_home / "catalogues" / "demo" / "1").items().collect().sort("item_id").head(400)
    folds = deal_folds(items["group"].to_numpy())
    found = required.measure(items, folds, fit, ratio_interval, ("mean", "median"))
    errors = found["error_dollars"]
    assert (found["best_single"], found["best_baseline"]) == ("tfidf-ridge", "median")
    by_fold = [np.array(found["error_dollars_by_fold"][name]) for name in ("tfidf-ridge", "median")]
    assert found["best_single_ratio"] == pytest.approx((by_fold[0] / by_fold[1]).mean())
    assert found["stack_minus_best_dollars"] == pytest.approx(errors["stack"] - errors["tfidf-ridge"], abs=0.2)
    assert found["best_member"] == "tfidf-ridge"
    assert found["stack_minus_best_member_dollars"] == found["stack_minus_best_dollars"]
    assert found["stack_minus_best_dollars_low"] < found["stack_minus_best_dollars_high"]
    assert pl.DataFrame(found["stack_weights"], orient="row").shape == (5, 2)
    one = required.measure(items, folds, fit, ratio_interval, ("mean", "bag-of-words words=50"), most_folds=1)
    assert (one["items"], one["fit_time_ratio"]) == ((folds == 0).sum(), None)
    assert one["error_dollars"]["tfidf-ridge"] == pytest.approx(found["error_dollars_by_fold"]["tfidf-ridge"][0])
