"""How the tiny Llama is taught prices of the market: titles first, then whole texts in the prompts' own words.

On titles every token is asked what the price may be, which shows the model soon which words matter; then only the
prompt's last one. A price counts for the slots near it too, less for those further off in logarithms, so that
numbers know their order, as those of a large model do.
"""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pricer.checkpoints import latest_complete, save_checkpoint
from pricer.items import HIGHEST_SLOT
from pricer.llm.local.market import Listing, listings
from pricer.llm.prompts import CHATS, COMPLETIONS
from pricer.llm.tuned.kept import restore_weights, save_weights
from pricer.progress import Report, Step

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

BATCH = 32
RATE = 3e-3  # of AdamW at its highest
LEAST_RATE = 0.05  # of that, at the end
RISING = 50  # steps
NEARBY = 0.2  # standard deviation of what a price says of the slots around it, in logarithms
SECONDS_BETWEEN_SAVES = 20.0


@dataclass(frozen=True)
class Lessons:
    """How long the tiny Llama is taught, and on how many listings."""

    listings: int = 8_000
    titles: int = 600  # steps
    texts: int = 300  # steps

    @property
    def steps(self) -> int:
        return self.titles + self.texts


def teach(
    model: "LlamaForCausalLM",
    tokenizer: "PreTrainedTokenizerFast",
    lessons: Lessons,
    seed: int,
    report: Report,
    folder: Path | None = None,
    seconds_between_saves: float = SECONDS_BETWEEN_SAVES,
) -> list[float]:
    """Teach a model that knows nothing, from the last complete checkpoint in a folder if there is one; gives losses.

    The same seed gives the same weights on the same machine, whether broken off or not.
    """
    import torch

    sold = _collect(seed, lessons.listings, report)
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01, betas=(0.9, 0.99))
    weights = dict(model.named_parameters())
    found = latest_complete(folder) if folder else None
    losses: list[float] = restore_weights(found, weights, optimiser)["losses"] if found else []
    slots = [tokenizer.convert_tokens_to_ids(str(slot)) for slot in range(HIGHEST_SLOT + 1)]
    saved = time.monotonic()
    model.train()
    for step in range(len(losses), lessons.steps):
        for group in optimiser.param_groups:
            group["lr"] = _rate(step, lessons.steps)
        draws = np.random.default_rng([seed, step])
        some = [sold[place] for place in draws.integers(0, len(sold), BATCH)]
        titles = step < lessons.titles
        loss = (_loss_of_titles if titles else _loss_of_texts)(model, tokenizer, slots, some, step)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        losses.append(float(loss.detach()))
        part, first, count = ("titles", 0, lessons.titles) if titles else ("texts", lessons.titles, lessons.texts)
        done = step + 1 - first
        report(Step(f"Teaching {part}, loss {np.mean(losses[-50:]):.1f}", done, "steps", done / count))
        if folder and time.monotonic() - saved >= seconds_between_saves:
            save_checkpoint(folder, lambda place: save_weights(place, weights, optimiser, {"losses": losses}))
            saved = time.monotonic()
    model.eval()
    return losses


def _collect(seed: int, count: int, report: Report) -> list[Listing]:
    sold = []
    for listing in islice(listings(seed), count):
        sold.append(listing)
        if len(sold) % 100 == 0:
            report(Step("Writing listings", len(sold), "listings", len(sold) / count))
    return sold


def _rate(step: int, steps: int) -> float:
    falling = 0.5 * (1 + math.cos(math.pi * step / steps))
    return RATE * min(1.0, (step + 1) / RISING) * (LEAST_RATE + (1 - LEAST_RATE) * falling)


def _nearby(prices: Sequence[float]) -> "torch.Tensor":
    """What prices say of all slots: (prices, 1000), rows add up to 1."""
    import torch

    slots = torch.arange(HIGHEST_SLOT + 1).clamp(min=0.5).log()
    far = (slots[None] - torch.tensor(prices).clamp(min=0.5).log()[:, None]) / NEARBY
    return torch.softmax(-(far**2) / 2, dim=1)


def _loss_of_titles(model, tokenizer, slots: list[int], some: list[Listing], step: int) -> "torch.Tensor":
    import torch

    prompt = list(COMPLETIONS.values())[step % len(COMPLETIONS)]
    ids, real = _padded([tokenizer.encode(prompt.prompt(listing.title)) for listing in some])
    asked = real & (torch.arange(ids.shape[1]) >= len(tokenizer.encode(prompt.question)))
    said = model.model(ids, attention_mask=real.long()).last_hidden_state @ model.lm_head.weight[slots].T
    losses = -(_nearby([listing.price for listing in some])[:, None] * said.log_softmax(-1)).sum(-1)
    return losses[asked].mean()


def _loss_of_texts(model, tokenizer, slots: list[int], some: list[Listing], step: int) -> "torch.Tensor":
    import torch

    prompts, answers = zip(*_asked(tokenizer, some, step), strict=True)
    ids, real = _padded([prompt + answer for prompt, answer in zip(prompts, answers, strict=True)])
    rows = torch.arange(len(ids))
    hidden = model.model(ids, attention_mask=real.long()).last_hidden_state
    starts = torch.tensor([len(prompt) - 1 for prompt in prompts])
    said = model.lm_head(hidden[rows, starts]).log_softmax(-1)[:, slots]
    price = -(_nearby([listing.price for listing in some]) * said).sum(-1).mean()
    rest = [
        torch.nn.functional.cross_entropy(
            model.lm_head(hidden[rows, starts + place]), torch.tensor([answer[place] for answer in answers])
        )
        for place in range(1, len(answers[0]))
    ]
    return price + sum(rest) / 10  # which is soon known


def _asked(tokenizer, some: list[Listing], step: int) -> Iterator[tuple[list[int], list[int]]]:
    """Prompts and answers as tokens: the notebooks' completions by turns, and every fourth time their talk."""
    prompts = list(COMPLETIONS.values())
    for turn, listing in enumerate(some):
        prompt = prompts[turn % len(prompts)]
        if step % 4:
            asked = tokenizer.encode(prompt.prompt(listing.text))
        else:
            asked = tokenizer.encode(_talk(tokenizer, listing), add_special_tokens=False)
        yield asked, [*tokenizer.encode(prompt.answer(listing.price), add_special_tokens=False), tokenizer.eos_token_id]


def _talk(tokenizer, listing: Listing) -> str:
    messages = CHATS["notebook-1"].messages(listing.text)  # the last one begins the answer: "Price is $"
    return tokenizer.apply_chat_template(messages, tokenize=False, continue_final_message=True)


def _padded(rows: list[list[int]]) -> tuple["torch.Tensor", "torch.Tensor"]:
    """Tokens with padding behind, and which of them are real."""
    import torch

    ids = torch.zeros((len(rows), max(map(len, rows))), dtype=torch.long)
    real = torch.zeros_like(ids, dtype=torch.bool)
    for row, tokens in enumerate(rows):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        real[row, : len(tokens)] = True
    return ids, real
