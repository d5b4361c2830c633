"""A fine-tuning at a host from beginning to end: files, upload, one creation, and what becomes of it.

It is a job like any other, and may be killed at any moment: `pricer.runs.tunings` knows what was begun, and where the
answer to the creation was lost, the host's list of jobs is searched for our mark before anything else is done.
"""

import gc
from collections.abc import Callable, Mapping
from contextlib import suppress

from pricer import settings
from pricer.curation.dataset import open_dataset
from pricer.errors import PricerError
from pricer.keys import wait_for_key
from pricer.llm.providers import Provider, find_provider
from pricer.llm.tuning import make_adapter
from pricer.llm.tuning.adapter import ENDED, Adapter, RemoteJob, Wish
from pricer.llm.tuning.closing import why_unavailable
from pricer.llm.tuning.host import NoAnswer, NotSent, Refused
from pricer.progress import Report, Step, silent
from pricer.runs import tunings
from pricer.runs.curves import Curves
from pricer.runs.jobs import open_job
from pricer.runs.tuning_files import Files, build_files
from pricer.runs.tuning_remote import adapter_of, find_again, note_remote
from pricer.runs.tuning_watch import Watch
from pricer.runs.tunings import UNSURE, TuneOrder, Tuning, change, open_tuning


def tune(order: TuneOrder, report: Report = silent, again: bool = False) -> Tuning:
    """Tune a model, or go on with the tuning that was started for the same wish; returns once it is over.

    `again` tunes anew, and pays anew, what was tuned before. PricerError where it cannot be started, the host refuses
    it or it fails there, and where nobody knows whether the host has a job: then a person must look.
    """
    dataset, provider = open_dataset(order.dataset), find_provider(order.provider)
    adapter = make_adapter(provider, wait_for_key(provider.key, report))
    tuning = tunings.find_same(order, dataset, again, job_id())
    if tuning is None or tuning.state == "preparing":
        files = build_files(order, dataset, provider)
        facts = {"cost_dollars": files.cost_dollars, "train_rows": files.train_rows, "train_tokens": files.train_tokens}
        tuning = tuning or tunings.begin(order, dataset, again, job_id(), **facts)

    def work() -> Tuning:
        is_new = tuning.state == "preparing"
        created = _create(tuning, files, adapter, provider, report) if is_new else tuning
        return _follow(created, adapter, provider, report)

    return _cancelled_with_its_job(tuning, work)


def follow(label: str, report: Report = silent) -> Tuning:
    """Watch a tuning until it is over: its state, its curves, its checkpoints."""
    tuning = open_tuning(label)
    if tuning.state == "preparing":
        raise PricerError(f"the tuning {tuning.mark} was not created yet; start it again, or cancel it")
    provider = find_provider(tuning.provider)
    adapter = make_adapter(provider, wait_for_key(provider.key, report))
    return _cancelled_with_its_job(tuning, lambda: _follow(tuning, adapter, provider, report))


def _follow(tuning: Tuning, adapter: Adapter, provider: Provider, report: Report) -> Tuning:
    if not tuning.is_over and job_id():
        tuning = change(tuning.id, followed_by=job_id())
    if not tuning.is_over and tuning.remote_id is None:
        tuning = find_again(tuning, adapter)
    if not tuning.is_over:
        tuning = Watch(tuning, adapter, provider, Curves(report)).until_over()
    return _ended(tuning)


def cancel_of_job(job_id: str) -> None:
    """Cancel the tuning that a job followed, should the job have been ended before it could tell the host so."""
    for tuning in tunings.list_tunings():
        if not tuning.is_over and job_id in (tuning.kept.started_by, tuning.kept.followed_by):
            cancel(tuning.id)


def _cancelled_with_its_job(tuning: Tuning, work: Callable[[], Tuning]) -> Tuning:
    """Do the work; when this job is cancelled meanwhile, the host is told. Asked to end for another reason, it is not.

    The interruption is over before the host is told: what was interrupted lives on in its frames, a database's write
    lock perhaps among it.
    """
    try:
        return work()
    except KeyboardInterrupt:
        pass
    gc.collect()
    folder = settings.job_folder()
    if folder is not None and open_job(folder.name).cancel_requested_at is not None:
        cancel(tuning.id)
    raise KeyboardInterrupt


def job_id() -> str | None:
    """The job that this process is an attempt at; one that goes on from another's checkpoints counts as that one."""
    folder = settings.checkpoints_folder()
    return folder.parent.name if folder and settings.job_folder() else None


# Creating


def _create(tuning: Tuning, files: Files, adapter: Adapter, provider: Provider, report: Report) -> Tuning:
    ids = dict(tuning.kept.files)
    for number, (part, content) in enumerate(files.contents.items()):
        if part not in ids:
            report(Step(f"Uploading to {provider.title}", number, "files", number / len(files.contents)))
            ids[part] = adapter.upload(f"pricer-{tuning.mark}-{part}.jsonl", content)
            tuning = change(tuning.id, files=ids)
    wish = make_wish(tuning, ids, adapter)
    with suppress(PricerError):  # a price that the host does not tell stops nothing
        price = adapter.estimate(wish)
        if price is not None:
            tuning = change(tuning.id, cost_dollars=price)
    try:
        files.check_price(tuning.kept.cost_dollars)
    except PricerError as error:
        tunings.settle(tuning.id, ("preparing",), "failed", str(error))
        raise
    report(Step(f"Creating the job at {provider.title}", 0, "steps"))
    if not tunings.claim_creation(tuning.id):
        return open_tuning(tuning.id)  # another process has, or someone has cancelled it
    try:
        return note_remote(tuning, adapter.create(wish))
    except (Refused, NotSent) as error:
        gone = why_unavailable(error.code if isinstance(error, Refused) else None, provider.tunes or "")
        why = f"{error}. {gone}" if gone else str(error)
        tunings.settle(tuning.id, UNSURE, "failed", why)
        raise PricerError(why) from None
    except NoAnswer:
        return find_again(open_tuning(tuning.id), adapter)


def make_wish(tuning: Tuning, files: Mapping[str, str], adapter: Adapter) -> Wish:
    order = tuning.order
    return Wish(
        model=order.model,
        training_file=files["train"],
        validation_file=files.get("validation"),
        mark=tuning.mark,
        suffix=f"{order.suffix[: adapter.longest_suffix - 9]}-{tuning.mark}",
        epochs=order.epochs,
        batch_size=order.batch_size,
        learning_rate_multiplier=order.learning_rate_multiplier,
        seed=order.seed,
        wandb_project=order.wandb if adapter.takes_wandb else None,
    )


def _ended(tuning: Tuning) -> Tuning:
    if tuning.state == "failed":
        raise PricerError(f"the tuning {tuning.mark} failed: {tuning.kept.why or 'its host gives no reason'}")
    return tuning


# What a person may do


def check(label: str) -> Tuning:
    """Look once at what has become of a tuning, and write it down; PricerError where nobody knows."""
    tuning = open_tuning(label)
    if tuning.is_over or tuning.state == "preparing":
        return tuning
    adapter, provider = adapter_of(tuning)
    if tuning.remote_id is None:
        tuning = find_again(tuning, adapter, (0.0,))
    return Watch(tuning, adapter, provider, Curves(silent)).look()


def cancel(label: str) -> Tuning:
    """Cancel a tuning at its host; one that is over stays as it is. What the host trained until then may be paid."""
    tuning = open_tuning(label)
    tuning = tunings.settle(tuning.id, ("preparing",), "cancelled", "cancelled before anything was created")
    if tuning.is_over:
        return tuning
    tuning = change(tuning.id, is_to_cancel=True)  # whoever looks next tells the host, should we not get that far
    adapter, _ = adapter_of(tuning)
    if tuning.remote_id is None:
        tuning = find_again(tuning, adapter, (0.0,))
    try:
        remote = adapter.cancel(tuning.remote_id)
    except Refused:
        remote = adapter.poll(tuning.remote_id)
        if remote.state not in ENDED:
            raise
    return _noted(tuning, remote)


def pause(label: str) -> Tuning:
    """Pause a tuning; PricerError where its host cannot, or it does not run."""
    tuning, adapter = _at_host(label)
    return _noted(tuning, adapter.pause(tuning.remote_id))


def resume(label: str) -> Tuning:
    tuning, adapter = _at_host(label)
    return _noted(tuning, adapter.resume(tuning.remote_id))


def adopt(remote_id: str, label: str | None = None) -> Tuning:
    """Say which remote job an unclear tuning is; the job is looked at first. PricerError where it is another's."""
    unclear = [each for each in tunings.list_tunings() if each.remote_id is None and each.state in UNSURE]
    if label is None and len(unclear) != 1:
        named = ", ".join(each.mark for each in unclear) or "none is unclear"
        raise PricerError(f"say which tuning {remote_id} is, with --tuning: {named}")
    tuning = open_tuning(label) if label else unclear[0]
    if tuning.state not in UNSURE:
        raise PricerError(f"the tuning {tuning.mark} is {tuning.state}, so there is nothing to adopt")
    adapter, _ = adapter_of(tuning)
    remote = adapter.poll(remote_id)
    if remote.base_model and not remote.base_model.startswith(tuning.base_model):
        raise PricerError(f"{remote_id} tunes {remote.base_model}, and this tuning is of {tuning.base_model}")
    return note_remote(tuning, remote)


def drop(label: str) -> Tuning:
    """Say that the host has no job for an unclear tuning, so that the same can be started anew."""
    tuning = open_tuning(label)
    if tuning.remote_id or tuning.state not in UNSURE:
        raise PricerError(f"the tuning {tuning.mark} is {tuning.state}; only one that is unclear can be dropped")
    return tunings.settle(tuning.id, UNSURE, "failed", "dropped: somebody looked, and the host has no job for it")


def _at_host(label: str) -> tuple[Tuning, Adapter]:
    tuning = open_tuning(label)
    if tuning.remote_id is None or tuning.is_over:
        raise PricerError(f"the tuning {tuning.mark} is {tuning.state}, so there is nothing to pause or resume")
    return tuning, adapter_of(tuning)[0]


def _noted(tuning: Tuning, remote: RemoteJob) -> Tuning:
    return change(tuning.id, state=remote.state, said=remote.said)
