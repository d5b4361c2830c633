"""Base models by name or path, on the hub, in a folder, or the tiny one: looked at before anything is downloaded."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pricer import settings
from pricer.catalogue.download import check_disk
from pricer.catalogue.hub import connect, told
from pricer.errors import PricerError
from pricer.files import write_json
from pricer.llm.local.memory import Shape, shape_of
from pricer.progress import Report, Step, silent

if TYPE_CHECKING:
    from huggingface_hub import HfApi

TINY = "tiny-llama"  # the embedded default: made here, by `python -m pricer tiny-llama`
_NAME = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}", re.ASCII)
_REVISION = re.compile(r"[\w./-]{1,120}", re.ASCII)
_WANTED = ("*.safetensors", "*.safetensors.index.json", "*.json", "*.model", "*.txt", "*.jinja")
_NOT_WANTED = ("original/*", "onnx/*", "*/*")


@dataclass(frozen=True)
class Base:
    """A base model as it was looked at."""

    place: str  # as it was named
    revision: str  # a commit of the hub, or 16 hex digits of a folder's configuration and file sizes
    shape: Shape
    configuration: Path  # its config.json, which is here before a weight is
    folder: Path | None  # where its files lie; None before a download
    download_bytes: int  # what is still to come

    @property
    def title(self) -> str:
        return f"{self.place}{' (tiny, made here)' if self.shape.is_tiny else ''}"


def tiny_folder() -> Path:
    """Where the tiny Llama is kept once it is made."""
    return settings.home() / "models" / TINY


def is_on_hub(place: str) -> bool:
    """Whether a base is OWNER/NAME of the hub, and no folder of that name is here."""
    return place != TINY and folder_named(place) is None and bool(_NAME.fullmatch(place))


def folder_named(place: str) -> Path | None:
    """The folder that a name leads to; None where there is none."""
    try:
        path = Path(place).expanduser().resolve()
        return path if path.is_dir() else None
    except (OSError, RuntimeError, ValueError):  # too long, of nobody's home, or with a zero in it
        return None


def look_at(place: str, revision: str = "") -> Base:
    """What a base model is, without reading or downloading a weight.

    PricerError, with what to do, where there is none, access is not granted, the hub is not reached, or its weights
    are in a form that is not read.
    """
    place = place.strip()
    if is_on_hub(place):
        return _on_hub(place, revision)
    return _in_folder(place)


def _in_folder(place: str) -> Base:
    folder = tiny_folder() if place == TINY else folder_named(place)
    if folder is None or not (folder / "config.json").is_file():
        if place == TINY:
            raise PricerError("the tiny Llama is not made yet: make it with python -m pricer tiny-llama (some minutes)")
        raise PricerError(f"{place!r} is no folder with a model (config.json), and no OWNER/NAME of the hub")
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        raise PricerError(f"{folder} has no *.safetensors; other files of weights may hold code, and are not read")
    config = (folder / "config.json").read_bytes()
    sizes = json.dumps([(path.name, path.stat().st_size) for path in weights])
    revision = hashlib.sha256(config + sizes.encode()).hexdigest()[:16]
    return Base(place, revision, _shape(folder), folder / "config.json", folder, 0)


def _shape(folder: Path) -> Shape:
    try:
        config = json.loads((folder / "config.json").read_bytes())
    except ValueError as error:
        raise PricerError(f"{folder / 'config.json'} is no JSON; get the model again") from error
    if not isinstance(config, dict):
        raise PricerError(f"{folder / 'config.json'} is no configuration; get the model again")
    return shape_of(config)


def _on_hub(place: str, revision: str) -> Base:
    if revision and not _REVISION.fullmatch(revision):
        raise PricerError(f"a revision is a branch, tag or commit, got {revision!r}")
    known = known_base(place, revision)
    if known and known.folder:  # the same commit is never another
        return known
    if settings.hub_is_offline():
        raise PricerError(
            f"{place} was never downloaded here, and HF_HUB_OFFLINE forbids asking the hub: unset it, or give a folder"
        )
    url = f"{settings.hub_endpoint()}/{place}"
    api = connect()
    with told(f"looking at {place}", url, "model"):
        info = api.model_info(place, revision=revision or None)
        api.auth_check(place)
        files = {file.path: file.size for file in api.list_repo_tree(place, revision=info.sha) if hasattr(file, "size")}
        weights = {path: size for path, size in files.items() if path.endswith(".safetensors")}
        if "config.json" not in files:
            raise PricerError(f"{place} has no config.json: it is no language model of transformers ({url})")
        if not weights:
            raise PricerError(f"{place} has no *.safetensors; other weights may hold code, and are not read ({url})")
        config = Path(api.hf_hub_download(place, "config.json", revision=info.sha))
    shape = _shape(config.parent)
    folder = config.parent if all((config.parent / path).exists() for path in weights) else None
    missing = sum(size for path, size in weights.items() if not (config.parent / path).exists())
    note = {"revision": info.sha, "folder": str(config.parent), "bytes": sum(weights.values()), "files": list(weights)}
    for named in {revision, info.sha}:
        write_json(_note(place, named), note)
    return Base(place, info.sha, shape, config, folder, missing)


def known_base(place: str, revision: str = "") -> Base | None:
    """A base model as it was last looked at, without asking anybody; None where it never was, is gone, or is unfit."""
    try:
        return _noted(place, revision) if is_on_hub(place) else _in_folder(place)
    except PricerError:
        return None


def _noted(place: str, revision: str) -> Base | None:
    note = _note(place, revision)
    if not note.is_file():
        return None
    known = json.loads(note.read_bytes())
    folder = Path(known["folder"])
    config = folder / "config.json"
    if not config.is_file():
        return None
    whole = all((folder / path).exists() for path in known["files"])
    missing = 0 if whole else known["bytes"]
    return Base(place, known["revision"], _shape(folder), config, folder if whole else None, missing)


def download(base: Base, report: Report = silent) -> Path:
    """The folder of a base model's files, downloaded where they are not here yet; PricerError as `look_at`."""
    if base.folder:
        return base.folder
    check_disk(_hub_cache(), base.download_bytes)
    api = connect()
    with told(f"downloading {base.place}", f"{settings.hub_endpoint()}/{base.place}", "model"):
        return _snapshot(api, base, report)


def _snapshot(api: "HfApi", base: Base, report: Report) -> Path:
    from tqdm import tqdm

    class Told(tqdm):
        """The library's bar, which tells us instead of drawing."""

        def __init__(self, *positional, **named):
            super().__init__(*positional, **named | {"disable": False, "file": _Nowhere()})

        def update(self, n=1):
            moved = super().update(n)
            if self.unit == "B" and self.total:
                report(Step(f"Downloading {base.place}", int(self.n // 1_000_000), "MB", min(1.0, self.n / self.total)))
            return moved

    return Path(
        api.snapshot_download(
            base.place,
            revision=base.revision,
            allow_patterns=list(_WANTED),
            ignore_patterns=list(_NOT_WANTED),
            tqdm_class=Told,
        )
    )


class _Nowhere:
    def write(self, text: str) -> None:
        pass

    def flush(self) -> None:
        pass


def _hub_cache() -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def _note(place: str, revision: str) -> Path:
    name = hashlib.sha256(f"{place}@{revision}".encode()).hexdigest()[:32]
    return settings.cache_folder() / "bases" / f"{name}.json"
