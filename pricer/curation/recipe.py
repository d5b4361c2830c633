"""A recipe: the settings that turn a catalogue's pool into train, and the presets to start from."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, Self

import numpy as np
import orjson
from pydantic import (
    AfterValidator,
    Field,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from pricer.errors import PricerError
from pricer.items import LOWEST_SLOT, SLOT_COUNT
from pricer.stated import Stated

SMALLEST_WEIGHT, LARGEST_WEIGHT = 1e-100, 1e100  # so that no draw times or over a weight leaves the range of float64


WEIGHT_WORDS = f"0, or a number from {SMALLEST_WEIGHT} to {LARGEST_WEIGHT}"
NOTEBOOK_CUTOFF, NOTEBOOK_CAP = 240, 1200
NOTEBOOK_2_SIZE, NOTEBOOK_2_POOL = 820_000, 2_887_890
OWN_EXPONENTS = {"flat": 0.0, "log-uniform": -1.0}
USUAL_EXPONENTS = {"power": 1.0, "by-price": 2.0}


def _checked_weight(weight: float) -> float:
    if weight and not SMALLEST_WEIGHT <= weight <= LARGEST_WEIGHT:
        raise ValueError(weight)
    return weight + 0.0  # -0.0 becomes 0.0


Weight = Annotated[float, Field(description=WEIGHT_WORDS), AfterValidator(_checked_weight)]


class Target(Stated):
    """The shape over prices that train should have, and its size; it stands in the place of a cap.

    *flat*, *log-uniform* and *power* share the items out over the slots below the cutoff in proportion to
    slot**exponent (see `pricer.curation.targets`). *by-price* is the second notebook's law: one draw from all slots, in
    which an item's weight is ((slot - 1) / 998)**exponent times its category's. An exponent that nobody states is 1 for
    power and 2 for by-price; the other two shapes have their own, whatever is stated.

    >>> Target(shape="log-uniform", size=1000).exponent
    -1.0
    """

    shape: Literal["flat", "log-uniform", "power", "by-price"] = Field(
        description="flat, log-uniform, power or by-price"
    )
    size: int = Field(ge=1, lt=2**63, description="a whole number from 1 upwards")
    exponent: float = Field(
        None, ge=-4, le=4, validate_default=True, description="a number from -4 to 4 (by-price: from 0)"
    )

    @field_validator("exponent", mode="before")
    @classmethod
    def _of_the_shape(cls, exponent: object, others: ValidationInfo) -> object:
        shape = others.data.get("shape")
        if shape in OWN_EXPONENTS:
            return OWN_EXPONENTS[shape]
        return USUAL_EXPONENTS.get(shape, 1.0) if exponent is None else exponent

    @field_validator("exponent")
    @classmethod
    def _checked_exponent(cls, exponent: float, others: ValidationInfo) -> float:
        if others.data.get("shape") == "by-price" and exponent < 0:
            raise ValueError(exponent)
        return exponent + 0.0  # -0.0 becomes 0.0


class Recipe(Stated):
    """How many items of each slot train may hold, and which categories it prefers.

    A recipe has a cap or a target. With a cap a slot below the cutoff keeps at most `cap` items, drawn without
    replacement with their category's weight; slots from the cutoff upwards are kept whole. A target says how many each
    slot below the cutoff should keep. Weight 0 means never, above the cutoff too. `weights` names only the
    categories that differ from `default_weight`, in alphabetical order, so that equal recipes have equal ids.
    Raises PricerError when a value is not what it should be.
    """

    schema_version: Literal[1] = Field(1, description="1")
    cutoff: int = Field(ge=LOWEST_SLOT, le=SLOT_COUNT, description="a whole number from 1 to 1,000")
    cap: int | None = Field(None, ge=1, lt=2**63, description="a whole number from 1 upwards")
    target: Target | None = Field(None, strict=False, description="a shape and a size")
    default_weight: Weight = 1.0
    weights: dict[str, Weight] = Field({}, description="numbers by category")
    seed: int = Field(42, ge=0, lt=2**63, description="a whole number from 0 to 2^63 - 1")

    @model_validator(mode="after")
    def _cap_or_target(self) -> Self:
        if (self.cap is None) == (self.target is None):
            raise PricerError(f"a recipe has a cap or a target, got {'neither' if self.cap is None else 'both'}")
        if self.by_price and self.cutoff != SLOT_COUNT:
            raise PricerError(f"target by-price keeps no slot whole: cutoff must be 1,000, got {self.cutoff:,}")
        return self

    @model_serializer(mode="wrap")
    def _without_none(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in dump(self).items() if value is not None}

    @property
    def by_price(self) -> bool:
        """Whether one threshold is for all slots, and not one for each."""
        return self.target is not None and self.target.shape == "by-price"

    @classmethod
    def _wanted(cls, field: str, inner: list[int | str]) -> tuple[str, str | None]:
        if field == "weights" and inner:
            return f"weight of {inner[0]!r}", WEIGHT_WORDS
        return super()._wanted(field, inner)

    @field_validator("weights")
    @classmethod
    def _canonical(cls, weights: dict[str, float], others: ValidationInfo) -> dict[str, float]:
        default = others.data.get("default_weight")
        return {category: weight for category, weight in sorted(weights.items()) if weight != default}

    @property
    def id(self) -> str:
        """16 hex digits that name these settings: the beginning of the SHA-256 of their canonical JSON."""
        canonical = orjson.dumps(self.model_dump(), option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(canonical).hexdigest()[:16]

    def __hash__(self) -> int:
        return hash(self.id)

    def weight(self, category: str) -> float:
        return self.weights.get(category, self.default_weight)

    def weight_array(self, categories: Sequence[str]) -> np.ndarray:
        """The weights of these categories, float64, in their order."""
        return np.array([self.weight(category) for category in categories], dtype=np.float64)

    def unknown_categories(self, categories: Sequence[str]) -> tuple[str, ...]:
        """The categories that have a weight of their own and are not among these: a slip, or another catalogue's."""
        return tuple(name for name in self.weights if name not in set(categories))


def scaled(counts: np.ndarray, categories: Sequence[str]) -> Recipe:
    """The recipe scaled to a pool: it keeps half of the items, and the largest category weighs a fifth of the others.

    `counts` has the pool's items by slot (1000 rows) and category (columns).
    """
    largest = {categories[int(counts[LOWEST_SLOT:].sum(axis=0).argmax())]: 0.2} if len(categories) else {}
    return Recipe(cutoff=NOTEBOOK_CUTOFF, cap=_halving_cap(counts.sum(axis=1), NOTEBOOK_CUTOFF), weights=largest)


def _halving_cap(sizes: np.ndarray, cutoff: int) -> int:
    """The cap below the cutoff that keeps, as nearly as any can, half of the items in slots 1 to 999."""
    below, whole = sizes[LOWEST_SLOT:cutoff], int(sizes[cutoff:].sum())
    half = (int(below.sum()) + whole) / 2
    low, high = 1, max(1, int(below.max(initial=1)))
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if np.minimum(below, middle).sum() + whole <= half else (low, middle)
    return min((low, high), key=lambda cap: abs(int(np.minimum(below, cap).sum()) + whole - half))


def natural(counts: np.ndarray, categories: Sequence[str]) -> Recipe:
    """The market as it is: every slot whole. (The cap waits for a cutoff above 1.)"""
    return Recipe(cutoff=LOWEST_SLOT, cap=NOTEBOOK_CAP)


def notebook_1(counts: np.ndarray, categories: Sequence[str]) -> Recipe:
    """The first notebook's own numbers, whatever the pool."""
    return Recipe(cutoff=NOTEBOOK_CUTOFF, cap=NOTEBOOK_CAP, weights={"Automotive": 1.0}, default_weight=5.0, seed=42)


def notebook_2(counts: np.ndarray, categories: Sequence[str]) -> Recipe:
    """The second notebook's own numbers: 820,000 items by price squared; as large a share of a smaller pool."""
    pool = int(counts[LOWEST_SLOT:].sum())
    size = min(NOTEBOOK_2_SIZE, max(1, round(pool * NOTEBOOK_2_SIZE / NOTEBOOK_2_POOL)))
    target = Target(shape="by-price", size=size, exponent=2.0)
    return Recipe(cutoff=SLOT_COUNT, target=target, weights={"Tools_and_Home_Improvement": 0.5, "Automotive": 0.05})


PRESETS: dict[str, Callable[[np.ndarray, Sequence[str]], Recipe]] = {
    "scaled": scaled,
    "natural": natural,
    "notebook-1": notebook_1,
    "notebook-2": notebook_2,
}


def preset(name: str, counts: np.ndarray, categories: Sequence[str]) -> Recipe:
    """The recipe preset of this name for a pool with these counts by slot (1000 rows) and category (columns)."""
    if name not in PRESETS:
        raise PricerError(f"recipe preset must be one of {', '.join(PRESETS)}, got {name!r}")
    return PRESETS[name](counts, categories)
