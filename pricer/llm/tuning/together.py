"""Fine-tuning open-weight models at Together, whose protocol is its own.

API reference: docs.together.ai/reference (post-fine-tunes, upload-file, post-fine-tunes-estimate-price).
"""

from collections.abc import Set
from datetime import datetime

from pricer.errors import PricerError
from pricer.keys import Key
from pricer.llm.providers import Provider
from pricer.llm.tuning.adapter import UNIT, Checkpoint, Event, Probe, RemoteJob, RemoteState, Wish
from pricer.llm.tuning.host import Host, Refused, id_of
from pricer.progress import TRAINING_LOSS, VALIDATION_LOSS, Point

LEARNING_RATE = 1e-5  # Together's own, which a multiplier multiplies
EVALUATIONS = 10  # of the validation file in the course of a tuning
_STATES: dict[str, RemoteState] = {
    "pending": "queued",
    "queued": "queued",
    "running": "running",
    "compressing": "running",
    "uploading": "running",
    "cancel_requested": "running",
    "cancelled": "cancelled",
    "error": "failed",
    "completed": "done",
}


class Together:
    longest_suffix = 40
    can_pause = False
    takes_wandb = False  # it would want the key of Weights & Biases itself
    afterwards = "where Together does not serve it as it is, start an endpoint for it there, billed by the minute"

    def __init__(self, provider: Provider, key: Key | None):
        self._title = provider.title
        self._host = Host(provider, key)

    def probe(self, model: str) -> Probe:
        """Ask for the model's limits in tuning: there are none of a model that cannot be tuned."""
        try:
            limits = self._host.get("/fine-tunes/models/limits", model_name=model)
        except Refused as refused:
            words = "The key is not accepted" if refused.is_about_key else f"{self._title} does not tune {model}"
            return Probe((("stop", words, str(refused.status)),))
        most = limits.get("max_num_epochs")
        return Probe((("pass", f"{self._title} tunes {model}", f"up to {most} epochs" if most else "yes"),))

    def upload(self, name: str, content: bytes) -> str:
        fields = {"purpose": "fine-tune", "file_name": name, "file_type": "jsonl"}
        return id_of(self._host.upload("/files/upload", fields, name, content))

    def estimate(self, wish: Wish) -> float | None:
        """Together's own price; None until it has looked at the files."""
        body = {name: value for name, value in _body(wish).items() if name in _PRICED}
        told = self._host.tell("/fine-tunes/estimate-price", body)
        price = told.get("estimated_total_price")
        return float(price) if told.get("estimation_available") and isinstance(price, int | float) else None

    def create(self, wish: Wish) -> RemoteJob:
        return _job(self._host.post_once("/fine-tunes", _body(wish)))

    def find(self, mark: str) -> list[RemoteJob]:
        listed = self._host.get("/fine-tunes").get("data") or []
        return [_job(each) for each in listed if str(each.get("suffix") or "").endswith(mark)]

    def poll(self, job_id: str) -> RemoteJob:
        return _job(self._host.get(f"/fine-tunes/{job_id}"))

    def news(self, job_id: str, known: Set[str]) -> list[Event]:
        told = self._host.get(f"/fine-tunes/{job_id}/events").get("data") or []
        events = [_event(number, each) for number, each in enumerate(told)]
        metrics = self._host.get(f"/fine-tunes/{job_id}/metrics").get("metrics") or []
        events += [event for number, each in enumerate(metrics) if (event := _metric(number, each))]
        return [event for event in events if event.id not in known]

    def checkpoints(self, job_id: str) -> list[Checkpoint]:
        listed = self._host.get(f"/fine-tunes/{job_id}/checkpoints").get("data") or []
        found = [Checkpoint(int(each["step"]), str(each.get("object_name") or each["path"])) for each in listed]
        return sorted(found, key=lambda checkpoint: checkpoint.step)

    def pause(self, job_id: str) -> RemoteJob:
        raise PricerError(f"{self._title} cannot pause a tuning; cancel it, or let it run")

    def resume(self, job_id: str) -> RemoteJob:
        raise PricerError(f"{self._title} cannot pause a tuning, so there is none to resume")

    def cancel(self, job_id: str) -> RemoteJob:
        return _job(self._host.tell(f"/fine-tunes/{job_id}/cancel"))


_PRICED = {"training_file", "validation_file", "model", "n_epochs", "n_evals", "training_method"}


def _body(wish: Wish) -> dict:
    body = {
        "training_file": wish.training_file,
        "model": wish.model,
        "n_epochs": wish.epochs,
        "n_checkpoints": 1,
        "batch_size": wish.batch_size or "max",
        "learning_rate": LEARNING_RATE * (wish.learning_rate_multiplier or 1.0),
        "suffix": wish.suffix,
        "training_method": {"method": "sft", "train_on_inputs": False},
    }
    body |= {"random_seed": wish.seed} if wish.seed is not None else {}
    return body | ({"validation_file": wish.validation_file, "n_evals": EVALUATIONS} if wish.validation_file else {})


def _job(told: dict) -> RemoteJob:
    said = str(told.get("status") or "no word")
    state = _STATES.get(said, "unfamiliar")
    events = [each for each in told.get("events") or [] if isinstance(each, dict)]
    error = next((each.get("message") for each in reversed(events) if "error" in str(each.get("type"))), None)
    return RemoteJob(
        id=id_of(told),
        state=state,
        said=said,
        base_model=str(told.get("model") or ""),
        tuned_model=(told.get("model_output_name") or None) if state == "done" else None,
        error=error if state == "failed" else None,
        trained_tokens=told.get("token_count"),
        created_at=_moment(told.get("created_at")),
    )


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _event(number: int, told: dict) -> Event:
    total = told.get("total_steps")
    words, at = str(told.get("message") or told.get("type") or ""), _moment(told.get("created_at"))
    return Event(f"event {number}", words, at, None, int(total) if isinstance(total, int | float) and total else None)


def _metric(number: int, told: dict) -> Event | None:
    """A row of metrics: "train/loss" and "eval/loss" after "train/global_step" steps."""
    step = next((value for key, value in told.items() if key.endswith("global_step")), None)
    names = {"train/loss": TRAINING_LOSS, "eval/loss": VALIDATION_LOSS}
    figures = {name: float(told[key]) for key, name in names.items() if isinstance(told.get(key), int | float)}
    return Event(f"metric {number}", "", None, Point(float(step), UNIT, figures)) if figures and step else None
