"""Texts that are nearly the same: MinHash finds the candidates, which are then compared (short texts exactly)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from remote_agent.dataset.findings.array_file import ArrayFile
from remote_agent.dataset.findings.duplicates import places_of_alike
from remote_agent.dataset.findings.shingles import Shingles, shingles
from remote_agent.dataset.sources import Advance, Cancelled, check, never, no_progress

Int32 = NDArray[np.int32]
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
_BLOCK = 64
_LEAST_WAITING = 1 << 18
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
    140 to 340 bytes in temporary files, and about 15 in memory while they are compared. The same texts give the same
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
        self._texts = ArrayFile(np.int32)
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
        used = None if among is None else self._entries_of(among)
        found = _Likeliest()
        width = _band_width(self._threshold)
        bands = _PERMUTATIONS // width
        for band in range(bands):
            check(cancelled)
            progress("near-duplicates", band, bands, "bands")
            for one, other in _candidates(self._band_keys(band * width, width, comparison.is_short), used):
                likeness = comparison.likeness(one, other)
                keep = likeness >= self._threshold
                if keep.any():
                    found.add(*self._texts_of(one[keep], other[keep]), likeness[keep])
        progress("near-duplicates", bands, bands, "bands")
        return found.pairs()

    def _entries_of(self, among: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return of which entries the text is among some, bool [entries]."""
        nothing = np.zeros(0, dtype=np.bool_)
        return np.concatenate([nothing, *(among[chunk[:, 0]] for chunk in self._texts.chunks())])

    def _texts_of(self, one: Int64, other: Int64) -> tuple[Int64, Int64]:
        """Return the earlier and the later text of pairs of entries."""
        entries, place = np.unique(np.concatenate((one, other)), return_inverse=True)
        texts = self._texts.at(entries, entries + 1)[:, 0].astype(np.int64)[place]
        both = texts[: len(one)], texts[len(one) :]
        return np.minimum(*both), np.maximum(*both)

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
        found = sizes.array()[:, 0]
        # Where the set of each 64th entry begins; where one in between does is counted from there when it is needed.
        whole = -(-len(found) // _BLOCK)
        self._blocks = np.zeros((whole, _BLOCK), dtype=np.uint8)
        self._sizes = self._blocks.reshape(-1)[: len(found)]
        self._sizes[:] = found
        del found
        self._before = np.zeros(whole + 1, dtype=np.int64)
        np.cumsum(self._blocks.sum(axis=1, dtype=np.int64), out=self._before[1:])
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
        block, place_in_block = entries // _BLOCK, entries % _BLOCK
        counted = np.arange(_BLOCK) <= place_in_block[:, None]
        ends = self._before[block] + (self._blocks[block] * counted).sum(axis=1, dtype=np.int64)
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


class _Likeliest:
    """Pairs of texts, each once, with the greatest likeness that was found for it."""

    def __init__(self) -> None:
        self._keys, self._likeness = np.empty(0, np.uint64), np.empty(0, np.float32)
        self._added: list[tuple[UInt64, NDArray[np.float32]]] = []
        self._waiting = 0

    def add(self, earlier: Int64, later: Int64, likeness: NDArray[np.float32]) -> None:
        """Add pairs. They are sorted in once they are many, so that a pair is not moved for each batch."""
        self._added.append(((later.astype(np.uint64) << np.uint64(32)) | earlier.astype(np.uint64), likeness))
        self._waiting += len(likeness)
        if self._waiting > max(_LEAST_WAITING, len(self._keys)):
            self._merge()

    def pairs(self) -> Pairs:
        """Return them, ordered by the later text, then the earlier."""
        self._merge()
        earlier, later = self._keys & np.uint64(0xFFFFFFFF), self._keys >> np.uint64(32)
        return Pairs(earlier.astype(np.int64), later.astype(np.int64), self._likeness)

    def _merge(self) -> None:
        keys = np.concatenate([self._keys, *(one for one, _ in self._added)])
        likeness = np.concatenate([self._likeness, *(one for _, one in self._added)])
        self._added, self._waiting = [], 0
        order = np.lexsort((-likeness, keys))
        keys, likeness = keys[order], likeness[order]
        is_first = np.concatenate(([True], keys[1:] != keys[:-1]))[: len(keys)]
        self._keys, self._likeness = keys[is_first], likeness[is_first]


def first_of_group(count: int, pairs: Pairs) -> Int32:
    """Return for each of ``count`` texts the one that stands for it, int32 [count]: itself, or an earlier kept one.

    In the order of the texts: one is left out where it is alike to one before it that was kept.
    """
    first = np.arange(count, dtype=np.int32)
    stands = first.data
    for start in range(0, len(pairs.later), _BATCH_PAIRS):
        some = slice(start, start + _BATCH_PAIRS)
        for earlier, later in zip(pairs.earlier[some].tolist(), pairs.later[some].tolist(), strict=True):
            if stands[later] == later and stands[earlier] == earlier:
                stands[later] = earlier
    return first


def _candidates(keys: UInt64, used: NDArray[np.bool_] | None) -> Iterator[tuple[Int64, Int64]]:
    """Yield pairs of used entries (None: all) whose keys are equal: each with its neighbours and the first of all."""
    for places in places_of_alike(keys):
        some = places if used is None else places[used[places]]
        order = np.argsort(keys[some], kind="stable")
        ordered = keys[some[order]]
        equal = ordered[1:] == ordered[:-1]
        # Few entries share their key with another; only those are looked at from here on.
        shares = np.flatnonzero(np.concatenate((equal, [False])) | np.concatenate(([False], equal)))[: len(ordered)]
        yield from _neighbours(some[order[shares]].astype(np.int64), ordered[shares])


def _neighbours(entries: Int64, ordered: UInt64) -> Iterator[tuple[Int64, Int64]]:
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


def _band_width(threshold: float) -> int:
    """Return the most hashes a band may have so that a pair at the threshold is a candidate with 99.5 %."""
    for width in (8, 6, 5, 4, 3):
        if 1 - (1 - threshold**width) ** (_PERMUTATIONS // width) >= _WANTED_RECALL:
            return width
    return 2
