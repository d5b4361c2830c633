"""What can be done with a tuned run's adapter: merge it into its unquantised base, push it; and its base's run."""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from pricer import settings
from pricer.catalogue.hub import connect, told
from pricer.errors import PricerError
from pricer.files import staged_folder, write_json
from pricer.keys import HUB_TOKEN, find_key, wait_for_key
from pricer.llm.local.bases import is_on_hub
from pricer.llm.tuned.adapter import CONFIG
from pricer.models.qlora import ABOUT, ADAPTER
from pricer.progress import Report, Step
from pricer.publish.places import HUBS_OWN, content_at, read_place
from pricer.runs.store import MODEL, Run, list_runs, open_run

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
    loaded = load_base(about["base"], "none", revision=about["base_revision"], report=report)
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
    key = find_key(HUB_TOKEN) or (wait_for_key(HUB_TOKEN, report) if settings.job_folder() else None)
    if key is None:
        raise PricerError(f"no {HUB_TOKEN} is known: set it, or type it on the page Publish")
    api, url = connect(key), f"{settings.hub_endpoint()}/{repo}"
    with staged_folder(settings.cache_folder()) as folder, told(f"publishing {place.repo}", url, "model"):
        _write_adapter(run, about, repo, folder)
        head = _head_for(run, repo, api)
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


def _head_for(run: Run, repo: str, api: "HfApi") -> str | None:
    """The commit that a run's adapter follows, None where there is no repository; PricerError where it is taken."""
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        found = api.model_info(repo)
    except RepositoryNotFoundError:
        return None
    names = {sibling.rfilename for sibling in found.siblings or ()} - HUBS_OWN
    marked = json.loads(content_at(api, repo, MARK, found.sha, "model")) if MARK in names else {}
    if names and marked.get("run") != run.id:
        raise PricerError(f"{repo} is taken: it holds something else than the adapter of {run.name}; name another")
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
    """The run that asked a tuned run's base, in the same precision, the same exam; None where there is none."""
    if run.manifest.model != TUNED:
        return None
    return find_base_run(run.manifest.model_settings, run.manifest.exam_hash)


def find_base_run(stated: dict, exam_hash: str) -> Run | None:
    """The newest run of the base that settings of a tuned model name, in the same precision, on this exam."""
    wanted = (ASKED, exam_hash, *_base_of(stated))
    for run in list_runs():
        made = run.manifest
        if made.model != ASKED or made.model_settings.get("adapter"):
            continue
        if (made.model, made.exam_hash, *_base_of(made.model_settings)) == wanted:
            return run
    return None


def _base_of(stated: dict) -> tuple[str, str, str]:
    return stated["base"], stated["precision"], stated.get("revision", "")


def _tuned(label: str) -> tuple[Run, dict]:
    run = open_run(label)
    if run.manifest.model != TUNED:
        raise PricerError(f"{run.name} is a run of {run.manifest.model}, which has no adapter")
    try:
        return run, json.loads((run.folder / MODEL / ABOUT).read_bytes())
    except (OSError, ValueError) as error:
        raise PricerError(f"the model of {run.name} is damaged; tune it again") from error
