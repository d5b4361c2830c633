"""A home with many finished runs, made quickly: those that stand are copied, each with a job of its own."""

import json
import secrets
import shutil
from datetime import timedelta
from pathlib import Path

from sqlalchemy import insert

from pricer import settings
from pricer.catalogue.store import MANIFEST
from pricer.database import engine, jobs, runs
from pricer.runs.orders import order_arguments
from pricer.runs.store import Run, list_runs, write_manifest
from pricer.runs.training import Order


def copy_runs(number: int) -> list[str]:
    """Copy the runs of this home in turn until there are `number` more, and record them; gives their ids."""
    templates = list_runs()
    copies = [_copy(templates[place % len(templates)], place) for place in range(number)]
    with engine().begin() as connection:
        connection.execute(insert(jobs), [job for job, _ in copies])
        connection.execute(insert(runs), [run for _, run in copies])
    return [run["id"] for _, run in copies]


def _copy(run: Run, place: int) -> tuple[dict, dict]:
    """The rows of a copy and its job, a minute older for every place; their folders are made."""
    run_id, job_id = secrets.token_hex(6), f"copy-{secrets.token_hex(6)}"
    created = run.created - timedelta(minutes=place + 1)
    changes = {"id": run_id, "job_id": job_id, "created": created, "name": f"{run.name}, copy {place}"}
    manifest = run.manifest.model_copy(update=changes)
    folder = settings.runs_folder() / run_id
    shutil.copytree(run.folder, folder, ignore=shutil.ignore_patterns(MANIFEST))
    write_manifest(folder, manifest)
    order = Order(manifest.model, manifest.dataset_name, manifest.model_settings, seed=place, name=manifest.name)
    _leave_job(settings.jobs_folder() / job_id)
    job = {
        "id": job_id,
        "kind": "train",
        "arguments": json.dumps(order_arguments(order)),
        "state": "done",
        "resources": "heavy",
        "place": -place,
        "attempt": 1,
        "fence": 1,
        "created_at": created,
        "started_at": created,
        "ended_at": created,
        "result": json.dumps(json.loads(manifest.model_dump_json())),
    }
    columns = ("id", "name", "model", "family", "dataset_id", "dataset_name", "catalogue_name", "exam_hash", "job_id")
    row = {name: getattr(manifest, name) for name in columns}
    return job, row | {"manifest": manifest.model_dump_json(), "created_at": created}


def _leave_job(folder: Path) -> None:
    folder.mkdir(parents=True)
    progress = {"stage": "Guessing", "count": 9, "unit": "items", "fraction": 1.0, "rate_per_second": 9.0}
    times = {"elapsed_seconds": 1.0, "remaining_seconds": 0.0, "updated": 0}
    (folder / "progress.json").write_text(json.dumps(progress | times))
    (folder / "log.txt").write_text("Guessing 9 items\n" * 50)
