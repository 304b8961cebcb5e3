"""Texts that are nearly the same: MinHash finds the candidates, which are then compared (short texts exactly)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from remote_agent.dataset.findings.array_file import ArrayFile
from remote_agent.dataset.findings.shingles import Shingles, shingles
from remote_agent.dataset.sources import Advance, Cancelled, check, never, no_progress

Int64 = NDArray[np.int64]
UInt64 = NDArray[np.uint64]

THRESHOLD = 0.8
"""The likeness from which texts count as nearly the same, where nobody says otherwise."""

_PERMUTATIONS = 128
_SEED = 42
_BATCH_CHARACTERS = 1 << 19
_BATCH_TEXTS = 2048
_BATCH_PAIRS = 1 << 14
_NEIGHBOURS = 4
# Chance of a band of 8 bits a value to agree by accident; and how far an estimate may be below the threshold
# before the exact comparison (five standard deviations).
_ACCIDENT = 1 / 256
_MARGIN = 0.15
_WANTED_RECALL = 0.995
# Two numbers beyond any hash fill up the sets of the two sides.
_HASH_LIMIT = 0xFFFFFFFD
_RIGHT = np.uint32(0xFFFFFFFF)


class Pairs(NamedTuple):
    """Pairs of texts that are alike, ordered by the later text, then the earlier: int64, int64, float32 [pairs]."""

    earlier: Int64
    later: Int64
    likeness: NDArray[np.float32]


class NearDuplicates:
    """Takes texts in, numbered from 0, and then says which are alike.

    Likeness is the Jaccard overlap of the sets of word 5-grams (2-grams for texts under 40 words). It is exact for
    short texts and an estimate from 128 hashes for long ones, with a standard error of 0.035 at most. A text takes
    140 to 340 bytes in temporary files, and about 45 in memory while they are compared. The same texts give the same
    result on every machine.

    Source: Broder, On the resemblance and containment of documents, 1997; the hashes are rensa's R-MinHash (Dahlgaard
    et al., Fast Similarity Sketching, 2017, arXiv:1704.04370); candidates by bands (Leskovec et al., Mining of Massive
    Datasets, section 3.4).
    """

    def __init__(self, threshold: float = THRESHOLD) -> None:
        assert 0 < threshold <= 1
        self._threshold = threshold
        self._signatures = ArrayFile(np.uint8, _PERMUTATIONS)
        self._sets = ArrayFile(np.uint32)
        self._texts = ArrayFile(np.int64)
        self._set_sizes = ArrayFile(np.uint8)
        self.count = 0

    def add(self, texts: Sequence[str]) -> None:
        """Take in texts; their numbers follow those before."""
        start = 0
        while start < len(texts):
            end, characters = start, 0
            while end < len(texts) and end - start < _BATCH_TEXTS and characters < _BATCH_CHARACTERS:
                characters += len(texts[end])
                end += 1
            self._add(shingles(texts[start:end]))
            self.count += end - start
            start = end

    def _add(self, found: Shingles) -> None:
        from rensa import RMinHash

        if not len(found.texts):
            return
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(
            found.values, found.offsets.astype(np.uint64), num_perm=_PERMUTATIONS, seed=_SEED
        )
        # One flat run of numbers is turned into an array several times as fast as a list of lists.
        hashes = np.fromiter(chain.from_iterable(matrix.to_rows()), dtype=np.uint32)
        self._signatures.append(hashes.astype(np.uint8))
        self._texts.append(found.texts + self.count)
        sizes = np.zeros(len(found.texts), dtype=np.uint8)
        shorts = int(np.count_nonzero(found.is_short))
        values = found.values[: found.offsets[shorts]] >> np.uint64(32)
        owners = np.repeat(np.arange(shorts, dtype=np.uint64), np.diff(found.offsets[: shorts + 1]))
        distinct = np.unique(np.minimum(values, np.uint64(_HASH_LIMIT)) | (owners << np.uint64(32)))
        sizes[:shorts] = np.bincount((distinct >> np.uint64(32)).astype(np.int64), minlength=shorts)
        self._sets.append((distinct & np.uint64(0xFFFFFFFF)).astype(np.uint32))
        self._set_sizes.append(sizes)

    def pairs(
        self, among: NDArray[np.bool_] | None = None, progress: Advance = no_progress, cancelled: Cancelled = never
    ) -> Pairs:
        """Return pairs that are at least as alike as the threshold; ``among``, bool [texts], leaves out the others.

        Of many texts that are all alike not every pair is named, but each with the first of them it is alike to.
        A pair right at the threshold is missed with a chance under 0.5 %, one well above it practically never.

        Raises:
            CancelledError: between bands.
        """
        comparison = _Comparison(self._signatures, self._sets, self._set_sizes, self._threshold)
        texts = self._texts.array()[:, 0]
        used = None if among is None else np.flatnonzero(among[texts])
        found: dict[str, NDArray[np.generic]] = {"key": np.empty(0, np.uint64), "likeness": np.empty(0, np.float32)}
        width = _band_width(self._threshold)
        bands = _PERMUTATIONS // width
        for band in range(bands):
            check(cancelled)
            progress("near-duplicates", band, bands, "bands")
            for one, other in _candidates(self._band_keys(band * width, width, comparison.is_short), used):
                likeness = comparison.likeness(one, other)
                keep = likeness >= self._threshold
                pair = np.sort(np.stack((texts[one[keep]], texts[other[keep]])), axis=0).astype(np.uint64)
                _merge(found, (pair[1] << np.uint64(32)) | pair[0], likeness[keep])
        progress("near-duplicates", bands, bands, "bands")
        key = found["key"].astype(np.uint64)
        return Pairs(
            (key & np.uint64(0xFFFFFFFF)).astype(np.int64),
            (key >> np.uint64(32)).astype(np.int64),
            found["likeness"].astype(np.float32),
        )

    def _band_keys(self, first: int, width: int, is_short: NDArray[np.bool_]) -> UInt64:
        """Return the keys of a band, uint64 [entries]: its bytes, and a bit for short texts."""
        keys = np.empty(self._signatures.records, dtype=np.uint64)
        at = 0
        for chunk in self._signatures.chunks():
            padded = np.zeros((len(chunk), 8), dtype=np.uint8)
            padded[:, :width] = chunk[:, first : first + width]
            keys[at : at + len(chunk)] = padded.view("<u8")[:, 0]
            at += len(chunk)
        # Multiplying spreads the bytes; entries of short and long texts never meet.
        keys *= np.uint64(0x9E3779B97F4A7C15)
        keys ^= is_short
        return keys


class _Comparison:
    """How alike two entries are; ``is_short``, bool [entries], says which are compared exactly."""

    def __init__(self, signatures: ArrayFile, sets: ArrayFile, sizes: ArrayFile, threshold: float) -> None:
        self._signatures = signatures
        self._sets = sets
        self._sizes = sizes.array()[:, 0]
        self._ends = np.cumsum(self._sizes, dtype=np.int64)
        self._threshold = threshold
        self.is_short = self._sizes > 0

    def likeness(self, one: Int64, other: Int64) -> NDArray[np.float32]:
        """Return the likeness of pairs of entries of the same kind, float32 [pairs]."""
        entries, place = np.unique(np.concatenate((one, other)), return_inverse=True)
        signatures = self._signatures.at(entries, entries + 1)
        agreeing = np.count_nonzero(signatures[place[: len(one)]] == signatures[place[len(one) :]], axis=1)
        likeness: NDArray[np.float32] = ((agreeing / _PERMUTATIONS - _ACCIDENT) / (1 - _ACCIDENT)).astype(np.float32)
        exact = self.is_short[one] & (likeness >= self._threshold - _MARGIN)
        if exact.any():
            likeness[exact] = self._exact(one[exact], other[exact])
        return likeness

    def _exact(self, one: Int64, other: Int64) -> NDArray[np.float32]:
        entries, place = np.unique(np.concatenate((one, other)), return_inverse=True)
        sizes = self._sizes[entries].astype(np.int64)
        ends = self._ends[entries]
        values = self._sets.at(ends - sizes, ends)[:, 0]
        # A row an entry, filled up with a number that is no hash and that differs between the two sides of a pair.
        filled = np.full((len(entries), int(sizes.max())), _HASH_LIMIT + 1, dtype=np.uint32)
        filled[np.arange(filled.shape[1]) < sizes[:, None]] = values
        left, right = place[: len(one)], place[len(one) :]
        both = np.concatenate((filled[left], np.where(filled[right] > _HASH_LIMIT, _RIGHT, filled[right])), axis=1)
        both.sort(axis=1)
        shared = np.count_nonzero((both[:, 1:] == both[:, :-1]) & (both[:, 1:] <= _HASH_LIMIT), axis=1)
        exact: NDArray[np.float32] = (shared / (sizes[left] + sizes[right] - shared)).astype(np.float32)
        return exact


def first_of_group(count: int, pairs: Pairs) -> Int64:
    """Return for each of ``count`` texts the one that stands for it, int64 [count]: itself, or an earlier kept one.

    In the order of the texts: one is left out where it is alike to one before it that was kept.
    """
    first = np.arange(count, dtype=np.int64)
    left_out: dict[int, int] = {}
    for earlier, later in zip(pairs.earlier.tolist(), pairs.later.tolist(), strict=True):
        if later not in left_out and earlier not in left_out:
            left_out[later] = earlier
    if left_out:
        first[np.fromiter(left_out, np.int64)] = np.fromiter(left_out.values(), np.int64)
    return first


def _candidates(keys: UInt64, used: Int64 | None) -> Iterator[tuple[Int64, Int64]]:
    """Yield pairs of used entries (None: all) whose keys are equal: each with its neighbours and the first of all."""
    if used is not None:
        keys = keys[used]
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    equal = ordered[1:] == ordered[:-1]
    # Few entries share their key with another; only those are looked at from here on.
    shares = np.flatnonzero(np.concatenate((equal, [False])) | np.concatenate(([False], equal)))
    entries = order[shares] if used is None else used[order[shares]]
    ordered = ordered[shares]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1]))[: len(ordered)])
    place = np.arange(len(ordered)) - np.repeat(starts, np.diff(np.concatenate((starts, [len(ordered)]))))
    for distance in range(1, _NEIGHBOURS + 1):
        later = np.flatnonzero(place >= distance)
        yield from _in_batches(entries[later - distance], entries[later])
    later = np.flatnonzero(place > _NEIGHBOURS)
    yield from _in_batches(entries[later - place[later]], entries[later])


def _in_batches(one: Int64, other: Int64) -> Iterator[tuple[Int64, Int64]]:
    for start in range(0, len(one), _BATCH_PAIRS):
        yield one[start : start + _BATCH_PAIRS], other[start : start + _BATCH_PAIRS]


def _merge(found: dict[str, NDArray[np.generic]], keys: UInt64, likeness: NDArray[np.float32]) -> None:
    """Add pairs; one that is there already keeps the greater likeness."""
    if not len(keys):
        return
    together = np.concatenate((found["key"], keys))
    values = np.concatenate((found["likeness"], likeness))
    order = np.lexsort((-values, together))
    together, values = together[order], values[order]
    is_first = np.concatenate(([True], together[1:] != together[:-1]))
    found["key"], found["likeness"] = together[is_first], values[is_first]


def _band_width(threshold: float) -> int:
    """Return the most hashes a band may have so that a pair at the threshold is a candidate with 99.5 %."""
    for width in (8, 6, 5, 4, 3):
        if 1 - (1 - threshold**width) ** (_PERMUTATIONS // width) >= _WANTED_RECALL:
            return width
    return 2
