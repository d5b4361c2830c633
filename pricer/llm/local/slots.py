"""How likely a language model thinks each whole dollar, 0 to 999, for many products at once: one pass over a batch.

A notebook lets the model write token after token and reads the price from the text. But all that the model knows of
the price is there when the prompt has been read: the chances of the next token. So a batch is read once, logits are
computed where prompts end only, and every slot's chance is read off them. Where a price is several tokens,
the beginnings of all prices are read in the same pass, behind the prompt, each seeing the prompt and the digits before
it (tree attention, as in SpecInfer; Miao et al., 2024).
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pricer import settings
from pricer.errors import PricerError
from pricer.llm.local.digits import SLOTS, PriceTree, plain_encoder, slot_chances

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

ANSWER_TOKENS = 8  # room that stays behind a prompt: a price in digits, and what a written answer adds
LONGEST_PROMPT = 4_096  # tokens, if the model could read more
SMALL = 50_000_000  # weights: below, a product is too small for several cores
_MOST_LOGITS = 1 << 28  # numbers, of one pass: 1 GB


@dataclass(frozen=True)
class Said:
    """What a model says of some items."""

    chances: np.ndarray  # float64 (items, 1000) over slots 0 to 999, rows add up to 1
    on_prices: np.ndarray  # float64 (items,): how much of the chance of all tokens lies on those of prices


def ask_slots(model: "PreTrainedModel", tree: PriceTree, prompts: Sequence[Sequence[int]], batch: int = 32) -> Said:
    """Ask for the slots' chances after each prompt (tokens, from `fit_prompt`), so many at once, the longest first.

    Prompts of like length share a batch, so little of it is padding, and what does not fit in memory fails at once.
    """
    chances, on_prices = np.zeros((len(prompts), SLOTS)), np.zeros(len(prompts))
    order = sorted(range(len(prompts)), key=lambda item: -len(prompts[item]))
    at_once = max(1, min(batch, _MOST_LOGITS // (len(tree.asked) * model.config.get_text_config().vocab_size)))
    batches = [order[start : start + at_once] for start in range(0, len(order), at_once)]

    def ask(some: list[int]) -> np.ndarray:
        return _next_tokens(model, tree, [prompts[item] for item in some])

    for some, logarithms in _side_by_side(ask, batches, model):
        chances[some], on_prices[some] = slot_chances(tree, logarithms)
    return Said(chances, on_prices)


def _side_by_side(
    ask: Callable[[list[int]], np.ndarray], batches: list[list[int]], model: "PreTrainedModel"
) -> Iterator[tuple[list[int], np.ndarray]]:
    """What is said of each batch; a small model on a processor reads one batch on each core.

    Its products are too small to be shared between cores: those would wait for one another most of the time. In 8 bit
    layers keep notes of the batch at hand, so there batches go one by one.
    """
    import torch

    small = model.device.type == "cpu" and model.num_parameters() < SMALL
    threads_before = torch.get_num_threads()
    try:
        if small:
            torch.set_num_threads(1)
        if not small or getattr(model, "is_loaded_in_8bit", False) or len(batches) < 3:
            yield from ((some, ask(some)) for some in batches)
            return
        yield batches[0], ask(batches[0])  # alone, for layers get ready in their first pass
        with ThreadPoolExecutor(settings.worker_count()) as pool:
            yield from zip(batches[1:], pool.map(ask, batches[1:]), strict=True)
    finally:
        torch.set_num_threads(threads_before)


def _next_tokens(model: "PreTrainedModel", tree: PriceTree, prompts: Sequence[Sequence[int]]) -> np.ndarray:
    """Logarithms of the chances of the nodes' tokens to come next at the nodes asked: float64 (items, asked, nodes)."""
    import torch

    with torch.inference_mode():
        logits = _at_the_ends(model, prompts) if tree.single else _at_the_branches(model, tree, prompts)
        whole = logits.float().logsumexp(-1, keepdim=True)
        tokens = torch.from_numpy(tree.tokens).clamp(min=0).to(logits.device)
        return (logits[..., tokens].float() - whole).double().cpu().numpy()


def _at_the_ends(model: "PreTrainedModel", prompts: Sequence[Sequence[int]]) -> "torch.Tensor":
    """The logits after each prompt: (items, 1, vocabulary).

    Padding stands behind the prompts, where no earlier token sees it, so attention needs no mask; logits are computed
    where prompts end alone.
    """
    import torch

    ids = torch.zeros((len(prompts), max(map(len, prompts))), dtype=torch.long)
    for row, prompt in enumerate(prompts):
        ids[row, : len(prompt)] = torch.tensor(prompt)
    ends = torch.tensor([len(prompt) - 1 for prompt in prompts])
    read = body_of(model)(input_ids=ids.to(model.device), use_cache=False).last_hidden_state
    return logits_of(model, read[torch.arange(len(prompts)), ends])[:, None]


def body_of(model: "PreTrainedModel") -> "torch.nn.Module":
    """What gives a model's hidden states, an adapter's included."""
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    return getattr(causal, causal.base_model_prefix)


def logits_of(model: "PreTrainedModel", hidden: "torch.Tensor") -> "torch.Tensor":
    """What a model says after these hidden states; some, as Gemma 2, hold their logits within bounds."""
    said = model.get_output_embeddings()(hidden)
    bound = getattr(model.config.get_text_config(), "final_logit_softcapping", None)
    return (said.float() / bound).tanh() * bound if bound else said


def _at_the_branches(model: "PreTrainedModel", tree: PriceTree, prompts: Sequence[Sequence[int]]) -> "torch.Tensor":
    """The logits after each prompt and after each beginning of a price behind it: (items, asked, vocabulary).

    Padding stands before the prompts, so that the ends of all stand in one column.
    """
    import torch

    longest, branches = max(map(len, prompts)), tree.asked[1:]
    ids = torch.zeros((len(prompts), longest + len(branches)), dtype=torch.long)
    real = torch.zeros_like(ids, dtype=torch.bool)
    for row, prompt in enumerate(prompts):
        ids[row, longest - len(prompt) : longest] = torch.tensor(prompt)
        real[row, longest - len(prompt) :] = True
    ids[:, longest:] = torch.from_numpy(tree.tokens[branches])
    positions = (real[:, :longest].cumsum(1) - 1).clamp(min=0)
    later = positions[:, -1:] + torch.from_numpy(tree.depths[branches])
    return model(
        input_ids=ids.to(model.device),
        attention_mask=_tree_mask(tree, real, longest, model.dtype).to(model.device),
        position_ids=torch.cat([positions, later], 1).to(model.device),
        logits_to_keep=len(tree.asked),
        use_cache=False,
    ).logits


def _tree_mask(tree: PriceTree, real: "torch.Tensor", longest: int, dtype: "torch.dtype") -> "torch.Tensor":
    """What is added to attention: 0 where a token sees another, and the lowest number where it does not.

    (items, 1, tokens, tokens): a token of the prompt sees those before it, a branch the prompt, its own beginnings and
    itself; nobody sees padding.
    """
    import torch

    width = real.shape[1]
    sees = torch.ones(width, width, dtype=torch.bool).tril()
    column = {int(node): longest + place for place, node in enumerate(tree.asked[1:])}
    for node, row in column.items():
        sees[row, longest:] = False
        while node in column:
            sees[row, column[node]] = True
            node = int(tree.parents[node])
    sees = sees[None, None] & real[:, None, None, :]
    return torch.zeros(sees.shape, dtype=dtype).masked_fill_(~sees, torch.finfo(dtype).min)


def fit_prompt(
    tokenizer: "PreTrainedTokenizerBase", make_prompt: Callable[[str], str], text: str, most: int
) -> list[int]:
    """The tokens of a prompt about a product, at most so many: what is too long loses the end of the product's text.

    The prompt's last words, behind which the price is asked for, are never cut. PricerError where the words around the
    text alone are too long.
    """
    return fit_prompts(tokenizer, make_prompt, [text], most)[0]


def fit_prompts(
    tokenizer: "PreTrainedTokenizerBase", make_prompt: Callable[[str], str], texts: Sequence[str], most: int
) -> list[list[int]]:
    """`fit_prompt` of many texts, which are cut into tokens together: a third of the time."""
    if not texts:
        return []
    start = _start(tokenizer)
    whole = tokenizer([make_prompt(text) for text in texts], add_special_tokens=False).input_ids
    return [
        start + tokens if len(start) + len(tokens) <= most else _shortened(tokenizer, make_prompt, text, most, start)
        for text, tokens in zip(texts, whole, strict=True)
    ]


def _shortened(
    tokenizer: "PreTrainedTokenizerBase", make_prompt: Callable[[str], str], text: str, most: int, start: list[int]
) -> list[int]:
    encode = plain_encoder(tokenizer)
    tokens, kept = start + encode(make_prompt(text)), encode(text)
    while len(tokens) > most:
        if not kept:
            raise PricerError(f"the prompt takes {len(tokens):,} tokens without a product, this model reads {most:,}")
        kept = kept[: max(0, len(kept) - (len(tokens) - most))]
        shorter = tokenizer.decode(kept, skip_special_tokens=True).rstrip("\ufffd ")
        tokens = start + encode(make_prompt(shorter))
    return tokens


def longest_prompt(model: "PreTrainedModel") -> int:
    """How many tokens a prompt may have, so that an answer still fits behind it."""
    reads = getattr(model.config.get_text_config(), "max_position_embeddings", None) or LONGEST_PROMPT
    return min(reads - ANSWER_TOKENS, LONGEST_PROMPT)


def _start(tokenizer: "PreTrainedTokenizerBase") -> list[int]:
    """The token that a tokenizer puts before every text; never one that it puts behind it."""
    first = tokenizer.bos_token_id
    return [first] if first is not None and tokenizer.encode("a")[:1] == [first] else []
