"""What a job comes to against what a node's devices, or a kind of GPU, hold: the numbers behind the bars."""

from __future__ import annotations

from typing import NamedTuple

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.memory import (
    DOES_NOT_FIT,
    FITS,
    TIGHT,
    UNKNOWN,
    DiskEstimate,
    HostEstimate,
    MemoryEstimate,
    Setup,
    disk,
    estimate_memory,
    host_memory,
    setup_of_job,
    verdict,
)
from remote_agent.contract.memory.estimate import HEADROOM, Figure
from remote_agent.contract.memory.gpu_kinds import GpuKind
from remote_agent.contract.memory.host import PROCESS_BYTES
from remote_agent.contract.model_facts import UnknownModelError, model_facts
from remote_agent.contract.problems import Known

PARTS = ("weights", "gradients", "optimizer", "activations", "logits", "buffers", "allocator", "context")
"""The parts of a bar; `TERM_PARTS` says which terms of the model make them up."""

GPUS_OF_A_NODE = 8
"""How many GPUs a node has where no node was asked."""

TERM_PARTS = {
    "weights": "weights",
    "gathered": "buffers",
    "gradients": "gradients",
    "states": "optimizer",
    "average": "optimizer",
    "activations": "activations",
    "scores": "activations",
    "logits": "logits",
    "buckets": "buffers",
    "step": "buffers",
}


class Correction(NamedTuple):
    """What a measured run says of later estimates: what tensors on a GPU are multiplied by, or a process's own bytes.

    On a GPU the error is of what is counted, so that it grows with it; a process on the host takes what Python, torch
    and the allocator take there, whatever it trains.
    """

    factor: float = 1.0
    process_bytes: int = PROCESS_BYTES


UNCORRECTED = Correction()


class Estimate(NamedTuple):
    """The memory of a job on a node.

    ``memory`` is the fullest GPU's, or, where ``on_host``, one process's on a node without GPUs. ``capacity_bytes`` is
    the smallest GPU's memory or the host's; 0 where no node is known. ``missing`` says what is not counted.
    ``correction`` is what a measured run made of the figures. ``on_nvme`` are a node's host memory and disk if what is
    offloaded lay on its NVMe instead, None where nothing is; no job does so.
    """

    memory: MemoryEstimate
    host: HostEstimate
    disk: DiskEstimate
    on_host: bool
    processes: int
    capacity_bytes: int
    host_capacity_bytes: int
    parameters: int
    missing: str
    correction: Correction = UNCORRECTED
    on_nvme: tuple[int, int] | None = None
    nodes: int = 1

    @property
    def used_bytes(self) -> int:
        """Return the likely bytes that count against the capacity."""
        if self.on_host:
            return self.processes * (self.memory.allocated.likely + self.process_bytes)
        return self.memory.card.likely

    @property
    def process_bytes(self) -> int:
        """Return what a process on the host takes beside its tensors."""
        return self.correction.process_bytes

    @property
    def peak_bytes(self) -> int:
        """Return the likely peak of one rank as the trainer measures it: allocated on its GPU, or of its process."""
        return self.memory.allocated.likely + (self.process_bytes if self.on_host else 0)

    @property
    def verdict(self) -> str:
        """Return FITS, TIGHT, DOES_NOT_FIT or UNKNOWN, the host's memory included."""
        if not self.capacity_bytes:
            return UNKNOWN
        if self.on_host:
            if self.used_bytes > self.capacity_bytes:
                return DOES_NOT_FIT
            return FITS if self.used_bytes <= (1.0 - HEADROOM) * self.capacity_bytes else TIGHT
        if not self.host_fits:
            return DOES_NOT_FIT
        return verdict(self.memory, self.capacity_bytes)

    @property
    def host_fits(self) -> bool:
        """Say whether the host's memory takes its part, or is not known."""
        return not self.host_capacity_bytes or self.on_host or self.host.used.likely <= self.host_capacity_bytes

    @property
    def fits(self) -> bool | None:
        """Say whether it fits, tightly or not, None where the capacity is not known."""
        return None if self.verdict == UNKNOWN else self.verdict != DOES_NOT_FIT


def parts_at(figures: Estimate, phase: str) -> dict[str, int]:
    """Return a phase's bytes by part, of all processes where they share the host."""
    made = next(each for each in figures.memory.phases if each.name == phase)
    times = figures.processes if figures.on_host else 1
    parts = dict.fromkeys(PARTS, 0)
    for term, size in made.terms:
        parts[TERM_PARTS[term]] += times * size
    if figures.on_host:
        parts["context"] = times * figures.process_bytes
    elif phase == figures.memory.binding:
        parts["allocator"] = figures.memory.slack
        parts["context"] = figures.memory.outside
    return parts


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


def estimate(
    spec: JobSpec, known: Known, kind: GpuKind | None = None, correction: Correction = UNCORRECTED
) -> Estimate | None:
    """Return the memory of the job on its node, None while the model's size is not known.

    Args:
        spec: the job.
        known: what is known of its model and node.
        kind: GPUs to take instead of the node's, eight to a node of unknown memory.
        correction: what a measured run on this node says of them.
    """
    if known.model is None:
        return None
    try:
        setup, missing = setup_of_job(spec, known.model.config, known.model.parameters)
    except UnknownModelError:
        return None
    node = known.node if kind is None else None
    on_host = node is not None and not node.gpus
    host_bytes = node.memory_total_bytes if node is not None else 0
    capacity = kind.memory_bytes if kind is not None else host_bytes
    if not on_host:
        if node is not None:
            capacity = min((gpu.memory_total_bytes for gpu in node.gpus), default=0)
        a_node = len(node.gpus) if node is not None else GPUS_OF_A_NODE
        setup = setup._replace(nodes=max(1, -(-setup.gpus // a_node)))
    places = _host_and_disk(setup, spec)
    on_nvme = None
    if not on_host and (setup.offload_optimizer or setup.offload_parameters):
        instead = _host_and_disk(setup._replace(optimizer_on_nvme=True, parameters_on_nvme=True), spec)
        on_nvme = instead[0].used.likely, instead[1].total
    return Estimate(
        _corrected(estimate_memory(setup), correction.factor),
        *places,
        on_host,
        setup.gpus,
        capacity,
        host_bytes,
        setup.shape.parameters,
        missing,
        correction,
        on_nvme,
        setup.nodes,
    )


def _host_and_disk(setup: Setup, spec: JobSpec) -> tuple[HostEstimate, DiskEstimate]:
    return (
        host_memory(setup, spec.loading.workers, spec.loading.pin_memory),
        disk(setup, spec.checkpointing.keep_last, spec.checkpointing.state_every_steps > 0),
    )


def _corrected(memory: MemoryEstimate, factor: float) -> MemoryEstimate:
    """Return the estimate with all that is torch's multiplied; what lies outside torch stays."""
    if factor == 1.0:
        return memory
    phases = tuple(
        each._replace(terms=tuple((name, int(size * factor)) for name, size in each.terms)) for each in memory.phases
    )
    outside = memory.outside

    def times(figure: Figure, aside: int = 0) -> Figure:
        return Figure(*(int((size - aside) * factor) + aside for size in figure))

    # the sum of the terms as they are now, so that bars and figure agree to the byte
    likely = next(phase for phase in phases if phase.name == memory.binding).total
    allocated = times(memory.allocated)._replace(likely=likely)
    reserved = times(memory.reserved)
    card = times(memory.card, outside)._replace(likely=reserved.likely + outside)
    return memory._replace(phases=phases, allocated=allocated, reserved=reserved, card=card)


def ranks_figures(figures: Estimate) -> dict[str, int]:
    """Return what a rank is estimated to hold, under the names of what it measures, in bytes.

    The first three are its tensors around an update; ``activations`` is what the peak holds beside them, ``process``
    what a process on the host takes without tensors.
    """
    phases = _each_phase(figures)
    states = {name: max(parts[name] for parts in phases) for name in ("weights", "gradients", "optimizer")}
    process = figures.process_bytes if figures.on_host else 0
    peak = figures.peak_bytes
    beside = max(0, peak - process - sum(states.values()))
    found = {"peak": peak, **states, "activations": beside, "process": process}
    if not figures.on_host:
        found["reserved"], found["card"] = figures.memory.reserved.likely, figures.memory.card.likely
        found["host"] = figures.host.used.likely
    return found


def _each_phase(figures: Estimate) -> list[dict[str, int]]:
    """Return one rank's bytes by part in each phase of training."""
    found = []
    for phase in figures.memory.phases:
        parts = dict.fromkeys(PARTS, 0)
        for term, size in phase.terms:
            parts[TERM_PARTS[term]] += size
        if phase.name != "load":
            found.append(parts)
    return found
