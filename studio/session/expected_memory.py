"""What a run's ranks are estimated to hold, kept with the run, and what became of it. No Qt."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from remote_agent.contract.data_report import ModelReport
from remote_agent.contract.events import MemoryMeasured
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.memory_probe import is_memory_probe
from remote_agent.contract.node_report import NodeReport
from remote_agent.contract.problems import Known
from remote_agent.contract.spec_json import SpecError, spec_from_json
from studio.store.library import Library
from studio.store.rows import PeakRow, RunRow

if TYPE_CHECKING:
    from studio.state.measured_run import MeasuredRun


def expected_memory(spec: JobSpec, model: ModelReport, node: NodeReport) -> dict[str, Any]:
    """Return the estimate of a run about to be started, with what a later look at it needs; empty where none is."""
    from studio.state.memory_figures import estimate, ranks_figures

    figures = estimate(spec, Known(model=model, node=node))
    if figures is None:
        return {}
    return {
        "predicted": ranks_figures(figures),
        "config": dict(model.config),
        "parameters": figures.parameters,
        "gpu": node.gpus[0].name if node.gpus else "",
    }


def measured_run(row: RunRow, memory: MemoryMeasured) -> MeasuredRun | None:
    """Return what a run's ranks held beside its estimate, None where it was started without one."""
    from studio.state.measured_run import MeasuredRun, measured_bytes, model_key

    kept = json.loads(row.bundle).get("memory") if row.bundle else None
    if not isinstance(kept, Mapping) or not kept:
        return None
    try:
        spec = spec_from_json(row.job)
    except SpecError:
        return None
    return MeasuredRun(
        row.run_id, row.name, row.node, model_key(spec.model), row.created_s, is_memory_probe(spec), True,
        memory.on_gpu, spec.strategy.ranks, row.tokens_per_s, row.job, kept["config"], kept["parameters"],
        kept["gpu"], kept["predicted"], measured_bytes(memory),
    )  # fmt: skip


def keep_measured(library: Library, row: RunRow, memory: MemoryMeasured) -> None:
    """Keep what a run's ranks held; whether it corrects later estimates stays as it was. Raises StoreError."""
    found = measured_run(row, memory)
    if found is None:
        return
    kept = next((peak for peak in library.peaks() if peak.run_id == row.run_id), None)
    corrects = kept.corrects if kept is not None else found.corrects
    library.save_peak(peak_row(dataclasses.replace(found, corrects=corrects)))


def peak_row(run: MeasuredRun) -> PeakRow:
    """Return a measured run as the library keeps it."""
    from studio.state.measured_run import body_of

    return PeakRow(run.run_id, run.node, run.model, run.time_s, run.corrects, json.dumps(body_of(run)))


def run_of_row(row: PeakRow) -> MeasuredRun | None:
    """Return the measured run of a row, None where it is one of another version."""
    from studio.state.measured_run import run_of_body

    try:
        return run_of_body(row.run_id, row.node, row.model, row.time_s, row.corrects, json.loads(row.body))
    except (TypeError, ValueError, KeyError):
        return None
