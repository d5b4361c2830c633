"""Tuning from beginning to end: a base is loaded, rows are made, an adapter learns, and guesses are read off it."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pricer.llm.local.bases import look_at
from pricer.llm.local.digits import PriceTree, price_tree
from pricer.llm.local.loading import load_base, release
from pricer.llm.local.slots import ask_slots
from pricer.llm.tuned.adapter import TRAINED, load_adapter, load_head, new_head, put_adapter
from pricer.llm.tuned.passes import count_of, hidden_states, summed_loss
from pricer.llm.tuned.presets import Hyperparameters
from pricer.llm.tuned.rows import Row, asked_prompts, lay_out, make_rows
from pricer.llm.tuned.steps import Learner, Tuned, tune
from pricer.progress import VALIDATION_ERROR, VALIDATION_LOSS, Report, Step

if TYPE_CHECKING:
    import torch
    from peft import PeftModel
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

ASKED_AT_ONCE = 32


@dataclass(frozen=True)
class BaseChoice:
    """Which base, and in which precision it is held."""

    place: str
    precision: str
    revision: str = ""
    device: str = "auto"


class PricedTexts(NamedTuple):
    """Products' texts, and their prices in dollars."""

    texts: Sequence[str]
    prices: Sequence[float]


@dataclass
class TunedModel:
    """A base with its adapter in memory, and what its guesses are read off with."""

    model: "PeftModel"
    tokenizer: "PreTrainedTokenizerBase"
    tree: PriceTree
    tuning: Hyperparameters
    head: "torch.nn.Linear | None" = None

    def chances(self, texts: Sequence[str]) -> np.ndarray:
        """How likely each slot is for each product's text: float64 (texts, 1000), rows add up to 1."""
        self.model.eval()
        prompts = asked_prompts(self.tokenizer, texts, self.tuning)
        if self.head is not None:
            return self._chances_of_head(prompts)
        if not prompts:
            return np.zeros((0, 1000))
        return ask_slots(self.model, self.tree, prompts, ASKED_AT_ONCE).chances

    @property
    def trained_parameters(self) -> int:
        """How many numbers the adapter is made of, a slot head's included."""
        numbers = [weight.numel() for name, weight in self.model.named_parameters() if TRAINED in name]
        return sum(numbers) + sum(weight.numel() for weight in (self.head.parameters() if self.head else ()))

    def _chances_of_head(self, prompts: Sequence[list[int]]) -> np.ndarray:
        import torch

        found = [np.zeros((0, 1000))]
        with torch.inference_mode():
            for start in range(0, len(prompts), ASKED_AT_ONCE):
                rows = [Row(prompt, [0], 0) for prompt in prompts[start : start + ASKED_AT_ONCE]]
                said = self.head(hidden_states(self.model, lay_out(rows)).float())
                found.append(torch.softmax(said.double(), dim=1).cpu().numpy())
        return np.concatenate(found)

    def loss(self, rows: Sequence[Row]) -> float:
        """The mean loss of a token to learn, of rows that were not learned."""
        import torch

        self.model.eval()
        total, count = 0.0, 0
        with torch.inference_mode():
            for start in range(0, len(rows), ASKED_AT_ONCE):
                batch = lay_out(rows[start : start + ASKED_AT_ONCE])
                total += float(summed_loss(self.model, self.head, batch))
                count += count_of(self.head, batch)
        return total / max(1, count)


def start(base: BaseChoice, tuning: Hyperparameters, seed: int, report: Report) -> TunedModel:
    """Load a base and put a new adapter on it, and a slot head where that is chosen."""
    model, tokenizer = _take(base, report)
    tree = price_tree(tokenizer)
    model = put_adapter(model, tuning, seed)
    head = None
    if tuning.head == "slots":
        head = new_head(model, [tree.path(slot)[0] for slot in range(1000)] if tree.single else None)
    return TunedModel(model, tokenizer, tree, tuning, head)


def load_tuned(base: BaseChoice, tuning: Hyperparameters, folder: Path, report: Report) -> TunedModel:
    """Load a base with the adapter that a folder holds."""
    model, tokenizer = _take(base, report)
    tree = price_tree(tokenizer)
    model = load_adapter(model, folder)
    return TunedModel(
        model, tokenizer, tree, tuning, load_head(folder, model.device) if tuning.head == "slots" else None
    )


def learn(
    tuned: TunedModel,
    train: PricedTexts,
    validation: PricedTexts,
    seed: int,
    read_off: Callable[[np.ndarray], np.ndarray],
    report: Report,
    folder: Path | None,
) -> Tuned:
    """Tune on texts and prices; now and then validation says how good the adapter is.

    `read_off` makes guesses of chances: (items, 1000) to (items,) dollars. Checkpoints lie in the folder.
    """
    rows = _rows(tuned, train, report)
    some = PricedTexts(validation.texts[: tuned.tuning.validated], validation.prices[: tuned.tuning.validated])
    judged, prices = make_rows(tuned.tokenizer, some.texts, some.prices, tuned.tuning), np.asarray(some.prices)

    def judge() -> dict[str, float]:
        if not judged:
            return {}
        off = np.abs(read_off(tuned.chances(some.texts)) - prices)
        return {VALIDATION_LOSS: tuned.loss(judged), VALIDATION_ERROR: float(off.mean())}

    return tune(Learner(tuned.model, tuned.tuning, tuned.head), rows, seed, report, judge, folder)


def _rows(tuned: TunedModel, train: PricedTexts, report: Report) -> list[Row]:
    rows: list[Row] = []
    for first in range(0, len(train.texts), 256):
        some = slice(first, first + 256)
        rows += make_rows(tuned.tokenizer, train.texts[some], train.prices[some], tuned.tuning)
        report(Step("Reading texts", len(rows), "items", len(rows) / len(train.texts)))
    return rows


def _take(base: BaseChoice, report: Report) -> tuple["PreTrainedModel", "PreTrainedTokenizerBase"]:
    """A base that is the caller's own: an adapter changes it, so nobody else may be given it."""
    loaded = load_base(base.place, base.precision, base.device, base.revision, report=report)
    model, tokenizer = loaded.model, loaded.tokenizer
    release(loaded)
    return model, tokenizer


def name_of_work(base: BaseChoice, tuning: Hyperparameters, seed: int, train: PricedTexts) -> str:
    """16 hex digits that name all that the outcome of tuning depends on; checkpoints of other work are left alone."""
    facts = [look_at(base.place, base.revision).revision, base.precision, asdict(tuning), seed]
    hashed = hashlib.sha256(json.dumps(facts).encode())
    for text, price in zip(train.texts, train.prices, strict=True):
        hashed.update(f"{text}\0{price!r}\0".encode())
    return hashed.hexdigest()[:16]
