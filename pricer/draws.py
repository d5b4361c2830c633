"""The random number of an item: a function of its key, a stream and a seed, the same on every machine.

Because the number belongs to the item and not to its place in a file, whatever is decided by it (exam, validation,
sample) is the same for any order of rows and any number of parts.
"""

import numpy as np
import xxhash

ROLE_STREAM = xxhash.xxh3_64_intdigest(b"role")
SAMPLE_STREAM = xxhash.xxh3_64_intdigest(b"sample")
_WORD = 2**64


def splitmix64(values: np.ndarray) -> np.ndarray:
    """Scramble uint64 values (Steele, Lea and Flood, 2014: the output function of SplitMix64 after one step)."""
    with np.errstate(over="ignore"):
        z = values + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def draw(keys: np.ndarray, stream: int, seed: int) -> np.ndarray:
    """Draw from the standard exponential distribution, one float64 for each uint64 key of an item.

    The uniform number has 53 bits and lies strictly between 0 and 1: with all 64 it could round to 1.
    """
    with np.errstate(over="ignore"):
        mixed = splitmix64(keys.astype(np.uint64, copy=False) + np.uint64((stream + seed) % _WORD))
    uniform = ((mixed >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    return -np.log(uniform)
