"""The verbs to the outside: publish a dataset, write files for hosted fine-tuning, and look at the keys for both."""

import argparse
import getpass
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from pricer import settings
from pricer.errors import PricerError
from pricer.keys import HUB_TOKEN, Key, find_key, wait_for_key
from pricer.progress import Report
from pricer.verbs.verb import Verbs

if TYPE_CHECKING:
    from pricer.publish.forms import Options
    from pricer.publish.preflight import Preflight


def add_verbs(verbs: Verbs) -> None:
    """Declare these verbs and their options."""
    verb = verbs.add("publish", "publish a dataset to the hub or to a folder", _publish, _publish_words)
    verb.add_argument("dataset", metavar="DATASET", help="NAME or id")
    verb.add_argument("--to", required=True, metavar="PLACE", help="USER/NAME on the hub; a folder: ./NAME or /PATH")
    verb.add_argument("--branch", default="main", metavar="NAME", help="of the hub's repository (default main)")
    verb.add_argument("--public", action="store_true", help="everyone may see it (default: private)")
    verb.add_argument(
        "--edition",
        default="text-price",
        choices=("text-price", "prompt-completion"),
        help="columns as the first notebook published (default), or as the second",
    )
    verb.add_argument("--extras", action="store_true", help="also the columns title, category and item_id")
    verb.add_argument("--withhold-exam-prices", action="store_true", help="the exam goes without its prices")
    verb.add_argument("--licence", default="other", metavar="ID", help="of the hub's list (default other)")
    verb.add_argument("--replace", action="store_true", help="where something else stands under this name")
    verb.add_argument(
        "--follows", metavar="COMMIT", help="the revision that --check has shown; refused if it is another by now"
    )
    verb.add_argument("--check", action="store_true", help="only look at what may go wrong; nothing is sent")

    verb = verbs.add("export", "write and check files for hosted fine-tuning", _export, _export_words)
    verb.add_argument("dataset", nargs="?", metavar="DATASET", help="NAME or id; none with --check FILE")
    verb.add_argument("--to", metavar="FOLDER", help="write train.jsonl and validation.jsonl here")
    verb.add_argument("--train", type=int, default=200, metavar="N", help="rows to train on (default 200)")
    verb.add_argument("--validation", type=int, default=50, metavar="N", help="rows to validate on (default 50)")
    verb.add_argument("--choose", choices=("first", "balanced"), default="first", help="which n (default first)")
    verb.add_argument("--prompt", choices=("notebook-1", "notebook-2"), default="notebook-1")
    verb.add_argument("--check", action="append", default=[], metavar="FILE", help="check this file instead")
    verb.add_argument("--most-tokens", type=int, default=65_536, metavar="N", help="the model's limit for one example")
    verb.add_argument("--dollars", type=float, default=3.0, metavar="PRICE", help="for a million tokens (default 3.00)")
    verb.add_argument("--epochs", type=int, default=1, metavar="N", help="passes over train (default 1)")

    verb = verbs.add("keys", "say which keys are there, never what they are", _keys, _keys_words)
    verb.add_argument("--check", action="store_true", help="one cheap call with each: is it accepted, what may it do")
    verb.add_argument("--model", metavar="OWNER/NAME", help="whether this gated model opens to the token")


# publish


def _options(options: argparse.Namespace) -> "Options":
    from pricer.publish.forms import Options

    return Options(
        edition=options.edition,
        extras=options.extras,
        exam_prices=not options.withhold_exam_prices,
        licence=options.licence,
    )


def _publish(options: argparse.Namespace, report: Report) -> dict:
    from pricer.curation.dataset import open_dataset

    dataset, chosen = open_dataset(options.dataset), _options(options)
    if is_folder(options.to):
        return _to_folder(dataset, chosen, Path(options.to).expanduser().resolve(), options.check, report)
    from pricer.publish.places import read_place
    from pricer.publish.preflight import preflight
    from pricer.publish.pushing import push

    place = read_place(options.to, options.branch, not options.public)
    key = _token(report, options.check)
    if options.check:
        return _checked(options.to, preflight(dataset, chosen, place, key, options.replace))
    pushed = push(dataset, chosen, place, key, report, options.replace, options.follows)
    manifest = pushed.manifest
    facts = {"name": manifest.name, "to": options.to, "url": pushed.url, "commit": pushed.commit}
    return facts | {"bytes": pushed.sent_bytes, "items": manifest.items, "content_hashes": manifest.content_hashes}


def is_folder(place: str) -> bool:
    """Whether --to names a folder: a path says so by how it begins, a set on the hub is USER/NAME."""
    if "/" not in place:
        raise PricerError(f"--to is ./{place} for a folder, or USER/{place} on the hub, got {place!r}")
    return place.startswith(("/", "./", "../", "~"))


def _to_folder(dataset, options: "Options", folder: Path, only_check: bool, report: Report) -> dict:
    from pricer.catalogue.download import check_disk
    from pricer.publish.folder import estimated_bytes, publish_to_folder

    check_disk(folder.parent, estimated_bytes(dataset))
    if only_check:
        return {"to": str(folder), "checks": [], "stops": 0, "follows": None}
    written = publish_to_folder(dataset, options, folder, report)
    manifest = written.manifest
    facts = {"name": manifest.name, "to": str(folder), "url": None, "commit": None, "bytes": written.bytes}
    return facts | {"items": manifest.items, "content_hashes": manifest.content_hashes}


def _token(report: Report, only_check: bool) -> Key | None:
    """The token: found, typed here and now, or, for a job, waited for."""
    found = find_key(HUB_TOKEN)
    if found is None and settings.job_folder() is None and sys.stdin.isatty():
        typed = getpass.getpass(f"{HUB_TOKEN} (not shown, not kept): ").strip()
        return Key(HUB_TOKEN, SecretStr(typed), "typed") if typed else None
    return found if found or only_check else wait_for_key(HUB_TOKEN, report)


def _checked(to: str, looked: "Preflight") -> dict:
    checks = [asdict(check) for check in looked.checks]
    return {"to": to, "checks": checks, "stops": len(looked.stops), "follows": looked.follows}


def _publish_words(facts: dict) -> str:
    if "checks" in facts:
        lines = [f"  {each['verdict']:<5} {each['words']}  ({each['value']})" for each in facts["checks"]]
        end = f"{facts['stops']} to put right first" if facts["stops"] else "nothing stands in the way"
        if facts["follows"] and not facts["stops"]:
            lines.append(f"  to publish onto what was seen: --follows {facts['follows']}")
        return "\n".join([f"{facts['to']}: {end}", *lines])
    parts = ", ".join(f"{name} {items:,}" for name, items in facts["items"].items())
    hashes = [f"  content of {name}  {value}" for name, value in facts["content_hashes"].items()]
    where = facts["url"] or facts["to"]
    sent = "it was there already" if facts["url"] and not facts["bytes"] else f"{facts['bytes'] / 1e6:,.1f} MB"
    return "\n".join([f"{facts['name']}: {parts}", f"  {where}  ({sent})", *hashes])


# export


def _export(options: argparse.Namespace, report: Report) -> dict:
    from pricer.publish.messages import Limits, check_file, check_together, write_messages

    limits = Limits(options.most_tokens, options.dollars, options.epochs)
    if options.check:
        return {"files": [asdict(check_file(Path(file).expanduser(), limits)) for file in options.check], "to": None}
    if not options.dataset or not options.to:
        raise PricerError("export needs a DATASET and --to FOLDER, or --check FILE")
    from pricer.curation.dataset import open_dataset

    folder = Path(options.to).expanduser().resolve()
    counts = {"train": options.train, "validation": options.validation}
    write_messages(open_dataset(options.dataset), folder, counts, options.choose, options.prompt)
    files = check_together(folder, limits)
    return {"files": [asdict(each) for each in files], "to": str(folder)}


def _export_words(result: dict) -> str:
    lines = []
    for file in result["files"]:
        state = "can be sent" if not file["problems"] else f"{file['bad_lines']:,} bad lines"
        sizes = f"{file['rows']:,} rows, {file['tokens']:,} tokens, {file['bytes']:,} bytes"
        lines.append(f"{file['name']}: {sizes}, {state}")
        if file["cost_dollars"] is not None:
            longest = f"longest row {file['longest_tokens']:,} tokens"
            lines.append(f"  about ${file['cost_dollars']:,.2f} to train on, {longest}")
        for each in file["problems"]:
            lines.append(f"  line {each['line']}: {each['reason']}" if each["line"] else f"  {each['reason']}")
    return "\n".join(lines)


# keys


def _keys(options: argparse.Namespace, report: Report) -> dict:
    from pricer.publish.rights import check_key, check_model, every_key

    found = []
    for name, provider in every_key().items():
        key = find_key(name)
        facts = {"name": name, "provider": provider, "place": key.place if key else None}
        if options.check and key:
            facts |= _told_of(lambda key=key: asdict(check_key(key)))
        found.append(facts)
    model = _told_of(lambda: {"told": check_model(options.model), "accepted": True}) if options.model else None
    return {"keys": found, "model": model, "hub": settings.hub_endpoint()}


def _told_of(ask) -> dict:
    """What a call tells; a key that is refused is an answer too, and the others are still asked."""
    try:
        return ask()
    except PricerError as error:
        return {"accepted": False, "told": str(error)}


def _keys_words(result: dict) -> str:
    lines = []
    for key in result["keys"]:
        told = f": {key['told']}" if "told" in key else ""
        lines.append(f"{key['name']:<18} {key['provider']:<14} {key['place'] or 'none'}{told}")
    if result["model"]:
        lines.append(result["model"]["told"])
    return "\n".join(lines)
