"""Fine-tuning for the tests' provider: the routes of OpenAI and Azure, and those of Together.

    with ProviderServer() as provider:
        host = add_tuning(provider)
        host.script = ["queued", "running", "running", "succeeded"]   # one state for each look at a job
        host.refusal = "training_not_available"                       # every creation is refused with it
        …tune at provider.url…
        host.creations(provider)                                      # requests that would each have cost money

A job that runs leaves three events with losses for each look. The faults of the provider apply to these routes too.
"""

import json
import time
from dataclasses import dataclass, field

from tests.provider_server import Answer, ProviderServer, Refused, Request, read_form

SCRIPT = ["queued", "running", "running", "succeeded"]
TOGETHER = {"validating_files": "pending", "succeeded": "completed", "failed": "error"}
TOTAL_STEPS = 6
MONEY = 12.5  # dollars, by Together's own estimate


@dataclass
class TuningHost:
    """The jobs of a host, the newest last, and how it behaves."""

    script: list[str] = field(default_factory=lambda: list(SCRIPT))
    tunable: set[str] = field(default_factory=lambda: {"small-1", "large-1"})
    refusal: str | None = None  # the code of a 403 for every creation
    jobs: dict[str, dict] = field(default_factory=dict)
    shows_metadata: bool = True  # Azure shows none
    estimate: float | None = MONEY
    lists_jobs: bool = True  # otherwise a new job is in no list yet

    def creations(self, provider: ProviderServer) -> int:
        ends = ("/fine_tuning/jobs", "/fine-tunes")
        with provider.lock:
            return sum(each.method == "POST" and each.path.endswith(ends) for each in provider.requests)

    def advance(self, job: dict) -> None:
        """Each look finds a job one state further; in a state that is not in the script it stays."""
        if job["status"] == "paused" or job["place"] >= len(self.script):
            return
        job["status"] = self.script[job["place"]]
        job["place"] += 1
        if job["status"] == "running":
            for _ in range(3):
                job["step"] = min(TOTAL_STEPS, job["step"] + 1)
                self.tell(job, f"Step {job['step']}/{TOTAL_STEPS}: training loss={3.0 / job['step']:.2f}", True)
        elif job["status"] == "succeeded":
            suffix = f":{job['suffix']}" if job["suffix"] else ""
            job["fine_tuned_model"] = f"ft:{job['model']}:tests{suffix}:{job['id'][-4:]}"
            job["trained_tokens"] = 12_345
            self.tell(job, "The job has successfully completed")
        elif job["status"] == "failed":
            job["error"] = {"code": "invalid_training_file", "message": "too many words of one kind", "param": None}
        else:
            self.tell(job, f"Fine-tuning job is {job['status']}")

    def tell(self, job: dict, words: str, is_metric: bool = False) -> None:
        event = {"object": "fine_tuning.job.event", "id": f"ftevent-{len(job['events']):04}", "level": "info"}
        event |= {"created_at": int(time.time()), "message": words, "type": "metrics" if is_metric else "message"}
        step = job["step"]
        losses = is_metric and {"train_loss": 3 / step, "valid_loss": 4 / step}
        losses = losses and losses | {"step": step, "total_steps": TOTAL_STEPS}
        job["events"].append(event | {"data": losses or None})


def add_tuning(provider: ProviderServer) -> TuningHost:
    """Give a provider the routes of fine-tuning."""
    host = TuningHost()
    base, job = "(?:/v1|/openai)", r"(?P<id>[^/]+)"

    def route(method: str, pattern: str, answer) -> None:
        provider.routes.append(
            (method, pattern, lambda server, request, **found: answer(server, host, request, **found))
        )

    route("POST", "/openai/files", _upload)
    route("GET", f"{base}/models/{job}", _model)
    route("POST", f"{base}/fine_tuning/jobs", _create)
    route("GET", f"{base}/fine_tuning/jobs", _list)
    route("GET", f"{base}/fine_tuning/jobs/{job}", _look)
    route("GET", f"{base}/fine_tuning/jobs/{job}/events", _events)
    route("GET", f"{base}/fine_tuning/jobs/{job}/checkpoints", _checkpoints)
    for action, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        route("POST", f"{base}/fine_tuning/jobs/{job}/{action}", _to(state, _shown))
    route("POST", "/v1/files/upload", _upload)
    route("GET", "/v1/fine-tunes/models/limits", _limits)
    route("POST", "/v1/fine-tunes/estimate-price", _estimate)
    route("POST", "/v1/fine-tunes", _create_together)
    route("GET", "/v1/fine-tunes", _list_together)
    route("GET", f"/v1/fine-tunes/{job}", _look_together)
    route("GET", f"/v1/fine-tunes/{job}/events", _events_together)
    route("GET", f"/v1/fine-tunes/{job}/metrics", _metrics_together)
    route("GET", f"/v1/fine-tunes/{job}/checkpoints", _checkpoints_together)
    route("POST", f"/v1/fine-tunes/{job}/cancel", _to("cancelled", _together))
    return host


def _found(host: TuningHost, id: str) -> dict:
    if id not in host.jobs:
        raise Refused(404, f"Could not find fine tune: {id}", "fine_tune_not_found")
    return host.jobs[id]


def _new(server: ProviderServer, host: TuningHost, asked: dict) -> dict:
    if host.refusal:
        raise Refused(403, "Fine-tuning is not available to this organization", host.refusal)
    if asked.get("model") not in host.tunable:
        raise Refused(400, f"Model {asked.get('model')} is not available for fine-tuning", "model_not_available")
    for name in ("training_file", "validation_file"):
        if name in asked and asked[name] not in server.files:
            raise Refused(400, f"File '{asked[name]}' does not exist", "invalid_file")
    rows = [json.loads(line) for line in server.files[asked["training_file"]]["content"].splitlines()]
    assert len(rows) >= 10 and all(row["messages"][-1]["role"] == "assistant" for row in rows)
    job = {"id": server.new_id("ftjob"), "model": asked["model"], "status": "validating_files", "place": 0, "step": 0}
    job |= {"created_at": int(time.time()), "suffix": asked.get("suffix", ""), "metadata": asked.get("metadata")}
    job |= {"fine_tuned_model": None, "trained_tokens": None, "error": None, "events": [], "asked": asked}
    host.jobs[job["id"]] = job
    host.tell(job, "Created fine-tuning job")
    return job


# OpenAI and Azure


def _upload(server: ProviderServer, host: TuningHost, request: Request) -> Answer:
    form = read_form(request)
    file = form["file"]
    return Answer(server.keep_file(file.get_filename() or "", "fine-tune", file.get_payload(decode=True)))


def _model(server: ProviderServer, host: TuningHost, request: Request, id: str) -> Answer:
    if id not in server.models:
        raise Refused(404, f"The model '{id}' does not exist", "model_not_found")
    facts = {"id": id, "object": "model", "created": 0, "owned_by": "tests", "shutdown_date": None}
    return Answer(facts | {"capabilities": {"fine_tune": id in host.tunable}})


def _create(server: ProviderServer, host: TuningHost, request: Request) -> Answer:
    return Answer(_shown(host, _new(server, host, request.body)))


def _shown(host: TuningHost, job: dict) -> dict:
    names = ("id", "model", "status", "created_at", "fine_tuned_model", "trained_tokens", "error")
    shown = {name: job[name] for name in names} | {"object": "fine_tuning.job", "estimated_finish": None}
    if host.shows_metadata:
        return shown | {"metadata": job["metadata"]}
    return shown | {"suffix": job["suffix"]}


def _list(server: ProviderServer, host: TuningHost, request: Request) -> Answer:
    jobs = [_shown(host, job) for job in reversed(host.jobs.values())] if host.lists_jobs else []
    return _page(jobs, request)


def _page(listed: list[dict], request: Request) -> Answer:
    limit, after = int(request.query.get("limit", ["20"])[0]), request.query.get("after", [None])[0]
    start = next((place + 1 for place, each in enumerate(listed) if each["id"] == after), 0)
    page = listed[start : start + limit]
    return Answer({"object": "list", "data": page, "has_more": start + limit < len(listed)})


def _look(server: ProviderServer, host: TuningHost, request: Request, id: str) -> Answer:
    job = _found(host, id)
    host.advance(job)
    if job["fine_tuned_model"] and job["fine_tuned_model"] not in server.models:
        server.models.append(job["fine_tuned_model"])
    return Answer(_shown(host, job))


def _events(server: ProviderServer, host: TuningHost, request: Request, id: str) -> Answer:
    return _page(_found(host, id)["events"][::-1], request)


def _checkpoints(server: ProviderServer, host: TuningHost, request: Request, id: str) -> Answer:
    job = _found(host, id)
    steps = [step for step in (2, 4, 6) if step <= job["step"]]
    listed = [
        {"id": f"ftckpt-{step}", "step_number": step, "created_at": 0, "fine_tuning_job_id": id,
         "fine_tuned_model_checkpoint": f"ft:{job['model']}:tests::{id[-4:]}:ckpt-step-{step}",
         "metrics": {"step": step, "full_valid_loss": 4.0 / step}}
        for step in reversed(steps)
    ]  # fmt: skip
    return _page(listed, request)


def _to(state: str, shown):
    """The route of an action that brings a job into a state."""

    def act(server: ProviderServer, host: TuningHost, request: Request, id: str) -> Answer:
        job = _found(host, id)
        if job["status"] in ("succeeded", "failed", "cancelled"):
            raise Refused(400, f"Job has already completed: {job['status']}", "invalid_request")
        job["status"] = state
        if state == "cancelled":
            job["place"] = len(host.script)
        return Answer(shown(host, job))

    return act


# Together


def _together(host: TuningHost, job: dict) -> dict:
    shown = {name: job[name] for name in ("id", "model", "suffix")}
    shown |= {"status": TOGETHER.get(job["status"], job["status"]), "created_at": "2026-11-21T12:00:00Z"}
    shown |= {"user_id": "tests", "model_output_name": f"tests/{job['model']}-{job['suffix']}"}
    failed = [{"type": "job_error", "message": job["error"]["message"]}] if job["error"] else []
    return shown | {"token_count": job["trained_tokens"], "events": failed}


def _limits(server: ProviderServer, host: TuningHost, request: Request) -> Answer:
    if request.query["model_name"][0] not in host.tunable:
        raise Refused(404, "model not found")
    return Answer({"model_name": request.query["model_name"][0], "max_num_epochs": 20, "max_num_evals": 100})


def _estimate(server: ProviderServer, host: TuningHost, request: Request) -> Answer:
    if host.estimate is None:
        return Answer({"estimation_available": False, "unavailable_reason": "train_file_not_validated"})
    return Answer({"estimation_available": True, "estimated_total_price": host.estimate, "allowed_to_proceed": True})


def _create_together(server: ProviderServer, host: TuningHost, request: Request) -> Answer:
    return Answer(_together(host, _new(server, host, request.body)))


def _list_together(server: ProviderServer, host: TuningHost, request: Request) -> Answer:
    return Answer({"data": [_together(host, job) for job in host.jobs.values()]})


def _look_together(server: ProviderServer, host: TuningHost, request: Request, id: str) -> Answer:
    job = _found(host, id)
    host.advance(job)
    return Answer(_together(host, job))


def _events_together(server: ProviderServer, host: TuningHost, request: Request, id: str) -> Answer:
    told = [each for each in _found(host, id)["events"] if each["type"] == "message"]
    event = {"object": "fine-tune-event", "type": "info", "total_steps": TOTAL_STEPS}
    return Answer({"data": [event | {"message": each["message"], "created_at": "2026-11-21"} for each in told]})


def _metrics_together(server: ProviderServer, host: TuningHost, request: Request, id: str) -> Answer:
    steps = range(1, _found(host, id)["step"] + 1)
    rows = [{"train/global_step": step, "train/loss": 3.0 / step, "eval/loss": 4.0 / step} for step in steps]
    return Answer({"metrics": rows})


def _checkpoints_together(server: ProviderServer, host: TuningHost, request: Request, id: str) -> Answer:
    listed = [{"step": _found(host, id)["step"], "path": "s3://tests", "checkpoint_type": "Final", "created_at": ""}]
    return Answer({"data": listed})
