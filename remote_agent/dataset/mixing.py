"""Seeded order that is the same on every machine and under every version of numpy, and the shares of a mixture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_CHUNK = 1 << 20

Int64 = NDArray[np.int64]


def mixed(seed: int, stream: int, count: int) -> NDArray[np.uint64]:
    """Return ``count`` 64-bit numbers that depend on seed, stream and index alone (SplitMix64).

    Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014.
    """
    numbers = np.empty(count, dtype=np.uint64)
    for start in range(0, count, _CHUNK):
        end = min(start + _CHUNK, count)
        numbers[start:end] = mixed_keys(seed, stream, np.arange(start, end, dtype=np.uint64))
    return numbers


def mixed_keys(seed: int, stream: int, keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return a 64-bit number for each key, as `mixed` gives it for an index."""
    key = _scramble(_scramble(np.array([seed], dtype=np.uint64)) + np.array([stream], dtype=np.uint64))
    return _scramble(key ^ _scramble(keys))


def seeded_permutation(seed: int, stream: int, count: int) -> Int64:
    """Return the numbers 0 to count - 1 in an order that depends on seed, stream and count alone."""
    return np.argsort(mixed(seed, stream, count), kind="stable").astype(np.int64, copy=False)


def first_of(numbers: NDArray[np.uint64], wanted: int) -> Int64:
    """Return where the ``wanted`` smallest numbers stand, in their order; equal numbers in the order of their places.

    The same as a stable argsort cut off, for a fraction of its memory.
    """
    if wanted <= 0:
        return np.zeros(0, dtype=np.int64)
    if wanted >= len(numbers):
        return np.argsort(numbers, kind="stable").astype(np.int64, copy=False)
    bound = np.partition(numbers, wanted - 1)[wanted - 1]
    places = np.flatnonzero(numbers <= bound)
    return places[np.argsort(numbers[places], kind="stable")[:wanted]].astype(np.int64, copy=False)


def times_taken(times: NDArray[np.int32], order: NDArray[np.uint64], wanted: int) -> NDArray[np.int32]:
    """Return how often each row comes when ``wanted`` rows are taken of those that come ``times`` often.

    Whole passes over the rows first; of the last, broken pass those whose number in ``order`` is small. So every row
    comes as often as any other of the same ``times``, give or take one pass.
    """
    total = int(times.sum(dtype=np.int64))
    if not total:
        return np.zeros_like(times)
    whole, rest = divmod(wanted, total)
    taken = times * np.int32(whole)
    round_of = 0
    while rest:
        # A row that comes twice has its second turn once every row has had its first.
        rows = np.flatnonzero(times > round_of)
        chosen = rows[first_of(order[rows], rest)]
        taken[chosen] += 1
        rest -= len(chosen)
        round_of += 1
    return taken


def mixture_rows(available: Sequence[int], weights: Sequence[float], max_epochs: Sequence[float]) -> list[int]:
    """Return how many rows each source gives to one pass over the mixture.

    Weights all 0: all its rows. Else source i has the share p_i = w_i / sum w and may give a_i = available_i x
    max_epochs_i rows; with N the least a_i / p_i it gives floor(p_i N). Computed in fractions of the numbers as they
    are written, so that no rounding of a machine takes a row away.
    """
    shares = [_as_written(weight) for weight in weights]
    whole = sum(shares, Fraction(0))
    if not whole:
        return list(available)
    limits = [
        rows * _as_written(epochs) / share
        for rows, share, epochs in zip(available, shares, max_epochs, strict=True)
        if share
    ]
    return [int(share * min(limits)) for share in shares]


def replayed_rows(main: int, share: float, available: Sequence[int], weights: Sequence[float]) -> list[int]:
    """Return how many rows each replayed source adds to ``main`` others, so that together they are ``share`` of all.

    Together the whole number nearest to main x share / (1 - share); among them by their weights, by their rows where
    no weight is given. A source without rows gives none. Computed in fractions, as `mixture_rows` is.
    """
    part = _as_written(share)
    wanted = math.floor(main * part / (1 - part) + Fraction(1, 2))
    parts = [_as_written(weight) for weight in weights] if any(weights) else [Fraction(rows) for rows in available]
    parts = [one if rows else Fraction(0) for one, rows in zip(parts, available, strict=True)]
    scale = math.lcm(*(one.denominator for one in parts))
    return largest_remainder([int(one * scale) for one in parts], wanted)


def largest_remainder(sizes: Sequence[int], wanted: int) -> list[int]:
    """Share ``wanted`` out among groups in proportion to their sizes (Hamilton's method); ties go to the earlier one.

    No group gets more than its size where ``wanted`` is at most their sum.
    """
    total = sum(sizes)
    if not total:
        return [0] * len(sizes)
    shares = [size * wanted // total for size in sizes]
    by_remainder = sorted(range(len(sizes)), key=lambda number: (-(sizes[number] * wanted % total), number))
    for number in by_remainder[: wanted - sum(shares)]:
        shares[number] += 1
    return shares


def _as_written(value: float) -> Fraction:
    return Fraction(repr(float(value)))


def _scramble(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    values = values + _GOLDEN
    values = (values ^ (values >> np.uint64(30))) * _FIRST
    values = (values ^ (values >> np.uint64(27))) * _SECOND
    return values ^ (values >> np.uint64(31))
