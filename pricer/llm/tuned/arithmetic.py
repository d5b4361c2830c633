"""What tuning will take, told from a base's configuration before anything is loaded: weights, steps, memory, time.

    plan("meta-llama/Llama-3.2-3B", "4bit", PRESETS["second-edition-lite"], 20_000)

Weights and steps are exact. Memory and time are about right at best: a dry run measures them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from pricer.errors import PricerError
from pricer.llm.local.bases import TINY, known_base
from pricer.llm.local.memory import Shape, footprints, shape_of
from pricer.llm.tuned.presets import Hyperparameters

ADAPTER_BYTES = 16  # of each weight that is learned: itself, its gradient, and two moments, in float32
LIBRARIES_BYTES = 700_000_000
LIBRARIES_SECONDS = 15.0
# Products a second that count, times two: of two cores at the tiny Llama's widths, measured; of a card a third of its
# dense bfloat16 peak, as is usual.
CORES_FLOPS = 1e10
CARDS_FLOPS = {"T4": 65e12 / 4, "A100": 312e12 / 3}


def _config(width: int, layers: int, heads: int, keys: int, inner: int, vocabulary: int, tied: bool) -> dict:
    return {
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": keys,
        "head_dim": 128 if width > 2048 else 64 if width > 256 else 32,
        "intermediate_size": inner,
        "vocab_size": vocabulary,
        "tie_word_embeddings": tied,
        "dtype": "bfloat16" if width > 256 else "float32",
        "model_type": "llama",
    }


# Of bases that were never looked at here, from their published config.json.
KNOWN: dict[str, dict] = {
    TINY: _config(96, 3, 3, 1, 288, 4096, True),
    "meta-llama/Llama-3.2-1B": _config(2048, 16, 32, 8, 8192, 128_256, True),
    "meta-llama/Llama-3.2-3B": _config(3072, 28, 24, 8, 8192, 128_256, True),
    "meta-llama/Llama-3.1-8B": _config(4096, 32, 32, 8, 14_336, 128_256, False),
    "meta-llama/Meta-Llama-3.1-8B": _config(4096, 32, 32, 8, 14_336, 128_256, False),
    "mistralai/Mistral-7B-v0.3": _config(4096, 32, 32, 8, 14_336, 32_768, False),
}


@dataclass(frozen=True)
class Plan:
    """What tuning will take."""

    shape: Shape
    trained_parameters: int
    steps: int
    base_bytes: int
    adapter_bytes: int  # with gradients and moments
    activation_bytes: int
    flops: float  # of all steps

    @property
    def bytes(self) -> int:
        return self.base_bytes + self.adapter_bytes + self.activation_bytes + LIBRARIES_BYTES

    @property
    def seconds(self) -> float:
        """On two cores, reading of libraries included."""
        return LIBRARIES_SECONDS + self.flops / CORES_FLOPS

    def seconds_on(self, card: str) -> float:
        return LIBRARIES_SECONDS + self.flops / CARDS_FLOPS[card]


def plan(
    place: str,
    precision: str,
    tuning: Hyperparameters,
    train_items: int,
    validation_items: int = 5_000,
    revision: str = "",
) -> Plan:
    """What tuning a base, in the newest or the stated revision, on so many items will take.

    PricerError where nothing is known of the base, or its layers are of another kind.
    """
    config = config_of(place, revision)
    shape, steps = shape_of(config), tuning.steps(train_items)
    compute = "bfloat16" if shape.stored != "float32" else "float32"
    tokens = tuning.rows_per_step * tuning.length
    trained = trained_parameters(config, tuning)
    # Forward and back through what stays as it is; recomputing goes forward once more. The adapter is learned besides.
    passes = (6 if tuning.recompute else 4) * shape.matrices + 6 * trained
    asked = 11 * min(tuning.validated, validation_items) * tuning.length  # of validation, now and then
    return Plan(
        shape,
        trained,
        steps,
        footprints(shape, "bfloat16")[precision],
        ADAPTER_BYTES * trained,
        _activations(config, tuning, 4 if compute == "float32" else 2),
        float(steps * tokens * passes + asked * 4 * shape.matrices),
    )


def config_of(place: str, revision: str = "") -> Mapping:
    """A base's configuration, as it was last looked at or as it is published; PricerError where nothing is known."""
    if base := known_base(place, revision):
        return json.loads(base.configuration.read_bytes())
    if place in KNOWN:
        return KNOWN[place]
    stated = f" --revision={revision}" if revision else ""
    raise PricerError(f"nothing is known of {place!r} yet; look at it first: python -m pricer base {place}{stated}")


def trained_parameters(config: Mapping, tuning: Hyperparameters) -> int:
    """How many weights are learned: r for each input and output of a target, and a slot head's.

    >>> from pricer.llm.tuned.presets import PRESETS
    >>> trained_parameters(KNOWN["meta-llama/Llama-3.2-3B"], PRESETS["second-edition-lite"])
    18350080
    """
    config = config.get("text_config") or config
    if str(config.get("model_type")).startswith("phi3"):
        raise PricerError("Phi-3 joins q_proj, k_proj and v_proj to one layer, so it is not tuned; choose another base")
    sizes = _sizes(config)
    adapter = config["num_hidden_layers"] * tuning.r * sum(sum(sizes[name]) for name in tuning.targets)
    return adapter + (1000 * (config["hidden_size"] + 1) if tuning.head == "slots" else 0)


def _sizes(config: Mapping) -> dict[str, tuple[int, int]]:
    width, inner, heads = config["hidden_size"], config["intermediate_size"], config["num_attention_heads"]
    head = config.get("head_dim") or width // heads
    keys = (config.get("num_key_value_heads") or heads) * head
    return {
        "q_proj": (width, heads * head),
        "k_proj": (width, keys),
        "v_proj": (width, keys),
        "o_proj": (heads * head, width),
        "gate_proj": (width, inner),
        "up_proj": (width, inner),
        "down_proj": (inner, width),
    }


def _activations(config: Mapping, tuning: Hyperparameters, number_bytes: int) -> int:
    """What a pass keeps for the way back: of each token and layer what its products and norms read (about 12 widths and
    4 inner ones), or with recomputing one width, and all of a single layer."""
    config = config.get("text_config") or config
    layer = 12 * config["hidden_size"] + 4 * config["intermediate_size"]
    layers = config["num_hidden_layers"]
    per_token = layers * config["hidden_size"] + layer if tuning.recompute else layers * layer
    logits = 3 * 4 * tuning.batch * config["vocab_size"] * 4  # three tokens of a row, in float32, four times
    return tuning.batch * tuning.length * per_token * number_bytes + logits
