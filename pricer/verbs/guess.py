"""The verbs of language models that run here: base, guess, serve."""

import argparse

from pricer.errors import PricerError
from pricer.llm.local.frames import FRAMES
from pricer.llm.local.memory import DEVICES, PRECISIONS
from pricer.progress import Report, Step
from pricer.verbs import models
from pricer.verbs.verb import Verbs

_BASE_HELP = "tiny-llama, a folder, or OWNER/NAME of the hub"


def add_verbs(verbs: Verbs) -> None:
    """Declare these verbs and their options."""
    verb = verbs.add("base", "look at a base model: its memory, how it writes prices, what it says", _base, _base_words)
    _of_base(verb)
    verb.add_argument("--measure", action="store_true", help="load it in every precision and measure")
    verb.add_argument("--text", help="a product: show its prompt, tokens, answer and distribution")
    verb.add_argument("--dataset", metavar="NAME", help="the same for the first item of its exam")
    verb.add_argument("--prompt", default="notebook-2", choices=FRAMES, help="the words around it (default notebook-2)")

    verb = verbs.add("guess", "ask a base model the exam: the same as train open-weight", _guess, models.train_words)
    _of_base(verb)
    verb.add_argument("--dataset", required=True, metavar="NAME", help="name or id of the dataset")
    verb.add_argument("--first", type=int, metavar="K", help="ask the first K of the exam only; each prefix is fair")
    verb.add_argument("--exam", default="both", help="natural, balanced, or both (default)")
    verb.add_argument(
        "--prompt", help="notebook-1, notebook-2 (default), or for instructed models notebook-1-chat, notebook-2-chat"
    )
    verb.add_argument("--adapter", help="tuned for this base: a folder, or OWNER/NAME[@REVISION] of the hub")
    verb.add_argument("--batch", help="products that are read at once")
    verb.add_argument("--name", help="of the run")

    verb = verbs.add(
        "serve", "keep one language model warm for the page Predict, until it is idle", _serve, _serve_words
    )
    verb.add_argument("run", metavar="RUN", nargs="?", help="a run of an open-weight model")
    verb.add_argument("--idle", type=float, default=15.0, metavar="MINUTES", help="end after so long (default 15)")
    verb.add_argument("--stop", action="store_true", help="end the one that is served")


def _of_base(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("base", metavar="BASE", help=_BASE_HELP)
    verb.add_argument("--revision", help="branch, tag or commit on the hub")
    verb.add_argument("--precision", choices=PRECISIONS, default="4bit", help="how weights are held (default 4bit)")
    verb.add_argument("--device", choices=DEVICES, help="default: a graphics card where there is one")


def _base(options: argparse.Namespace, report: Report) -> dict:
    from pricer.llm.local.loading import load_base
    from pricer.llm.local.trying import look_closely, try_item

    revision, device = options.revision or "", options.device or "auto"
    found = look_closely(options.base, revision, device, options.measure, report)
    text, price = _item(options)
    if text is None:
        return found
    loaded = load_base(options.base, options.precision, device, revision, report=report)
    report(Step("Asking", 0, "items"))
    found["measured_bytes"][options.precision] = loaded.bytes_measured
    item = try_item(loaded, options.prompt, text) | {"price": price}
    return found | {"precision": options.precision, "item": item}


def _item(options: argparse.Namespace) -> tuple[str | None, float | None]:
    """The text of the item that is shown, and its price where it is known."""
    if options.text is not None or not options.dataset:
        return options.text, None
    from pricer.curation.dataset import open_dataset

    first = open_dataset(options.dataset).exam().sort("natural_rank", nulls_last=True).head(1).collect()
    return first["text"].item(), first["price"].item()


def _base_words(found: dict) -> str:
    lines = [
        f"{found['title']}, {found['parameters'] / 1e6:,.1f} million weights, revision {found['revision'][:12]}, "
        f"reads {found['reads_tokens']:,} tokens",
        f"  on {found['device']} in {found['compute']}, {found['free_bytes'] / 1e9:,.1f} GB free",
    ]
    for precision, estimated in found["estimated_bytes"].items():
        measured = found["measured_bytes"].get(precision)
        said = f", measured {measured / 1e6:,.1f} MB" if measured else ""
        said += ", which does not fit" if precision in found["refused"] else ""
        lines.append(f"  {precision}: {estimated / 1e6:,.1f} MB by its configuration{said}")
    if found["download_bytes"]:
        lines.append(f"  {found['download_bytes'] / 1e9:,.1f} GB are still to be downloaded")
    if item := found.get("item"):
        around = " ".join(f"[{token['text']}]" for token in [*item["around"], *item["written"]])
        price = item["read"]["price"]
        lines += [
            f"  each price one token: {'yes' if item['single_token_prices'] else 'no'}",
            f"  tokens around the price: {around}",
            f"  it wrote {item['raw']!r}, read as {'no price' if price is None else f'${price:,.2f}'}",
            f"  chance of a number next: {item['on_prices']:.1%}",
        ]
    return "\n".join(lines)


def _guess(options: argparse.Namespace, report: Report) -> dict:
    from pricer.models.open_weight_kind import OPEN_WEIGHT
    from pricer.runs.training import Order, train_run

    known = {setting.name: setting for setting in OPEN_WEIGHT.settings}
    names = ("base", "revision", "precision", "device", "prompt", "adapter", "batch")
    stated = {name: getattr(options, name) for name in names}
    order = Order(
        model=OPEN_WEIGHT.name,
        dataset=options.dataset,
        settings={name: known[name].parse(value) for name, value in stated.items() if value},
        asked=options.exam,
        first_k=options.first,
        name=options.name,
    )
    return models.graded_facts(train_run(order, report), options.exam)


def _serve(options: argparse.Namespace, report: Report) -> dict:
    from pricer.llm.local.serving import stop
    from pricer.runs.serving import serve_run

    if options.stop:
        stop()
        return {"stopped": True}
    if not options.run:
        raise PricerError("name the run to serve: python -m pricer serve RUN")
    report(Step(f"Serving {options.run}", 0, "products"))
    return {"run": options.run, "asked": serve_run(options.run, 60 * options.idle)}


def _serve_words(result: dict) -> str:
    if "stopped" in result:
        return "no language model is served any more"
    return f"{result['run']}: {result['asked']:,} products asked; its memory is free again"
