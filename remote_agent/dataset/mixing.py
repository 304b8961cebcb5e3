"""Seeded order that is the same on every machine and under every version of numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def mixed(seed: int, stream: int, count: int) -> NDArray[np.uint64]:
    """Return ``count`` 64-bit numbers that depend on seed, stream and index alone (SplitMix64).

    Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014.
    """
    key = _scramble(_scramble(np.array([seed], dtype=np.uint64)) + np.array([stream], dtype=np.uint64))
    return _scramble(key ^ _scramble(np.arange(count, dtype=np.uint64)))


def seeded_permutation(seed: int, stream: int, count: int) -> NDArray[np.int64]:
    """Return the numbers 0 to count - 1 in an order that depends on seed, stream and count alone."""
    return np.argsort(mixed(seed, stream, count), kind="stable").astype(np.int64)


def _scramble(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    values = values + _GOLDEN
    values = (values ^ (values >> np.uint64(30))) * _FIRST
    values = (values ^ (values >> np.uint64(27))) * _SECOND
    return values ^ (values >> np.uint64(31))
