"""What a sequence length costs: tokens beyond it at many lengths at once, and the ways of making batches at one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from remote_agent.contract.data_report import BatchingReport, LengthCurve
from remote_agent.dataset.order import GROUPED_BATCHES, epoch_order
from remote_agent.dataset.packing import pack

Int64 = NDArray[np.int64]

_EACH_UP_TO = 64
_AN_OCTAVE = 32
_MOST_LENGTHS = 512


def curve_lengths(longest: int, also: int = 0) -> Int64:
    """Return the lengths of a curve whose longest row has so many tokens: rising, at most 513, the longest the last.

    Each up to 64, then 32 an octave, so that powers of two and their common multiples are among them; and ``also``,
    unless it is over the longest.
    """
    octaves = [
        np.arange(start, 2 * start, start // _AN_OCTAVE, dtype=np.int64)
        for start in (_EACH_UP_TO << octave for octave in range(max(longest, 1).bit_length()))
        if start < longest
    ]
    grid = np.concatenate([np.arange(1, _EACH_UP_TO, dtype=np.int64), *octaves])
    below = grid[grid < longest]
    lengths = np.append(below[-(_MOST_LENGTHS - 1) :], max(longest, 1))
    return np.union1d(lengths, [also]) if 0 < also < longest else lengths


def length_curve(
    tokens: NDArray[np.integer], runs: NDArray[np.integer], first_trained: NDArray[np.integer]
) -> LengthCurve:
    """Return what every length of `curve_lengths` would cut off, exact at each of them.

    Args:
        tokens: int [rows], each row's tokens before anything is cut.
        runs: int [runs, 2], first and one past the last token of every stretch of trained tokens, of all rows.
        first_trained: int [rows that have any], the place of a row's first trained token.
    """
    if not len(tokens):
        return LengthCurve()
    at = curve_lengths(int(tokens.max()))
    rows_over, tokens_over = _beyond(tokens, at)
    # A stretch has end - max(start, length) tokens beyond a length: the excess of its end without that of its start.
    supervised_over = _beyond(runs[:, 1], at)[1] - _beyond(runs[:, 0], at)[1]
    untrained = len(first_trained) - np.searchsorted(np.sort(first_trained), at, side="left")
    return LengthCurve(*(tuple(values.tolist()) for values in (at, rows_over, tokens_over, supervised_over, untrained)))


def _beyond(values: NDArray[np.integer], at: Int64) -> tuple[Int64, Int64]:
    """Return how many values are over each of some bounds, and by how much together."""
    ordered = np.sort(values)
    sums = np.zeros(len(ordered) + 1, dtype=np.int64)
    np.cumsum(ordered, out=sums[1:])
    first = np.searchsorted(ordered, at, side="right")
    count = len(ordered) - first
    return count, sums[-1] - sums[first] - count * at


def batching_at(
    lengths: NDArray[np.integer], length: int, micro_batch: int, over_length: str = "truncate"
) -> tuple[BatchingReport, ...]:
    """Return what packed, padding-free and padded batches of rows of so many tokens come to at a sequence length.

    Packed: as `pack` puts rows into sequences of ``length``. Padding-free: the rows of a micro batch joined. Padded:
    rows of like length in a micro batch, as the trainer groups them, each as long as the longest of its micro batch.
    """
    used = fitted(lengths, length, over_length)
    tokens = int(used.sum())
    packed = pack(used, length).sequences
    return (
        BatchingReport("packed", length, packed, tokens, packed * length),
        BatchingReport("padding_free", length, len(used), tokens, tokens),
        BatchingReport("padded", length, len(used), tokens, padded_tokens(used, micro_batch)),
    )


def fitted(lengths: NDArray[np.integer], length: int, over_length: str) -> Int64:
    """Return the lengths of the documents that rows become: cut, dropped or split where they are over ``length``."""
    whole: Int64 = lengths[lengths > 0].astype(np.int64)
    if over_length == "drop":
        kept: Int64 = whole[whole <= length]
        return kept
    if over_length == "split":
        windows = -(-whole // length)
        pieces = np.full(int(windows.sum()), length, dtype=np.int64)
        pieces[np.cumsum(windows) - 1] = whole - (windows - 1) * length
        return pieces
    return np.minimum(whole, length)


def padded_tokens(lengths: Int64, micro_batch: int) -> int:
    """Return the tokens of an epoch's padded micro batches, padding included, with rows grouped by length.

    The micro batches are those of `grouped_order`, whose order among themselves is left alone: it holds no more.
    """
    stretch = GROUPED_BATCHES * micro_batch
    shuffled = lengths[epoch_order(0, 0, len(lengths))]
    whole = len(shuffled) // stretch * stretch
    longest = np.sort(shuffled[:whole].reshape(-1, stretch), axis=1)[:, micro_batch - 1 :: micro_batch]
    rest = np.sort(shuffled[whole:])[::-1]
    sizes = np.diff(np.append(np.arange(0, len(rest), micro_batch), len(rest)))
    return int(longest.sum()) * micro_batch + int((rest[::micro_batch] * sizes).sum())
