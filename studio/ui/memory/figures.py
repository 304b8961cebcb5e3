"""What the model states come to against what a node's devices hold: the numbers behind the bars."""

from __future__ import annotations

from typing import NamedTuple

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.memory import StateBytes, state_bytes
from remote_agent.contract.model_facts import UnknownModelError, model_facts
from remote_agent.contract.problems import Known


class Estimate(NamedTuple):
    """The model states of a job on a node.

    ``shown`` is what lies in one GPU's memory, or, where ``on_host``, in the node's host memory over all processes.
    ``capacity_bytes`` is the smallest GPU's memory or the host's; 0 where no node is known.
    """

    shown: StateBytes
    on_host: bool
    capacity_bytes: int
    host_capacity_bytes: int
    parameters: int

    @property
    def used_bytes(self) -> int:
        """Return the bytes that count against the capacity."""
        return self.shown.on_gpu + (self.shown.host if self.on_host else 0)

    @property
    def fits(self) -> bool | None:
        """Say whether the states alone fit, None where the capacity is not known."""
        if not self.capacity_bytes:
            return None
        host_fits = self.on_host or not self.host_capacity_bytes or self.shown.host <= self.host_capacity_bytes
        return self.used_bytes <= self.capacity_bytes and host_fits


def parameters_of(known: Known) -> int:
    """Return the model's number of parameters, 0 where it is not known."""
    if known.model is None:
        return 0
    if known.model.parameters:
        return known.model.parameters
    try:
        return model_facts(known.model.config).parameters
    except UnknownModelError:
        return 0


def estimate(spec: JobSpec, known: Known) -> Estimate | None:
    """Return the states of the job on its node, None while the model's size is not known."""
    parameters = parameters_of(known)
    if not parameters:
        return None
    each = state_bytes(spec, parameters)
    node = known.node
    if node is not None and not node.gpus:
        ranks = spec.strategy.ranks
        all_ranks = StateBytes(each.weights * ranks, each.gradients * ranks, each.optimizer * ranks, each.host)
        return Estimate(all_ranks, True, node.memory_total_bytes, node.memory_total_bytes, parameters)
    capacity = min((gpu.memory_total_bytes for gpu in node.gpus), default=0) if node is not None else 0
    return Estimate(each, False, capacity, node.memory_total_bytes if node is not None else 0, parameters)
