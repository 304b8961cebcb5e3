"""What weights, gradients and optimizer states take on each GPU under ZeRO, by arithmetic alone.

Source of the arithmetic: Rajbhandari et al., ZeRO, SC 2020, arXiv:1910.02054, section 3 and figure 1.
"""

from __future__ import annotations

from typing import NamedTuple

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.optimizer_states import state_bytes_per_parameter


class StateBytes(NamedTuple):
    """Bytes of the model states: the first three on each GPU, ``host`` on the node's host memory over all its ranks."""

    weights: int
    gradients: int
    optimizer: int
    host: int

    @property
    def on_gpu(self) -> int:
        """Return the sum of what lies on one GPU."""
        return self.weights + self.gradients + self.optimizer


def state_bytes(spec: JobSpec, parameters: int) -> StateBytes:
    """Return the states of a model of so many parameters under the job's optimizer, precision and ZeRO stage.

    bf16 and fp16: 2 bytes of weights and 2 of gradients a parameter, and an fp32 master copy beside the moments.
    fp32: 4 and 4, and under ZeRO 1 and more DeepSpeed keeps the partition's fp32 master copy as well.
    """
    strategy = spec.strategy
    ranks, stage = strategy.ranks, strategy.zero_stage
    width = 4 if strategy.precision == "fp32" else 2
    moments = state_bytes_per_parameter(spec.optimizer.kind, spec.optimizer.momentum).matrices
    master = 4 if width == 2 or stage >= 1 else 0
    share = _share(parameters, ranks)
    weights = width * (share if stage >= 3 else parameters)
    gradients = width * (share if stage >= 2 else parameters)
    states = int((moments + master) * (share if stage >= 1 else parameters))
    host = 0
    if stage >= 1 and strategy.offload_optimizer:
        host, states = states * ranks, 0
    if stage >= 3 and strategy.offload_parameters:
        host, weights = host + weights * ranks, 0
    return StateBytes(weights, gradients, states, host)


def _share(parameters: int, ranks: int) -> int:
    return -(-parameters // max(1, ranks))
