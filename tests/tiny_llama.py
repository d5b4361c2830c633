"""Tiny real Llamas on disk, made once per session: of Llama 3's number tokens, and of one token per digit."""

from pathlib import Path

import pytest

from pricer.llm.local.tiny import market_tokenizer, new_llama, save_llama

SEED = 7


def make_random_llama(folder: Path, digits: bool = False) -> Path:
    """Save a tiny Llama with random weights, as a hub model is saved."""
    tokenizer = market_tokenizer(SEED, digits, texts=200)
    save_llama(new_llama(tokenizer, SEED, width=64, layers=2), tokenizer, folder)
    return folder


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny Llama with random weights, where each of "0" to "999" is one token."""
    return make_random_llama(tmp_path_factory.mktemp("models") / "tiny-llama")


@pytest.fixture(scope="session")
def tiny_llama_digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny Llama with random weights, where each digit is a token."""
    return make_random_llama(tmp_path_factory.mktemp("models") / "tiny-llama-digits", digits=True)
