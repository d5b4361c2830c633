"""What can be done with a tuned run's adapter: merge it into its unquantised base, push it; and its base's run."""

import json
import shutil
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from pricer import settings
from pricer.catalogue.hub import connect, told
from pricer.errors import PricerError
from pricer.files import staged_folder, write_json
from pricer.keys import HUB_TOKEN, wait_for_key
from pricer.llm.local.bases import full_place, is_on_hub
from pricer.llm.tuned.adapter import CONFIG
from pricer.llm.tuned.presets import hyperparameters_of
from pricer.models.open_weight import ABOUT as BASE
from pricer.models.qlora import ABOUT, ADAPTER
from pricer.models.registry import find_kind
from pricer.progress import Report, Step
from pricer.publish.places import HUBS_OWN, content_at, read_place
from pricer.runs.orders import order_of
from pricer.runs.store import MODEL, Run, RunManifest, list_runs, open_run
from pricer.runs.training import Order

if TYPE_CHECKING:
    from huggingface_hub import HfApi

MARK = "pricer.json"  # of a repository: whose adapter it holds
TUNED, ASKED = "qlora", "open-weight"


def merge_run(label: str, folder: Path, report: Report) -> dict:
    """Add a run's adapter to its base as published, and save that as a model in a new folder.

    PricerError where the run has no adapter, was tuned with a slot head, or the folder exists.
    """
    from pricer.llm.local.loading import load_base
    from pricer.llm.tuned.adapter import merge

    run, about = _tuned(label)
    if about["tuning"]["head"] == "slots":
        raise PricerError("a slot head is no part of a language model, so this run cannot be merged; tune with tokens")
    if folder.exists():
        raise PricerError(f"{folder} exists; name a new folder")
    loaded = load_base(about["base"], "none", "cpu", revision=about["base_revision"], report=report)
    report(Step("Merging", 0, "weights"))
    merge(loaded.model, run.folder / MODEL / ADAPTER, loaded.tokenizer, folder.resolve())
    return {"run": run.id, "name": run.name, "base": about["base"], "folder": str(folder.resolve())}


def push_adapter(label: str, repo: str, private: bool, report: Report) -> dict:
    """Put a run's adapter on the hub with a card, as one commit to a repository of its own.

    PricerError where the run has no adapter, no token is at hand, the repository holds anything else than this run's
    adapter, someone else changes it meanwhile, or the hub refuses.
    """
    from huggingface_hub import CommitOperationAdd

    run, about = _tuned(label)
    place = read_place(repo, private=private)
    key = wait_for_key(HUB_TOKEN, report)
    api, url = connect(key), f"{settings.hub_endpoint()}/{repo}"
    with staged_folder(settings.cache_folder()) as folder, told(f"publishing {place.repo}", url, "model"):
        _write_adapter(run, about, repo, folder)
        head = _head_for(run, repo, private, api)
        if head is None:
            api.create_repo(repo, repo_type="model", private=private)
            head = api.model_info(repo).sha
        report(Step("Uploading", 0, "files"))
        files = [CommitOperationAdd(path.name, path) for path in sorted(folder.iterdir())]
        commit = api.create_commit(repo, files, commit_message=f"{run.name}: adapter", parent_commit=head)
        is_private = bool(api.model_info(repo).private)
    return {"run": run.id, "url": url, "revision": commit.oid, "private": is_private}


def _write_adapter(run: Run, about: dict, repo: str, folder: Path) -> None:
    """Fill a folder with what goes to the hub: the adapter, its card, and whose run it is."""
    shutil.copytree(run.folder / MODEL / ADAPTER, folder, dirs_exist_ok=True)
    if not is_on_hub(about["base"]):
        written = json.loads((folder / CONFIG).read_bytes())
        write_json(folder / CONFIG, written | {"base_model_name_or_path": None})  # where it lies here is nobody's
    write_json(folder / MARK, {"run": run.id, "name": run.name, "dataset_hash": run.manifest.dataset_hash})
    (folder / "README.md").write_text(write_card(run, about, repo), encoding="utf-8")


def _head_for(run: Run, repo: str, private: bool, api: "HfApi") -> str | None:
    """The commit that a run's adapter follows, None where there is no repository.

    PricerError where it is taken, or public while the adapter is to be private.
    """
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        found = api.model_info(repo)
    except RepositoryNotFoundError:
        return None
    names = {sibling.rfilename for sibling in found.siblings or ()} - HUBS_OWN
    marked = json.loads(content_at(api, repo, MARK, found.sha, "model")) if MARK in names else {}
    if names and marked.get("run") != run.id:
        raise PricerError(f"{repo} is taken: it holds something else than the adapter of {run.name}; name another")
    if private and not found.private:
        raise PricerError(f"{repo} is public: let everybody see the adapter (--public), or name another repository")
    return found.sha


def write_card(run: Run, about: dict, repo: str) -> str:
    """The README of an adapter on the hub: what it is, how it was tuned, how it is loaded."""
    made, tuning = run.manifest, about["tuning"]
    metadata = ["library_name: peft", "tags:", "- lora", "- price"]
    if is_on_hub(about["base"]):
        metadata.insert(0, f"base_model: {json.dumps(about['base'])}")
        its_base = f"`{about['base']}` (revision `{about['base_revision']}`)"
        where = f'"{about["base"]}", revision="{about["base_revision"]}"'
    else:
        its_base = "its base, which is not on the hub,"
        where = '"FOLDER-OF-ITS-BASE"'
    paragraphs = [
        f"An adapter that makes {its_base} continue a product's description with its price, to the nearest dollar. "
        f"Tuned with Pricer as {made.name}."
    ]
    if made.generated:
        paragraphs.append("**Tuned on generated data:** these products are made up, and so are their prices.")
    if about["tiny"]:
        paragraphs.append(
            "**Its base is a tiny Llama** that `python -m pricer tiny-llama` makes: a toy to try things with."
        )
    values = {name: value for name, value in tuning.items() if name not in ("prompt", "most_steps")}
    rows = "\n".join(
        f"| {name.replace('_', ' ')} | {', '.join(value) if isinstance(value, list) else value} |"
        for name, value in values.items()
    )
    return f"""---
{chr(10).join(metadata)}
---

# {repo}

{(chr(10) * 2).join(paragraphs)}

| | |
|---|---|
| dataset | {made.dataset_name}, {made.train_items:,} items, hash `{made.dataset_hash[:16]}` |
| steps | {about["steps"]:,} of {about["steps_planned"]:,}{", stopped by a person" if about["stopped"] else ""} |
| weights learned | {about["trained_parameters"]:,} |
| base held in | {about["precision"]} |
| prompt | {tuning["prompt"]} |
{rows}

```python
from peft import PeftModel
from transformers import AutoModelForCausalLM

base = AutoModelForCausalLM.from_pretrained({where})
model = PeftModel.from_pretrained(base, "{repo}")
```
"""


def stopped_after(run: Run) -> tuple[int, int] | None:
    """After how many of how many steps a person has stopped a run's tuning; None where it went to its end."""
    if run.manifest.model != TUNED:
        return None
    about = _tuned(run.id)[1]
    return (about["steps"], about["steps_planned"]) if about["stopped"] else None


def base_run(run: Run) -> Run | None:
    """The run that asked a tuned run's base; None where there is none."""
    if run.manifest.model != TUNED:
        return None
    return find_base_run(order_of(run), run.manifest.exam_hash, _tuned(run.id)[1]["base_revision"])


def find_base_run(order: Order, exam_hash: str, revision: str = "") -> Run | None:
    """The run that a tuned one is held against: of its base alone, as it is held, and with its prompt, on this exam.

    Of several the one that was asked the most that the order asks, of those the newest. `revision` is that of the base
    that was tuned, where it is known.
    """
    wanted = _base_of(find_kind(order.model).check_settings(order.settings))
    found = []
    for run in list_runs():
        made = run.manifest
        if (made.model, made.exam_hash) != (ASKED, exam_hash) or made.model_settings.get("adapter"):
            continue
        shared = _shared(order, made)
        if shared[0] and _base_of(made.model_settings) == wanted and revision in ("", _revision_asked(run)):
            found.append((shared, run))
    return max(found, key=lambda each: each[0])[1] if found else None


def base_arguments(order: Order) -> list[str]:
    """The command that asks the base of an order, to tune it, the same items in the same words."""
    chosen = find_kind(order.model).check_settings(order.settings)
    stated = {
        "--precision": chosen["precision"],
        "--prompt": hyperparameters_of(chosen).prompt,
        "--revision": chosen["revision"] or None,
        "--device": chosen["device"] if chosen["device"] != "auto" else None,
        "--first": order.first_k,
        "--exam": order.asked if order.asked != "both" else None,
    }
    options = [f"{name}={value}" for name, value in stated.items() if value is not None]
    return ["guess", str(chosen["base"]), f"--dataset={order.dataset}", *options]


def _base_of(chosen: dict) -> tuple[str, str, str]:
    """Base, precision and prompt of settings, which a tuned model may leave to its preset."""
    prompt = hyperparameters_of(chosen).prompt if "preset" in chosen else chosen["prompt"]
    return full_place(chosen["base"]), chosen["precision"], prompt


def _revision_asked(run: Run) -> str:
    try:
        return json.loads((run.folder / MODEL / BASE).read_bytes())["base_revision"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _shared(order: Order, made: RunManifest) -> tuple[int, float]:
    """Of how many exams that an order asks a run was asked too, and of how many items of each; (0, 0) where of none."""
    readings = ("natural", "balanced")
    both = [name for name in readings if order.asked in (name, "both") and made.asked in (name, "both")]
    return (len(both), min(order.first_k or inf, made.first_k or inf)) if both else (0, 0)


def _tuned(label: str) -> tuple[Run, dict]:
    run = open_run(label)
    if run.manifest.model != TUNED:
        raise PricerError(f"{run.name} is a run of {run.manifest.model}, which has no adapter")
    try:
        return run, json.loads((run.folder / MODEL / ABOUT).read_bytes())
    except (OSError, ValueError) as error:
        raise PricerError(f"the model of {run.name} is damaged; tune it again") from error
