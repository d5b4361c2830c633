"""Services that close: from when, as their providers have announced, and what to do instead.

OpenAI: developers.openai.com/api/docs/deprecations, notice of 7 May 2026, read in November 2026. Such dates age; what
the host itself answers goes before them.
"""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Closing:
    """What a provider has announced of its fine-tuning."""

    last_new_job: date  # the first day on which none can be started
    retired: date  # on this day the base models, and what was tuned from them, stop answering
    words: str


OPENAI = Closing(
    last_new_job=date(2027, 1, 6),
    retired=date(2027, 1, 14),
    words="OpenAI closes self-serve fine-tuning: no organisation that had never tuned can begin since May 2026, none "
    "that has asked no tuned model for 60 days since July 2026, and nobody from 6 January 2027. Its GPT-4o and GPT-4.1 "
    "models retire on 14 January 2027, and what was tuned from them with them.",
)
INSTEAD = (
    "Export the JSON lines: they are yours, and other hosts take them as they are.",
    "Tune at another host, such as Together.",
    "Tune an open-weight model here: the model qlora on the page Train.",
)
CLOSINGS = {"openai": OPENAI}  # by the adapter's name


def days_left(closing: Closing, today: date) -> int:
    """Days on which a new job can still be started; 0 once it is over."""
    return max(0, (closing.last_new_job - today).days)


def why_unavailable(code: str | None, adapter: str) -> str | None:
    """What a refusal for good means, and what to do instead; None for other refusals."""
    if code != "training_not_available":
        return None
    closed = CLOSINGS[adapter].words if adapter in CLOSINGS else "This host lets this organisation tune no more."
    return " ".join((closed, "Instead:", *INSTEAD))
