import json
import shutil

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from pricer import settings
from pricer.catalogue.build import build_catalogue
from pricer.catalogue.store import Catalogue
from pricer.curation.dataset import list_datasets, make_dataset, open_dataset
from pricer.curation.index import open_index
from pricer.curation.naive import naive_sizes
from pricer.curation.recipe import Recipe, Target
from pricer.curation.sampler import make_plan
from pricer.errors import PricerError
from pricer.items import ITEM_SCHEMA, content_hash, exam_hash
from tests.products import raw_row, write_rows

RECIPE = Recipe(cutoff=30, cap=4, weights={"Toys": 0.2})
SPLIT_FIELDS = ("split", "split_rule", "leaked")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """A catalogue of 600 items in three categories, many of them at few prices."""
    folder = tmp_path_factory.mktemp("loaded")
    categories = ("Toys", "Toys", "Appliances", "Odd | <b>one</b>")
    rows = [raw_row(n, price=5.0 + n % 40, main_category=categories[n * 7 % 11 % 4]) for n in range(600)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRICER_HOME", str(folder))
        return build_catalogue([write_rows(folder / "rows.jsonl", rows)], "table")


@pytest.fixture
def catalogue(loaded, home):
    """A copy of it in the test's own home."""
    return Catalogue(shutil.copytree(loaded.folder, settings.catalogues_folder() / "table" / "1"))


def reshard(catalogue, parts, seed=0):
    """Put the items in another order into another number of files."""
    items = pl.read_parquet(catalogue.folder / "items" / "*.parquet").sample(fraction=1, shuffle=True, seed=seed)
    shutil.rmtree(catalogue.folder / "items")
    (catalogue.folder / "items").mkdir()
    for part in range(parts):
        table = items.gather_every(parts, part).to_arrow().cast(ITEM_SCHEMA)
        pq.write_table(table, catalogue.folder / "items" / f"{part}.parquet", row_group_size=50)


def test_a_dataset_holds_what_the_plan_says(catalogue):
    dataset = make_dataset(catalogue, RECIPE, "small")
    plan = make_plan(open_index(catalogue), RECIPE)
    counts = np.zeros_like(plan.counts)
    for slot, category in dataset.train().select("slot", "category").collect().rows():
        counts[slot, plan.categories.index(category)] += 1
    np.testing.assert_array_equal(counts, plan.counts)
    assert plan.capped_slots >= 20
    assert dataset.manifest.train == plan.size
    assert dataset.manifest.price_mean == pytest.approx(dataset.train().select("price").mean().collect().item())


def test_validation_and_exam_are_the_catalogues_own(catalogue):
    dataset = make_dataset(catalogue, RECIPE, "small")
    items = catalogue.items().collect()
    validation, exam = dataset.validation().collect(), dataset.exam().collect()
    assert set(validation["item_id"]) == set(items.filter(pl.col("role") == "validation")["item_id"])
    assert exam.select(catalogue.exam().columns).rows() == catalogue.exam().rows()
    assert exam.columns == [*ITEM_SCHEMA.names, "natural", "balanced", "natural_rank", "balanced_rank"]
    groups = [set(table["group"]) for table in (dataset.train().collect(), validation, exam)]
    assert not groups[2] & (groups[0] | groups[1])
    assert (dataset.manifest.validation, dataset.manifest.exam) == (len(validation), len(exam))


def test_slots_count_every_part(catalogue):
    dataset = make_dataset(catalogue, RECIPE, "small")
    slots = dataset.slots()
    plan = make_plan(open_index(catalogue), RECIPE)
    np.testing.assert_array_equal(slots["train"], plan.counts.sum(axis=1))
    assert slots["validation"].sum() == dataset.manifest.validation and slots["exam"].sum() == dataset.manifest.exam


@pytest.mark.parametrize("parts", [1, 7])
def test_order_and_number_of_files_change_neither_the_sample_nor_its_hash(catalogue, parts):
    dataset = make_dataset(catalogue, RECIPE, "first")
    reshard(catalogue, parts)
    other = make_dataset(catalogue, RECIPE, "second")
    assert other.manifest.content_hash == dataset.manifest.content_hash
    assert set(other.train().collect()["item_id"]) == set(dataset.train().collect()["item_id"])
    assert other.exam().collect().equals(dataset.exam().collect())


def test_the_content_hash_is_that_of_the_items_in_train(catalogue):
    dataset = make_dataset(catalogue, RECIPE, "small")
    rows = dataset.train().select("item_id", "price", "text").collect().sample(fraction=1, shuffle=True).rows()
    assert dataset.manifest.content_hash == content_hash(rows)


def test_the_same_again_gives_the_one_that_is_there(catalogue):
    dataset = make_dataset(catalogue, RECIPE, "small")
    again = make_dataset(catalogue, RECIPE, "small")
    assert again.manifest == dataset.manifest
    assert [d.id for d in list_datasets()] == [dataset.id]


def test_another_dataset_of_the_same_name_is_refused(catalogue):
    make_dataset(catalogue, RECIPE, "small")
    with pytest.raises(
        PricerError, match="there is already a dataset 'small' with another recipe, split or catalogue; take"
    ):
        make_dataset(catalogue, Recipe(cutoff=30, cap=5), "small")


def test_datasets_are_listed_newest_first_and_open_by_name_or_id(catalogue):
    assert list_datasets() == []
    first, second = make_dataset(catalogue, RECIPE, "first"), make_dataset(catalogue, RECIPE, "second")
    assert [dataset.name for dataset in list_datasets()] == ["second", "first"]
    assert open_dataset("first").id == open_dataset(first.id).id != second.id
    with pytest.raises(PricerError, match="no dataset 'third'; datasets on this machine: second, first"):
        open_dataset("third")


def test_a_damaged_manifest_is_named(catalogue):
    folder = make_dataset(catalogue, RECIPE, "small").folder
    (folder / "manifest.json").write_text("{}")
    with pytest.raises(PricerError, match=f"{folder}/manifest.json is damaged"):
        list_datasets()


def test_a_recipe_that_keeps_nothing_makes_no_dataset(catalogue):
    with pytest.raises(PricerError, match=r"the recipe keeps none of the \d+ items that table has to sample"):
        make_dataset(catalogue, Recipe(cutoff=30, cap=4, default_weight=0), "none")
    assert list_datasets() == []


def test_items_that_changed_since_the_load_make_no_dataset(catalogue):
    open_index(catalogue)
    items = next((catalogue.folder / "items").glob("*.parquet"))
    pq.write_table(pq.read_table(items).slice(20), items)
    with pytest.raises(PricerError, match="changed since the catalogue was made; load it again"):
        make_dataset(catalogue, RECIPE, "small")
    assert list_datasets() == [] and list((settings.datasets_folder() / ".staging").iterdir()) == []


def test_row_groups_are_bounded_and_full(catalogue, monkeypatch):
    monkeypatch.setattr("pricer.curation.carrying_out._ROW_GROUP", 16)
    dataset = make_dataset(catalogue, RECIPE, "small")
    groups = pq.ParquetFile(dataset.folder / "train.parquet").metadata
    sizes = [groups.row_group(group).num_rows for group in range(groups.num_row_groups)]
    assert set(sizes[:-1]) == {16} and sum(sizes) == dataset.manifest.train


def test_progress_ends_with_all_items_read(catalogue):
    steps = []
    make_dataset(catalogue, RECIPE, "small", steps.append)
    assert (steps[-1].stage, steps[-1].count, steps[-1].fraction) == ("Sampling", catalogue.manifest.items, 1)


def test_the_card_tells_what_it_is_and_how_it_was_made(catalogue):
    dataset = make_dataset(catalogue, RECIPE, "small_one")
    manifest, card = dataset.manifest, dataset.card
    assert card.startswith("# small\\_one\n\n")
    assert f"| train | {manifest.train:,} | ${manifest.price_mean:,.2f} | `train.parquet` |" in card
    assert (
        "- at most 4 items at each whole dollar below $30\n- all items from $30 upwards\n- weight of Toys: 0.2\n"
        in card
    )
    assert r"| Odd \| \<b\>one\</b\> | " in card
    assert all(value in card for value in (manifest.id, manifest.content_hash, manifest.exam_hash, manifest.recipe_id))
    assert "The items come from rows.jsonl." in card
    assert "Generated data" not in card


def test_the_card_of_generated_data_says_so(catalogue):
    generated = catalogue.manifest.model_copy(update={"generated": True})
    (catalogue.folder / "manifest.json").write_text(generated.model_dump_json())
    dataset = make_dataset(Catalogue(catalogue.folder), RECIPE, "made-up")
    assert dataset.manifest.generated
    assert "**Generated data: these products and their prices were made up by Pricer's demo.**" in dataset.card


# The notebooks' split


@pytest.fixture
def alike(catalogue):
    """The catalogue with every item of a store in one group of five or so."""
    for path in (catalogue.folder / "items").glob("*.parquet"):
        items = pl.read_parquet(path)
        groups = (items["key"] % 130).alias("group")
        pq.write_table(items.with_columns(groups).to_arrow().cast(ITEM_SCHEMA), path)
    return Catalogue(catalogue.folder)


def test_a_naive_split_cuts_the_sample_in_three(alike):
    dataset = make_dataset(alike, RECIPE, "naive", split="naive")
    whole = make_dataset(alike, RECIPE, "roles")
    parts = [dataset.train().collect(), dataset.validation().collect(), dataset.exam().collect()]
    ids = [item for part in parts for item in part["item_id"]]
    assert sorted(ids) == sorted(whole.train().collect()["item_id"])
    made = dataset.manifest
    assert (made.train, made.validation, made.exam) == tuple(map(len, parts)) == naive_sizes(len(ids))
    assert (made.split, whole.manifest.split) == ("naive", "roles")
    assert (made.natural, made.balanced) == (made.exam, 0) and made.split_rule.startswith("sizes are in the second")


def test_a_naive_split_says_which_exam_items_leaked(alike):
    dataset = make_dataset(alike, RECIPE, "naive", split="naive")
    train_groups = set(dataset.train().collect()["group"])
    exam = dataset.exam().collect()
    assert exam["leaked"].to_list() == [group in train_groups for group in exam["group"]]
    assert dataset.manifest.leaked == exam["leaked"].sum() > 0
    assert sorted(exam["natural_rank"]) == list(range(len(exam)))
    assert exam["natural"].all() and not exam["balanced"].any() and exam["balanced_rank"].null_count() == len(exam)


def test_a_naive_split_has_its_own_hashes_and_figures_of_its_train(alike):
    dataset, whole = make_dataset(alike, RECIPE, "naive", split="naive"), make_dataset(alike, RECIPE, "roles")
    made, train = dataset.manifest, dataset.train().collect()
    assert made.exam_hash == exam_hash(dataset.exam().select("item_id", "price").collect().rows())
    assert made.exam_hash != whole.manifest.exam_hash and dataset.id != whole.id
    assert made.content_hash == content_hash(train.select("item_id", "price", "text").rows())
    assert made.price_mean == pytest.approx(train["price"].mean())
    assert sum(share.after for share in made.categories) == len(train)
    assert made.capped_slots == whole.manifest.capped_slots


@pytest.mark.parametrize("parts", [1, 7])
def test_order_and_number_of_files_change_no_naive_split(alike, parts):
    dataset = make_dataset(alike, RECIPE, "first", split="naive")
    reshard(alike, parts)
    other = make_dataset(alike, RECIPE, "second", split="naive")
    assert other.manifest.content_hash == dataset.manifest.content_hash
    assert other.exam().collect().equals(dataset.exam().collect())


def test_one_name_is_not_both_splits(catalogue):
    make_dataset(catalogue, RECIPE, "small")
    with pytest.raises(PricerError, match="already a dataset 'small' with another recipe, split or catalogue"):
        make_dataset(catalogue, RECIPE, "small", split="naive")


def test_a_manifest_from_before_there_were_splits_is_one_by_roles(catalogue):
    dataset = make_dataset(catalogue, RECIPE, "small")
    path = dataset.folder / "manifest.json"
    old = {name: value for name, value in json.loads(path.read_text()).items() if name not in SPLIT_FIELDS}
    path.write_text(json.dumps(old))
    assert (open_dataset("small").manifest.split, open_dataset("small").manifest.leaked) == ("roles", 0)


def test_the_card_of_a_naive_split_warns(alike):
    dataset = make_dataset(alike, RECIPE, "naive", split="naive")
    made, card = dataset.manifest, dataset.card
    assert "**Own exam, may leak:** the sample was shuffled and cut into train, validation and exam" in card
    assert f"{made.leaked} of the {made.exam} exam items have a near-duplicate in train" in card
    assert "The sizes are in the second notebook's proportions: exam and validation hold 1 item in 82 each" in card
    assert "no recipe changes them" not in card


@pytest.mark.parametrize(
    ("cutoff", "shape", "line"),
    [
        (30, "log-uniform", "100 items, those below $30 shared out over whole dollars in proportion to 1 / price"),
        (1000, "by-price", "100 items, drawn with weight ((price - 1) / 998)^2 times their category's"),
    ],
)
def test_the_card_says_what_a_target_is(catalogue, cutoff, shape, line):
    recipe = Recipe(cutoff=cutoff, target=Target(shape=shape, size=100))
    assert f"- target {shape}: {line}" in make_dataset(catalogue, recipe, "target").card
