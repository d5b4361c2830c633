"""What can be said of an open-weight language model without importing it: its settings, and what it will take."""

from pricer.llm.local.bases import TINY, known_base
from pricer.llm.local.frames import FRAMES
from pricer.llm.local.memory import COMPUTE_TYPES, DEVICES, PRECISIONS, has_card, needed_bytes
from pricer.models.contract import Estimate, ModelKind, Setting

_START_SECONDS = 12.0  # until the libraries are imported
_BYTES_PER_SECOND = 0.3e9  # of weights, from disk into memory


def estimate(train_items: int, **settings: int | float | str) -> Estimate:
    """What loading takes; nothing is learned, so it does not go with the items. 0 bytes before it was looked at.

    On a graphics card the weights pass through little memory of the machine.
    """
    base = known_base(str(settings.get("base", TINY)), str(settings.get("revision", "")))
    if base is None:
        return Estimate(_START_SECONDS, 0)
    precision, compute = str(settings.get("precision", "4bit")), str(settings.get("compute", "auto"))
    stored = base.shape.stored if precision == "none" else "bfloat16"
    size = base.shape.bytes_in(precision, stored if compute == "auto" else compute)
    on_card = settings.get("device", "auto") != "cpu" and has_card()
    return Estimate(_START_SECONDS + size / _BYTES_PER_SECOND, needed_bytes(0 if on_card else size))


BASE = Setting("base", TINY, explanation="tiny-llama (made here), a folder, or OWNER/NAME of the hub.")
REVISION = Setting("revision", "", explanation="Branch, tag or commit of a base on the hub.", unset="the newest")

OPEN_WEIGHT = ModelKind(
    name="open-weight",
    title="Language model, as it is",
    family="open-weight",
    reads="text",
    explanation="A language model with open weights that runs here: how likely it thinks each dollar, in one pass.",
    place="pricer.models.open_weight:OpenWeight",
    settings=(
        BASE,
        REVISION,
        Setting(
            "precision", "4bit", choices=PRECISIONS, explanation="How its weights are held: as published, or less."
        ),
        Setting(
            "prompt",
            "notebook-2",
            choices=FRAMES,
            explanation="The words around the text; a chat's for instructed models.",
        ),
        Setting(
            "adapter",
            "",
            explanation="What was tuned for this base: a folder, or OWNER/NAME[@REVISION] of the hub.",
            unset="none",
        ),
        Setting("batch", 16, 1, 1024, "Products that are read at once."),
        Setting("device", "auto", choices=DEVICES, explanation="auto takes a graphics card where there is one."),
        Setting("compute", "auto", choices=COMPUTE_TYPES, explanation="The type of what is not quantised."),
    ),
    estimate=estimate,
    learns=False,
)
