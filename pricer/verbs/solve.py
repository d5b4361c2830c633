"""The verb solve: a recipe for a wished size, mean price and largest share."""

import argparse
import shlex

from pricer.progress import Report
from pricer.verbs.verb import Verbs


def add_verbs(verbs: Verbs) -> None:
    """Declare this verb and its options."""
    verb = verbs.add("solve", "propose a recipe for a wished size, mean price and largest share", _solve, _words)
    verb.add_argument("catalogue", metavar="CATALOGUE", help="NAME or NAME@VERSION")
    verb.add_argument("--size", type=int, metavar="N", help="about so many items")
    verb.add_argument("--mean", type=float, metavar="DOLLARS", help="about this mean price")
    verb.add_argument("--most-share", type=_share, metavar="PERCENT", help="no category above it")
    verb.add_argument("--save", metavar="NAME", help="save the proposed recipe under this name")


def _share(text: str) -> float:
    try:
        return float(text.removesuffix("%")) / 100
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a percentage such as 30, got {text!r}") from None


def _solve(options: argparse.Namespace, report: Report) -> dict:
    from pricer.catalogue.store import open_catalogue
    from pricer.curation.index import open_index
    from pricer.curation.solver import Wishes, solve
    from pricer.runs.recipes import save_recipe

    catalogue = open_catalogue(options.catalogue)
    wishes = Wishes(options.size, options.mean, options.most_share)
    solution = solve(open_index(catalogue), wishes)
    plan, recipe = solution.plan, solution.recipe
    saved = save_recipe(options.save, recipe, catalogue.name) if options.save else None
    largest = plan.shares().sort("after", descending=True, maintain_order=True).row(0, named=True)
    return {
        "catalogue": catalogue.label,
        "generated": catalogue.manifest.generated,
        "wishes": {"size": wishes.size, "price_mean": wishes.price_mean, "most_share": wishes.most_share},
        "met": solution.met,
        "misses": list(solution.misses),
        "recipe": recipe.model_dump(),
        "recipe_id": recipe.id,
        "saved": saved.label if saved else None,
        "items": plan.size,
        "pool": plan.market_size,
        "lost_items": solution.lost_items,
        "price_mean": plan.price_mean,
        "pool_price_mean": plan.market_price_mean,
        "effective_size": plan.effective_size,
        "largest_category": largest["category"],
        "largest_share": largest["share_after"],
        "price_distance": solution.price_distance,
        "category_distance": solution.category_distance,
        "seconds": solution.seconds,
    }


def _words(result: dict) -> str:
    recipe = result["recipe"]
    met = "all wishes met" if result["met"] else "not every wish can be met; this comes nearest"
    generated = " (generated data)" if result["generated"] else ""
    weights = [f"{category} {weight:g}" for category, weight in recipe["weights"].items()]
    others = f"{'all others' if weights else 'all'} {recipe['default_weight']:g}"
    lines = [
        f"recipe {result['recipe_id']} for {result['catalogue']}{generated}: {met}",
        *(f"  {miss}" for miss in result["misses"]),
        f"  cutoff ${recipe['cutoff']:,}, cap {recipe['cap']:,}, seed {recipe['seed']}",
        f"  weights: {', '.join([*weights, others])}",
        f"  {result['items']:,} items, {result['lost_items']:,} of the pool lost, "
        f"worth {result['effective_size']:,.0f} draws from the market",
        f"  mean ${result['price_mean']:,.2f} (pool ${result['pool_price_mean']:,.2f}), "
        f"largest share {result['largest_share']:.1%}, {result['largest_category']}",
        f"  distance from the market {result['price_distance']:.1%} by price, "
        f"{result['category_distance']:.1%} by category",
        f"  {_next_command(result)}",
    ]
    return "\n".join(lines)


def _next_command(result: dict) -> str:
    """The command that shows the proposed recipe's plan."""
    recipe = result["recipe"]
    numbers = {name: recipe[name] for name in ("cutoff", "cap", "default_weight", "seed")}
    settings = [f"--{name.replace('_', '-')}={number!r}" for name, number in numbers.items()]
    settings += [f"--weight={category}={weight!r}" for category, weight in recipe["weights"].items()]
    settings = ["--recipe", result["saved"]] if result["saved"] else settings
    return shlex.join(["python", "-m", "pricer", "plan", result["catalogue"], *settings])
