"""How long the draft will train and what that costs: a roofline of its GPUs, or what runs on its node reached."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from remote_agent.contract.flops import flops_of
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.memory import Setup, setup_of_job
from remote_agent.contract.memory.gpu_kinds import GpuKind, kind_of_device
from remote_agent.contract.model_facts import UnknownModelError
from remote_agent.contract.node_report import NodeReport
from remote_agent.contract.problems import Known
from remote_agent.contract.spec_json import SpecError, spec_from_json
from remote_agent.contract.step_time import (
    STATED,
    Machine,
    RunCost,
    StepTime,
    Utilisation,
    machine_of,
    measured_utilisation,
    run_cost,
    step_time,
)
from studio.state.measured_run import MeasuredRun
from studio.state.memory_figures import GPUS_OF_A_NODE

UNKNOWN_MODEL, UNKNOWN_GPU, UNMEASURED_NODE, NO_PEAK = "model", "gpu", "unmeasured", "peak"
"""Why there is no figure: the model's type has no formula, the GPU is not in the table, no run was measured on a node
without GPUs, or the GPU has no peak in the job's precision."""


class Outlay(NamedTuple):
    """An update's time and a whole run's cost; ``missing`` says why there is neither, empty where there are.

    Attributes:
        step: an update, None where unknown. cost: of the run, None where its length is not known.
        measured: the run that the utilisation was taken from, None where it is assumed.
        utilisation: the share of the peak that is counted with.
        kind: the GPUs, None on a node without any.
    """

    step: StepTime | None
    cost: RunCost | None
    missing: str
    measured: MeasuredRun | None = None
    utilisation: Utilisation = STATED
    kind: GpuKind | None = None


def outlay_of(
    spec: JobSpec,
    known: Known,
    kind: GpuKind | None,
    updates: int,
    measured: Sequence[MeasuredRun],
    price_per_gpu_hour: float,
) -> Outlay:
    """Return the time and cost of a job.

    Args:
        spec: the job.
        known: its model and node.
        kind: its GPUs, None on a node without any.
        updates: of the run, 0 where not known.
        measured: runs on the node, newest first.
        price_per_gpu_hour: 0 where not known.
    """
    setup = _setup(spec, known)
    if setup is None:
        return Outlay(None, None, UNKNOWN_MODEL)
    on_gpus = kind is not None or known.node is None or bool(known.node.gpus)
    if kind is None and on_gpus:
        return Outlay(None, None, UNKNOWN_GPU)
    machine = machine_of(kind, spec.strategy.precision) if kind is not None else Machine(0.0, math.inf, math.inf)
    if kind is not None and machine.peak_flops <= 0.0:
        return Outlay(None, None, NO_PEAK, kind=kind)
    run, reached, peak = _reached(measured, machine.peak_flops)
    if reached is None and kind is None:
        return Outlay(None, None, UNMEASURED_NODE)
    step = step_time(setup, machine._replace(peak_flops=peak), reached or STATED)
    cost = run_cost(step, updates, setup.gpus, machine.watts, price_per_gpu_hour) if updates > 0 else None
    return Outlay(step, cost, "", run, reached or STATED, kind)


def node_kind(kinds: Sequence[GpuKind], node: NodeReport | None) -> GpuKind | None:
    """Return the kind of a node's first GPU, None where it has none or the table does not know it."""
    if node is None or not node.gpus:
        return None
    return kind_of_device(kinds, node.gpus[0].name, node.gpus[0].memory_total_bytes)


def _setup(spec: JobSpec, known: Known) -> Setup | None:
    if known.model is None:
        return None
    setup = _setup_of(spec, known.model.config, known.model.parameters)
    if setup is None:
        return None
    a_node = len(known.node.gpus) if known.node is not None and known.node.gpus else GPUS_OF_A_NODE
    return setup._replace(nodes=max(1, -(-setup.gpus // a_node)))


def _setup_of(spec: JobSpec, config: object, parameters: int) -> Setup | None:
    """Return a job's setup, None where the model's sizes are not known, so that nothing is counted of its layers."""
    try:
        setup, missing = setup_of_job(spec, config if isinstance(config, dict) else None, parameters)
    except UnknownModelError:
        return None
    return None if missing else setup


def _reached(
    measured: Sequence[MeasuredRun], peak_flops: float
) -> tuple[MeasuredRun | None, Utilisation | None, float]:
    """Return the newest run with a rate, what it reached of the peak, and the peak.

    A CPU's peak is not known; twice what the run reached stands for it, which cancels out.
    """
    for run in measured:
        if not math.isfinite(run.tokens_per_s) or run.tokens_per_s <= 0.0 or run.on_gpu != (peak_flops > 0.0):
            continue
        try:
            setup = _setup_of(spec_from_json(run.job), dict(run.config), run.parameters)
        except SpecError:
            continue
        if setup is None:
            continue
        each = run.tokens_per_s / max(1, run.ranks)
        attended = setup.seq_len / 2.0 if setup.attention == "flash" else float(setup.seq_len)
        peak = peak_flops or 2.0 * each * flops_of(setup, attended).computed
        try:
            return run, measured_utilisation([each], setup, peak), peak
        except ValueError:
            continue
    return None, None, peak_flops
