"""The verbs about what was launched: jobs, with all that can be done to one, and the worker that carries them out."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from pricer.progress import Report
from pricer.verbs.verb import Actions, Run, Verbs

if TYPE_CHECKING:
    from pricer.runs.launch import Launch

_PLACES = ("up", "down", "first", "last")


def add_verbs(verbs: Verbs) -> None:
    """Declare these verbs and their options."""
    verb = verbs.add("jobs", "list what was launched, or do something with one job", _list, _list_words)
    verb.add_argument("--deleted", action="store_true", help="list the deleted ones instead")
    add = Actions(verb).add
    for name, help_text in {
        "cancel": "end a job and all its processes, or take it out of the queue",
        "stop": "let a tuning end after its step, and keep what it has learned",
        "retry": "launch what a job that did not succeed was to do once more, from the start",
        "resume": "the same from its last complete checkpoint, where it left one",
        "delete": "take an ended job out of the lists",
        "undelete": "bring a deleted job back",
    }.items():
        add(name, help_text, _changed(name), _words).add_argument("job", metavar="ID")
    action = add("move", "change the place of a queued job", _move, _words)
    action.add_argument("job", metavar="ID")
    action.add_argument("place", choices=_PLACES, metavar="|".join(_PLACES))

    verbs.add("worker", "carry out launched jobs until there are none for a while", _worker, _worker_words)


def _list(options: argparse.Namespace, report: Report) -> dict:
    from pricer.runs.launch import list_launches

    return {"jobs": [_facts(job) for job in list_launches(deleted=options.deleted)]}


def _list_words(result: dict) -> str:
    return "\n".join(map(_words, result["jobs"])) or "no job"


def _changed(name: str) -> Run:
    def change(options: argparse.Namespace, report: Report) -> dict:
        from pricer.runs import launch

        by_name: dict[str, Callable[[str], Launch]] = {
            "cancel": launch.cancel,
            "stop": launch.stop_and_keep,
            "retry": launch.retry,
            "resume": launch.resume,
            "delete": launch.delete,
            "undelete": launch.undelete,
        }
        return _facts(by_name[name](options.job))

    return change


def _move(options: argparse.Namespace, report: Report) -> dict:
    from pricer.runs.launch import move

    return _facts(move(options.job, options.place))


def _facts(job: "Launch") -> dict:
    return {
        "id": job.id,
        "state": job.state,
        "command": job.command,
        "started": job.started.isoformat(),
        "fraction": job.progress.fraction if job.progress else None,
        "attempt": job.attempt,
        "crash": job.crash,
        "why": job.why,
        "error": job.error,
        "resumable": job.resumable,
        "deleted": job.deleted,
    }


def _words(job: dict) -> str:
    line = f"{job['id']}  {job['state']:<9}  {job['command']}"
    line += "  (deleted)" if job["deleted"] else ""
    line += f"  {job['error']}" if job["error"] else ""
    earlier = (job["why"] or "").splitlines()
    if job["state"] == "crashed":
        earlier = earlier[:-1]  # the last one is its error
    line += "".join(f"\n    {attempt}" for attempt in earlier)
    return line + ("\n    left a checkpoint: jobs resume goes on from it" if job["resumable"] else "")


def _worker(options: argparse.Namespace, report: Report) -> dict:
    from pricer.runs.worker import run_worker

    return {"jobs_ended": run_worker(report)}


def _worker_words(result: dict) -> str:
    ended = ", ".join(f"{count:,} {state}" for state, count in result["jobs_ended"].items())
    return f"no job for a while, so the worker ended (jobs: {ended or 'none'})"
