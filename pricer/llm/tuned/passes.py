"""One pass through a model with its adapter: what it says where prices stand, and how far that is from the prices."""

from typing import TYPE_CHECKING

from pricer.llm.local.slots import body_of, logits_of
from pricer.llm.tuned.rows import Batch

if TYPE_CHECKING:
    import torch
    from peft import PeftModel


def hidden_states(model: "PeftModel", batch: Batch) -> "torch.Tensor":
    """The last hidden states where the tokens to learn are foretold: (targets, width)."""
    device = model.device
    mask = batch.mask.to(device)
    said = body_of(model)(
        input_ids=batch.ids.to(device),
        attention_mask=mask.to(model.dtype) if mask.dtype.is_floating_point else mask,
        position_ids=batch.positions.to(device),
        use_cache=False,
    )
    return said.last_hidden_state[batch.sequence.to(device), batch.place.to(device)]


def summed_loss(model: "PeftModel", head: "torch.nn.Linear | None", batch: Batch) -> "torch.Tensor":
    """The summed loss of a batch: of its prices' tokens, or with a slot head of its rows' slots.

    Logits are computed only where a price stands; for a vocabulary of 128,256 that saves most of the memory.
    """
    from torch.nn.functional import cross_entropy

    hidden = hidden_states(model, batch)
    if head is not None:
        said = head(hidden[batch.first.to(hidden.device)].float())
        return cross_entropy(said, batch.slots.to(said.device), reduction="sum")
    said = logits_of(model, hidden).float()
    return cross_entropy(said, batch.target.to(said.device), reduction="sum")


def count_of(head: "torch.nn.Linear | None", batch: Batch) -> int:
    """How many losses `summed_loss` adds up."""
    return len(batch.target) if head is None else len(batch.slots)
