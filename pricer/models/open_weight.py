"""A language model with open weights that runs on this machine, as it was published: nothing is learned of train."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from pricer.errors import PricerError
from pricer.files import write_json
from pricer.llm.local.bases import check_same, titled
from pricer.models.bins import distribution_median
from pricer.models.learned import Learned
from pricer.models.registry import find_kind
from pricer.models.saving import make_saved, read_json, save_model
from pricer.models.tables import texts_of
from pricer.progress import Report, silent

if TYPE_CHECKING:
    from pricer.llm.local.digits import PriceTree
    from pricer.llm.local.loading import Loaded

ABOUT = "base.json"  # which model it was, to the commit


class OpenWeight:
    """How likely a language model thinks each whole dollar after "Price is $"; its guess is the median of that.

    It is loaded when it is first asked, and shares the process with no other language model. Saved are its name,
    revision and settings, never its weights.
    """

    name = "open-weight"

    def __init__(self, seed: int = 42, **settings: int | float | str):
        for setting in find_kind(self.name).settings:
            setattr(self, setting.name, settings.get(setting.name, setting.default))
        self.seed = seed
        self._ready: tuple[Loaded, PriceTree] | None = None
        self._adapter_revision = ""
        self._last: tuple[list[str], np.ndarray] | None = None  # what it said of the last items, asked for twice

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame | None = None, report: Report = silent) -> Self:
        """Nothing is learned; the model is loaded, so what is wrong with it is told before it is asked."""
        if train.is_empty():
            raise PricerError("train has no items")
        started = time.monotonic()
        loaded, tree = self.open(report)
        self.about_ = {
            "base": loaded.place,
            "base_revision": loaded.revision,
            "tiny": loaded.is_tiny,
            "precision": loaded.precision,
            "compute": loaded.compute,
            "device": loaded.device,
            "bytes": loaded.bytes_measured,
            "single_token_prices": tree.single,
            "seconds_to_load": round(time.monotonic() - started, 3),
            "adapter_revision": self._adapter_revision,
        }
        return self

    def open(self, report: Report = silent) -> tuple["Loaded", "PriceTree"]:
        """The model in memory, loaded if it is not, and how its tokenizer writes prices."""
        from pricer.llm.local.digits import price_tree
        from pricer.llm.local.loading import load_base

        if self._ready is None or self._ready[0].model is None:
            loaded = load_base(self.base, self.precision, self.device, self._revision, self.compute, report)
            if self.adapter:
                self._put_adapter(loaded, report)
            self._ready = loaded, price_tree(loaded.tokenizer)
        return self._ready

    def _put_adapter(self, loaded: "Loaded", report: Report) -> None:
        """Put the adapter on the base; PricerError where it is another one than was asked then."""
        from pricer.llm.tuned.adapter import load_adapter
        from pricer.llm.tuned.found import find_adapter, pinned

        known = getattr(self, "about_", {}).get("adapter_revision")
        found = find_adapter(pinned(self.adapter, known) if known else self.adapter, report)
        if known and found.revision != known:
            raise PricerError(f"{self.adapter} is another adapter now than when it was asked: ask it as a new run")
        loaded.place = f"{loaded.place} with {self.adapter}"  # so that nobody takes it for the base alone
        loaded.model = load_adapter(loaded.model, found.folder)
        self._adapter_revision = found.revision

    @property
    def _revision(self) -> str:
        """Of a saved model the commit that was asked then; a folder has none to choose."""
        known = getattr(self, "about_", None)
        return known["base_revision"] if known else self.revision

    def predict_distribution(self, items: pl.DataFrame) -> np.ndarray:
        from pricer.llm.local.frames import frame_of
        from pricer.llm.local.slots import ask_slots, fit_prompts, longest_prompt

        texts = texts_of(items, "text")
        if self._last is None or self._last[0] != texts:
            loaded, tree = self.open()
            frame, most = frame_of(loaded.tokenizer, self.prompt), longest_prompt(loaded.model)
            prompts = fit_prompts(loaded.tokenizer, frame, texts, most)
            self._last = texts, ask_slots(loaded.model, tree, prompts, self.batch).chances
        return self._last[1]

    def predict(self, items: pl.DataFrame) -> np.ndarray:
        return distribution_median(self.predict_distribution(items))

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / ABOUT, self.about_)
        save_model(self, folder, {})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """PricerError where the base is gone, or is another than was asked then."""
        model = make_saved(folder, cls.name)
        model.about_ = about = read_json(folder / ABOUT)
        if not isinstance(about, dict) or not {"base", "base_revision", "tiny"} <= about.keys():
            raise PricerError(f"{folder / ABOUT} is damaged, or of another version of Pricer; ask the model again")
        check_same(model.base, about["base_revision"], "asked")
        return model

    def learned(self, train: pl.DataFrame) -> list[Learned]:
        about = self.about_
        note = f"{titled(about['base'], about['tiny'])}, revision {about['base_revision'][:12]}"
        note += f", adapter {about['adapter_revision'][:12]}." if about.get("adapter_revision") else "."
        told = {"megabytes": about["bytes"] / 1e6, "seconds to load": about["seconds_to_load"]}
        table = pl.DataFrame({"figure": list(told), "value": list(told.values())})
        return [Learned("Nothing of train: it was asked as it is", note, table)]
