"""What can be said of the tuned language model without importing it: its settings, and what tuning will take."""

from collections.abc import Mapping

import psutil

from pricer.errors import PricerError
from pricer.llm.local.bases import TINY
from pricer.llm.local.frames import FRAMES
from pricer.llm.local.memory import PRECISIONS, what_fits
from pricer.llm.tuned.arithmetic import LIBRARIES_BYTES, LIBRARIES_SECONDS, plan
from pricer.llm.tuned.presets import AS_PRESET, FROM_NONE, NUMBERS, PRESETS, TARGETS, hyperparameters_of
from pricer.models.contract import Estimate, ModelKind, Setting
from pricer.models.open_weight_kind import BASE, DEVICE, FRAME_TOKENS, REVISION, on_card
from pricer.models.open_weight_kind import seconds_to_ask as base_seconds


def estimate(train_items: int, **settings: int | float | str) -> Estimate:
    """About what tuning takes here, on two cores or a graphics card; 0 bytes where nothing is known of the base.

    On a card little of the machine's own memory is taken. A dry run measures both.
    """
    base, precision = str(settings.get("base", TINY)), str(settings.get("precision", "4bit"))
    tuning, revision = hyperparameters_of(settings), str(settings.get("revision", ""))
    try:
        plans = {name: plan(base, name, tuning, train_items, revision=revision) for name in PRECISIONS}
    except PricerError:
        return Estimate(LIBRARIES_SECONDS, 0)
    planned = plans[precision]
    if on_card(settings):
        return Estimate(planned.seconds_on("A100"), LIBRARIES_BYTES)
    needed = {name: each.bytes for name, each in plans.items()}
    return Estimate(planned.seconds, planned.bytes, what_fits(needed, psutil.virtual_memory().available))


def seconds_to_ask(items: int, tokens: float, **settings: int | float | str) -> float:
    """As that of the base, of texts that are cut to the tuning's length."""
    return base_seconds(items, min(tokens, hyperparameters_of(settings).length - FRAME_TOKENS), **settings)


def left_open(settings: Mapping[str, int | float | str]) -> dict[str, str]:
    """What numbers come to that are left to the preset."""
    tuning = PRESETS[str(settings.get("preset", "modest"))]
    return {name: f"{getattr(tuning, name):g}" for name in (*NUMBERS, *FROM_NONE)}


QLORA = ModelKind(
    name="qlora",
    title="Tuned language model",
    family="open-weight",
    reads="text",
    explanation="A language model with open weights, tuned on train by a small adapter beside its layers (QLoRA).",
    place="pricer.models.qlora:QLoRA",
    settings=(
        BASE,
        REVISION,
        DEVICE,
        Setting("precision", "4bit", choices=("4bit", "8bit", "none"), explanation="How the base is held."),
        Setting("preset", "modest", choices=tuple(PRESETS), explanation="What all below is, where it says preset."),
        Setting(
            "head",
            "tokens",
            choices=("tokens", "slots"),
            explanation="The base's own number tokens, or a new "
            "layer over the 1,000 dollars, which any tokenizer allows.",
        ),
        Setting(
            "prompt",
            AS_PRESET,
            choices=(AS_PRESET, *FRAMES),
            explanation="The words around the text.",
            unset=AS_PRESET,
        ),
        Setting(
            "length", 0, 0, 8192, "Tokens of a row; a longer text loses its end, never the price.", unset=AS_PRESET
        ),
        Setting("r", 0, 0, 1024, "Rank of the adapter: how many directions it can learn.", unset=AS_PRESET),
        Setting("alpha", 0, 0, 4096, "What the adapter says is multiplied by alpha / r.", unset=AS_PRESET),
        Setting("dropout", -1.0, -1.0, 0.9, "Share of what an adapter reads that is left out.", unset=AS_PRESET),
        Setting(
            "targets",
            AS_PRESET,
            choices=(AS_PRESET, *TARGETS),
            explanation="Which layers get an adapter.",
            unset=AS_PRESET,
        ),
        Setting("learning_rate", 0.0, 0.0, 1.0, "Of AdamW at its highest.", unset=AS_PRESET),
        Setting(
            "schedule",
            AS_PRESET,
            choices=(AS_PRESET, "cosine", "linear", "constant"),
            explanation="How the learning rate falls.",
            unset=AS_PRESET,
        ),
        Setting("warmup", -1.0, -1.0, 1.0, "Share of the steps over which it rises.", unset=AS_PRESET),
        Setting("batch", 0, 0, 4096, "Rows at once; the dry run tells what fits.", unset=AS_PRESET),
        Setting("accumulation", 0, 0, 4096, "Batches to a step.", unset=AS_PRESET),
        Setting("epochs", 0, 0, 100, "How often train is gone through.", unset=AS_PRESET),
        Setting("most_steps", 0, 0, 10_000_000, "Stop after so many steps.", unset="all"),
        Setting(
            "optimiser",
            AS_PRESET,
            choices=(AS_PRESET, "adamw", "paged-adamw-32bit", "paged-adamw-8bit"),
            explanation="The paged ones run on graphics cards only; elsewhere AdamW takes their place.",
            unset=AS_PRESET,
        ),
        Setting("weight_decay", -1.0, -1.0, 1.0, "How strongly weights are drawn to zero.", unset=AS_PRESET),
        Setting("validated", 0, 0, 5000, "Items of validation that are guessed now and then.", unset=AS_PRESET),
        Setting("packing", 0, 0, 131_072, "Tokens of a sequence that holds several rows.", unset="none"),
        Setting(
            "recompute",
            AS_PRESET,
            choices=(AS_PRESET, "no", "yes"),
            explanation="Activations are computed again on the way back: less memory, a third more time.",
            unset=AS_PRESET,
        ),
    ),
    estimate=estimate,
    left_open=left_open,
    seconds_to_ask=seconds_to_ask,
)
