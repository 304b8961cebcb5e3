"""What can be said only of all rows together: equal and like ones, leaks, classes, lengths."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterable

import numpy as np
from numpy.typing import NDArray

from remote_agent.contract.data_report import RowPair
from remote_agent.contract.job_spec import JobSpec
from remote_agent.dataset.findings.array_file import ArrayFile
from remote_agent.dataset.findings.duplicates import NO_PROMPT, exact_keys, first_of_equal, prompt_key
from remote_agent.dataset.findings.found import MOST_PAIRS, Found, found_once, found_rows
from remote_agent.dataset.findings.near_duplicates import THRESHOLD, NearDuplicates, Pairs, first_of_group
from remote_agent.dataset.findings.row_batch import HELD_OUT, TRAIN, RowBatch
from remote_agent.dataset.sources import Advance, Cancelled, never, no_progress
from remote_agent.dataset.value_counts import ValueCounts

_PARTS = {TRAIN: 1, HELD_OUT: 2}
_UNEVEN = 3.0
_MOST_CLASSES = 1000
_LEAST_ROWS = 50
_OUTLIER = 5.0
_SMALLEST_SPREAD = 0.25
# The median distance of a normal distribution from its middle is 0.6745 standard deviations.
_NORMAL = 1.4826

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]


class AlikeChecks:
    """Rows that say the same: 21 bytes a row, beyond a million rows on disk, and what `NearDuplicates` keeps."""

    kinds = frozenset(("duplicate", "near_duplicate", "conflicting_answers", "leakage", "near_leakage"))

    def __init__(self, job: JobSpec, wanted: Collection[str]) -> None:
        self._wanted = self.kinds & set(wanted)
        self._has_held_out_file = bool(job.data.held_out_path)
        self._keys, self._prompts = ArrayFile(np.uint64), ArrayFile(np.uint64)
        self._rows, self._parts = ArrayFile(np.int32), ArrayFile(np.uint8)
        self._near = NearDuplicates(THRESHOLD) if self._wanted & {"near_duplicate", "near_leakage"} else None

    def take(self, batch: RowBatch) -> None:
        """Take in a batch; rows that are left out of training repeat nothing."""
        kept = [number for number, row in enumerate(batch.rows) if row.kept]
        conversations = [batch.conversations[number] for number in kept]
        self._keys.append(exact_keys(conversations))
        if "conflicting_answers" in self._wanted:
            self._prompts.append(np.fromiter(map(prompt_key, conversations), dtype=np.uint64))
        self._rows.append(batch.index[kept])
        self._parts.append(np.array([_PARTS.get(batch.parts[number], 0) for number in kept], dtype=np.uint8))
        if self._near is not None:
            self._near.add([batch.texts[number] for number in kept])

    def found(self, progress: Advance = no_progress, cancelled: Cancelled = never) -> list[Found]:
        """Compare all rows. Raises CancelledError."""
        first = first_of_equal(self._keys.array()[:, 0])
        parts = self._parts.array()[:, 0]
        held_out = parts == _PARTS[HELD_OUT]
        elsewhere = held_out & self._has_held_out_file
        found = [*self._equal(first, elsewhere), *self._conflicts(first)]
        trained_one, leaks = self._leaked(parts, first, held_out, found)
        if self._near is not None:
            aside = np.flatnonzero(held_out & ~leaks)
            first_of_aside = first[aside]
            is_first = first == np.arange(len(first), dtype=np.int32)
            del parts, first, held_out, leaks  # what is not needed below, of very many rows
            pairs = self._near.pairs(is_first, progress, cancelled)
            rows = self._rows.array()[:, 0]
            found += self._nearly_equal(rows, pairs, elsewhere)
            if "near_leakage" in self._wanted:
                found += _nearly_leaked(rows, pairs, aside, first_of_aside, trained_one)
        return found

    def _leaked(self, parts: NDArray[np.uint8], first: Int32, held_out: Bool, found: list[Found]) -> tuple[Int32, Bool]:
        """Add rows that are held out and trained on, and return which they are.

        The other result has, for each first of equal rows, the place of one that is trained on, -1 where none is.
        """
        trained_one = np.full(len(parts), -1, dtype=np.int32)
        in_training = np.flatnonzero(parts == _PARTS[TRAIN]).astype(np.int32)
        trained_one[first[in_training]] = in_training
        del in_training
        leaks: Bool = held_out & (trained_one >= 0)[first]
        if "leakage" in self._wanted and leaks.any():
            rows = self._rows.array()[:, 0]
            places = np.flatnonzero(leaks)[:MOST_PAIRS]
            found.append(found_rows("leakage", rows[leaks], _named(rows, places, trained_one[first[places]])))
        return trained_one, leaks

    def _equal(self, first: Int32, elsewhere: Bool) -> Iterable[Found]:
        repeats = (first != np.arange(len(first), dtype=np.int32)) & ~elsewhere
        if "duplicate" in self._wanted and repeats.any():
            rows, places = self._rows.array()[:, 0], np.flatnonzero(repeats)[:MOST_PAIRS]
            yield found_rows("duplicate", rows[repeats], _named(rows, places, first[places]))

    def _conflicts(self, equal: Int32) -> Iterable[Found]:
        if "conflicting_answers" not in self._wanted:
            return
        first = first_of_equal(self._prompts.array()[:, 0], NO_PROMPT)
        # Two rows are equal where the first of their equals is the same.
        differs = equal != equal[first]
        if differs.any():
            yield _conflicting(self._rows.array()[:, 0], equal, first, differs)

    def _nearly_equal(self, rows: Int32, pairs: Pairs, elsewhere: Bool) -> Iterable[Found]:
        here = ~elsewhere[pairs.earlier] & ~elsewhere[pairs.later]
        pairs = Pairs(pairs.earlier[here], pairs.later[here], pairs.likeness[here])
        first = first_of_group(len(rows), pairs)
        repeats = first != np.arange(len(rows), dtype=np.int32)
        if "near_duplicate" in self._wanted and repeats.any():
            named = _row_pairs(rows, pairs, first[pairs.later] == pairs.earlier)
            places = np.flatnonzero(repeats)
            firsts = rows[first[places[np.argsort(rows[places])]]].astype(np.int64)
            whole = found_rows("near_duplicate", rows[repeats], named, threshold=THRESHOLD)
            yield dataclasses.replace(whole, firsts=firsts)


class ClassCheck:
    """How rows spread over classes."""

    kinds = frozenset(("class_imbalance",))

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def take(self, batch: RowBatch) -> None:
        """Take in a batch; held-out rows do not count."""
        for conversation, part in zip(batch.conversations, batch.parts, strict=True):
            if (
                conversation.label
                and part != HELD_OUT
                and (len(self._counts) <= _MOST_CLASSES or conversation.label in self._counts)
            ):
                self._counts[conversation.label] += 1

    def found(self) -> list[Found]:
        """Return a finding where the largest class has at least three times the rows of the smallest."""
        if not 2 <= len(self._counts) <= _MOST_CLASSES:
            return []
        (large, most), (small, least) = self._counts.most_common()[0], self._counts.most_common()[-1]
        ratio = most / least
        if ratio < _UNEVEN:
            return []
        detail = (
            f"The class {large!r} has {ratio:.1f} times the rows of {small!r} ({most:,} against {least:,}, "
            f"{len(self._counts)} classes)"
        )
        return [found_once("class_imbalance", len(self._counts), detail, _UNEVEN)]


class LengthCheck:
    """Rows' lengths in tokens, 8 bytes a row (of many rows on disk), and those far from the rest."""

    kinds = frozenset(("outlier_length",))

    def __init__(self) -> None:
        self._kept = ArrayFile(np.int32, 2)  # row, tokens

    def take(self, batch: RowBatch) -> None:
        """Take in a batch."""
        self._kept.append(np.stack((batch.index, batch.lengths), axis=1))

    def holding(self, share: float) -> int:
        """Return the smallest number of tokens that holds a share of the rows whole, 0 where there are none."""
        counts = ValueCounts.of((chunk[:, 1], None) for chunk in self._kept.chunks())
        return counts.at(max(0, int(np.ceil(share * counts.count)) - 1)) if counts.count else 0

    def found(self) -> list[Found]:
        """Return rows whose log length lies over five robust standard deviations (median, MAD) from the median.

        Source: Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993; with 5 instead of their 3.5, as lengths
        have long tails.
        """
        counts = ValueCounts.of((chunk[chunk[:, 1] > 0, 1], None) for chunk in self._kept.chunks())
        if counts.count < _LEAST_ROWS:
            return []
        logs = np.log(counts.values)
        middle = _median(logs, counts.counts)
        spread = max(_NORMAL * _median(np.abs(logs - middle), counts.counts), _SMALLEST_SPREAD)
        low, high = np.exp(middle - _OUTLIER * spread), np.exp(middle + _OUTLIER * spread)
        long = int(counts.counts[counts.values > high].sum())
        short = int(counts.counts[counts.values < low].sum())
        if not long + short:
            return []
        parts = [f"{long:,} over {int(high):,} tokens"] if long else []
        parts += [f"{short:,} under {int(np.ceil(low)):,} tokens"] if short else []
        detail = f"{' and '.join(parts)}, where the median is {round(float(np.exp(middle))):,}"
        return [found_rows("outlier_length", self._rows_beyond(low, high), detail=detail, threshold=_OUTLIER)]

    def _rows_beyond(self, low: float, high: float) -> Int64:
        found = [np.zeros(0, dtype=np.int64)]
        for chunk in self._kept.chunks():
            tokens = chunk[:, 1]
            found.append(chunk[(tokens > high) | ((tokens < low) & (tokens > 0)), 0].astype(np.int64))
        return np.concatenate(found)


def _median(values: NDArray[np.float64], counts: Int64) -> float:
    """Return the median of values that come so often, in any order: of an even number the mean of the two in the
    middle."""
    order = np.argsort(values, kind="stable")
    ends = np.cumsum(counts[order])
    count = int(ends[-1])
    middle = np.searchsorted(ends, [(count - 1) // 2, count // 2], side="right")
    return float(values[order[middle]].mean())


def _conflicting(rows: Int32, equal: Int32, first: Int32, differs: Bool) -> Found:
    """Return the rows whose prompt has several answers: ``first`` is the first row of each row's prompt, from which
    some differ."""
    has_other = np.zeros(len(rows), dtype=np.bool_)
    has_other[first[differs]] = True
    named = np.flatnonzero(differs)[:MOST_PAIRS]
    pairs = _named(rows, named, first[named], likeness=0.0)
    concerned = np.flatnonzero(has_other[first])
    concerned = concerned[np.argsort(rows[concerned])]
    answers = np.stack((rows[first[concerned]], rows[equal[concerned]]), axis=1).astype(np.int64)
    return dataclasses.replace(found_rows("conflicting_answers", rows[concerned], pairs), answers=answers)


def _nearly_leaked(
    rows: Int32, pairs: Pairs, aside: Int64, first_of_aside: Int32, trained_one: Int32
) -> Iterable[Found]:
    """Find rows set aside that are nearly what is trained on.

    Args:
        rows: the row at each place.
        pairs: places of rows that are alike, each the first of its equals.
        aside: int64, the places of held-out rows that equal no trained one; ``first_of_aside`` the first of their
            equals.
        trained_one: of each first the place of an equal row that is trained on, -1 where none is.
    """
    is_aside = np.zeros(len(rows), dtype=np.bool_)
    is_aside[first_of_aside] = True
    sides = ((pairs.earlier, pairs.later), (pairs.later, pairs.earlier))
    chosen = [np.flatnonzero(is_aside[one] & (trained_one[other] >= 0)) for one, other in sides]
    firsts = np.concatenate([one[some] for (one, _), some in zip(sides, chosen, strict=True)])
    others = np.concatenate([trained_one[other[some]] for (_, other), some in zip(sides, chosen, strict=True)])
    if not len(firsts):
        return
    likeness = np.concatenate([pairs.likeness[some] for some in chosen])
    order = np.argsort(firsts, kind="stable")
    firsts, others, likeness = firsts[order], others[order], likeness[order]
    begin, end = (np.searchsorted(firsts, first_of_aside, side=side) for side in ("left", "right"))
    counts = end - begin
    leaking = np.repeat(aside, counts)
    found = np.repeat(begin - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
    likes = np.stack((rows[leaking], rows[others[found]]), axis=1).astype(np.int64)
    best = np.lexsort((likes[:, 1], -likeness[found], likes[:, 0]))
    is_best = np.diff(likes[best, 0], prepend=-1) != 0
    named = [
        RowPair(int(row), int(other), round(float(alike), 4))
        for (row, other), alike in zip(likes[best][is_best][:MOST_PAIRS], likeness[found][best][is_best], strict=False)
    ]
    whole = found_rows("near_leakage", likes[:, 0], named, threshold=THRESHOLD)
    yield dataclasses.replace(whole, likes=likes[np.lexsort((likes[:, 1], likes[:, 0]))])


def _named(rows: Int32, places: Int64, others: Int32, likeness: float = 1.0) -> list[RowPair]:
    """Return pairs of the rows at some places and at others."""
    return [RowPair(int(rows[place]), int(rows[other]), likeness) for place, other in zip(places, others, strict=True)]


def _row_pairs(rows: Int32, pairs: Pairs, chosen: Bool) -> list[RowPair]:
    places = np.flatnonzero(chosen)[:MOST_PAIRS]
    return [
        RowPair(int(rows[later]), int(rows[earlier]), round(float(likeness), 4))
        for earlier, later, likeness in zip(*(values[places] for values in pairs), strict=True)
    ]
