"""The remote job of a fine-tuning: at which host it is, and how it is found again where its creation had no answer."""

import time

from pricer.errors import PricerError
from pricer.keys import need_key
from pricer.llm.providers import Provider, find_provider
from pricer.llm.tuning import make_adapter
from pricer.llm.tuning.adapter import Adapter, RemoteJob
from pricer.runs import tunings
from pricer.runs.tunings import UNSURE, Tuning, open_tuning

LOOKS = (0.0, 1.0, 3.0, 6.0)  # seconds between looks for a job whose answer was lost: a list may lag behind


def adapter_of(tuning: Tuning) -> tuple[Adapter, Provider]:
    """An adapter to the host of a tuning; PricerError where its key is missing."""
    provider = find_provider(tuning.provider)
    return make_adapter(provider, need_key(provider.key)), provider


def find_again(tuning: Tuning, adapter: Adapter, looks: tuple[float, ...] | None = None) -> Tuning:
    """Search the host for the job of a tuning whose creation has no answer; never creates one.

    PricerError, and the state unknown, where it is not found: it may still be there, so a person must look.
    """
    why = "the host shows no job with its mark"
    for seconds in LOOKS if looks is None else looks:
        time.sleep(seconds)
        tuning = open_tuning(tuning.id)
        if tuning.remote_id or tuning.state not in UNSURE:
            return tuning
        try:
            found = adapter.find(tuning.mark)
        except PricerError as error:
            why = str(error)
            continue
        if found:
            return note_remote(tuning, min(found, key=lambda job: (job.state in ("failed", "cancelled"), job.id)))
    tuning = tunings.settle(tuning.id, UNSURE, "unknown", why)
    if tuning.state != "unknown":
        return tuning
    raise PricerError(
        f"nobody knows whether {tuning.provider} has begun tuning {tuning.mark} ({why}); nothing is created a second "
        f"time. Look at the host's own page, then: python -m pricer tune adopt REMOTE_ID --tuning {tuning.mark}, or, "
        f"if no job is there, tune drop {tuning.mark}, and start it anew; tune check {tuning.mark} looks again"
    )


def note_remote(tuning: Tuning, remote: RemoteJob) -> Tuning:
    return tunings.adopt_remote(tuning.id, remote.id, remote.state, remote.said)
