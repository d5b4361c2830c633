"""A recipe, and what differs between two, setting by setting, in words for a person."""

from pricer.curation.recipe import OWN_EXPONENTS, Recipe


def describe_changes(old: Recipe, new: Recipe) -> list[str]:
    """Every setting that has another value now; empty where both are the same recipe.

    >>> old = Recipe(cutoff=240, cap=1200, weights={"Automotive": 1.0}, default_weight=5.0)
    >>> describe_changes(old, Recipe(cutoff=200, cap=1200, weights={"Automotive": 0.2}, default_weight=5.0))
    ['cutoff $240 → $200', 'Automotive 1 → 0.2']
    """
    changes = []
    if old.cutoff != new.cutoff:
        changes.append(f"cutoff ${old.cutoff:,} → ${new.cutoff:,}")
    if (old.cap, old.target) != (new.cap, new.target):
        now = describe_limit(new)
        changes.append(f"{describe_limit(old)} → {now.removeprefix('cap ') if old.cap else now}")
    for category in sorted(old.weights | new.weights):
        if old.weight(category) != new.weight(category):
            changes.append(f"{category} {_weight(old.weight(category))} → {_weight(new.weight(category))}")
    if old.default_weight != new.default_weight:
        changes.append(f"all other weights {_weight(old.default_weight)} → {_weight(new.default_weight)}")
    if old.seed != new.seed:
        changes.append(f"seed {old.seed} → {new.seed}")
    return changes


def describe_recipe(recipe: Recipe) -> str:
    """All settings in one line.

    >>> describe_recipe(Recipe(cutoff=240, cap=1200, weights={"Automotive": 0.2}))
    'cutoff $240, cap 1,200, Automotive 0.2, all others 1, seed 42'
    """
    weights = [f"{category} {_weight(weight)}" for category, weight in recipe.weights.items()]
    others = f"{'all others' if weights else 'all weights'} {_weight(recipe.default_weight)}"
    return ", ".join([f"cutoff ${recipe.cutoff:,}", describe_limit(recipe), *weights, others, f"seed {recipe.seed}"])


def describe_limit(recipe: Recipe) -> str:
    """What stands for cap or target.

    >>> describe_limit(Recipe(cutoff=240, cap=1200))
    'cap 1,200'
    """
    if recipe.target is None:
        return f"cap {recipe.cap:,}"
    target = recipe.target
    exponent = "" if target.shape in OWN_EXPONENTS else f" {target.exponent:g}"
    return f"target {target.shape}{exponent}, {target.size:,} items"


def _weight(weight: float) -> str:
    return f"{weight:.12g}"
