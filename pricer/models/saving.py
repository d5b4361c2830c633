"""Fitted models on disk: settings as JSON, words as JSON, numbers as NumPy arrays. Reading them runs no code."""

import json
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

import pricer
from pricer import settings as installation
from pricer.errors import PricerError
from pricer.files import write_json, write_whole
from pricer.models.contract import Model
from pricer.models.registry import find_kind, make_model

MODEL_FILE = "model.json"
ARRAYS_FILE = "learned.npz"
WORDS_FILE = "words.json"


def save_model(
    model: Model, folder: Path, arrays: dict[str, np.ndarray | float], words: Sequence[str] | None = None
) -> None:
    """Write a model's name and settings, what it learned, and last of all `model.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ARRAYS_FILE).open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    if words is not None:
        write_whole(folder / WORDS_FILE, json.dumps(list(words), ensure_ascii=False))
    settings = {setting.name: getattr(model, setting.name) for setting in find_kind(model.name).settings}
    about = {"model": model.name, "settings": settings, "seed": model.seed, "pricer_version": pricer.__version__}
    write_json(folder / MODEL_FILE, about)


def load(place: Path | str) -> Model:
    """Load a fitted model from its folder, or from a run by the run's id.

    PricerError if there is none, or its files are damaged. Nothing in them is run: `model.json` names an entry of
    `MODELS`, the rest are numbers and words.
    """
    folder = _find_folder(place)
    return find_kind(_read_about(folder)["model"]).find_class().load(folder)


def saved_name(place: Path | str) -> str:
    """The name of the model that a folder or a run holds; PricerError as with `load`."""
    return find_kind(_read_about(_find_folder(place))["model"]).name


def _find_folder(place: Path | str) -> Path:
    folder = Path(place)
    if not (folder / MODEL_FILE).is_file() and folder.name == str(place):
        return installation.runs_folder() / folder.name / "model"
    return folder


def _read_about(folder: Path) -> dict:
    """The content of a folder's `model.json`; PricerError where there is none, or it is not what `save` writes."""
    path = folder / MODEL_FILE
    if not path.is_file():
        raise PricerError(f"there is no model in {folder}")
    about = read_json(path)
    if not isinstance(about, dict) or not {"model", "settings", "seed"} <= about.keys():
        raise _damaged(path)
    return about


def make_saved(folder: Path, name: str) -> Model:
    """Make the model that a folder holds, with its settings but nothing learned yet."""
    about = _read_about(folder)
    if about["model"] != name:
        raise PricerError(f"{folder} holds the model {about['model']!r}, not {name!r}")
    if not isinstance(about["settings"], dict):
        raise _damaged(folder / MODEL_FILE)
    return make_model(name, about["seed"], **find_kind(name).check_settings(about["settings"]))


class SavedArrays:
    """The arrays of a saved model, each checked as it is taken: its type, its shape, and that it is finite."""

    def __init__(self, folder: Path):
        self._path = folder / ARRAYS_FILE
        try:
            with np.load(self._path, allow_pickle=False) as stored:
                self._arrays = {name: stored[name] for name in stored.files}
        except (OSError, ValueError, EOFError, BadZipFile, AttributeError) as error:
            raise _damaged(self._path) from error

    def take(self, name: str, dtype: type, shape: tuple[int, ...] | None = None) -> np.ndarray:
        """The array of that name; any length in one dimension where no shape is given."""
        array = self._arrays.get(name)
        self.require(array is not None and array.dtype == dtype and bool(np.isfinite(array).all()))
        self.require(array.ndim == 1 if shape is None else array.shape == shape)
        return array

    def take_places(self, name: str, count: int) -> np.ndarray:
        """Places in an array of `count` elements: int32, each once, ascending."""
        places = self.take(name, np.int32)
        self.require(not len(places) or (places[0] >= 0 and places[-1] < count and bool((np.diff(places) > 0).all())))
        return places

    def number(self, name: str) -> float:
        return float(self.take(name, np.float64, ()))

    def require(self, holds: bool) -> None:
        """PricerError where what should hold of the arrays does not."""
        if not holds:
            raise _damaged(self._path)


def read_words(folder: Path) -> list[str]:
    """The words of a saved model, each once."""
    words = read_json(folder / WORDS_FILE)
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words) or len(set(words)) < len(words):
        raise _damaged(folder / WORDS_FILE)
    return words


def read_json(path: Path) -> object:
    """What a JSON file of a saved model holds; PricerError where it is damaged."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> PricerError:
    return PricerError(f"{path} is damaged, or of another version of Pricer; train the model again")
