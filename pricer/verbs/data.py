"""The verbs from product files to datasets: demo, load, catalogues, plan, sample, datasets."""

import argparse
import json
from dataclasses import asdict

from pricer import settings
from pricer.files import staged_folder
from pricer.progress import Report, Step, duration
from pricer.verbs import plan
from pricer.verbs.stated import add_recipe_options, stated_recipe
from pricer.verbs.verb import Verbs, path

DEMO_ROWS = 60_000


def add_verbs(verbs: Verbs) -> None:
    """Declare these verbs and their options."""
    verb = verbs.add("demo", "write generated products in the form of raw metadata", _demo, _demo_words)
    verb.add_argument("--rows", type=int, default=DEMO_ROWS, help="how many rows (default 60,000)")
    verb.add_argument("--seed", type=int, default=42, help="another seed, other products (default 42)")
    target = verb.add_mutually_exclusive_group(required=True)
    target.add_argument("--output", type=path, metavar="FILE", help="write them here, gzipped if it ends in .gz")
    target.add_argument("--catalogue", metavar="NAME", help="load them at once as this catalogue, and keep no file")

    verb = verbs.add("load", "load products as a catalogue", _load, _load_words)
    verb.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="files of raw metadata (JSON lines, plain or gzipped); hub:OWNER/NAME/CATEGORY of the hub, as in "
        "hub:McAuley-Lab/Amazon-Reviews-2023/Appliances; or one curated set, a folder or hub:OWNER/NAME",
    )
    verb.add_argument("--catalogue", required=True, metavar="NAME", help="a new version if the name stands already")
    verb.add_argument("--rules", default="auto", help="notebook-1, short-texts, or auto (default): what most rows pass")

    verbs.add("catalogues", "list the catalogues on this machine", _catalogues, _catalogues_words)

    plan.add_verbs(verbs)

    verb = verbs.add("sample", "carry a recipe out to a dataset", _sample, _sample_words)
    add_recipe_options(verb)
    verb.add_argument("--dataset", required=True, metavar="NAME", help="name of the dataset")
    verb.add_argument(
        "--split",
        choices=("roles", "naive"),
        default="roles",
        help="roles (default): the catalogue's own validation and exam; naive: shuffle the sample and cut it, as the "
        "notebooks did, which leaks near-duplicates into an exam of its own",
    )

    verbs.add("datasets", "list the datasets on this machine", _datasets, _datasets_words)


def _demo(options: argparse.Namespace, report: Report) -> dict:
    from pricer.catalogue.demo import write_demo

    facts = {"rows": options.rows, "seed": options.seed, "generated": True}
    if options.output:
        write_demo(options.output, options.rows, options.seed, report)
        return facts | {"output": str(options.output)}
    return facts | {"catalogue": load_demo(options.catalogue, options.rows, options.seed, report)}


def load_demo(name: str, rows: int, seed: int, report: Report) -> dict:
    """Load generated rows as a catalogue, and keep no file of them."""
    from pricer.catalogue.demo import write_demo

    settings.make_home()
    with staged_folder(settings.cache_folder()) as folder:
        file = folder / "demo.jsonl"
        write_demo(file, rows, seed, report)
        return _load(argparse.Namespace(sources=[str(file)], catalogue=name, rules="auto"), report)


def _demo_words(facts: dict) -> str:
    if "catalogue" in facts:
        return _load_words(facts["catalogue"])
    return f"{facts['rows']:,} generated rows in {facts['output']}"


def _load(options: argparse.Namespace, report: Report) -> dict:
    from pricer.catalogue.store import open_catalogue
    from pricer.curation.index import open_index
    from pricer.publish.loading import load
    from pricer.runs.kept import once

    def make() -> dict:
        loaded = load(options.sources, options.catalogue, options.rules, report)
        splits = {name: asdict(split) for name, split in loaded.splits.items()}
        return {"catalogue": loaded.catalogue.label} | ({"splits": splits} if splits else {})

    made = once("loaded", make)
    catalogue = open_catalogue(made.pop("catalogue"))
    report(Step("Indexing the pool", catalogue.manifest.pool, "items"))
    open_index(catalogue)
    return _catalogue_facts(catalogue) | made


def _catalogue_facts(catalogue) -> dict:
    manifest = catalogue.manifest
    names = ("name", "version", "rows", "items", "rejections", "duplicates", "exam", "validation", "sealed", "pool",
             "natural", "balanced", "exam_hash", "content_hash", "generated", "rules_reason", "seconds")  # fmt: skip
    facts = {name: getattr(manifest, name) for name in names}
    warnings = [f"{source.name}: {source.note}" for source in manifest.sources if source.note]
    categories = [
        {
            "category": count.category,
            "rows": count.rows,
            "priced": count.priced,
            "items": count.items,
            "rejected": sum(count.rejections.values()),
            "duplicates": count.duplicates,
            "seconds": count.seconds,
        }
        for count in manifest.by_category
    ]
    downloads = {source.origin: source.download_seconds for source in manifest.sources if source.origin}
    facts |= {"rules": manifest.rules.name, "categories": categories, "downloads": downloads}
    return facts | {"warnings": warnings, "folder": str(catalogue.folder)}


def _load_words(facts: dict) -> str:
    rejected = sum(facts["rejections"].values())
    lines = [
        f"{_name(facts)}: {facts['items']:,} items from {facts['rows']:,} rows with rules {facts['rules']}",
        f"  ({facts['rules_reason']})",
        f"  rejected {rejected:,}, duplicates {facts['duplicates']:,}",
        *(f"    {count:>12,}  {reason}" for reason, count in facts["rejections"].items()),
        f"  exam {facts['exam']:,} (natural {facts['natural']:,}, balanced {facts['balanced']:,}), "
        f"validation {facts['validation']:,}, sealed {facts['sealed']:,}, pool {facts['pool']:,}",
        f"  exam {facts['exam_hash'][:8]}, content {facts['content_hash'][:8]}, {duration(facts['seconds'])}",
        *(f"  warning: {warning}" for warning in facts["warnings"]),
        *_category_table(facts),
        *(
            f"  {name}: {split['items']:,} items, {_split_told(split['content_hash'])}"
            for name, split in facts.get("splits", {}).items()
        ),
    ]
    return "\n".join(lines)


def _split_told(content_hash: str | None) -> str:
    return f"content {content_hash}" if content_hash else "no content hash: prices withheld, or items without names"


def _category_table(facts: dict) -> list[str]:
    """A line for each category, and the total, where there is more than one or it came from the hub."""
    parts = facts["categories"]
    if len(parts) < 2 and not facts["downloads"]:
        return []
    columns = ("rows", "priced", "items", "rejected", "duplicates", "seconds")
    total = {name: sum(part[name] for part in parts) for name in columns} | {"category": "total"}
    head = "".join(f"{name:>12}" for name in columns)
    lines = [f"  {head}{'rows/s':>12}  category"]
    for part in [*parts, total]:
        counts = "".join(f"{part[name]:>12,}" for name in columns[:-1])
        rate = f"{part['rows'] / part['seconds']:,.0f}" if part["seconds"] else "–"
        lines.append(f"  {counts}{part['seconds']:>12,.1f}{rate:>12}  {part['category']}")
    rest = facts["seconds"] - total["seconds"]
    lines.append(f"  merging, groups, roles and writing took {duration(max(0.0, rest))} more")
    if downloads := sum(facts["downloads"].values()):
        lines.append(f"  downloads took {duration(downloads)}")
    return lines


def _name(facts: dict) -> str:
    return facts["name"] + (" (generated data)" if facts["generated"] else "")


def _catalogues(options: argparse.Namespace, report: Report) -> dict:
    from pricer.catalogue.store import list_catalogues

    return {"catalogues": [_catalogue_facts(catalogue) for catalogue in list_catalogues()]}


def _catalogues_words(result: dict) -> str:
    if not result["catalogues"]:
        return "no catalogue yet; make one with: python -m pricer load FILE --catalogue NAME"
    return "\n".join(
        f"{_name(facts)}  version {facts['version']}  {facts['items']:,} items of {facts['rows']:,} rows  "
        f"pool {facts['pool']:,}  exam {facts['exam_hash'][:8]}"
        for facts in result["catalogues"]
    )


def _sample(options: argparse.Namespace, report: Report) -> dict:
    from pricer.catalogue.store import open_catalogue
    from pricer.curation.dataset import make_dataset

    catalogue = open_catalogue(options.catalogue)
    recipe = stated_recipe(options, catalogue)
    return _dataset_facts(make_dataset(catalogue, recipe, options.dataset, report, options.split))


def _dataset_facts(dataset) -> dict:
    return {"id": dataset.id, "folder": str(dataset.folder)} | json.loads(dataset.manifest.model_dump_json())


def _sample_words(facts: dict) -> str:
    lines = [
        f"{_name(facts)}: train {facts['train']:,}, validation {facts['validation']:,}, exam {facts['exam']:,}",
        f"  train {facts['content_hash'][:8]}, exam {facts['exam_hash'][:8]}, in {facts['folder']}",
    ]
    if facts["split"] == "naive":
        lines.append(f"  own exam, may leak: {facts['leaked']:,} of its items have a near-duplicate in train")
        lines.append(f"  ({facts['split_rule']})")
    return "\n".join(lines)


def _datasets(options: argparse.Namespace, report: Report) -> dict:
    from pricer.curation.dataset import list_datasets

    return {"datasets": [_dataset_facts(dataset) for dataset in list_datasets()]}


def _datasets_words(result: dict) -> str:
    if not result["datasets"]:
        return "no dataset yet; make one with: python -m pricer sample CATALOGUE --dataset NAME"
    return "\n".join(
        f"{_name(facts)}  train {facts['train']:,}  from {facts['catalogue_name']}  {facts['content_hash'][:8]}"
        f"{'  own exam, may leak' if facts['split'] == 'naive' else ''}"
        for facts in result["datasets"]
    )
