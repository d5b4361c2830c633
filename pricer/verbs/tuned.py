"""The verbs of tuned language models: a tiny base, a dry run, and what can be done with an adapter."""

import argparse
from dataclasses import asdict

from pricer import settings
from pricer.errors import PricerError
from pricer.progress import Report, duration
from pricer.verbs.verb import Verbs, path, setting

DRY_RUN = "dry-run"


def add_verbs(verbs: Verbs) -> None:
    """Declare these verbs and their options."""
    verb = verbs.add("tiny-llama", "make a tiny real Llama, to try open-weight models with", _tiny, _tiny_words)
    verb.add_argument("--folder", type=path, help="where to (default: where Pricer finds it as tiny-llama)")
    verb.add_argument("--seed", type=int, default=7, help="of its weights, and of the market that it knows (default 7)")
    verb.add_argument("--steps", type=int, metavar="N", help="teach it for N steps only (default 900)")

    verb = verbs.add(DRY_RUN, "measure what tuning would take, by twenty steps on the longest rows", _dry, _dry_words)
    verb.add_argument("--dataset", required=True, metavar="NAME", help="name or id of the dataset")
    verb.add_argument("--set", type=setting, action="append", default=[], metavar="SETTING=VALUE", dest="settings")
    verb.add_argument("--seed", type=int, default=42)
    verb.add_argument("--first", type=int, metavar="N", help="of train, a random N items only")

    verb = verbs.add(
        "merge", "add a run's adapter to its unquantised base, as a model of its own", _merge, _merge_words
    )
    verb.add_argument("run", metavar="RUN", help="a run of qlora, by id or name")
    verb.add_argument("--to", type=path, required=True, metavar="FOLDER", help="a folder that does not exist yet")

    verb = verbs.add(
        "push-adapter", "put a run's adapter on the hub, private unless told otherwise", _push, _push_words
    )
    verb.add_argument("run", metavar="RUN", help="a run of qlora, by id or name")
    verb.add_argument("--to", required=True, metavar="OWNER/NAME", help="where on the hub")
    verb.add_argument("--public", action="store_true", help="let everybody see it")


def _tiny(options: argparse.Namespace, report: Report) -> dict:
    from pricer.llm.local.bases import tiny_folder
    from pricer.llm.local.teaching import Lessons
    from pricer.llm.local.tiny import make_tiny_llama

    lessons = Lessons()
    if options.steps is not None:
        if options.steps < 1:
            raise PricerError(f"steps must be at least 1, got {options.steps}")
        titles = options.steps * lessons.titles // lessons.steps
        lessons = Lessons(min(lessons.listings, 32 * options.steps), titles, options.steps - titles)
    folder = (options.folder or tiny_folder()).resolve()
    name = f"{options.seed}-{lessons.steps}"
    kept = (settings.checkpoints_folder() or settings.cache_folder()) / "tiny-llama" / name
    made = make_tiny_llama(folder, report, seed=options.seed, lessons=lessons, checkpoints=kept)
    return asdict(made) | {"folder": str(made.folder)}


def _tiny_words(made: dict) -> str:
    return (
        f"A tiny Llama in {made['folder']}\n"
        f"  {made['parameters']:,} weights, {made['tokens']:,} tokens, taught for {made['steps']:,} steps in "
        f"{duration(made['seconds'])}; it knows prices of an invented market, and nothing else"
    )


def _dry(options: argparse.Namespace, report: Report) -> dict:
    from pricer.curation.dataset import open_dataset
    from pricer.llm.tuned.dry_run import dry_run
    from pricer.llm.tuned.presets import hyperparameters_of
    from pricer.llm.tuned.tuner import BaseChoice, PricedTexts
    from pricer.models.registry import find_kind
    from pricer.runs.training import read_train

    kind = find_kind("qlora")
    known = {each.name: each for each in kind.settings}
    stated = {name: known[name].parse(value) if name in known else value for name, value in options.settings}
    chosen = kind.check_settings(stated)
    train = read_train(open_dataset(options.dataset), kind.name, options.first)
    base = BaseChoice(chosen["base"], chosen["precision"], chosen["revision"], chosen["device"])
    priced = PricedTexts(train["text"].fill_null("").to_list(), train["price"].to_list())
    found = dry_run(base, hyperparameters_of(chosen), priced, options.seed, report)
    return asdict(found) | {"base": base.place, "precision": base.precision}


def _dry_words(found: dict) -> str:
    return (
        f"{found['base']} in {found['precision']} on {found['device']}: "
        f"{found['trained_parameters']:,} weights are learned\n"
        f"  {found['seconds_per_step']:.3g} s a step of {found['batch']} rows, "
        f"{found['tokens_per_second']:,.0f} tokens a second\n"
        f"  peak memory {found['bytes_peak'] / 1e9:.2f} GB, {found['bytes_before'] / 1e9:.2f} GB before any step\n"
        f"  {found['steps']:,} steps would take {duration(found['seconds'])}, validation not counted\n"
        f"  the largest batch that fits: about {found['largest_batch']:,} rows of {found['longest_row']} tokens"
    )


def _merge(options: argparse.Namespace, report: Report) -> dict:
    from pricer.runs.adapters import merge_run

    return merge_run(options.run, options.to, report)


def _merge_words(made: dict) -> str:
    return f"{made['base']} with the adapter of {made['name']} in {made['folder']}"


def _push(options: argparse.Namespace, report: Report) -> dict:
    from pricer.runs.adapters import push_adapter

    return push_adapter(options.run, options.to, not options.public, report)


def _push_words(pushed: dict) -> str:
    return f"{pushed['url']}, {'private' if pushed['private'] else 'public'}, revision {pushed['revision'][:12]}"
