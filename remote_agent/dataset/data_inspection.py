"""A whole look at a data set in one go: what it comes to under a model's tokenizer, and what a person should know."""

from __future__ import annotations

import tempfile
from pathlib import Path

from remote_agent.contract.data_report import DataReport
from remote_agent.dataset.inspection_cache import InspectionCache, keys_of
from remote_agent.dataset.inspection_inputs import Inputs
from remote_agent.dataset.known import Known, facts_of
from remote_agent.dataset.row_arrays import NO_ROWS
from remote_agent.dataset.row_report import report_of
from remote_agent.dataset.scan import scan
from remote_agent.dataset.sources import Advance, Cancelled, never, no_progress


def inspect_data(
    inputs: Inputs, cache_root: Path | None = None, progress: Advance = no_progress, cancelled: Cancelled = never
) -> DataReport:
    """Read, render and tokenize every row as `prepare` would, and report; nothing where the cache knows it.

    Rows that cannot be used are a finding of severity error, not an exception.

    Args:
        inputs: the job, the model's folder, and where the data lies.
        cache_root: where what is found is kept; None keeps nothing.
        progress: told of rows done.
        cancelled: asked between batches.

    Raises:
        DataError: a file cannot be read, its shape is unknown, or the model has no usable tokenizer.
        CancelledError: between batches.
        OSError: the cache cannot be written.
    """
    if cache_root is None:
        with tempfile.TemporaryDirectory(prefix="luthier-") as folder:
            return inspect_data(inputs, Path(folder), progress, cancelled)
    cache = InspectionCache(cache_root, inputs.paths)
    if inputs.makes_rows:
        cache.take_hashes(cancelled)
    made = cache.made(inputs)
    keys = keys_of(inputs, made)
    kept = cache.report(keys)
    if kept is not None:
        return kept
    scan(inputs, cache, lambda told: None, progress, cancelled)
    model = inputs.tokenizer()
    corpus = inputs.corpus(model, cache.folder, made)
    corpus.index(progress, cancelled)
    known = Known(
        facts_of(corpus.sources), cache.plan(keys), cache.arrays(keys) or NO_ROWS, cache.found(keys) or (),
        cache.content_hash(), complete=True,
    )  # fmt: skip
    report = report_of(inputs.job, model, known, model_limit=inputs.model_limit)
    cache.keep_report(keys, report)
    return report
