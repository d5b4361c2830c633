"""The card of a published set, README.md on the hub: for people who find it, and for the hub's own reader of cards."""

from dataclasses import dataclass

import yaml

from pricer.catalogue.scrub import REASONS
from pricer.catalogue.store import Manifest
from pricer.curation.card import GENERATED, markdown_table, plain, recipe_lines
from pricer.curation.dataset import DatasetManifest
from pricer.publish.forms import COLUMNS, SPLITS, Options

PRICES, CATEGORIES = "pictures/prices.svg", "pictures/categories.svg"
# The upper ends of the hub's size categories, and their names.
_SIZES = [(1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")]
_LARGEST = "1M<n<10M"


@dataclass(frozen=True)
class Facts:
    """What a card tells, beside the dataset's own manifest."""

    options: Options
    hashes: dict[str, str]  # by split: the content hash, where its prices are published
    place: str  # OWNER/NAME on the hub, or the folder's name
    catalogue: Manifest | None  # none where the dataset's catalogue is gone
    recipe_yaml: str


def write_card(made: DatasetManifest, facts: Facts) -> str:
    """The whole card: metadata between two lines of dashes, then what people read."""
    sections = [
        f"# {plain(made.name)}",
        *([GENERATED] if made.generated else []),
        _opening(made),
        f"## Load it\n\n{_loading(made, facts)}",
        f"## How it was balanced\n\n{_balance(made, facts)}",
        f"## Splits\n\n{_splits(made, facts)}",
        *([f"## From rows to items\n\n{_funnel(facts.catalogue)}"] if facts.catalogue else []),
        f"## Hashes\n\n{_hashes(made, facts)}",
        f"## Limits\n\n{_limits(made, facts)}",
        f"## Source and licence\n\n{_source(made, facts)}",
    ]
    return f"---\n{write_metadata(made, facts.options)}---\n\n" + "\n\n".join(sections) + "\n"


def write_metadata(made: DatasetManifest, options: Options) -> str:
    """What the hub's reader of cards is told, as YAML."""
    size = made.train + made.validation + made.exam
    files = [{"split": split, "path": f"data/{split}-*.parquet"} for split in SPLITS.values()]
    items = {"config_name": "items", "data_files": "items.parquet"}
    said = {
        "pretty_name": made.name,
        "language": ["en"],
        "license": options.licence,
        "task_categories": ["text-generation", "tabular-regression"],
        "size_categories": [next((name for most, name in _SIZES if size < most), _LARGEST)],
        "tags": ["prices", "products", "pricer", *(["synthetic"] if made.generated else [])],
        "configs": [{"config_name": "default", "default": True, "data_files": files}, items],
    }
    return yaml.safe_dump(said, sort_keys=False, allow_unicode=True)


def _opening(made: DatasetManifest) -> str:
    return (
        f"{made.train:,} products with their prices, to train models that guess what a thing costs from its "
        f"description; {made.validation:,} more to tune them, and an exam of {made.exam:,} to grade them. Train "
        f"was drawn by Pricer {made.pricer_version} from {made.market_size:,} items so that its prices and categories "
        "are balanced."
    )


def _loading(made: DatasetManifest, facts: Facts) -> str:
    columns = ", ".join(f"`{name}`" for name in COLUMNS[facts.options.edition])
    extras = ", `title`, `category` and `item_id`" if facts.options.extras else ""
    exam = (
        "the text of `test` ends where the price would stand, and its exact price stands beside it"
        if facts.options.exam_prices
        else "the text of `test` ends where the price would stand; its prices are withheld"
    )
    return (
        f'```python\nfrom datasets import load_dataset\n\nsplits = load_dataset("{facts.place}")\n```\n\n'
        f"The columns are {columns}{extras}. In `train` and `validation` the price is rounded to whole dollars; {exam}."
        " `items.parquet` has the plain text, role and exact price of every item. Pricer itself loads the set with\n\n"
        f"```\npython -m pricer load {facts.place if facts.place.startswith(('/', '.')) else f'hub:{facts.place}'} "
        f"--catalogue {made.name}\n```"
    )


def _balance(made: DatasetManifest, facts: Facts) -> str:
    rows = [
        (
            plain(share.category),
            f"{share.before:,}",
            f"{share.after:,}",
            f"{share.before / made.market_size:.1%}",
            f"{share.after / made.train:.1%}",
        )
        for share in made.categories
    ]
    changes = [
        ("items", f"{made.market_size:,}", f"{made.train:,}"),
        ("mean price", f"${made.market_price_mean:,.2f}", f"${made.price_mean:,.2f}"),
        ("median price", f"${made.market_price_median:,}", f"${made.price_median:,}"),
    ]
    return "\n\n".join(
        [
            recipe_lines(made.recipe),
            f"![Items by price, before and after]({PRICES})",
            markdown_table(("", "pool (before)", "train (after)"), changes),
            f"From pool to train the distance (total variation: 0 the same, 1 nothing in common) is "
            f"{made.price_distance:.3f} by price and {made.category_distance:.3f} by category.",
            f"![Train by category]({CATEGORIES})",
            markdown_table(("category", "pool", "train", "share of pool", "share of train"), rows),
            f"The same recipe as a file that Pricer reads, `recipe.yaml`:\n\n```yaml\n{facts.recipe_yaml}```",
        ]
    )


def _splits(made: DatasetManifest, facts: Facts) -> str:
    means = {"train": made.price_mean, "validation": made.validation_price_mean, "exam": made.exam_price_mean}
    rows = [
        (f"`{split}`", f"{getattr(made, part):,}", f"${means[part]:,.2f}" if means[part] is not None else "")
        for part, split in SPLITS.items()
        if part != "exam" or facts.options.exam_prices
    ]
    if not facts.options.exam_prices:
        rows.append(("`test`", f"{made.exam:,}", "withheld"))
    if made.split == "naive":
        why = (
            f"**They may leak:** the sample was shuffled and cut in three, as the notebooks did, and {made.leaked:,} "
            f"of the {made.exam:,} exam items have a near-duplicate in train."
        )
    else:
        why = (
            "They do not leak. Items whose descriptions share four fifths of their three-word phrases are one group; "
            "exam and validation were drawn before any recipe, at random, and every other item of their groups was put "
            "aside, so nothing in train is a near-duplicate of what a model is tuned or graded on. The exam has a "
            f"natural part, {made.natural:,} items drawn at random from the market, and a balanced part, "
            f"{made.balanced:,} items spread over eight price bands; `items.parquet` ranks both, and the first k of "
            "either are a fair shorter exam."
        )
    return f"{markdown_table(('split', 'items', 'mean price'), rows)}\n\n{why}"


def _funnel(catalogue: Manifest) -> str:
    dropped = [(REASONS[reason], f"−{count:,}") for reason, count in catalogue.rejections.items()]
    rows = [
        ("Rows read", f"{catalogue.rows:,}"),
        *dropped,
        ("Duplicate", f"−{catalogue.duplicates:,}"),
        ("**Items**", f"**{catalogue.items:,}**"),
        ("of these: exam", f"{catalogue.exam:,}"),
        ("validation", f"{catalogue.validation:,}"),
        ("sealed (near-duplicates of either)", f"{catalogue.sealed:,}"),
        ("pool, from which train is drawn", f"{catalogue.pool:,}"),
    ]
    return (
        f"{markdown_table(('', 'rows'), rows)}\n\nRules *{plain(catalogue.rules.name)}*: prices from "
        f"${catalogue.rules.lowest_price:,.2f} to ${catalogue.rules.highest_price:,.2f}; every row ends as an item, as "
        "a duplicate, or under the first rule that it breaks."
    )


def _hashes(made: DatasetManifest, facts: Facts) -> str:
    rows = [
        *((f"content of `{split}`", f"`{value}`") for split, value in facts.hashes.items()),
        ("exam", f"`{made.exam_hash}`"),
        ("dataset", f"`{made.id}`"),
        ("recipe", f"`{made.recipe_id}`"),
        ("content of the catalogue", f"`{made.catalogue_hash}`"),
    ]
    how = (
        "A content hash is the sum modulo 2^128 of BLAKE2b-128 over each item's JSON [item_id, price in cents, text] "
        'in `items.parquet`, so the order does not matter. The exam\'s is SHA-256 over its sorted "item_id,price" '
        "lines. `manifest.json` has SHA-256 of every file."
    )
    return f"{markdown_table(('of', 'hash'), rows)}\n\n{how}"


def _limits(made: DatasetManifest, facts: Facts) -> str:
    lines = [
        "prices are what a listing said on the day it was read: they are old, and some are wrong",
        "only prices that round to $1 to $999 are in train; dearer things are out of scope",
        "texts are cut to a fixed number of tokens, and part numbers are removed",
        "near-duplicates that share less than four fifths of their phrases are not found",
        "train is not the market: a model trained on it should be graded on the exam's natural part too",
    ]
    if made.generated:
        lines.insert(0, "the products are made up: nothing that is learned from them holds for real ones")
    if facts.options.exam_prices:
        lines.append("the exam's prices are in this repository, so a model may have been trained on them")
    return "\n".join(f"- {line}" for line in lines)


def _source(made: DatasetManifest, facts: Facts) -> str:
    known = facts.catalogue.sources if facts.catalogue else []
    origins = [source.origin.removeprefix("hub:") for source in known if source.origin]
    files = ", ".join(f"`{origin}`" for origin in origins) or ", ".join(plain(source) for source in made.sources)
    terms = (
        "Pricer made them up and claims no rights in them."
        if made.generated
        else "Whatever licence and terms those files have hold for this set too; Pricer adds none, and whoever "
        "publishes it must have the right to."
    )
    cite = (
        "\n\nThe raw metadata is Amazon Reviews 2023: Hou, Li, He, Yan, Chen and McAuley, *Bridging Language and Items "
        "for Retrieval and Recommendation*, arXiv:2403.03952."
        if any("Amazon-Reviews-2023" in origin for origin in origins)
        else ""
    )
    return f"The items come from {files}. {terms}{cite}"
