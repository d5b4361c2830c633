"""Llama 3's tokenizer, offline: the vocabulary that Meta ships in the `llama-models` package, read by tiktoken."""

import base64
import functools
import importlib.util
from pathlib import Path

import tiktoken

# The split of text before merging, from llama_models/llama3/tokenizer.py.
PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


@functools.cache
def llama3() -> tiktoken.Encoding:
    """The tokenizer of Llama 3, 3.1 and 3.2, without special tokens.

    >>> [len(llama3().encode_ordinary(str(number))) for number in (0, 42, 999, 1000)]
    [1, 1, 1, 2]
    """
    lines = _vocabulary_file().read_bytes().splitlines()
    ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in lines if line)}
    return tiktoken.Encoding("llama3", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={})


def _vocabulary_file() -> Path:
    # Only found, not imported: importing the package takes a second and needs nothing of it.
    package = importlib.util.find_spec("llama_models")
    return Path(next(iter(package.submodule_search_locations))) / "llama3" / "tokenizer.model"
