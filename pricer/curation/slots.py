"""The items of one slot of the pool, and which of them a plan keeps."""

import polars as pl

from pricer.catalogue.store import Catalogue
from pricer.curation.sampler import Plan, in_sample


def items_of_slot(catalogue: Catalogue, plan: Plan, slot: int) -> pl.DataFrame:
    """Items of a slot: kept (bool), title, category, price, item_id; the kept ones first, then by price and id."""
    columns = ("title", "category", "price", "item_id", "key")
    items = catalogue.pool().filter(pl.col("slot") == slot).select(columns).collect()
    codes = items["category"].replace_strict(
        {name: code for code, name in enumerate(plan.categories)}, return_dtype=pl.Int64
    )
    slots = pl.repeat(slot, len(items), dtype=pl.Int64, eager=True)
    kept = in_sample(items["key"].to_numpy(), slots.to_numpy(), codes.to_numpy(), plan)
    listed = items.drop("key").insert_column(0, pl.Series("kept", kept))
    return listed.sort(["kept", "price", "item_id"], descending=[True, False, False])
