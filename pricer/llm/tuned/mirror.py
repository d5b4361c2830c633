"""A tuning's losses told to Weights & Biases too, where its key is set and its package is installed.

Pricer does not need it: what cannot be told there is said once, and the tuning goes on.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from pricer import settings
from pricer.keys import find_key
from pricer.llm.wire import redacted
from pricer.progress import Report, Step

KEY = "WANDB_API_KEY"
PROJECT = "pricer"
SECONDS_TO_REACH = 30.0


@contextmanager
def mirrored(report: Report, name: str, facts: dict) -> Iterator[Report]:
    """A report that passes every point of the fit on, as the run `name` of Weights & Biases with these facts.

    A tuning that goes on after it was killed goes on in the same run. Without a key it is the report itself.
    """
    key = find_key(KEY)
    if key is None:
        yield report
        return
    try:
        import wandb
    except ImportError:
        report(Step(f"{KEY} is set, but its package is not installed: pip install wandb", 0, "steps"))
        yield report
        return
    folder = settings.job_folder() or settings.cache_folder()
    try:
        run = wandb.init(
            project=PROJECT, id=name, resume="allow", config=facts, dir=folder,
            settings=wandb.Settings(
                api_key=key.text.get_secret_value(), silent=True, console="off", init_timeout=SECONDS_TO_REACH,
                finish_timeout=SECONDS_TO_REACH, finish_timeout_raises=False, x_disable_meta=True, disable_git=True,
            ),
        )  # fmt: skip
    except wandb.Error as error:
        report(Step(f"Weights & Biases: {redacted(str(error), key)}", 0, "steps"))
        yield report
        return

    def told(step: Step) -> None:
        report(step)
        if step.point:
            run.log(dict(step.point.figures), step=round(step.point.at))

    try:
        yield told
    finally:
        run.finish()
