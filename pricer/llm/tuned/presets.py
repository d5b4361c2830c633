"""Everything that decides how an adapter is tuned, and the notebooks' choices of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
EVERY_LAYER = (*ATTENTION, "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True)
class Hyperparameters:
    """How an adapter is tuned (LoRA, Hu et al., 2021; on a quantised base QLoRA, Dettmers et al., 2023)."""

    prompt: str  # a name in `pricer.llm.local.frames.FRAMES`
    length: int  # tokens of a row, the price included; a longer text loses its end, never the price
    r: int  # rank of the adapter's matrices
    alpha: int  # what the adapter says is multiplied by alpha / r
    dropout: float
    targets: tuple[str, ...]  # names of the layers that get an adapter
    learning_rate: float
    schedule: Literal["cosine", "linear", "constant"]
    warmup: float  # share of the steps over which the learning rate rises
    batch: int  # rows at once
    accumulation: int  # batches to a step
    epochs: int
    optimiser: Literal["adamw", "paged-adamw-32bit", "paged-adamw-8bit"]
    weight_decay: float
    longest_gradient: float  # a longer one is shortened to this
    validated: int  # items of validation that are guessed now and then
    packing: int = 0  # tokens of a sequence that holds several rows; 0: each row is a sequence
    recompute: bool = False  # activations are computed again on the way back: less memory, a third more time
    head: Literal["tokens", "slots"] = "tokens"
    most_steps: int = 0  # 0: as many as the epochs have

    @property
    def rows_per_step(self) -> int:
        return self.batch * self.accumulation

    def steps(self, rows: int) -> int:
        """How many steps it takes on so many rows; the last of an epoch may be a smaller one."""
        steps = self.epochs * -(-rows // self.rows_per_step)
        return min(steps, self.most_steps) if self.most_steps else steps


# The notebooks' values; what a notebook leaves to its library has the library's default of its time.
PRESETS: dict[str, Hyperparameters] = {
    "modest": Hyperparameters(
        prompt="notebook-2",
        length=256,
        r=8,
        alpha=16,
        dropout=0.0,
        targets=EVERY_LAYER,
        learning_rate=1e-3,
        schedule="cosine",
        warmup=0.03,
        batch=16,
        accumulation=1,
        epochs=1,
        optimiser="adamw",
        weight_decay=0.001,
        longest_gradient=1.0,
        validated=200,
    ),
    "first-edition": Hyperparameters(
        prompt="notebook-1",
        length=182,
        r=32,
        alpha=64,
        dropout=0.1,
        targets=ATTENTION,
        learning_rate=1e-4,
        schedule="cosine",
        warmup=0.03,
        batch=4,
        accumulation=1,
        epochs=1,
        optimiser="paged-adamw-32bit",
        weight_decay=0.001,
        longest_gradient=0.3,
        validated=500,
    ),
    "second-edition-lite": Hyperparameters(
        prompt="notebook-2",
        length=128,
        r=32,
        alpha=64,
        dropout=0.1,
        targets=ATTENTION,
        learning_rate=1e-4,
        schedule="cosine",
        warmup=0.01,
        batch=32,
        accumulation=1,
        epochs=1,
        optimiser="paged-adamw-32bit",
        weight_decay=0.001,
        longest_gradient=0.3,
        validated=500,
        recompute=True,
    ),
    "second-edition-full": Hyperparameters(
        prompt="notebook-2",
        length=128,
        r=256,
        alpha=512,
        dropout=0.1,
        targets=EVERY_LAYER,
        learning_rate=1e-4,
        schedule="cosine",
        warmup=0.01,
        batch=256,
        accumulation=1,
        epochs=3,
        optimiser="paged-adamw-32bit",
        weight_decay=0.001,
        longest_gradient=0.3,
        validated=1000,
        recompute=True,
    ),
}


AS_PRESET = "preset"  # a choice that is left to the preset; a number is, where it is 0 (-1 where 0 means something)
TARGETS = {"attention": ATTENTION, "every-layer": EVERY_LAYER}
NUMBERS = ("length", "r", "alpha", "learning_rate", "batch", "accumulation", "epochs", "validated")
FROM_NONE = ("dropout", "warmup", "weight_decay")  # numbers of which 0 is a value
_CHOICES = ("prompt", "schedule", "optimiser")


def hyperparameters_of(settings: Mapping[str, int | float | str]) -> Hyperparameters:
    """The preset that settings name, with what they state besides.

    >>> hyperparameters_of({"preset": "second-edition-lite"}).r
    32
    >>> hyperparameters_of({"preset": "second-edition-lite", "r": 16}).r
    16
    """
    tuning = PRESETS[settings.get("preset", "modest")]
    stated = {name: settings[name] for name in NUMBERS if settings.get(name)}
    stated |= {name: settings[name] for name in FROM_NONE if settings.get(name, -1) >= 0}
    stated |= {name: settings[name] for name in _CHOICES if settings.get(name, AS_PRESET) != AS_PRESET}
    if settings.get("targets", AS_PRESET) != AS_PRESET:
        stated["targets"] = TARGETS[settings["targets"]]
    if settings.get("recompute", AS_PRESET) != AS_PRESET:
        stated["recompute"] = settings["recompute"] == "yes"
    return replace(
        tuning,
        **stated,
        packing=settings.get("packing", 0),
        head=settings.get("head", "tokens"),
        most_steps=settings.get("most_steps", 0),
    )
