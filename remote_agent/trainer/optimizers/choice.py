"""The optimizer of a kind: PyTorch's own, one of ours, or a package's where the states' place asks for it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import torch

from remote_agent.contract.recipe_spec import OptimizerSpec
from remote_agent.trainer.optimizers.decoupled import DecoupledSGD, Lion
from remote_agent.trainer.optimizers.muon import MuonWithAdamW

TORCH, CPU_ADAM, FUSED_ADAM = "torch", "cpu_adam", "fused_adam"
"""What computes AdamW's updates: PyTorch's fused kernel, or one of DeepSpeed's operators by its name there."""

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
    kernel = adam_kernel(spec, offloaded, _installed_operators())
    if kernel == TORCH:
        return torch.optim.AdamW(groups, lr=rate, betas=betas, eps=spec.epsilon, weight_decay=0.0, fused=True)
    made: torch.optim.Optimizer = _of_deepspeed(kernel)(
        groups, lr=rate, betas=betas, eps=spec.epsilon, weight_decay=0.0
    )
    return made


def adam_kernel(spec: OptimizerSpec, offloaded: bool, installed: Mapping[str, bool]) -> str:
    """Return which kernel computes AdamW's updates: by where the states lie, then by what the recipe says.

    A rank never compiles CPUAdam, nor trusts one that a compiler left in a folder: that takes minutes whenever a flag
    differs, and PyTorch's fused AdamW gives the same numbers as fast (20 million parameters on one core: CPUAdam 36 to
    40 ms, PyTorch 34 to 39 ms). FusedAdam is compiled while a run is prepared that asks for it.

    Args:
        spec: the recipe's update rule.
        offloaded: the states lie in host memory.
        installed: which operators DeepSpeed was installed with, as with DS_BUILD_CPU_ADAM=1.
    """
    if offloaded:
        return CPU_ADAM if installed.get(CPU_ADAM) else TORCH
    return FUSED_ADAM if spec.adam_kernel == "deepspeed" else TORCH


def _of_deepspeed(kernel: str) -> Any:
    """Return the class of a kernel of DeepSpeed's, both of which are AdamW as they are made by default."""
    module = importlib.import_module("deepspeed.ops.adam")
    if kernel == CPU_ADAM:
        return module.DeepSpeedCPUAdam
    try:
        # found now, in words, and not within the constructor: a missing compiler or nvcc is any of these
        importlib.import_module("deepspeed.ops.op_builder").FusedAdamBuilder().load(verbose=False)
    except (ImportError, OSError, RuntimeError) as error:
        raise ValueError(
            f"DeepSpeed's FusedAdam cannot be loaded in this environment ({str(error).splitlines()[0]}). It needs nvcc "
            "of the CUDA that torch was built with. Install that, or set the AdamW kernel to torch."
        ) from error
    return module.FusedAdam


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


def _installed_operators() -> Mapping[str, bool]:
    found: Mapping[str, bool] = importlib.import_module("deepspeed.git_version_info").installed_ops
    return found
