"""The card of a dataset: what it is, how it was made, and how to check it, in plain Markdown."""

from typing import TYPE_CHECKING

from pricer.curation.recipe import Recipe, Target
from pricer.items import LOWEST_SLOT, SLOT_COUNT

if TYPE_CHECKING:
    from pricer.curation.dataset import DatasetManifest

GENERATED = "**Generated data: these products and their prices were made up by Pricer's demo.**"


def write_card(manifest: "DatasetManifest") -> str:
    """Describe a dataset to whoever finds it without Pricer."""
    opening = (
        f"{manifest.train:,} products with their prices, sampled by Pricer {manifest.pricer_version} from "
        f"{manifest.market_size:,} of the catalogue {plain(manifest.catalogue_name)} (version "
        f"{manifest.catalogue_version}), to train models that guess a price from a description. {_split(manifest)}"
    )
    distance = (
        f"From pool to train the distance (total variation: 0 the same, 1 nothing in common) is "
        f"{manifest.price_distance:.3f} by price and {manifest.category_distance:.3f} by category."
    )
    licence = (
        f"The items come from {', '.join(plain(source) for source in manifest.sources)}. "
        "Whatever licence and terms those files have hold for this dataset; Pricer adds none."
    )
    sections = [
        f"# {plain(manifest.name)}",
        *([GENERATED] if manifest.generated else []),
        opening,
        f"## Parts\n\n{_parts(manifest)}\n\n{_exam(manifest)}",
        f"## Recipe\n\n{recipe_lines(manifest.recipe)}",
        f"## Categories\n\n{_categories(manifest)}\n\n{distance}",
        f"## Hashes\n\n{_hashes(manifest)}",
        f"## Licence\n\n{licence}",
    ]
    return "\n\n".join(sections) + "\n"


def _split(manifest: "DatasetManifest") -> str:
    if manifest.split == "naive":
        return (
            "**Own exam, may leak:** the sample was shuffled and cut into train, validation and exam, as the notebooks "
            f"did, and {manifest.leaked:,} of the {manifest.exam:,} exam items have a near-duplicate in train. Errors "
            "on this exam are not to be compared with errors on others."
        )
    return (
        "Validation and exam are the catalogue's own: no recipe changes them, and nothing in train or validation is a "
        "near-duplicate of an exam item."
    )


def _exam(manifest: "DatasetManifest") -> str:
    if manifest.split == "naive":
        return (
            f"The {manifest.split_rule}. The first k by `natural_rank` are a fair shorter exam; `leaked` says which "
            "items have a near-duplicate in train."
        )
    return (
        f"The exam has a natural part, {manifest.natural:,} items drawn at random from the market, and a balanced "
        f"part, {manifest.balanced:,} items spread over eight price bands; an item may be in both. The first k by "
        "`natural_rank` or by `balanced_rank` are a fair shorter exam."
    )


def _parts(manifest: "DatasetManifest") -> str:
    sizes = [
        ("pool", manifest.market_size, manifest.market_price_mean, ""),
        ("train", manifest.train, manifest.price_mean, "`train.parquet`"),
        ("validation", manifest.validation, manifest.validation_price_mean, "`validation.parquet`"),
        ("exam", manifest.exam, manifest.exam_price_mean, "`exam.parquet`"),
    ]
    rows = [(part, f"{items:,}", f"${mean:,.2f}" if items else "", file) for part, items, mean, file in sizes]
    return markdown_table(("part", "items", "mean price", "file"), rows)


def recipe_lines(recipe: Recipe) -> str:
    """The settings of a recipe, one line of a Markdown list each."""
    lines = []
    if recipe.target:
        lines.append(_target(recipe.target, recipe.cutoff))
    elif recipe.cutoff > LOWEST_SLOT:
        lines.append(f"at most {recipe.cap:,} items at each whole dollar below ${recipe.cutoff:,}")
    if recipe.cutoff < SLOT_COUNT:
        lines.append(f"all items from ${recipe.cutoff:,} upwards")
    lines += [f"weight of {plain(category)}: {weight:g}" for category, weight in recipe.weights.items()]
    lines.append(f"weight of {'all others' if recipe.weights else 'every category'}: {recipe.default_weight:g}")
    lines.append(f"seed: {recipe.seed}")
    return "\n".join(f"- {line}" for line in lines)


def _target(target: Target, cutoff: int) -> str:
    asked = f"target {target.shape}: {target.size:,} items"
    if target.shape == "by-price":
        weight = f"((price - 1) / 998)^{target.exponent:g}"
        return f"{asked}, drawn with weight {weight} times their category's, price in whole dollars"
    where = f", those below ${cutoff:,}" if cutoff < SLOT_COUNT else ""
    shares = {"flat": "in equal parts", "log-uniform": "in proportion to 1 / price"}
    share = shares.get(target.shape, f"in proportion to price^{target.exponent:g}")
    return f"{asked}{where} shared out over whole dollars {share}, as far as the pool has them"


def _categories(manifest: "DatasetManifest") -> str:
    rows = [
        (
            plain(share.category),
            f"{share.before:,}",
            f"{share.after:,}",
            f"{share.before / manifest.market_size:.1%}",
            f"{share.after / manifest.train:.1%}",
        )
        for share in manifest.categories
    ]
    return markdown_table(("category", "pool", "train", "share of pool", "share of train"), rows)


def _hashes(manifest: "DatasetManifest") -> str:
    hashes = [
        ("dataset", manifest.id),
        ("recipe", manifest.recipe_id),
        ("content of train", manifest.content_hash),
        ("content of the catalogue", manifest.catalogue_hash),
        ("exam", manifest.exam_hash),
    ]
    how = (
        "A content hash is the sum modulo 2^128 of BLAKE2b-128 over each item's JSON [item_id, price in cents, text], "
        'so the order does not matter. The exam\'s is SHA-256 over its sorted "item_id,price" lines.'
    )
    return f"{markdown_table(('of', 'hash'), [(name, f'`{value}`') for name, value in hashes])}\n\n{how}"


def markdown_table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def plain(text: str) -> str:
    """Text from outside as one line that means nothing to Markdown or HTML."""
    one_line = " ".join(text.split())
    return "".join(f"\\{character}" if character in "\\`*_[]<>|#$!" else character for character in one_line)
