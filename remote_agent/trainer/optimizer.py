"""The update rule: PyTorch's own optimizers over groups with and without weight decay."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch

from remote_agent.contract.job_spec import JobSpec, OptimizerSpec
from remote_agent.contract.schedule import lr_factor_at


class DecoupledSGD(torch.optim.SGD):
    """SGD whose weight decay bypasses the momentum: a weight shrinks by learning rate x decay, as in AdamW."""

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Shrink the weights that have a gradient, then do SGD's own step."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if group["decay"] and parameter.grad is not None:
                    parameter.data.mul_(1.0 - group["lr"] * group["decay"])
        loss: float | None = super().step(closure)
        return loss


def parameter_groups(model: Any, decayed: Iterable[str], spec: OptimizerSpec) -> list[dict[str, Any]]:
    """Return the groups: what decays, what does not. A group that would be empty is left out.

    Args:
        model: the model in transformers' parameter names.
        decayed: the names that may decay: matrices, neither biases nor norm weights.
        spec: says how much, and whether embeddings and head decay too.
    """
    ends = [model.get_input_embeddings(), model.get_output_embeddings()]
    spared = set() if spec.decay_embeddings else {id(end.weight) for end in ends if end is not None}
    names = set(decayed)
    with_decay: list[torch.nn.Parameter] = []
    without: list[torch.nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            (with_decay if name in names and id(parameter) not in spared else without).append(parameter)
    key = "weight_decay" if spec.kind == "adamw" else "decay"
    groups = [{"params": with_decay, key: spec.weight_decay}, {"params": without, key: 0.0}]
    return [group for group in groups if group["params"]]


def build_optimizer(groups: list[dict[str, Any]], spec: OptimizerSpec) -> torch.optim.Optimizer:
    """Return AdamW or SGD at the peak learning rate. DeepSpeed splits its states over the ranks."""
    if spec.kind == "adamw":
        return torch.optim.AdamW(
            groups, lr=spec.learning_rate, betas=(spec.beta1, spec.beta2), eps=spec.epsilon, fused=True
        )
    return DecoupledSGD(groups, lr=spec.learning_rate, momentum=spec.momentum)


def build_scheduler(
    optimizer: torch.optim.Optimizer, spec: JobSpec, first_step: int, total_steps: int
) -> torch.optim.lr_scheduler.LambdaLR:
    """Return the schedule from update ``first_step`` on: a function of the step and of the job alone."""
    return torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda done: lr_factor_at(spec.schedule, first_step + done, total_steps)
    )
