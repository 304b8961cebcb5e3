"""Reads every row once, in a process of its own: counts its tokens, looks for what is wrong with it, keeps both."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from remote_agent.contract.job_spec import JobSpec
from remote_agent.dataset.corpus import Corpus, Plan
from remote_agent.dataset.data_error import CancelledError, DataError
from remote_agent.dataset.encoding import EncodedRow, RowEncoder
from remote_agent.dataset.findings import KINDS, FindingsPass
from remote_agent.dataset.findings.kinds import CONVERSATION, TOKENS
from remote_agent.dataset.findings.row_batch import RowBatch
from remote_agent.dataset.inspection_cache import InspectionCache, Keys, keys_of
from remote_agent.dataset.inspection_inputs import Inputs
from remote_agent.dataset.length_findings import BY_LENGTH
from remote_agent.dataset.row_arrays import ArrayWriter, let_go
from remote_agent.dataset.sources import Advance, Cancelled, never, no_progress
from remote_agent.dataset.tokenizer_files import template_text

Told = Callable[[dict[str, Any]], None]
"""Is told of what is new: frames "planned", "rows" and "found", the latter two with the ``folder`` they lie in."""

PHASE = "data"
BY_RUN = frozenset(("unseen_rows", "many_epochs"))
"""Kinds that the report finds, since they change with the run's length."""

_ANY_LENGTH = 1 << 30
_TELL_EVERY_S = 0.5
_FINDINGS_EVERY_S = 3.0
_OF_ONE_ROW = frozenset(name for name, kind in KINDS.items() if kind.decided_by in (CONVERSATION, TOKENS)) - BY_LENGTH
_OF_ALL_ROWS = frozenset(KINDS) - _OF_ONE_ROW - BY_LENGTH - BY_RUN


def scan(
    inputs: Inputs, cache: InspectionCache, told: Told, progress: Advance = no_progress, cancelled: Cancelled = never
) -> None:
    """Bring the cache to all that is known of the inputs: which rows are trained, their tokens, and findings.

    Raises:
        DataError: a file cannot be read, changed meanwhile, or the model has no usable tokenizer.
        CancelledError: between batches.
        OSError: the cache cannot be written.
    """
    hashing = _Hashing(cache, cancelled)
    hashing.start()
    if inputs.makes_rows:
        hashing.finish()  # the rows that were made lie under the hash of what they were made of
    made = cache.made(inputs)
    keys = keys_of(inputs, made)
    corpus = inputs.corpus(inputs.tokenizer(), cache.folder, made)
    plan = cache.plan(keys)
    if plan is None:
        plan = corpus.plan(progress, cancelled)
        cache.keep_plan(keys, plan)
        plan = cache.plan(keys) or plan  # what is mapped from a file can be given back
    else:
        corpus.index(progress, cancelled)
    told({"frame": "planned"})
    if cache.found(keys) is None or cache.arrays(keys) is None:
        own_template = template_text(inputs.model_path)
        _Reading(corpus, plan, own_template, cache, keys, told).read(progress, cancelled)
    hashing.finish()
    cache.check_files()
    cache.trim()


def without_length(job: JobSpec) -> JobSpec:
    """Return a job that takes every row whole: what a length does to a row is worked out from its numbers."""
    data = dataclasses.replace(job.data, max_length=_ANY_LENGTH, over_length="truncate")
    return dataclasses.replace(job, data=data)


class _Reading:
    """One pass over all rows."""

    def __init__(
        self, corpus: Corpus, plan: Plan, own_template: str, cache: InspectionCache, keys: Keys, told: Told
    ) -> None:
        self._corpus, self._plan, self._cache, self._keys, self._told = corpus, plan, cache, keys, told
        job = without_length(corpus.job)
        unused = tuple(dict.fromkeys(name for source in corpus.sources for name in source.shape.shape.unused))
        self._encoder = RowEncoder(corpus.model, job.data)
        self._of_one_row = FindingsPass(job, corpus.model, _OF_ONE_ROW, unused, own_template)
        self._of_all_rows = FindingsPass(job, corpus.model, _OF_ALL_ROWS, unused, own_template)
        self._next_rows_s = self._next_found_s = 0.0

    def read(self, progress: Advance, cancelled: Cancelled) -> None:
        """Read, and put arrays and findings into the cache."""
        plan, cache, keys = self._plan, self._cache, self._keys
        writer = None if cache.arrays(keys) is not None else ArrayWriter(cache.new_arrays(keys))
        # Where the rows' numbers are there already, those that a step left out need not be read again.
        examples = self._corpus.examples(None if writer is not None else plan)
        total = plan.rows if writer is not None else int(plan.kept.sum())
        done = 0
        progress(PHASE, 0, total, "rows")
        try:
            for batch in self._encoder.encode(examples, strict=False, cancelled=cancelled):
                if writer is not None:
                    writer.add(batch)
                self._look_at(batch)
                done += len(batch)
                progress(PHASE, done, total, "rows")
                self._tell(writer)
        finally:
            if writer is not None:
                writer.close()
        if writer is not None:
            self._told({"frame": "rows", "folder": str(cache.keep_arrays(keys, writer.folder))})
        let_go(plan.kept, plan.train, plan.held_out)
        found = self._of_one_row.finish() + self._of_all_rows.finish(progress, cancelled)
        self._told({"frame": "found", "folder": str(cache.keep_found(keys, found))})

    def _look_at(self, batch: Sequence[EncodedRow]) -> None:
        plan = self._plan
        kept = [row for row in batch if plan.kept[row.row.index]]
        parts = [
            "train" if plan.train[row.row.index] else "held_out" if plan.held_out[row.row.index] else "" for row in kept
        ]
        laid_out = RowBatch(kept, parts)
        self._of_one_row.take_batch(laid_out)
        self._of_all_rows.take_batch(laid_out)

    def _tell(self, writer: ArrayWriter | None) -> None:
        now = time.monotonic()
        if writer is not None and now >= self._next_rows_s:
            self._told({"frame": "rows", "folder": str(writer.folder)})
            self._next_rows_s = now + _TELL_EVERY_S
        if now >= self._next_found_s:
            folder = self._cache.keep_found_so_far(self._keys, self._of_one_row.finish())
            self._told({"frame": "found", "folder": str(folder)})
            self._next_found_s = now + _FINDINGS_EVERY_S


class _Hashing(threading.Thread):
    """Hashes the training data beside the reading of it."""

    def __init__(self, cache: InspectionCache, cancelled: Cancelled) -> None:
        super().__init__(name="content-hash", daemon=True)
        self._cache, self._cancelled = cache, cancelled
        self._error: Exception | None = None

    def run(self) -> None:
        """Hash, and keep the result."""
        try:
            self._cache.take_hashes(self._cancelled)
        except (DataError, OSError, CancelledError) as error:
            self._error = error

    def finish(self) -> None:
        """Wait for it. Raises DataError, OSError, CancelledError where it failed."""
        self.join()
        if self._error is not None:
            raise self._error
