"""What a job comes to against what a node's devices hold: the numbers behind the bars."""

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
    disk,
    estimate_memory,
    host_memory,
    setup_of_job,
    verdict,
)
from remote_agent.contract.memory.estimate import HEADROOM
from remote_agent.contract.memory.host import PROCESS_BYTES
from remote_agent.contract.model_facts import UnknownModelError, model_facts
from remote_agent.contract.problems import Known

PARTS = ("weights", "gradients", "optimizer", "activations", "logits", "buffers", "allocator", "context")
"""The parts of a bar; `TERM_PARTS` says which terms of the model make them up."""

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


class Estimate(NamedTuple):
    """The memory of a job on a node.

    ``memory`` is the fullest GPU's, or, where ``on_host``, one process's on a node without GPUs. ``capacity_bytes`` is
    the smallest GPU's memory or the host's; 0 where no node is known. ``missing`` says what is not counted.
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

    @property
    def used_bytes(self) -> int:
        """Return the likely bytes that count against the capacity."""
        if self.on_host:
            return self.processes * (self.memory.allocated.likely + PROCESS_BYTES)
        return self.memory.card.likely

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
        parts["context"] = times * PROCESS_BYTES
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


def estimate(spec: JobSpec, known: Known) -> Estimate | None:
    """Return the memory of the job on its node, None while the model's size is not known."""
    if known.model is None:
        return None
    try:
        setup, missing = setup_of_job(spec, known.model.config, known.model.parameters)
    except UnknownModelError:
        return None
    node = known.node
    on_host = node is not None and not node.gpus
    host_bytes = node.memory_total_bytes if node is not None else 0
    capacity = host_bytes
    if not on_host:
        capacity = min((gpu.memory_total_bytes for gpu in node.gpus), default=0) if node is not None else 0
        setup = setup._replace(nodes=max(1, -(-setup.gpus // len(node.gpus))) if node is not None else 1)
    return Estimate(
        estimate_memory(setup),
        host_memory(setup, spec.loading.workers, spec.loading.pin_memory),
        disk(setup, spec.checkpointing.keep_last, spec.checkpointing.state_every_steps > 0),
        on_host,
        setup.gpus,
        capacity,
        host_bytes,
        setup.shape.parameters,
        missing,
    )
