"""What a language model takes of memory in each precision, told from its configuration before a weight is read.

In 8 and 4 bit the layers' matrices are stored so; embeddings, the last layer and norms stay in the compute type. Bytes
are counted as `get_memory_footprint` of transformers does: the weights, without the scales of 4-bit blocks (3 % more)
and without what a pass needs beside them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pricer.errors import PricerError

PRECISIONS = ("4bit", "8bit", "none")
DEVICES = ("auto", "cpu", "cuda")
COMPUTE_TYPES = ("auto", "bfloat16", "float16", "float32")
PRECISION_WORDS = {"none": "as published", "8bit": "8 bit", "4bit": "4 bit"}
_HELD = {"none": "as published", "8bit": "in 8 bit", "4bit": "in 4 bit"}
BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}
TINY_PARAMETERS = 50_000_000  # fewer make a toy, and it is called so
BESIDE = 1.1  # what is held while a batch is read, over the weights
_BESIDE_BYTES = 400_000_000  # of the libraries


@dataclass(frozen=True)
class Shape:
    """How many numbers a model is made of."""

    matrices: int  # in its layers: those that 8 and 4 bit make smaller
    others: int  # embeddings, last layer, norms
    stored: str  # the type that its weights have in the files
    reads: int  # tokens at most

    @property
    def parameters(self) -> int:
        return self.matrices + self.others

    @property
    def is_tiny(self) -> bool:
        return self.parameters < TINY_PARAMETERS

    def bytes_in(self, precision: str, compute: str) -> int:
        """The bytes of the weights in a precision; `compute` is the type of what stays unquantised."""
        if precision == "none":
            return self.parameters * BYTES[compute]
        return self.matrices * (2 if precision == "8bit" else 1) // 2 + self.others * BYTES[compute]


def shape_of(config: Mapping) -> Shape:
    """The shape that the `config.json` of a Llama, Mistral, Qwen, Gemma or Phi states.

    PricerError where it is of another kind (mixtures of experts, state spaces, models that see), or was quantised.
    """
    if config.get("quantization_config"):
        raise PricerError("this model is quantised already: give the unquantised one, which is quantised as it is read")
    config = config.get("text_config") or config
    try:
        width, layers, heads = (config[name] for name in ("hidden_size", "num_hidden_layers", "num_attention_heads"))
        keys = config.get("num_key_value_heads") or heads
        head = config.get("head_dim") or width // heads
        attention = 2 * width * heads * head + 2 * width * keys * head
        layer = attention + 3 * width * config["intermediate_size"]
        vocabulary = config["vocab_size"]
    except (KeyError, TypeError, ZeroDivisionError) as error:
        raise PricerError(
            f"config.json is of no kind of model that is known here ({config.get('model_type')})"
        ) from error
    if any("expert" in name for name in config):
        raise PricerError(f"mixtures of experts ({config.get('model_type')}) are not supported; choose another base")
    embeddings = vocabulary * width * (1 if config.get("tie_word_embeddings", True) else 2)
    biases = layers * (heads + 2 * keys) * head if str(config.get("model_type")).startswith("qwen2") else 0
    stored = str(config.get("dtype") or config.get("torch_dtype") or "float32")
    return Shape(
        matrices=layers * layer,
        others=embeddings + biases + (2 * layers + 1) * width,
        stored=stored if stored in BYTES else "float32",
        reads=int(config.get("max_position_embeddings") or 2048),
    )


def footprints(shape: Shape, compute: str) -> dict[str, int]:
    """Bytes of the weights by precision; unquantised they keep the type that they are stored in.

    >>> llama = Shape(6_979_321_856, 1_050_939_392, "float32", 131_072)  # Llama 3.1 8B
    >>> {name: round(size / 1e9, 2) for name, size in footprints(llama, "bfloat16").items()}
    {'4bit': 5.59, '8bit': 9.08, 'none': 32.12}
    """
    return {name: shape.bytes_in(name, shape.stored if name == "none" else compute) for name in PRECISIONS}


def has_card() -> bool:
    """Whether this machine seems to have a graphics card of NVIDIA's, told without importing PyTorch."""
    return Path("/proc/driver/nvidia/version").exists()


def needed_bytes(weights: int) -> int:
    """The memory that a process takes to guess with so many bytes of weights."""
    return int(BESIDE * weights) + _BESIDE_BYTES


def check_memory(place: str, precision: str, sizes: Mapping[str, int], free: int) -> None:
    """PricerError where a model needs more than is free; `sizes` are the bytes of its weights by precision."""
    needed = {name: needed_bytes(size) for name, size in sizes.items()}
    if needed[precision] > free:
        raise PricerError(
            f"{place} {_HELD[precision]} needs about {needed[precision] / 1e9:.1f} GB of memory and "
            f"{free / 1e9:.1f} GB are free; {what_fits(needed, free)}"
        )


def what_fits(needed: Mapping[str, int], free: int) -> str:
    """What to do where a model does not fit: choose one of the precisions in which it would.

    >>> what_fits({"4bit": 6, "8bit": 9, "none": 16}, 10), what_fits({"4bit": 6}, 5)
    ('in 4 bit or in 8 bit it fits', 'it fits in no precision: choose a smaller base')
    """
    fitting = [_HELD[name] for name, size in needed.items() if size <= free]
    return f"{' or '.join(fitting)} it fits" if fitting else "it fits in no precision: choose a smaller base"
