"""Base models by name or path, on the hub, in a folder, or the tiny one: looked at before anything is downloaded."""

import hashlib
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pricer import settings
from pricer.catalogue.download import check_disk
from pricer.catalogue.hub import connect, told
from pricer.errors import PricerError
from pricer.files import write_json
from pricer.llm.local.memory import Shape, shape_of
from pricer.llm.local.weights import INDEX, fingerprint, named_weights
from pricer.progress import Report, Step, silent

if TYPE_CHECKING:
    from huggingface_hub import HfApi

TINY = "tiny-llama"  # the embedded default: made here, by `python -m pricer tiny-llama`
_NAME = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}", re.ASCII)
_REVISION = re.compile(r"[\w./-]{1,120}", re.ASCII)
_BESIDE_WEIGHTS = ("*.json", "*.model", "*.txt", "*.jinja")
_NOT_WANTED = ("original/*", "onnx/*", "*/*")


@dataclass(frozen=True)
class Base:
    """A base model as it was looked at."""

    place: str  # as it was named
    revision: str  # a commit of the hub, or 16 hex digits of a folder's configuration and weights
    shape: Shape
    configuration: Path  # its config.json, which is here before a weight is
    folder: Path | None  # where its files lie; None before a download
    download_bytes: int  # what is still to come
    files: tuple[str, ...] = ()  # of the hub, that hold its weights
    as_downloaded: bool = False  # the hub could not be asked whether there is a newer one

    @property
    def title(self) -> str:
        return titled(self.place, self.shape.is_tiny) + ", as downloaded" * self.as_downloaded


def titled(place: str, is_tiny: bool) -> str:
    """A base's name, with a word where it is a toy."""
    return f"{place} (tiny, made here)" if is_tiny else place


def tiny_folder() -> Path:
    """Where the tiny Llama is kept once it is made."""
    return settings.home() / "models" / TINY


def is_on_hub(place: str) -> bool:
    """Whether a base is OWNER/NAME of the hub, and no folder of that name is here."""
    return place != TINY and folder_named(place) is None and bool(_NAME.fullmatch(place))


def is_commit(revision: str) -> bool:
    """Whether a revision is a whole commit of the hub, which never changes."""
    return bool(re.fullmatch("[0-9a-f]{40}", revision))


def folder_named(place: str) -> Path | None:
    """The folder that a name leads to; None where there is none."""
    try:
        path = Path(place).expanduser().resolve()
        return path if path.is_dir() else None
    except (OSError, RuntimeError, ValueError):  # too long, of nobody's home, or with a zero in it
        return None


def full_place(place: str) -> str:
    """A place that means the same wherever it is read: of a folder the whole path."""
    folder = folder_named(place) if place and place != TINY else None
    return str(folder) if folder else place


def check_same(place: str, revision: str, done: str) -> None:
    """PricerError where a base is not the revision that a run has "asked" or "tuned"."""
    now = look_at(place, revision).revision
    if now != revision:
        raise PricerError(
            f"{place} is another model now than when it was {done} (revision {now[:8]}, then {revision[:8]}), or that "
            "was in a version of Pricer that did not look at weights: put the old one back, or make a new run"
        )


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
    index = folder / INDEX
    named = named_weights([path.name for path in folder.iterdir()], index.read_bytes() if index.is_file() else None)
    weights = [folder / name for name in named]
    if not weights:
        raise PricerError(f"{folder} has no *.safetensors; other files of weights may hold code, and are not read")
    if missing := [path.name for path in weights if not path.is_file()]:
        raise PricerError(f"{folder} has no {missing[0]}, which its index names; get the model again")
    shape = _shape(folder)
    revision = fingerprint((folder / "config.json").read_bytes(), weights)
    return Base(place, revision, shape, folder / "config.json", folder, 0)


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
    here = known if known and known.folder else None
    if here and is_commit(revision):  # the same commit is never another
        return here
    try:
        if settings.hub_is_offline():
            raise PricerError(
                f"{place} was never downloaded here, and HF_HUB_OFFLINE forbids asking the hub: unset it, or give a "
                "folder"
            )
        return _asked(place, revision)
    except PricerError:
        if here:
            return replace(here, as_downloaded=True)
        raise


def _asked(place: str, revision: str) -> Base:
    """What the hub says of a base now, which is noted."""
    url = f"{settings.hub_endpoint()}/{place}"
    api = connect()
    with told(f"looking at {place}", url, "model"):
        info = api.model_info(place, revision=revision or None)
        api.auth_check(place)
        files = {file.path: file.size for file in api.list_repo_tree(place, revision=info.sha) if hasattr(file, "size")}
        if "config.json" not in files:
            raise PricerError(f"{place} has no config.json: it is no language model of transformers ({url})")
        config = Path(api.hf_hub_download(place, "config.json", revision=info.sha))
        index = INDEX in files and Path(api.hf_hub_download(place, INDEX, revision=info.sha)).read_bytes()
    weights = named_weights(files, index or None)
    if not weights:
        raise PricerError(f"{place} has no *.safetensors; other weights may hold code, and are not read ({url})")
    if not files.keys() >= set(weights):
        raise PricerError(f"{place} has not all the files that its index names; choose another revision ({url})")
    note = {
        "revision": info.sha,
        "folder": str(config.parent),
        "files": weights,
        "bytes": sum(files[path] for path in weights),
    }
    for named in {revision, info.sha}:
        write_json(_note(place, named), note)
    missing = sum(files[path] for path in weights if not (config.parent / path).exists())
    return Base(
        place, info.sha, _shape(config.parent), config, None if missing else config.parent, missing, tuple(weights)
    )


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
    return Base(
        place, known["revision"], _shape(folder), config, folder if whole else None, missing, tuple(known["files"])
    )


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
            allow_patterns=[*_BESIDE_WEIGHTS, *base.files],
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
