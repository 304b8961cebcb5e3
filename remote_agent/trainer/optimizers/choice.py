"""The optimizer of a kind: PyTorch's own, one of ours, or a package's where the states' place asks for it."""

from __future__ import annotations

import importlib
from typing import Any

import torch

from remote_agent.contract.recipe_spec import OptimizerSpec
from remote_agent.trainer.optimizers.decoupled import DecoupledSGD, Lion
from remote_agent.trainer.optimizers.muon import MuonWithAdamW

DECAY_KEYS = {"lion": "decay", "sgd": "decay"}
"""The group key of the decoupled decay; where a kind is not named it is weight_decay."""


def build_optimizer(
    groups: list[dict[str, Any]], spec: OptimizerSpec, offloaded: bool = False
) -> torch.optim.Optimizer:
    """Return the optimizer of these groups. DeepSpeed splits its states over the ranks where it is told to.

    Args:
        groups: each with params, lr, the decay under the kind's key, and under Muon its rule.
        spec: kind and figures.
        offloaded: the states will lie in host memory, away from the weights.

    Raises:
        ValueError: the kind needs a package that the environment has not; the sentence says which.
    """
    rate, betas = spec.learning_rate, (spec.beta1, spec.beta2)
    if spec.kind == "lion":
        return Lion(groups, lr=rate, betas=betas)
    if spec.kind == "sgd":
        return DecoupledSGD(groups, lr=rate, momentum=spec.momentum)
    if spec.kind == "muon":
        return MuonWithAdamW(groups, spec)
    if spec.kind == "adafactor":
        return torch.optim.Adafactor(groups, lr=rate, weight_decay=0.0)
    if spec.kind == "adamw_8bit":
        return _eight_bit(groups, spec)
    assert spec.kind == "adamw", spec.kind
    if offloaded and _is_installed("cpu_adam"):
        adam = importlib.import_module("deepspeed.ops.adam").DeepSpeedCPUAdam
        return adam(groups, lr=rate, betas=betas, eps=spec.epsilon, weight_decay=0.0)  # type: ignore[no-any-return]
    return torch.optim.AdamW(groups, lr=rate, betas=betas, eps=spec.epsilon, weight_decay=0.0, fused=True)


def _eight_bit(groups: list[dict[str, Any]], spec: OptimizerSpec) -> torch.optim.Optimizer:
    try:
        package = importlib.import_module("bitsandbytes.optim")
    except ImportError as error:
        raise ValueError(
            "AdamW in 8 bits needs the package bitsandbytes, which this environment does not have. Install it there, "
            "or choose AdamW."
        ) from error
    made: torch.optim.Optimizer = package.AdamW8bit(
        groups, lr=spec.learning_rate, betas=(spec.beta1, spec.beta2), eps=spec.epsilon, weight_decay=0.0
    )
    return made


def _is_installed(operator: str) -> bool:
    """Say whether DeepSpeed was installed with the operator compiled, as with DS_BUILD_CPU_ADAM=1.

    A rank never compiles it, nor trusts one that a compiler left in a folder: that takes minutes whenever a flag
    differs, and PyTorch's fused AdamW gives the same numbers as fast (20 million parameters on one core: CPUAdam 36 to
    40 ms, PyTorch 34 to 39 ms).
    """
    return bool(importlib.import_module("deepspeed.git_version_info").installed_ops.get(operator))
