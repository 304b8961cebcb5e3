"""What can be said only of all rows together: equal and like ones, leaks, classes, lengths."""

from __future__ import annotations

import dataclasses
from array import array
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

_PARTS = {TRAIN: 1, HELD_OUT: 2}
_UNEVEN = 3.0
_MOST_CLASSES = 1000
_LEAST_ROWS = 50
_OUTLIER = 5.0
_SMALLEST_SPREAD = 0.25
# The median distance of a normal distribution from its middle is 0.6745 standard deviations.
_NORMAL = 1.4826

Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]


class AlikeChecks:
    """Rows that say the same: 25 bytes a row (beyond a million rows on disk), and what `NearDuplicates` keeps."""

    kinds = frozenset(("duplicate", "near_duplicate", "conflicting_answers", "leakage", "near_leakage"))

    def __init__(self, job: JobSpec, wanted: Collection[str]) -> None:
        self._wanted = self.kinds & set(wanted)
        self._has_held_out_file = bool(job.data.held_out_path)
        self._keys, self._prompts = ArrayFile(np.uint64), ArrayFile(np.uint64)
        self._rows, self._parts = ArrayFile(np.int64), ArrayFile(np.uint8)
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
        rows, parts, keys = self._rows.array()[:, 0], self._parts.array()[:, 0], self._keys.array()[:, 0]
        first = first_of_equal(keys)
        held_out = parts == _PARTS[HELD_OUT]
        elsewhere = held_out & self._has_held_out_file
        found = [*self._equal(rows, first, elsewhere), *self._conflicts(rows, keys, first)]
        # For each first of equal rows one of them that is trained on, -1 where none is.
        trained_one = np.full(len(rows), -1, dtype=np.int64)
        in_training = np.flatnonzero(parts == _PARTS[TRAIN])
        trained_one[first[in_training]] = in_training
        trained = trained_one >= 0
        leaks = held_out & trained[first]
        if "leakage" in self._wanted and leaks.any():
            found.append(found_rows("leakage", rows[leaks], _named(rows, np.flatnonzero(leaks), trained_one[first])))
        if self._near is not None:
            pairs = self._near.pairs(first == np.arange(len(first)), progress, cancelled)
            found += self._nearly_equal(rows, pairs, elsewhere)
            found += self._nearly_leaked(rows, pairs, first, trained, held_out & ~leaks)
        return found

    def _equal(self, rows: Int64, first: Int64, elsewhere: Bool) -> Iterable[Found]:
        repeats = (first != np.arange(len(first))) & ~elsewhere
        if "duplicate" in self._wanted and repeats.any():
            yield found_rows("duplicate", rows[repeats], _named(rows, np.flatnonzero(repeats), first))

    def _conflicts(self, rows: Int64, keys: NDArray[np.uint64], equal: Int64) -> Iterable[Found]:
        if "conflicting_answers" not in self._wanted:
            return
        prompts = self._prompts.array()[:, 0]
        first = first_of_equal(prompts)
        differs = (keys != keys[first]) & (prompts != NO_PROMPT)
        has_other = np.zeros(len(rows), dtype=np.bool_)
        has_other[first[differs]] = True
        if differs.any():
            pairs = _named(rows, np.flatnonzero(differs), first, likeness=0.0)
            concerned = np.flatnonzero(has_other[first])
            concerned = concerned[np.argsort(rows[concerned])]
            answers = np.stack((rows[first[concerned]], rows[equal[concerned]]), axis=1)
            yield dataclasses.replace(found_rows("conflicting_answers", rows[concerned], pairs), answers=answers)

    def _nearly_equal(self, rows: Int64, pairs: Pairs, elsewhere: Bool) -> Iterable[Found]:
        here = ~elsewhere[pairs.earlier] & ~elsewhere[pairs.later]
        pairs = Pairs(pairs.earlier[here], pairs.later[here], pairs.likeness[here])
        first = first_of_group(len(rows), pairs)
        repeats = first != np.arange(len(rows))
        if "near_duplicate" in self._wanted and repeats.any():
            shown = first[pairs.later] == pairs.earlier
            yield found_rows("near_duplicate", rows[repeats], _row_pairs(rows, pairs, shown), threshold=THRESHOLD)

    def _nearly_leaked(self, rows: Int64, pairs: Pairs, first: Int64, trained: Bool, held_out: Bool) -> Iterable[Found]:
        near_trained = np.zeros(len(rows), dtype=np.bool_)
        near_trained[pairs.earlier[trained[pairs.later]]] = True
        near_trained[pairs.later[trained[pairs.earlier]]] = True
        leaks = held_out & near_trained[first]
        if "near_leakage" in self._wanted and leaks.any():
            forward = leaks[pairs.later] & trained[pairs.earlier]
            backward = leaks[pairs.earlier] & trained[pairs.later] & ~forward
            turned = Pairs(pairs.later, pairs.earlier, pairs.likeness)
            named = [*_row_pairs(rows, pairs, forward), *_row_pairs(rows, turned, backward)]
            yield found_rows("near_leakage", rows[leaks], named[:MOST_PAIRS], threshold=THRESHOLD)


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
    """Rows' lengths in tokens, 8 bytes a row, and those far from the rest."""

    kinds = frozenset(("outlier_length",))

    def __init__(self) -> None:
        self._rows, self._lengths = array("I"), array("I")

    def take(self, batch: RowBatch) -> None:
        """Take in a batch."""
        self._rows.extend(batch.index.tolist())
        self._lengths.extend(batch.lengths.tolist())

    def holding(self, share: float) -> int:
        """Return the smallest number of tokens that holds a share of the rows whole, 0 where there are none."""
        lengths = np.sort(np.array(self._lengths, dtype=np.int64))
        return int(lengths[max(0, int(np.ceil(share * len(lengths))) - 1)]) if len(lengths) else 0

    def found(self) -> list[Found]:
        """Return rows whose log length lies over five robust standard deviations (median, MAD) from the median.

        Source: Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993; with 5 instead of their 3.5, as lengths
        have long tails.
        """
        lengths = np.array(self._lengths, dtype=np.int64)
        has_tokens = lengths > 0
        lengths, rows = lengths[has_tokens], np.array(self._rows, dtype=np.int64)[has_tokens]
        if len(lengths) < _LEAST_ROWS:
            return []
        logs = np.log(lengths)
        middle = float(np.median(logs))
        spread = max(_NORMAL * float(np.median(np.abs(logs - middle))), _SMALLEST_SPREAD)
        low, high = np.exp(middle - _OUTLIER * spread), np.exp(middle + _OUTLIER * spread)
        long, short = lengths > high, lengths < low
        if not (long | short).any():
            return []
        parts = [f"{np.count_nonzero(long):,} over {int(high):,} tokens"] if long.any() else []
        parts += [f"{np.count_nonzero(short):,} under {int(np.ceil(low)):,} tokens"] if short.any() else []
        detail = f"{' and '.join(parts)}, where the median is {round(float(np.exp(middle))):,}"
        return [found_rows("outlier_length", rows[long | short], detail=detail, threshold=_OUTLIER)]


def _named(rows: Int64, places: Int64, first: Int64, likeness: float = 1.0) -> list[RowPair]:
    """Return the first pairs of a row and the first that equals it."""
    return [RowPair(int(rows[place]), int(rows[first[place]]), likeness) for place in places[:MOST_PAIRS]]


def _row_pairs(rows: Int64, pairs: Pairs, chosen: Bool) -> list[RowPair]:
    places = np.flatnonzero(chosen)[:MOST_PAIRS]
    return [
        RowPair(int(rows[later]), int(rows[earlier]), round(float(likeness), 4))
        for earlier, later, likeness in zip(*(values[places] for values in pairs), strict=True)
    ]
