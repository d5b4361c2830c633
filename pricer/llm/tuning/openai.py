"""Fine-tuning at OpenAI, and at Azure, which speaks the same with other addresses and another header.

API reference: platform.openai.com/docs/api-reference/fine-tuning, and Azure OpenAI's data-plane REST reference.
"""

import re
from collections.abc import Iterator, Set
from datetime import UTC, datetime

from pricer.keys import Key
from pricer.llm.providers import Provider
from pricer.llm.tuning.adapter import UNIT, Checkpoint, Event, Probe, RemoteJob, RemoteState, Wish
from pricer.llm.tuning.host import Host, Refused, id_of
from pricer.progress import TRAINING_LOSS, VALIDATION_LOSS, Point

MARK = "pricer_tuning"  # the key of our mark in a job's metadata
AZURE_VERSION = "2025-04-01-preview"
PAGE = 100
MOST_PAGES = 200
_STATES: dict[str, RemoteState] = {
    "validating_files": "queued",
    "pending": "queued",  # Azure's
    "queued": "queued",
    "running": "running",
    "pausing": "running",
    "paused": "paused",
    "resuming": "running",
    "succeeded": "done",
    "failed": "failed",
    "cancelled": "cancelled",
    "canceled": "cancelled",
}
_LOSSES = {"train_loss": TRAINING_LOSS, "valid_loss": VALIDATION_LOSS, "full_valid_loss": VALIDATION_LOSS}
_STEP = re.compile(r"Step (\d+)/(\d+)")


class OpenAI:
    longest_suffix = 64
    can_pause = True
    takes_wandb = True
    afterwards = ""

    def __init__(self, provider: Provider, key: Key | None):
        self._title = provider.title
        self._host = Host(provider, key)

    def probe(self, model: str) -> Probe:
        """Look at the list of jobs and at the model: both are open to a key that may tune, and cost nothing."""
        try:
            jobs = self._host.get("/fine_tuning/jobs", limit=1).get("data") or []
        except Refused as refused:
            return Probe((("stop", _why_refused(refused), f"{refused.status}"),))
        lines = [("pass", "The key may look at fine-tuning jobs", "accepted"), *self._history(bool(jobs))]
        return Probe((*lines, *self._look_at_model(model)))

    def _history(self, has_tuned: bool) -> Iterator[tuple[str, str, str]]:
        if has_tuned:
            yield "pass", "This organisation has tuned before", "yes"
        else:
            words = "This organisation has never tuned: OpenAI has let none such begin since May 2026"
            yield "look", words, "no job yet"

    def _look_at_model(self, model: str) -> Iterator[tuple[str, str, str]]:
        try:
            told = self._host.get(f"/models/{model}")
        except Refused as refused:
            yield "stop", f"{self._title} has no model {model} for this key", f"{refused.status}"
            return
        end = told.get("shutdown_date")
        yield ("look" if end else "pass"), f"{model} is there", f"until {end}" if end else "no end announced"

    def upload(self, name: str, content: bytes) -> str:
        return id_of(self._host.upload("/files", {"purpose": "fine-tune"}, name, content))

    def estimate(self, wish: Wish) -> float | None:
        return None

    def create(self, wish: Wish) -> RemoteJob:
        return _job(self._host.post_once("/fine_tuning/jobs", self._body(wish)))

    def _body(self, wish: Wish) -> dict:
        chosen = {
            "n_epochs": wish.epochs,
            "batch_size": wish.batch_size or "auto",
            "learning_rate_multiplier": wish.learning_rate_multiplier or "auto",
        }
        body = {
            "model": wish.model,
            "training_file": wish.training_file,
            "suffix": wish.suffix,
            "metadata": {MARK: wish.mark},
            "method": {"type": "supervised", "supervised": {"hyperparameters": chosen}},
        }
        body |= {"validation_file": wish.validation_file} if wish.validation_file else {}
        body |= {"seed": wish.seed} if wish.seed is not None else {}
        if wish.wandb_project:
            wandb = {"project": wish.wandb_project, "name": wish.suffix}
            body["integrations"] = [{"type": "wandb", "wandb": wandb}]
        return body

    def find(self, mark: str) -> list[RemoteJob]:
        """Every job is looked at: a filter that a host does not know would be ignored, and hide nothing."""
        return [_job(each) for each in self._pages("/fine_tuning/jobs") if _carries(each, mark)]

    def poll(self, job_id: str) -> RemoteJob:
        return _job(self._host.get(f"/fine_tuning/jobs/{job_id}"))

    def news(self, job_id: str, known: Set[str]) -> list[Event]:
        found = []
        for each in self._pages(f"/fine_tuning/jobs/{job_id}/events"):  # the newest first
            event = _event(each)
            if event.id in known:
                break
            found.append(event)
        return found[::-1]

    def checkpoints(self, job_id: str) -> list[Checkpoint]:
        listed = [_checkpoint(each) for each in self._pages(f"/fine_tuning/jobs/{job_id}/checkpoints")]
        return sorted(listed, key=lambda checkpoint: checkpoint.step)

    def pause(self, job_id: str) -> RemoteJob:
        return _job(self._host.tell(f"/fine_tuning/jobs/{job_id}/pause"))

    def resume(self, job_id: str) -> RemoteJob:
        return _job(self._host.tell(f"/fine_tuning/jobs/{job_id}/resume"))

    def cancel(self, job_id: str) -> RemoteJob:
        return _job(self._host.tell(f"/fine_tuning/jobs/{job_id}/cancel"))

    def _pages(self, path: str) -> Iterator[dict]:
        """Everything in a list, page by page; each page goes on after the last one's end."""
        after: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            page = self._host.get(path, limit=PAGE, **after)
            listed = [each for each in page.get("data") or [] if isinstance(each, dict)]
            yield from listed
            if not page.get("has_more") or not listed or not listed[-1].get("id"):
                return
            after = {"after": str(listed[-1]["id"])}


class Azure(OpenAI):
    """Azure: paths below the resource's own address, an api-version in each, and the key in a header of its own."""

    longest_suffix = 40
    afterwards = "deploy the tuned model under a name in the Azure portal, then grade it by that name"

    def __init__(self, provider: Provider, key: Key | None):
        self._title = provider.title
        version = {} if provider.base_url.endswith("/v1") else {"api-version": AZURE_VERSION}
        self._host = Host(provider, key, {"api-key": key.text.get_secret_value()} if key else {}, version)

    def _history(self, has_tuned: bool) -> Iterator[tuple[str, str, str]]:
        yield from ()

    def _look_at_model(self, model: str) -> Iterator[tuple[str, str, str]]:
        try:
            told = self._host.get(f"/models/{model}")
        except Refused as refused:
            yield "stop", f"{self._title} has no model {model} in this region", f"{refused.status}"
            return
        may = (told.get("capabilities") or {}).get("fine_tune")
        words = f"{model} can be tuned in this region" if may is not False else f"{model} cannot be tuned here"
        end = (told.get("deprecation") or {}).get("fine_tune")
        until = f"until {datetime.fromtimestamp(end, UTC):%-d %b %Y}" if isinstance(end, int | float) else "yes"
        yield ("pass" if may else "look" if may is None else "stop"), words, until if may is not False else "no"


def _why_refused(refused: Refused) -> str:
    if refused.is_about_key:
        return "The key is not accepted"
    if refused.status == 403:
        return "This key, or its organisation, may not tune"
    return str(refused)


def _carries(told: dict, mark: str) -> bool:
    metadata = told.get("metadata")
    in_metadata = isinstance(metadata, dict) and metadata.get(MARK) == mark
    suffix = told.get("suffix") or told.get("user_provided_suffix")
    return in_metadata or (isinstance(suffix, str) and suffix.endswith(mark))


def _job(told: dict) -> RemoteJob:
    said = str(told.get("status") or "no word")
    error = told.get("error")
    reason = (error.get("message") or error.get("code")) if isinstance(error, dict) else error
    return RemoteJob(
        id=id_of(told),
        state=_STATES.get(said, "unfamiliar"),
        said=said,
        base_model=str(told.get("model") or ""),
        tuned_model=told.get("fine_tuned_model") or None,
        error=str(reason) if reason else None,
        trained_tokens=told.get("trained_tokens"),
        created_at=_moment(told.get("created_at")),
        finishes_at=_moment(told.get("estimated_finish")),
    )


def _moment(seconds: object) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int | float) and seconds > 0 else None


def _event(told: dict) -> Event:
    words = str(told.get("message") or "")
    data = told.get("data") if isinstance(told.get("data"), dict) else {}
    counted = _STEP.search(words)
    step = data.get("step", int(counted[1]) if counted else None)
    total = data.get("total_steps", int(counted[2]) if counted else None)
    figures = _figures(data)
    point = Point(float(step), UNIT, figures) if figures and step is not None else None
    return Event(str(told.get("id")), words, _moment(told.get("created_at")), point, total and int(total))


def _figures(metrics: dict) -> dict[str, float]:
    """Losses by Pricer's names; the loss on the whole validation file goes before that on a batch of it."""
    return {name: float(metrics[key]) for key, name in _LOSSES.items() if isinstance(metrics.get(key), int | float)}


def _checkpoint(told: dict) -> Checkpoint:
    figures = _figures(told.get("metrics") or {})
    return Checkpoint(int(told["step_number"]), str(told["fine_tuned_model_checkpoint"]), figures.get(VALIDATION_LOSS))
