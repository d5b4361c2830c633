"""Which files hold a model's weights, and what names those weights: other numbers are another model."""

import hashlib
import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from pricer.errors import PricerError

ENDING = ".safetensors"
INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
_READ_WHOLE = 1_000_000_000  # bytes; of a larger file some places are read
_PLACES, _PIECE = 16, 1_000_000


def named_weights(files: Iterable[str], index: bytes | None = None) -> list[str]:
    """The files, of a folder or a repository, that a model is loaded from; empty where none holds weights.

    Those that the index names, else `model.safetensors`; copies in another form, as Mistral's
    `consolidated.safetensors`, are left where they are. PricerError where the index is damaged.
    """
    weights = sorted(name for name in files if name.endswith(ENDING))
    if index is None:
        return [SINGLE] if SINGLE in weights else weights
    try:
        return sorted(set(json.loads(index)["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PricerError(f"{INDEX} is damaged; get the model again") from error


def fingerprint(config: bytes, weights: Iterable[Path]) -> str:
    """16 hex digits that name a model in a folder: of its configuration and its weights."""
    hashed = hashlib.sha256(config)
    for path in weights:
        about = path.stat()
        hashed.update(path.name.encode() + _digest(path, about.st_size, about.st_mtime_ns))
    return hashed.hexdigest()[:16]


@lru_cache(maxsize=256)  # read once in a process, and again where its size or time say that it was written since
def _digest(path: Path, size: int, written: int) -> bytes:
    """SHA-256 of a file: whole below 1 GB, else of its size and of 1 MB at 16 places, from its beginning to its end."""
    with path.open("rb") as file:
        if size < _READ_WHOLE:
            return hashlib.file_digest(file, "sha256").digest()
        hashed = hashlib.sha256(str(size).encode())
        for place in range(_PLACES):
            file.seek((size - _PIECE) * place // (_PLACES - 1))
            hashed.update(file.read(_PIECE))
        return hashed.digest()
