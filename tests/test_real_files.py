"""Real product files, where they lie beside the checkout: what holds for made rows holds for them."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pricer.catalogue.build import build_catalogue
from pricer.curation.dataset import make_dataset
from pricer.curation.index import open_index
from pricer.curation.recipe import preset
from pricer.curation.sampler import make_plan
from pricer.items import SLOT_COUNT

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data"
FILES = sorted(FOLDER.glob("*.jsonl.gz"))
RULES = {"amazon_products": "notebook-1", "pc_parts": "short-texts", "shop_listings": "short-texts"}

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not FILES, reason=f"no product files in {FOLDER}")]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_real_file_becomes_a_balanced_set(path):
    catalogue = build_catalogue([path], "real")
    manifest = catalogue.manifest
    assert manifest.rows == manifest.items + manifest.duplicates + sum(manifest.rejections.values())
    assert manifest.items == manifest.exam + manifest.validation + manifest.sealed + manifest.pool
    assert manifest.rules.name == RULES.get(path.name.removesuffix(".jsonl.gz"), manifest.rules.name)
    assert not manifest.generated

    index = open_index(catalogue)
    recipe = preset("scaled", index.counts, index.categories)
    plan = make_plan(index, recipe)
    before = np.append(0, index.counts.sum(axis=1)[1:])
    slots = np.arange(SLOT_COUNT)
    expected = np.where(slots < recipe.cutoff, np.minimum(before, recipe.cap), before)
    train = make_dataset(catalogue, recipe, "balanced").train().select("slot", "group").collect()
    assert np.bincount(train["slot"], minlength=SLOT_COUNT).tolist() == plan.counts.sum(axis=1).tolist()
    assert plan.counts.sum(axis=1).tolist() == expected.tolist()
    assert plan.capped_slots >= 20

    items = catalogue.items().select("role", "group").collect()
    groups = {role: set(items.filter(pl.col("role") == role)["group"]) for role in ("exam", "validation")}
    assert not groups["exam"] & groups["validation"] and not (groups["exam"] | groups["validation"]) & set(
        train["group"]
    )


@pytest.mark.skipif(FOLDER / "amazon_products.jsonl.gz" not in FILES, reason="needs amazon_products.jsonl.gz")
def test_the_roles_of_amazon_products_have_the_sizes_of_the_design():
    manifest = build_catalogue([FOLDER / "amazon_products.jsonl.gz"], "amazon").manifest
    assert (manifest.natural, manifest.balanced, manifest.validation) == (1_418, 926, 472)
    assert manifest.items in range(9_440, 9_460) and manifest.sealed in range(40, 140)
