"""The 1,000 prices as paths of tokens: one token each with Llama 3's tokenizer, one token a digit with others.

A number counts as written when its tokens are, and none follows that would make another of the 1,000 numbers of it:

    chance(12) = p(1) · p(2 | 1) · (1 − p(0 | 12) − … − p(9 | 12))

where each digit is a token, and chance(12) = p(12) where no token makes a longer number of 12. What follows three
digits is not looked at. These chances add up to that of beginning with a number at all; `slot_chances` divides by it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pricer.errors import PricerError
from pricer.items import HIGHEST_SLOT
from pricer.llm.prompts import PRICE_LINE

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SLOTS = HIGHEST_SLOT + 1  # with slot 0
_ROOT = 0


@dataclass(frozen=True)
class PriceTree:
    """All beginnings of the 1,000 numbers: node 0 is the empty one, each other adds a token to an earlier node."""

    tokens: np.ndarray  # int64 (nodes,), -1 for the first
    parents: np.ndarray  # int64 (nodes,), -1 for the first
    depths: np.ndarray  # int64 (nodes,): how many tokens
    node_of_slot: np.ndarray  # int64 (1000,)
    asked: np.ndarray  # int64: the nodes that others follow, which a model must be asked for; the first is node 0

    @property
    def single(self) -> bool:
        """Whether every number is one token, so that the end of the prompt says all."""
        return len(self.asked) == 1

    def path(self, slot: int) -> list[int]:
        """The tokens of a slot's number."""
        node, path = self.node_of_slot[slot], []
        while node != _ROOT:
            path.append(int(self.tokens[node]))
            node = self.parents[node]
        return path[::-1]


def price_tree(tokenizer: "PreTrainedTokenizerBase") -> PriceTree:
    """How a tokenizer writes 0 to 999 after "Price is $".

    PricerError where it joins the dollar sign to a number, so that a prompt cannot end there.
    """
    encode = plain_encoder(tokenizer)
    start = encode(PRICE_LINE)
    written = [encode(f"{PRICE_LINE}{slot}") for slot in range(SLOTS)]
    if any(tokens[: len(start)] != start or len(tokens) == len(start) for tokens in written):
        raise PricerError(
            f"the tokenizer of this model joins the dollar sign of {PRICE_LINE!r} to the number that follows, so its "
            "prices cannot be asked for; choose another base model"
        )
    return tree_of([tokens[len(start) :] for tokens in written])


def tree_of(paths: Sequence[Sequence[int]]) -> PriceTree:
    """The tree of the token paths of slots 0 to 999; PricerError where two are the same."""
    nodes: dict[tuple[int, ...], int] = {(): _ROOT}
    for depth in range(1, max(map(len, paths)) + 1):  # so that nodes of one depth stand together
        for path in paths:
            if len(path) >= depth:
                nodes.setdefault(tuple(path[:depth]), len(nodes))
    places = [nodes[tuple(path)] for path in paths]
    if len(set(places)) < len(places):
        raise PricerError("the tokenizer of this model writes two prices alike; choose another base model")
    parents = np.array([nodes[path[:-1]] if path else -1 for path in nodes])
    return PriceTree(
        tokens=np.array([path[-1] if path else -1 for path in nodes]),
        parents=parents,
        depths=np.array([len(path) for path in nodes]),
        node_of_slot=np.array(places),
        asked=np.unique(parents[1:]),
    )


def slot_chances(tree: PriceTree, logarithms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The chance of each slot, and that of any, from the logarithms of the next token's chances at the nodes asked.

    `logarithms` is float64 (items, asked, nodes): at a node asked, for the token of each node; those of nodes that do
    not follow it are not read. Gives float64 (items, 1000), rows add up to 1; and float64 (items,), 0 to 1.
    """
    items = len(logarithms)
    place = {int(node): number for number, node in enumerate(tree.asked)}
    reached = np.zeros((items, len(tree.tokens)))  # logarithm of the chance of writing a node's tokens
    goes_on = np.zeros((items, len(tree.tokens)))  # chance that another node follows
    for depth in range(1, int(tree.depths.max()) + 1):
        nodes = np.flatnonzero(tree.depths == depth)
        parents = tree.parents[nodes]
        steps = logarithms[:, [place[int(parent)] for parent in parents], nodes]
        reached[:, nodes] = reached[:, parents] + steps
        np.add.at(goes_on, (slice(None), parents), np.exp(steps))
    nodes = tree.node_of_slot
    likeliest = reached[:, nodes].max(axis=1, keepdims=True)
    written = np.exp(reached[:, nodes] - likeliest) * np.maximum(1 - goes_on[:, nodes], 0)
    total = written.sum(axis=1, keepdims=True)
    return written / total, (total * np.exp(likeliest))[:, 0]


def plain_encoder(tokenizer: "PreTrainedTokenizerBase") -> Callable[[str], list[int]]:
    """Text to tokens, without those that a tokenizer puts around it."""
    return lambda text: tokenizer.encode(text, add_special_tokens=False)
