"""What an adapter is tuned on: prompts with their prices as tokens, in an order that a seed decides, in batches.

Only the price is learned: "56.00" and the token that ends a text. A prompt in training is token by token what the model
is asked later, and a price is never cut.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pricer.items import HIGHEST_SLOT
from pricer.llm.local.digits import plain_encoder
from pricer.llm.local.frames import answer_of, frame_of
from pricer.llm.local.slots import fit_prompts
from pricer.llm.tuned.presets import Hyperparameters

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

_SORTED_TOGETHER = 50  # batches' worth of rows, of which like lengths are put together


@dataclass(frozen=True)
class Row:
    """One item: the tokens of its prompt, and those of its price, the end of the text included."""

    prompt: list[int]
    answer: list[int]
    slot: int  # its price in whole dollars

    def __len__(self) -> int:
        return len(self.prompt) + len(self.answer)


@dataclass(frozen=True)
class Batch:
    """Rows laid out for one pass."""

    ids: "torch.Tensor"  # int64 (sequences, tokens)
    mask: "torch.Tensor"  # bool (sequences, tokens), or float (sequences, 1, tokens, tokens) added to attention
    positions: "torch.Tensor"  # int64 (sequences, tokens)
    sequence: "torch.Tensor"  # int64 (targets,): where each token to learn is foretold, and which it is
    place: "torch.Tensor"
    target: "torch.Tensor"
    first: "torch.Tensor"  # bool (targets,): the first token of a price
    slots: "torch.Tensor"  # int64 (rows,)
    tokens: int  # without padding


def make_rows(
    tokenizer: "PreTrainedTokenizerBase", texts: Sequence[str], prices: Sequence[float], tuning: Hyperparameters
) -> list[Row]:
    """Products' texts and prices as rows of at most the tuning's length.

    PricerError where the prompt alone is longer.
    """
    encode, end = plain_encoder(tokenizer), tokenizer.eos_token_id
    return [
        Row(prompt, [*answer_tokens(encode, answer_of(price)), end], min(round(price), HIGHEST_SLOT))
        for prompt, price in zip(asked_prompts(tokenizer, texts, tuning), prices, strict=True)
    ]


def asked_prompts(
    tokenizer: "PreTrainedTokenizerBase", texts: Sequence[str], tuning: Hyperparameters
) -> list[list[int]]:
    """Texts as they are learned and as they are asked later: with room behind them for the longest price and an end."""
    room = len(answer_tokens(plain_encoder(tokenizer), answer_of(HIGHEST_SLOT))) + 1
    return fit_prompts(tokenizer, frame_of(tokenizer, tuning.prompt), texts, tuning.length - room)


def answer_tokens(encode, answer: str) -> list[int]:
    """The tokens of an answer as they stand behind a dollar sign, where some tokenizers put no space before them."""
    sign = encode("$")
    whole = encode(f"${answer}")
    return whole[len(sign) :] if whole[: len(sign)] == sign else encode(answer)


def order_rows(lengths: np.ndarray, tuning: Hyperparameters, seed: int, epoch: int) -> list[np.ndarray]:
    """The batches of one epoch, as places of rows: drawn from the seed, rows of like length together.

    So little is padding, as with the notebooks' `group_by_length`. The same at every attempt.
    """
    draws = np.random.default_rng([seed, epoch])
    order = draws.permutation(len(lengths))
    window = _SORTED_TOGETHER * tuning.batch
    for start in range(0, len(order), window):
        some = order[start : start + window]
        order[start : start + window] = some[np.argsort(-lengths[some], kind="stable")]
    batches = [order[start : start + tuning.batch] for start in range(0, len(order), tuning.batch)]
    return [batches[place] for place in draws.permutation(len(batches))]


def steps_of(lengths: np.ndarray, tuning: Hyperparameters, seed: int, first: int = 0) -> Iterator[list[np.ndarray]]:
    """The batches of each step, from step `first` to the last."""
    per_epoch = -(-len(lengths) // tuning.rows_per_step)
    for step in range(first, tuning.steps(len(lengths))):
        epoch, within = divmod(step, per_epoch)
        if step == first or not within:
            batches = order_rows(lengths, tuning, seed, epoch)
        yield batches[within * tuning.accumulation : (within + 1) * tuning.accumulation]


def lay_out(rows: Sequence[Row], packing: int = 0) -> Batch:
    """Rows as tensors: one to a sequence with padding behind, or packed, each seeing itself alone.

    Packing changes the layout and nothing else: the same rows are learned in a step.
    """
    import torch

    sequences = _pack(rows, packing) if packing else [[row] for row in rows]
    width = max(sum(map(len, sequence)) for sequence in sequences)
    ids = torch.zeros((len(sequences), width), dtype=torch.long)
    positions, owner = torch.zeros_like(ids), torch.full_like(ids, -1)
    found: list[tuple[int, int, int, bool]] = []
    for number, sequence in enumerate(sequences):
        start = 0
        for each, row in enumerate(sequence):
            end = start + len(row)
            ids[number, start:end] = torch.tensor(row.prompt + row.answer)
            positions[number, start:end] = torch.arange(len(row))
            owner[number, start:end] = each
            before = start + len(row.prompt) - 1
            found += [(number, before + place, token, place == 0) for place, token in enumerate(row.answer)]
            start = end
    sequence, place, target, first = (torch.tensor(column) for column in zip(*found, strict=True))
    mask = _own_row_only(owner) if packing else owner >= 0
    slots = torch.tensor([row.slot for sequence in sequences for row in sequence])
    return Batch(ids, mask, positions, sequence, place, target, first, slots, int((owner >= 0).sum()))


def _pack(rows: Sequence[Row], packing: int) -> list[list[Row]]:
    """Rows dealt to as few sequences of at most so many tokens as first fit, the longest first, finds."""
    sequences: list[list[Row]] = []
    room: list[int] = []
    for row in sorted(rows, key=len, reverse=True):
        place = next((place for place, left in enumerate(room) if left >= len(row)), None)
        if place is None:
            sequences.append([])
            room.append(packing)
            place = -1
        sequences[place].append(row)
        room[place] -= len(row)
    return sequences


def _own_row_only(owner: "torch.Tensor") -> "torch.Tensor":
    """What is added to attention so that a token sees those before it in its own row, and itself."""
    import torch

    width = owner.shape[1]
    sees = (owner[:, :, None] == owner[:, None, :]) & torch.ones(width, width, dtype=torch.bool).tril()
    return torch.zeros(sees.shape).masked_fill_(~sees, torch.finfo(torch.float32).min)[:, None]
