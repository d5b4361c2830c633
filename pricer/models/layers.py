"""Layers of the notebooks' networks. Importing this imports torch, so `networks` does it only where it builds one."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional


class WordSum(nn.Module):
    """A linear layer over word buckets that reads sparse rows: the weights of an item's words are added up.

    The same as nn.Linear on a filled row, with the same initial weights, at the cost of the words that are there.
    """

    def __init__(self, buckets: int, width: int):
        super().__init__()
        bound = buckets**-0.5
        self.weight = nn.Parameter(torch.empty(buckets, width).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(width).uniform_(-bound, bound))

    def forward(self, buckets: torch.Tensor, starts: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """Sum up all items' words, one after the other: bucket and value of each word, and where each item starts."""
        summed = functional.embedding_bag(buckets, self.weight, starts, mode="sum", per_sample_weights=values)
        return summed + self.bias


class WordNetwork(nn.Module):
    """Layers on a WordSum, the last of one unit; gives one number an item."""

    def __init__(self, words: WordSum, layers: nn.Sequential):
        super().__init__()
        self.words = words
        self.layers = layers

    def forward(self, buckets: torch.Tensor, starts: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        return self.layers(self.words(buckets, starts, values)).squeeze(1)


class Residual(nn.Module):
    """Two layers whose outcome is added to what went in."""

    def __init__(self, width: int, dropout: float):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(width, width),
            nn.LayerNorm(width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(width, width),
            nn.LayerNorm(width),
        )

    def forward(self, items: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.layers(items) + items)


def plain_network(buckets: int, widths: tuple[int, ...]) -> WordNetwork:
    """Rectified layers of these widths, one after the other."""
    layers = [nn.ReLU()]
    for width, next_width in pairwise(widths):
        layers += [nn.Linear(width, next_width), nn.ReLU()]
    return WordNetwork(WordSum(buckets, widths[0]), nn.Sequential(*layers, nn.Linear(widths[-1], 1)))


def residual_network(buckets: int, width: int, blocks: int, dropout: float) -> WordNetwork:
    """A wide layer and residual blocks (He et al., 2016) as wide as it."""
    first = (nn.LayerNorm(width), nn.ReLU(), nn.Dropout(dropout))
    rest = (Residual(width, dropout) for _ in range(blocks))
    return WordNetwork(WordSum(buckets, width), nn.Sequential(*first, *rest, nn.Linear(width, 1)))
