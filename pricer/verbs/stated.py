"""The recipe that the options of a command state."""

import argparse
from typing import TYPE_CHECKING

from pricer.errors import PricerError
from pricer.items import SLOT_COUNT

if TYPE_CHECKING:
    from pricer.catalogue.store import Catalogue
    from pricer.curation.recipe import Recipe

PRESET_NAMES = "scaled, natural, notebook-1 or notebook-2"
SHAPE_NAMES = "flat, log-uniform, power or by-price"


def add_recipe_options(verb: argparse.ArgumentParser) -> None:
    """Declare a catalogue, and the options that state a recipe for it."""
    verb.add_argument("catalogue", metavar="CATALOGUE", help="NAME or NAME@VERSION")
    start = verb.add_mutually_exclusive_group()
    start.add_argument("--preset", default="scaled", help=f"{PRESET_NAMES} (default scaled)")
    start.add_argument("--recipe", metavar="NAME", help="a saved recipe, NAME or NAME@VERSION")
    verb.add_argument("--cutoff", type=int, metavar="DOLLARS", help="keep every item from this slot upwards")
    verb.add_argument("--cap", type=int, metavar="ITEMS", help="the most items in a slot below the cutoff")
    verb.add_argument("--target", metavar="SHAPE", help=f"in place of a cap: {SHAPE_NAMES}; needs --size")
    verb.add_argument("--size", type=int, metavar="N", help="of the target: items in all")
    verb.add_argument("--exponent", type=float, metavar="E", help="of the target: power (usually 1) or by-price (2)")
    verb.add_argument("--weight", type=_weight, action="append", default=[], metavar="CATEGORY=WEIGHT")
    verb.add_argument("--default-weight", type=float, metavar="WEIGHT", help="of every category not named")
    verb.add_argument("--seed", type=int, help="of the draw")


def _weight(text: str) -> tuple[str, float]:
    category, _, weight = text.rpartition("=")
    try:
        return category, float(weight)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected CATEGORY=WEIGHT, got {text!r}") from None


def stated_recipe(options: argparse.Namespace, catalogue: "Catalogue") -> "Recipe":
    """A saved recipe or a preset, with the single settings changed that the options state."""
    from pricer.curation.recipe import Recipe

    start = _saved(options.recipe) if options.recipe else _preset(options.preset, catalogue)
    settings = start.model_dump() | _target_settings(options, start)
    if options.cap is not None and settings.get("target"):
        raise PricerError("--cap goes with no target: the target says how many items a slot keeps")
    stated = ("cutoff", "cap", "default_weight", "seed")
    settings |= {name: getattr(options, name) for name in stated if getattr(options, name) is not None}
    if options.weight or options.default_weight is not None:
        # Weights are relative to the default, so a new default starts from no other weights.
        kept = {} if options.default_weight is not None else start.weights
        settings["weights"] = kept | dict(options.weight)
    return Recipe(**settings)


def _target_settings(options: argparse.Namespace, start: "Recipe") -> dict:
    """The settings that a stated target, size or exponent changes in the recipe to start from."""
    shape, size, exponent = options.target, options.size, options.exponent
    if (shape, size, exponent) == (None, None, None):
        return {}
    if not shape and not start.target:
        raise PricerError(f"--size and --exponent go with a --target: {SHAPE_NAMES}")
    if shape and size is None:
        raise PricerError(f"--target {shape} needs a --size: how many items in all")
    if exponent is not None and (shape or start.target.shape) in ("flat", "log-uniform"):
        raise PricerError(f"--exponent goes with power and by-price, and not with {shape or start.target.shape}")
    stated = {"shape": shape, "size": size, "exponent": exponent}
    stated = {name: value for name, value in stated.items() if value is not None}
    if shape:
        return {"cap": None, "target": stated, "cutoff": SLOT_COUNT}
    return {"target": start.target.model_dump() | stated}


def named_recipe(name: str, catalogue: "Catalogue") -> "Recipe":
    """The preset of this name, or else a saved recipe."""
    from pricer.curation.recipe import PRESETS

    return _preset(name, catalogue) if name in PRESETS else _saved(name)


def _preset(name: str, catalogue: "Catalogue") -> "Recipe":
    from pricer.curation.index import open_index
    from pricer.curation.recipe import preset

    index = open_index(catalogue)
    return preset(name, index.counts, index.categories)


def _saved(name: str) -> "Recipe":
    from pricer.runs.recipes import open_recipe

    return open_recipe(name).recipe
