"""What can be said of an open-weight language model without importing it: its settings, and what it will take."""

from collections.abc import Mapping

import psutil

from pricer.llm.local.bases import TINY, known_base
from pricer.llm.local.frames import FRAMES
from pricer.llm.local.memory import COMPUTE_TYPES, DEVICES, PRECISIONS, footprints, has_card, needed_bytes, what_fits
from pricer.llm.tuned.arithmetic import CARDS_FLOPS, CORES_FLOPS
from pricer.models.contract import Estimate, ModelKind, Setting

_START_SECONDS = 12.0  # until the libraries are imported
_BYTES_PER_SECOND = 0.3e9  # of weights, from disk into memory
FRAME_TOKENS = 20  # of the words around a text


def estimate(train_items: int, **settings: int | float | str) -> Estimate:
    """What loading takes; nothing is learned, so it does not go with the items. 0 bytes before it was looked at.

    On a graphics card the weights pass through little memory of the machine.
    """
    base = known_base(str(settings.get("base", TINY)), str(settings.get("revision", "")))
    if base is None:
        return Estimate(_START_SECONDS, 0)
    precision, compute = str(settings.get("precision", "4bit")), str(settings.get("compute", "auto"))
    sizes = footprints(base.shape, "bfloat16" if compute == "auto" else compute)
    if precision == "none" and compute != "auto":
        sizes["none"] = base.shape.bytes_in("none", compute)
    seconds = _START_SECONDS + sizes[precision] / _BYTES_PER_SECOND
    if on_card(settings):
        return Estimate(seconds, needed_bytes(0))
    needed = {name: needed_bytes(size) for name, size in sizes.items()}
    return Estimate(seconds, needed[precision], what_fits(needed, psutil.virtual_memory().available))


def seconds_to_ask(items: int, tokens: float, **settings: int | float | str) -> float:
    """About how long a base reads so many items of so many tokens, here; 0 before it was looked at."""
    base = known_base(str(settings.get("base", TINY)), str(settings.get("revision", "")))
    if base is None:
        return 0.0
    flops = 2 * base.shape.matrices * items * (tokens + FRAME_TOKENS)
    return flops / (CARDS_FLOPS["A100"] if on_card(settings) else CORES_FLOPS)


def on_card(settings: Mapping[str, int | float | str]) -> bool:
    """Whether a model with these settings goes to a graphics card."""
    return settings.get("device", "auto") != "cpu" and has_card()


BASE = Setting("base", TINY, explanation="tiny-llama (made here), a folder, or OWNER/NAME of the hub.")
REVISION = Setting("revision", "", explanation="Branch, tag or commit of a base on the hub.", unset="the newest")
DEVICE = Setting("device", "auto", choices=DEVICES, explanation="auto takes a graphics card where there is one.")

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
        DEVICE,
        Setting("compute", "auto", choices=COMPUTE_TYPES, explanation="The type of what is not quantised."),
    ),
    estimate=estimate,
    learns=False,
    seconds_to_ask=seconds_to_ask,
)
