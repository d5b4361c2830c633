"""A language model tuned on train with QLoRA: the base stays as it is, a small adapter learns prices."""

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from pricer import settings as installation
from pricer.errors import PricerError
from pricer.files import write_json
from pricer.llm.local.bases import check_same, look_at, titled
from pricer.llm.tuned.presets import Hyperparameters, hyperparameters_of
from pricer.models.bins import distribution_median
from pricer.models.learned import Learned
from pricer.models.registry import find_kind
from pricer.models.saving import make_saved, read_json, save_model
from pricer.models.tables import texts_of, train_prices
from pricer.progress import Report, silent

if TYPE_CHECKING:
    from pricer.llm.tuned.tuner import TunedModel

ADAPTER = "adapter"  # a folder in the model's
ABOUT = "tuned.json"
VALUES = ("length", "r", "alpha", "dropout", "learning_rate", "batch", "accumulation", "epochs")  # told of a run


class QLoRA:
    """A base in 4 bit (or 8, or as it is) with an adapter (Dettmers et al., 2023), read as a distribution of the price.

    What is learned is the price alone, at the end of a notebook's prompt. The guess is the median of the chances of all
    whole dollars, which one pass gives.
    """

    name = "qlora"

    def __init__(self, seed: int = 42, **settings: int | float | str):
        for setting in find_kind(self.name).settings:
            setattr(self, setting.name, settings.get(setting.name, setting.default))
        self.seed = seed
        self._ready: TunedModel | None = None
        self._last: tuple[list[str], np.ndarray] | None = None

    @property
    def tuning(self) -> Hyperparameters:
        """The preset with what the settings change."""
        return hyperparameters_of(
            {setting.name: getattr(self, setting.name) for setting in find_kind(self.name).settings}
        )

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame | None = None, report: Report = silent) -> Self:
        from pricer.llm.tuned.mirror import mirrored
        from pricer.llm.tuned.tuner import BaseChoice, PricedTexts, learn, name_of_work, start

        priced = PricedTexts(texts_of(train, "text"), train_prices(train).tolist())
        held = train[:0] if validation is None else validation
        judged = PricedTexts(texts_of(held, "text"), held["price"].to_list())
        looked_at = look_at(self.base, self.revision)  # once: the hub may have a newer one at the end
        base = BaseChoice(self.base, self.precision, looked_at.revision, self.device)
        work = name_of_work(base, self.tuning, self.seed, priced)
        of_job = installation.checkpoints_folder()  # which are kept until the job is deleted
        folder = (of_job or installation.cache_folder()) / "tuning" / work
        self._ready = start(base, self.tuning, self.seed, report)
        facts = asdict(self.tuning) | {"base": self.base, "precision": self.precision, "seed": self.seed}
        with mirrored(report, work, facts) as told:
            done = learn(self._ready, priced, judged, self.seed, distribution_median, told, folder)
        if not of_job:
            shutil.rmtree(folder, ignore_errors=True)
        self.about_ = {
            "base": looked_at.place,
            "base_revision": looked_at.revision,
            "tiny": looked_at.shape.is_tiny,
            "precision": self.precision,
            "tuning": asdict(self.tuning),
            "steps": done.step,
            "steps_planned": done.steps,
            "stopped": done.stopped,
            "tokens": done.tokens,
            "seconds": round(done.seconds, 3),
            "trained_parameters": self._ready.trained_parameters,
        }
        return self

    def predict_distribution(self, items: pl.DataFrame) -> np.ndarray:
        texts = texts_of(items, "text")
        if self._last is None or self._last[0] != texts:
            self._last = (texts, self._model().chances(texts))
        return self._last[1]

    def predict(self, items: pl.DataFrame) -> np.ndarray:
        return distribution_median(self.predict_distribution(items))

    def _model(self) -> "TunedModel":
        """Base and adapter in memory; loaded when they are first asked, for that takes long."""
        from pricer.llm.tuned.tuner import BaseChoice, load_tuned

        if self._ready is None:
            revision = self.about_["base_revision"]
            check_same(self.base, revision, "tuned")
            base = BaseChoice(self.base, self.precision, revision, self.device)
            self._ready = load_tuned(base, self.tuning, self._folder / ADAPTER, silent)
        return self._ready

    def save(self, folder: Path) -> None:
        from pricer.llm.tuned.adapter import save_adapter, save_head

        model = self._model()
        save_adapter(model.model, folder / ADAPTER, self.base)
        if model.head is not None:
            save_head(model.head, folder / ADAPTER)
        write_json(folder / ABOUT, self.about_)
        save_model(self, folder, {})

    @classmethod
    def load(cls, folder: Path) -> Self:
        model = make_saved(folder, cls.name)
        model.about_ = about = read_json(folder / ABOUT)
        if not isinstance(about, dict) or not {"base", "base_revision", "precision", "steps"} <= about.keys():
            raise PricerError(f"{folder / ABOUT} is damaged, or of another version of Pricer; tune the model again")
        model._folder = folder
        if not (folder / ADAPTER / "adapter_model.safetensors").is_file():
            raise PricerError(f"{folder} holds no adapter; tune the model again")
        return model

    def learned(self, train: pl.DataFrame) -> list[Learned]:
        about = self.about_
        told = {
            "steps": about["steps"],
            "steps planned": about["steps_planned"],
            "tokens read": about["tokens"],
            "seconds of tuning": about["seconds"],
            "weights learned": about["trained_parameters"],
        }
        tuning = about["tuning"]
        told |= {name.replace("_", " "): tuning[name] for name in VALUES}
        table = pl.DataFrame({"figure": list(told), "value": [float(value) for value in told.values()]})
        note = f"Of the base {titled(about['base'], about['tiny'])}, {about['precision']}."
        return [Learned("Tuning", note + (" Stopped by a person." if about["stopped"] else ""), table)]
