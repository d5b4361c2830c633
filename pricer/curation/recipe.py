"""A recipe: the settings that turn a catalogue's pool into train, and the presets to start from."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Annotated, Literal, Self

import numpy as np
import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from pricer.errors import PricerError
from pricer.items import LOWEST_SLOT, SLOT_COUNT

SMALLEST_WEIGHT, LARGEST_WEIGHT = 1e-100, 1e100  # so that no draw times or over a weight leaves the range of float64


WEIGHT_WORDS = f"0, or a number from {SMALLEST_WEIGHT} to {LARGEST_WEIGHT}"
NOTEBOOK_CUTOFF, NOTEBOOK_CAP = 240, 1200


def _checked_weight(weight: float) -> float:
    if weight and not SMALLEST_WEIGHT <= weight <= LARGEST_WEIGHT:
        raise ValueError(weight)
    return weight + 0.0  # -0.0 becomes 0.0


Weight = Annotated[float, Field(description=WEIGHT_WORDS), AfterValidator(_checked_weight)]


class Recipe(BaseModel):
    """How many items of each slot train may hold, and which categories it prefers.

    A slot below the cutoff keeps at most `cap` items, drawn without replacement with their category's weight; slots
    from the cutoff upwards are kept whole. Weight 0 means never, above the cutoff too. `weights` names only the
    categories that differ from `default_weight`, in alphabetical order, so that equal recipes have equal ids.
    Raises PricerError when a value is not what it should be.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    schema_version: Literal[1] = Field(1, description="1")
    cutoff: int = Field(ge=LOWEST_SLOT, le=SLOT_COUNT, description="a whole number from 1 to 1,000")
    cap: int = Field(ge=1, lt=2**63, description="a whole number from 1 upwards")
    default_weight: Weight = 1.0
    weights: dict[str, Weight] = Field({}, description="numbers by category")
    seed: int = Field(42, ge=0, lt=2**63, description="a whole number from 0 to 2^63 - 1")

    @model_validator(mode="wrap")
    @classmethod
    def _explain(cls, values: object, check: Callable[[object], Self]) -> Self:
        try:
            return check(values)
        except ValidationError as error:
            raise PricerError(_explanation(error)) from None

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


def _explanation(error: ValidationError) -> str:
    """Say in one line what the first wrong value should have been, and what arrived."""
    first = error.errors(include_url=False)[0]
    field, *inner = first["loc"] or ("recipe",)
    if first["type"] == "missing":
        return f"a recipe needs {field}: {Recipe.model_fields[field].description}"
    if first["type"] == "extra_forbidden":
        return f"a recipe has no setting {field!r}; it has {', '.join(Recipe.model_fields)}"
    if field not in Recipe.model_fields:
        return f"a recipe must be a set of named settings, got {first['input']!r}"
    if field == "weights" and inner:
        return f"weight of {inner[0]!r} must be {WEIGHT_WORDS}, got {first['input']!r}"
    return f"{field} must be {Recipe.model_fields[field].description}, got {first['input']!r}"


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


PRESETS: dict[str, Callable[[np.ndarray, Sequence[str]], Recipe]] = {
    "scaled": scaled,
    "notebook-1": notebook_1,
    "natural": natural,
}


def preset(name: str, counts: np.ndarray, categories: Sequence[str]) -> Recipe:
    """The recipe preset of this name for a pool with these counts by slot (1000 rows) and category (columns)."""
    if name not in PRESETS:
        raise PricerError(f"recipe preset must be one of {', '.join(PRESETS)}, got {name!r}")
    return PRESETS[name](counts, categories)
