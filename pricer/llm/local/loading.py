"""Loading a base model, one at a time: from a folder or the hub, as published or in 8 or 4 bit.

Only files of numbers are read (safetensors), and no code that comes with a model is run.
"""

import gc
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from pricer.errors import PricerError
from pricer.llm.local.bases import download, look_at, titled
from pricer.llm.local.memory import (
    COMPUTE_TYPES,
    DEVICES,
    PRECISION_WORDS,
    PRECISIONS,
    check_memory,
    footprints,
)
from pricer.progress import Report, Step, silent

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass
class Loaded:
    """A language model in memory; `release` gives the memory back."""

    model: "PreTrainedModel | None"
    tokenizer: "PreTrainedTokenizerBase | None"
    place: str
    revision: str
    precision: str
    device: str  # "cpu" or "cuda"
    compute: str  # the type that it computes in
    bytes_estimated: int
    bytes_measured: int
    is_tiny: bool

    @property
    def in_words(self) -> str:
        size = (
            f"{self.bytes_measured / 1e9:,.2f} GB"
            if self.bytes_measured >= 1e8
            else f"{self.bytes_measured / 1e6:,.1f} MB"
        )
        name, held_as = titled(self.place, self.is_tiny), PRECISION_WORDS[self.precision]
        return f"{name}, {held_as}, {self.compute}, {size} on {self.device}"


_held: Loaded | None = None


def load_base(
    place: str,
    precision: str = "none",
    device: str = "auto",
    revision: str = "",
    compute: str = "auto",
    report: Report = silent,
) -> Loaded:
    """Load a base model, for asking or for tuning; one that is loaded already is released first.

    `place` is "tiny-llama", a folder, or OWNER/NAME of the hub. PricerError where it is not there, access is not
    granted, it takes more memory or disk than is free, or the device is not there: all of it before any download.
    """
    global _held
    device = choose_device(device)
    compute_of_base = choose_compute(device, compute)
    base = look_at(place, revision)
    stored = base.shape.stored if precision == "none" and compute == "auto" else compute_of_base
    same = (base.place, base.revision, precision, device, stored)
    if _held and _held.model is not None:
        if same == (_held.place, _held.revision, _held.precision, _held.device, _held.compute):
            return _held
        release(_held)
    expected = base.shape.bytes_in(precision, stored)
    check_memory(place, precision, footprints(base.shape, compute_of_base) | {precision: expected}, free_bytes(device))
    folder = download(base, report)
    report(Step(f"Loading {base.title}", 0, "bytes"))
    model = _read(folder, precision, device, stored)
    tokenizer = _tokenizer(folder)
    measured = model.get_memory_footprint()
    _held = Loaded(
        model, tokenizer, base.place, base.revision, precision, device, stored, expected, measured, base.shape.is_tiny
    )
    return _held


def release(loaded: Loaded) -> None:
    """Give the memory of a model back; it can be asked nothing afterwards."""
    global _held
    loaded.model = loaded.tokenizer = None
    if _held is loaded:
        _held = None
    gc.collect()
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def held() -> Loaded | None:
    """The model that this process holds."""
    return _held


def choose_device(wanted: str = "auto") -> str:
    """ "cuda" or "cpu": what is wanted, or a graphics card where there is one; PricerError where it is not there."""
    import torch

    if wanted not in DEVICES:
        raise PricerError(f"a device is {', '.join(DEVICES)}, got {wanted!r}")
    has_card = torch.cuda.is_available()
    if wanted == "cuda" and not has_card:
        raise PricerError("there is no graphics card that PyTorch can use here: choose the device auto or cpu")
    return "cuda" if has_card and wanted != "cpu" else "cpu"


def choose_compute(device: str, wanted: str = "auto") -> str:
    """The type to compute in: bfloat16 where the device has it, else float16 on cards and float32 on processors."""
    import torch

    if wanted not in COMPUTE_TYPES:
        raise PricerError(f"a compute type is {', '.join(COMPUTE_TYPES)}, got {wanted!r}")
    if wanted != "auto":
        return wanted
    if device == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float16"
    return "bfloat16" if torch.cpu._is_avx512_bf16_supported() else "float32"


def free_bytes(device: str) -> int:
    """Memory that is free on a device."""
    if device == "cpu":
        return psutil.virtual_memory().available
    import torch

    return torch.cuda.mem_get_info()[0]


def _read(folder: Path, precision: str, device: str, compute: str) -> "PreTrainedModel":
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    try:
        model = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=getattr(torch, compute),
            device_map={"": device},
            quantization_config=quantisation(precision, compute),
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
        )
    except torch.cuda.OutOfMemoryError as error:
        raise PricerError(
            "the graphics card has no more memory: choose a lower precision or a smaller model"
        ) from error
    except (OSError, ValueError, RuntimeError) as error:
        raise PricerError(f"{folder} cannot be loaded as a language model ({_line(error)})") from error
    mend_quantised(model)
    return model.eval()


def _line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 300 else f"{text[:300]} …"


def quantisation(precision: str, compute: str):
    """What bitsandbytes is asked for: None, LLM.int8 (Dettmers et al., 2022) or nf4 with double quantisation (2023)."""
    import torch
    from transformers import BitsAndBytesConfig

    if precision not in PRECISIONS:
        raise PricerError(f"a precision is {', '.join(PRECISIONS)}, got {precision!r}")
    if precision == "none":
        return None
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # one line for every product otherwise
    if precision == "8bit":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=getattr(torch, compute),
    )


def mend_quantised(model: "torch.nn.Module") -> None:
    """Keep 4-bit layers in the form that gradients go through.

    On processors with AVX512-BF16 bitsandbytes 0.50 repacks them at the first pass of an evaluation, and later training
    goes through a product without gradients of its own: they come out wrong, and only a warning says so.
    """
    import bitsandbytes as bnb

    for module in model.modules():
        if isinstance(module, bnb.nn.Linear4bit):
            module.support_avx512bf16_for_cpu = False


def _tokenizer(folder: Path) -> "PreTrainedTokenizerBase":
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise PricerError(f"{folder} has no tokenizer that can be loaded ({_line(error)})") from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.padding_side = "right"
    return tokenizer
