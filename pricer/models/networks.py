"""The second notebook's neural networks on hashed words: a small one, and a deep residual one."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import polars as pl

from pricer import settings
from pricer.models.saving import SavedArrays, make_saved, save_model
from pricer.models.tables import mean_error, texts_of, train_prices
from pricer.progress import TRAINING_LOSS, VALIDATION_ERROR, VALIDATION_LOSS, Point, Report, Step, silent

if TYPE_CHECKING:
    import torch
    from scipy.sparse import csr_matrix

    from pricer.models.layers import WordNetwork

WORD_BUCKETS = 5000
BATCH = 64
# Guesses are made this many items at a time, the last ones filled up: what a matrix product gives for one row may
# depend on how many rows there are, and an item must be guessed alone as among others.
GUESSED_AT_ONCE = 32
POINTS = 100  # of the training loss, in a fit
VALIDATED = 1000  # items of validation that are guessed after each epoch
SHARED_WEIGHTS = 10_000_000  # with fewer, threads wait for each other longer than they help
HIGHEST_LOG = 30.0  # whatever a network says, a guess is finite


class _Network:
    """What both networks share: hashed words in, sparse to the last, and one number out.

    Fitted on the graphics card where there is one, asked on the processor. From one seed the same machine gives the
    same guesses; beyond ten million weights, if it lends as many threads.
    """

    name: str
    epochs: int
    seed: int
    clipped_gradient: ClassVar[float | None] = None

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame | None = None, report: Report = silent) -> Self:
        import torch

        prices = train_prices(train)
        report(Step("Counting words", len(train), "items"))
        words = _hashed_words(texts_of(train, "text"))
        targets = torch.from_numpy(self._targets(prices).astype(np.float32))
        with repeatable(self.seed, threads=1 if self._weight_count() < SHARED_WEIGHTS else settings.worker_count()):
            self.network_ = self._build()
            device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
            self.network_.to(device)
            self._train(words, targets.to(device), validation, report)
            self.network_.to("cpu").eval()
        return self

    def _train(
        self, words: "csr_matrix", targets: "torch.Tensor", validation: pl.DataFrame | None, report: Report
    ) -> None:
        import torch

        optimiser, schedule = self._optimiser()
        found = ""
        steps = -(-len(targets) // BATCH)
        between = max(1, self.epochs * steps // POINTS)
        total = told = 0.0  # the loss since the last point
        for epoch in range(self.epochs):
            self.network_.train()
            order = torch.randperm(len(targets)).numpy()
            for step, start in enumerate(range(0, len(order), BATCH), 1):
                rows = order[start : start + BATCH]
                loss = self._loss(self._ask(words[rows]), targets[torch.from_numpy(rows)])
                optimiser.zero_grad()
                loss.backward()
                if self.clipped_gradient:
                    torch.nn.utils.clip_grad_norm_(self.network_.parameters(), self.clipped_gradient)
                optimiser.step()
                total, told = total + loss.detach(), told + 1
                point = None
                if told == between:
                    point = Point(epoch + step / steps, "epochs", {TRAINING_LOSS: float(total / told)})
                    total = told = 0.0
                seen = epoch * len(order) + min(start + BATCH, len(order))
                report(Step("Fitting", seen, "items", seen / (self.epochs * len(order)), point))
            if schedule:
                schedule.step()
            if validation is not None and len(validation):
                figures = self._validate(validation)
                found = f", validation error ${figures[VALIDATION_ERROR]:,.2f}"
                point = Point(epoch + 1, "epochs", figures)
                report(Step("Fitting", (epoch + 1) * len(order), "items", (epoch + 1) / self.epochs, point))
        report(Step(f"Learned{found}", len(targets), "items", 1.0))

    def _validate(self, validation: pl.DataFrame) -> dict[str, float]:
        """The loss and the error in dollars on the first items of validation."""
        import torch

        self.network_.eval()
        asked = validation[:VALIDATED]
        said, prices = self._say(asked), asked["price"].to_numpy()
        loss = self._loss(torch.from_numpy(said), torch.from_numpy(self._scaled(prices).astype(np.float32)))
        return {VALIDATION_LOSS: float(loss), VALIDATION_ERROR: mean_error(self._dollars(said), prices)}

    def _weight_count(self) -> int:
        return sum(math.prod(shape) for shape in self._shapes().values())

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each array of weights by its name; none is made."""
        import torch

        with torch.device("meta"):
            return {name: tuple(weight.shape) for name, weight in self._build().state_dict().items()}

    def _ask(self, words: "csr_matrix") -> "torch.Tensor":
        """What the network says of a few items' words: (items,), on the device where the network is."""
        import torch

        device = next(self.network_.parameters()).device
        parts = (words.indices.astype(np.int64), words.indptr[:-1].astype(np.int64), words.data)
        return self.network_(*(torch.from_numpy(part).to(device) for part in parts))

    def predict(self, items: pl.DataFrame) -> np.ndarray:
        return np.maximum(self._dollars(self._say(items)), 0.0)

    def _say(self, items: pl.DataFrame) -> np.ndarray:
        """What the network says of items, before that is dollars: float64 (items,)."""
        import torch

        texts = texts_of(items, "text")
        said = [np.zeros(0, dtype=np.float32)]
        with torch.inference_mode():
            for start in range(0, len(texts), GUESSED_AT_ONCE):
                some = texts[start : start + GUESSED_AT_ONCE]
                filled = some + [""] * (GUESSED_AT_ONCE - len(some))
                said.append(self._ask(_hashed_words(filled)).cpu().numpy()[: len(some)])
        return np.concatenate(said).astype(np.float64)

    def save(self, folder: Path) -> None:
        weights = {name: weight.numpy() for name, weight in self.network_.state_dict().items()}
        save_model(self, folder, weights | self._scale())

    @classmethod
    def load(cls, folder: Path) -> Self:
        import torch

        model, arrays = make_saved(folder, cls.name), SavedArrays(folder)
        weights = {
            name: torch.from_numpy(arrays.take(name, np.float32, shape)) for name, shape in model._shapes().items()
        }
        with torch.device("meta"):
            model.network_ = model._build()
        model.network_.load_state_dict(weights, assign=True)
        model.network_.eval()
        model._take_scale(arrays)
        return model


class Network(_Network):
    """Eight layers of rectified units on hashed words, with squared error on the price in dollars.

    As in the second notebook: 128 units, then six times 64, Adam at 0.001, batches of 64, two epochs (669,249 weights).
    The notebook kept 1 % of train for validation; here validation is a part of its own, and train is used whole.
    """

    name = "network"

    def __init__(self, epochs: int = 2, seed: int = 42):
        self.epochs = epochs
        self.seed = seed

    def _build(self) -> "WordNetwork":
        from pricer.models.layers import plain_network

        return plain_network(WORD_BUCKETS, (128, *[64] * 6))

    def _optimiser(self) -> tuple["torch.optim.Optimizer", None]:
        import torch

        return torch.optim.Adam(self.network_.parameters(), lr=0.001), None

    def _loss(self, said: "torch.Tensor", targets: "torch.Tensor") -> "torch.Tensor":
        return (said - targets).square().mean()

    def _targets(self, prices: np.ndarray) -> np.ndarray:
        return prices

    def _scaled(self, prices: np.ndarray) -> np.ndarray:
        return prices

    def _dollars(self, said: np.ndarray) -> np.ndarray:
        return said

    def _scale(self) -> dict[str, float]:
        return {}

    def _take_scale(self, arrays: SavedArrays) -> None:
        pass


class DeepNetwork(_Network):
    """A wide layer and residual blocks on hashed words, with absolute error on the standardised logarithm of 1 + price.

    As in the second notebook: 4,096 units, eight blocks of two layers with layer normalisation, dropout 0.2, AdamW at
    0.001 with weight decay 0.01 along a cosine over ten epochs of which five are run, gradients clipped to length 1,
    batches of 64 (289,128,449 weights).
    """

    name = "deep-network"

    def __init__(self, width: int = 4096, blocks: int = 8, epochs: int = 5, seed: int = 42):
        self.width = width
        self.blocks = blocks
        self.epochs = epochs
        self.seed = seed

    def _build(self) -> "WordNetwork":
        from pricer.models.layers import residual_network

        return residual_network(WORD_BUCKETS, self.width, self.blocks, dropout=0.2)

    def _optimiser(self) -> tuple["torch.optim.Optimizer", "torch.optim.lr_scheduler.LRScheduler"]:
        import torch

        optimiser = torch.optim.AdamW(self.network_.parameters(), lr=0.001, weight_decay=0.01)
        return optimiser, torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=10)

    def _loss(self, said: "torch.Tensor", targets: "torch.Tensor") -> "torch.Tensor":
        return (said - targets).abs().mean()

    def _targets(self, prices: np.ndarray) -> np.ndarray:
        logs = np.log1p(prices)
        self.log_mean_, self.log_deviation_ = float(logs.mean()), float(logs.std())
        return self._scaled(prices)

    def _scaled(self, prices: np.ndarray) -> np.ndarray:
        return (np.log1p(prices) - self.log_mean_) / (self.log_deviation_ or 1.0)

    def _dollars(self, said: np.ndarray) -> np.ndarray:
        return np.expm1(np.minimum(said * self.log_deviation_ + self.log_mean_, HIGHEST_LOG))

    def _scale(self) -> dict[str, float]:
        return {"log_mean": self.log_mean_, "log_deviation": self.log_deviation_}

    def _take_scale(self, arrays: SavedArrays) -> None:
        self.log_mean_, self.log_deviation_ = arrays.number("log_mean"), arrays.number("log_deviation")


def _hashed_words(texts: list[str]) -> "csr_matrix":
    """Which of 5,000 buckets each text's words fall in: float32 (texts, buckets), rows of length 1."""
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(n_features=WORD_BUCKETS, stop_words="english", binary=True, dtype=np.float32).transform(
        texts
    )


@contextmanager
def repeatable(seed: int, threads: int) -> Iterator[None]:
    """Draw from the seed, on so many threads; afterwards torch is as it was."""
    import torch

    threads_before = torch.get_num_threads()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(threads_before)
