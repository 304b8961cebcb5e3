"""What a step would do, worked out in a process of its own beside a session."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from remote_agent.contract.data_report import StepReport
from remote_agent.contract.spec_json import spec_from_dict, spec_to_dict
from remote_agent.dataset.inspection_cache import InspectionCache, keys_of
from remote_agent.dataset.inspection_inputs import Inputs
from remote_agent.dataset.sources import Advance, Cancelled


def step_preview(inputs: Inputs, cache_root: Path, step: Any, progress: Advance, cancelled: Cancelled) -> StepReport:
    """Return what a step, as the job file writes it, would do behind those of the job.

    Raises:
        SpecError: it is no step. DataError: it cannot be done, or a file cannot be read. CancelledError, OSError.
    """
    job = spec_to_dict(inputs.job)
    (asked,) = spec_from_dict({**job, "data": {**job["data"], "steps": [step]}}).data.steps
    cache = InspectionCache(cache_root, inputs.paths)
    made = cache.made(inputs)
    keys = keys_of(inputs, made)
    corpus = inputs.corpus(inputs.tokenizer(), cache.folder, made)
    plan = cache.plan(keys)
    if plan is None:
        plan = corpus.plan(progress, cancelled)
        cache.keep_plan(keys, plan)
    else:
        corpus.index(progress, cancelled)
    return corpus.preview(asked, plan, progress, cancelled)
