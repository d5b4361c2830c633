"""What a training loop keeps in a checkpoint: weights and the optimiser's state as safetensors, the rest as JSON."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pricer.files import write_json

if TYPE_CHECKING:
    import torch

_WEIGHTS, _MOMENTS, _STATE = "weights.safetensors", "optimiser.safetensors", "state.json"


def save_weights(
    folder: Path, weights: Mapping[str, "torch.Tensor"], optimiser: "torch.optim.Optimizer", state: dict
) -> None:
    """Write weights, what the optimiser knows of them, and a state that is JSON."""
    from safetensors.torch import save_file

    save_file({name: _plain(weight) for name, weight in weights.items()}, folder / _WEIGHTS)
    moments, numbers = {}, {}
    for place, kept in optimiser.state_dict()["state"].items():
        for name, value in kept.items():
            if hasattr(value, "detach"):
                moments[f"{place}.{name}"] = _plain(value)
            elif value is not None:
                numbers[f"{place}.{name}"] = value
    save_file(moments, folder / _MOMENTS)
    write_json(folder / _STATE, {"state": state, "optimiser": numbers})


def restore_weights(folder: Path, weights: Mapping[str, "torch.Tensor"], optimiser: "torch.optim.Optimizer") -> dict:
    """Put back what `save_weights` wrote, and give the state."""
    import torch
    from safetensors.torch import load_file

    saved, written = load_file(folder / _WEIGHTS), json.loads((folder / _STATE).read_bytes())
    with torch.no_grad():
        for name, weight in weights.items():
            weight.copy_(saved[name])
    kept: dict[int, dict] = {}
    for key, value in (load_file(folder / _MOMENTS) | written["optimiser"]).items():
        place, _, name = key.partition(".")
        kept.setdefault(int(place), {})[name] = value
    if kept:
        optimiser.load_state_dict(optimiser.state_dict() | {"state": kept})
    return written["state"]


def _plain(value: "torch.Tensor") -> "torch.Tensor":
    return value.detach().cpu().contiguous()
