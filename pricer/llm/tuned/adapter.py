"""The adapter itself: put on a base, saved as the hub has them, put back, and merged into the unquantised base."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from pricer.errors import PricerError
from pricer.files import publish, staged_beside, write_json
from pricer.items import HIGHEST_SLOT
from pricer.llm.tuned.presets import Hyperparameters

if TYPE_CHECKING:
    import torch
    from peft import PeftModel
    from transformers import PreTrainedModel

CONFIG = "adapter_config.json"
HEAD = "slot_head.safetensors"
TRAINED = "lora_"  # stands in the names of an adapter's weights


def put_adapter(base: "PreTrainedModel", tuning: Hyperparameters, seed: int) -> "PeftModel":
    """Put a new adapter on a base, which from then on stays as it is; the same seed gives the same adapter.

    PricerError where the base has not all of the layers that are to get one.
    """
    import torch
    from peft import LoraConfig, get_peft_model

    layers = {name.rpartition(".")[2] for name, _ in base.named_modules()}
    if missing := [name for name in tuning.targets if name not in layers]:
        raise PricerError(
            f"this base has no layers named {', '.join(missing)}, so not all that is wanted would learn; choose other "
            "targets, or another base"
        )
    config = LoraConfig(
        r=tuning.r,
        lora_alpha=tuning.alpha,
        lora_dropout=tuning.dropout,
        target_modules=list(tuning.targets),
        bias="none",
        task_type="CAUSAL_LM",
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = get_peft_model(base, config)
    if tuning.recompute:
        model.enable_input_require_grads()
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    return model


def load_adapter(base: "PreTrainedModel", folder: Path) -> "PeftModel":
    """Put a saved adapter on its base; PricerError where it fits another one, or its files are damaged."""
    from peft import PeftModel

    try:
        return PeftModel.from_pretrained(base, str(folder), is_trainable=False, local_files_only=True).eval()
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        first = str(error).strip().splitlines()[0][:200]
        raise PricerError(f"the adapter in {folder} does not fit its base, or is damaged: {first}") from error


def save_adapter(model: "PeftModel", folder: Path, base: str) -> None:
    """Write `adapter_model.safetensors` and its configuration, which names the base, as the hub has them."""
    model.save_pretrained(str(folder), safe_serialization=True)
    (folder / "README.md").unlink(missing_ok=True)  # a form to fill in
    written = json.loads((folder / CONFIG).read_bytes())
    write_json(folder / CONFIG, written | {"base_model_name_or_path": base})  # and not where it lies here


def new_head(model: "PreTrainedModel", numbers: "list[int] | None") -> "torch.nn.Linear":
    """A layer from the last hidden state to the 1,000 slots.

    Where each number is a token of its own it begins with what the base says of those tokens; otherwise at nothing.
    """
    import torch

    said = model.get_output_embeddings()
    head = torch.nn.Linear(said.in_features, HIGHEST_SLOT + 1, device=said.weight.device, dtype=torch.float32)
    with torch.no_grad():
        head.bias.zero_()
        head.weight.zero_()
        if numbers:
            head.weight.copy_(said.weight[torch.tensor(numbers, device=said.weight.device)].float())
    return head


def save_head(head: "torch.nn.Linear", folder: Path) -> None:
    from safetensors.torch import save_file

    save_file({name: weight.detach().cpu().contiguous() for name, weight in head.state_dict().items()}, folder / HEAD)


def load_head(folder: Path, device: "torch.device") -> "torch.nn.Linear":
    """The slot head that a folder holds; PricerError where it is damaged."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        weights = load_file(folder / HEAD)
        head = torch.nn.Linear(weights["weight"].shape[1], HIGHEST_SLOT + 1)
        head.load_state_dict(weights)
    except (OSError, SafetensorError, KeyError, IndexError, RuntimeError) as error:
        raise PricerError(f"{folder / HEAD} is damaged; tune the model again") from error
    return head.to(device)


def merge(base: "PreTrainedModel", adapter: Path, tokenizer, folder: Path) -> None:
    """Add an adapter to the weights of its unquantised base, and save that as a model of its own.

    Only ever into unquantised weights: rounding the sum to 4 bits again moves logits by 0.06 to 0.43, ten times as much
    as this does. PricerError where the folder exists.
    """
    merged = load_adapter(base, adapter).merge_and_unload()
    with staged_beside(folder.parent) as staged:
        merged.save_pretrained(staged)
        tokenizer.save_pretrained(staged)
        if not publish(staged, folder):
            raise PricerError(f"{folder} exists; name a new folder")
