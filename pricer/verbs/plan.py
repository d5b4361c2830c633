"""The verb plan: what a recipe would give, and what another would add and remove."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from pricer.progress import Report
from pricer.verbs.stated import add_recipe_options, named_recipe, stated_recipe
from pricer.verbs.verb import Verbs

if TYPE_CHECKING:
    from pricer.catalogue.store import Catalogue
    from pricer.curation.sampler import Plan

MOST_SPIKES_TOLD = 6


def add_verbs(verbs: Verbs) -> None:
    """Declare this verb and its options."""
    verb = verbs.add("plan", "say exactly what a recipe would give", _plan, _words)
    add_recipe_options(verb)
    verb.add_argument("--against", metavar="NAME", help="say what this preset or saved recipe would add and remove")


def _plan(options: argparse.Namespace, report: Report) -> dict:
    from pricer.catalogue.store import open_catalogue
    from pricer.curation.index import open_index
    from pricer.curation.sampler import make_plan

    catalogue = open_catalogue(options.catalogue)
    recipe = stated_recipe(options, catalogue)
    plan = make_plan(open_index(catalogue, recipe.seed), recipe)
    facts = {"catalogue": catalogue.label, "generated": catalogue.manifest.generated} | _facts(plan)
    return facts | ({"against": _against(options.against, catalogue, plan)} if options.against else {})


def _facts(plan: "Plan") -> dict:
    return {
        "recipe": plan.recipe.model_dump(),
        "recipe_id": plan.recipe.id,
        "items": plan.size,
        "pool": plan.market_size,
        "price_mean": _number(plan.price_mean),
        "price_median": plan.price_median,
        "pool_price_mean": _number(plan.market_price_mean),
        "pool_price_median": plan.market_price_median,
        "tokens_mean": _number(plan.tokens_mean),
        "capped_slots": plan.capped_slots,
        "price_distance": plan.price_distance,
        "category_distance": plan.category_distance,
        "effective_size": plan.effective_size,
        "pool_covered": plan.market_covered,
        "price_evenness": plan.price_evenness,
        "pool_price_evenness": plan.market_price_evenness,
        "category_evenness": plan.category_evenness,
        "pool_category_evenness": plan.market_category_evenness,
        "spikes": [{name: _number(value) for name, value in asdict(spike).items()} for spike in plan.spikes],
        "shortfall": plan.shortfall,
        "note": plan.why_uncapped(),
        "target_note": plan.why_off_target(),
        "unknown_categories": list(plan.recipe.unknown_categories(plan.categories)),
        "categories": plan.shares().to_dicts(),
        "slots_before": plan.before.sum(axis=1).tolist(),
        "slots": plan.counts.sum(axis=1).tolist(),
        "slots_wished": None if plan.wished is None else plan.wished.tolist(),
    }


def _number(value: float) -> float | None:
    """JSON has no nan and no infinity: both are null."""
    return value if abs(value) < float("inf") else None


def _against(name: str, catalogue: "Catalogue", plan: "Plan") -> dict:
    """What another recipe would keep of a plan's sample, add to it and remove from it."""
    from pricer.curation.difference import difference
    from pricer.curation.index import open_index
    from pricer.curation.sampler import make_plan

    recipe = named_recipe(name, catalogue)
    other = make_plan(open_index(catalogue, recipe.seed), recipe)
    found = difference(open_index(catalogue, plan.recipe.seed), plan, other)
    by_slot = found.by_slot()
    return {
        "name": name,
        "recipe": recipe.model_dump(),
        "recipe_id": recipe.id,
        "items": other.size,
        "both": found.kept,
        "added": int(found.added.sum()),
        "removed": int(found.removed.sum()),
        "categories": found.by_category().to_dicts(),
        "slots_added": by_slot["added"].to_list(),
        "slots_removed": by_slot["removed"].to_list(),
    }


def _words(result: dict) -> str:
    recipe = result["recipe"]
    lines = [
        f"{result['items']:,} of {result['pool']:,} items from {result['catalogue']}"
        f"{' (generated data)' if result['generated'] else ''}, recipe {result['recipe_id']}",
        f"  {_recipe_told(recipe)}; {result['capped_slots']} slots made smaller",
        f"  weights: {_weights_told(recipe)}",
        f"  mean {_dollars(result['price_mean'])} (pool {_dollars(result['pool_price_mean'])}), "
        f"median ${result['price_median']:,} (pool ${result['pool_price_median']:,})",
        f"  distance from the market {result['price_distance']:.1%} by price, "
        f"{result['category_distance']:.1%} by category",
        f"  as even as {result['price_evenness']:.0f} equal prices (pool {result['pool_price_evenness']:.0f}) "
        f"and {result['category_evenness']:.1f} equal categories (pool {result['pool_category_evenness']:.1f})",
        f"  worth {result['effective_size']:,.0f} draws from the market once it is reweighted to it, "
        f"of which it covers {result['pool_covered']:.1%}",
    ]
    if result["spikes"]:
        lines.append(f"  prices that stand out: {_spikes_told(result['spikes'])}")
    if result["note"]:
        lines.append(f"  the {'target' if 'target' in recipe else 'cap'} changes nothing: {result['note']}")
    if result["target_note"]:
        lines.append(f"  not quite the target: {result['target_note']}")
    if result["unknown_categories"]:
        lines.append(f"  the catalogue has no {', '.join(result['unknown_categories'])}")
    lines.append("")
    lines.append(f"  {'items':>12}  {'of':>12}  {'share':>6}  {'was':>6}  category")
    lines += [
        f"  {share['after']:>12,}  {share['before']:>12,}  {share['share_after']:>6.1%}  {share['share_before']:>6.1%}"
        f"  {share['category']}"
        for share in result["categories"]
    ]
    return "\n".join([*lines, *(_against_words(result["against"]) if "against" in result else [])])


def _recipe_told(recipe: dict) -> str:
    start, target = f"cutoff ${recipe['cutoff']:,}, seed {recipe['seed']}", recipe.get("target")
    if not target:
        return f"{start}, cap {recipe['cap']:,}"
    exponent = f" with exponent {target['exponent']:g}" if target["shape"] in ("power", "by-price") else ""
    return f"{start}, target {target['shape']}{exponent} of {target['size']:,} items"


def _weights_told(recipe: dict) -> str:
    weights = [f"{category} {weight:g}" for category, weight in recipe["weights"].items()]
    return ", ".join([*weights, f"{'all others' if weights else 'all'} {recipe['default_weight']:g}"])


def _spikes_told(spikes: list[dict]) -> str:
    most = sorted(spikes, key=lambda spike: -spike["before"])[:MOST_SPIKES_TOLD]
    told = [f"${spike['slot']} {spike['after']:,} of {spike['before']:,}" for spike in most]
    return ", ".join(told)


def _dollars(value: float | None) -> str:
    return "none" if value is None else f"${value:,.2f}"


def _against_words(against: dict) -> list[str]:
    return [
        "",
        f"  {against['name']} (recipe {against['recipe_id']}) would keep {against['both']:,} of these items, "
        f"add {against['added']:,} and remove {against['removed']:,}",
        f"  {'both':>12}  {'added':>12}  {'removed':>12}  category",
        *(
            f"  {share['both']:>12,}  {share['added']:>12,}  {share['removed']:>12,}  {share['category']}"
            for share in against["categories"]
        ),
    ]
