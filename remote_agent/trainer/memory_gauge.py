"""What a rank really holds: bytes of weights, gradients and optimizer states, and the peaks beside."""

from __future__ import annotations

import resource
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import torch

SETTLED_AFTER = 2
"""The update before which the tensors are counted: from the second on, every optimizer has its states."""

_PARTS = ("averaged_gradients", "grad_partitions_flat_buffer", "fp32_groups_gradients_flat", "all_grad_tensors")
"""Where DeepSpeed's optimizers keep gradients that are not their parameters' ``grad``."""
_MASTERS = ("single_partition_of_fp32_groups", "fp32_groups_flat_partition", "fp32_partitioned_groups_flat")


class TensorBytes(NamedTuple):
    """Bytes of tensors on the training device."""

    weights: int = 0
    gradients: int = 0
    optimizer: int = 0


class Peaks(NamedTuple):
    """A rank's peaks in bytes: allocated by torch on its GPU or of its process, reserved, on the card, of the host."""

    peak: int
    reserved: int
    card: int
    host: int


class MemoryGauge:
    """One rank's memory; made before the model is loaded, so that ``before`` is what the process takes without it."""

    def __init__(self, use_gpu: bool) -> None:
        self.on_gpu = use_gpu
        self.tensors = TensorBytes()
        self.before = self.peaks().peak
        self._updates = 0

    def before_update(self, engine: Any) -> None:
        """Count the tensors where all of them are alive: gradients are made, states kept."""
        self._updates += 1
        if self._updates == SETTLED_AFTER:
            self.tensors = tensor_bytes(engine)

    def peak(self) -> int:
        """Return the most that was held so far, tensors alone on a GPU, in bytes: what every update asks for."""
        return torch.cuda.max_memory_allocated() if self.on_gpu else _host_peak()

    def peaks(self) -> Peaks:
        """Return the most that was held so far, with what only the driver knows."""
        host = _host_peak()
        if not self.on_gpu:
            return Peaks(host, 0, 0, host)
        free, total = torch.cuda.mem_get_info()
        return Peaks(torch.cuda.max_memory_allocated(), torch.cuda.max_memory_reserved(), total - free, host)


def _host_peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def tensor_bytes(engine: Any) -> TensorBytes:
    """Return what weights, gradients and optimizer states of this rank take on the engine's device.

    Storages are counted once, for the first of the three that they belong to, and whole, flat buffers with their
    padding.
    """
    seen: set[int] = set()
    kind = torch.device(engine.device).type

    def taken(tensors: Iterable[torch.Tensor]) -> int:
        size = 0
        for tensor in tensors:
            storage = tensor.untyped_storage()
            if tensor.device.type == kind and storage.nbytes() and storage.data_ptr() not in seen:
                seen.add(storage.data_ptr())
                size += storage.nbytes()
        return size

    return TensorBytes(taken(_weights(engine)), taken(_gradients(engine)), taken(_states(engine)))


def _weights(engine: Any) -> Iterator[torch.Tensor]:
    for parameter in engine.module.parameters():
        yield parameter.data
        yield from _tensors(getattr(parameter, "ds_tensor", None))


def _gradients(engine: Any) -> Iterator[torch.Tensor]:
    for parameter in engine.module.parameters():
        yield from _tensors(parameter.grad)
    for name in _PARTS:
        yield from _tensors(getattr(engine.optimizer, name, None))


def _states(engine: Any) -> Iterator[torch.Tensor]:
    for name in _MASTERS:
        yield from _tensors(getattr(engine.optimizer, name, None))
    inner = getattr(engine.optimizer, "optimizer", engine.optimizer)
    for group in inner.param_groups:
        yield from _tensors(group["params"])
    for kept in inner.state.values():
        yield from _tensors(kept)


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    """Yield the tensors in nested lists and mappings."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _tensors(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _tensors(one)
