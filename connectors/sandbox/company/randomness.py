"""Random streams that depend on seed, purpose and week only.

What happens in a week is the same whether it is revealed alone or with a year around it, because no
stream is ever continued from one week into the next.
"""

from __future__ import annotations

import zlib

import numpy as np


def stream(seed: int, purpose: str, week: int = 0) -> np.random.Generator:
    """A generator of its own for (seed, purpose, week); weeks before the first are not allowed."""
    key = (seed, zlib.crc32(purpose.encode("utf-8")), week)
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(key)))


def scatter(seed: int, purpose: str, *numbers: np.ndarray) -> np.ndarray:
    """A uniform draw in [0, 1) for each row that depends on the row's own numbers only (splitmix64)."""
    mixed = np.full(len(numbers[0]), np.uint64(seed ^ zlib.crc32(purpose.encode("utf-8"))), dtype=np.uint64)
    for number in numbers:
        mixed = mixed + np.asarray(number).astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed = mixed ^ (mixed >> np.uint64(31))
    return (mixed >> np.uint64(11)).astype(np.float64) / float(1 << 53)
