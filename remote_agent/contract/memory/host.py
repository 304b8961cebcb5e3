"""What a node's host memory and disk will hold: offloaded states, copies while loading, checkpoints."""

from __future__ import annotations

from typing import Dict, NamedTuple, Tuple

from remote_agent.contract.memory.estimate import DOES_NOT_FIT, HEADROOM, TIGHT, UNKNOWN, Figure
from remote_agent.contract.memory.setup import Setup

GIB = 1 << 30

PROCESS_BYTES = 3 * GIB
"""A rank's Python with torch, CUDA's host side and DeepSpeed."""
LOADER_BYTES = GIB // 2
"""A loader process: a forked Python whose pages part from its parent's in time."""
SHARD_BYTES = 5_000_000_000
"""A safetensors shard, which zero.Init reads into each rank's memory one after another."""
PINNED_ROUNDING = 1.15
"""Pinned host buffers are rounded up to a power of two; a seventh meets the one published figure there is."""

NVME_STATE_BUFFERS = 4
"""Pinned pieces through which states pass to the disk, DeepSpeed's ``buffer_count``: each a sub group in fp32.

Source: Rajbhandari et al., ZeRO-Infinity, SC 2021, arXiv:2104.07857, section 6.3, and DeepSpeed's defaults.
"""
NVME_WEIGHT_BUFFERS, NVME_WEIGHT_BUFFER, NVME_WEIGHTS_IN_MEMORY = 5, 100_000_000, 1_000_000_000
"""DeepSpeed's ``buffer_count``, ``buffer_size`` and ``max_in_cpu`` of weights on the disk, in elements a rank."""


class HostEstimate(NamedTuple):
    """Bytes of one node's host memory.

    Attributes:
        terms: what it is made of, at the phase that binds.
        binding: "load", "train" or "save".
        used: what the processes take, with its interval.
        page_cache: the weight files, which the system keeps in memory while there is room; not needed.
    """

    terms: Tuple[Tuple[str, int], ...]
    binding: str
    used: Figure
    page_cache: int


class DiskEstimate(NamedTuple):
    """Bytes on a node's disk by term, and their sum."""

    terms: Tuple[Tuple[str, int], ...]
    total: int


def host_memory(setup: Setup, loader_processes: int = 0, pinned: bool = True) -> HostEstimate:
    """Return what one node's host memory will hold, ranks spread evenly over the nodes.

    Args:
        setup: the run.
        loader_processes: processes a rank reads batches with.
        pinned: whether offloaded states lie in page-locked memory.
    """
    ranks = -(-setup.gpus // max(1, setup.nodes))
    parameters, widths = setup.shape.parameters, setup.bytes_of
    always: Dict[str, float] = {
        "processes": float(ranks * PROCESS_BYTES),
        "loaders": float(ranks * loader_processes * LOADER_BYTES),
    }
    in_memory, buffers = _offloaded(setup, ranks)
    rounding = PINNED_ROUNDING if pinned else 1.0
    always["offload"] = in_memory * rounding
    always["nvme buffers"] = buffers * rounding
    whole = float(widths.compute * parameters)
    splits = setup.split_weights > 1 or setup.offload_parameters
    loads = min(whole, SHARD_BYTES) if splits and setup.zero_init else whole
    phases = {
        "load": {**always, "load": ranks * loads},
        "train": always,
        "save": {**always, "save": whole if splits else 0.0},
    }
    binding = max(phases, key=lambda name: sum(phases[name].values()))
    terms = tuple((name, int(size)) for name, size in phases[binding].items() if size >= 1)
    likely = sum(size for _, size in terms)
    return HostEstimate(terms, binding, Figure(likely, int(likely * 0.88), int(likely * 1.15)), int(whole))


def _offloaded(setup: Setup, ranks: int) -> Tuple[float, float]:
    """Return the bytes of a node's memory that offloaded states lie in, and those they pass through to the disk."""
    parameters, widths = float(setup.shape.parameters), setup.bytes_of
    own = parameters / setup.gpus
    lying, passing = 0.0, 0.0
    if setup.offload_optimizer and setup.optimizer_on_nvme:
        passing += NVME_STATE_BUFFERS * 4.0 * min(setup.sub_group, setup.trained * own) * ranks
    elif setup.offload_optimizer:
        # master copy and moments, the gradients as they come and once more in fp32 for the CPU's update
        summed = setup.gradient_width
        each = widths.master + widths.moment * setup.moments + summed + (4 if summed < 4 else 0)
        lying += each * setup.trained * own * ranks
    if setup.offload_parameters and setup.parameters_on_nvme:
        kept = min(own, NVME_WEIGHTS_IN_MEMORY + NVME_WEIGHT_BUFFERS * NVME_WEIGHT_BUFFER)
        passing += widths.weights * kept * ranks
    elif setup.offload_parameters:
        lying += widths.weights * own * ranks
    return lying, passing


def verdict_with_host(on_gpu: str, setup: Setup, host: HostEstimate, host_bytes: int) -> str:
    """Return the verdict of GPU and host memory together.

    Where states are offloaded and the host's memory is not known, nobody can say that it fits.
    """
    if on_gpu == DOES_NOT_FIT:
        return on_gpu
    if host_bytes <= 0:
        return UNKNOWN if setup.offload_optimizer or setup.offload_parameters else on_gpu
    if host.used.likely > host_bytes:
        return DOES_NOT_FIT
    return on_gpu if host.used.likely <= (1.0 - HEADROOM) * host_bytes else TIGHT


def disk(setup: Setup, keep_last: int, with_states: bool, dataset_bytes: int = 0) -> DiskEstimate:
    """Return what a run leaves on disk at its fullest: a new checkpoint is written while all kept ones are there.

    Args:
        setup: the run.
        keep_last: committed checkpoints that stay.
        with_states: whether checkpoints hold master copy and moments, for a resume exact to the bit.
        dataset_bytes: the prepared sequences.
    """
    parameters, widths = setup.shape.parameters, setup.bytes_of
    weights = widths.weights * parameters
    states = int((widths.master + widths.moment * setup.moments) * setup.trained * parameters) if with_states else 0
    terms = (
        ("model", weights),
        ("checkpoints", keep_last * (weights + states)),
        ("being written", weights + states),
        ("dataset", dataset_bytes),
        ("offloaded", _on_nvme(setup)),
    )
    return DiskEstimate(tuple(term for term in terms if term[1]), sum(size for _, size in terms))


def _on_nvme(setup: Setup) -> int:
    """Return the bytes that lie on one node's disk instead of its memory: states with fp32 gradients, and weights."""
    widths = setup.bytes_of
    each = 0.0
    if setup.offload_optimizer and setup.optimizer_on_nvme:
        each += (widths.master + widths.moment * setup.moments + 4.0) * setup.trained
    if setup.offload_parameters and setup.parameters_on_nvme:
        each += widths.weights
    return int(each * setup.shape.parameters / max(1, setup.nodes))
