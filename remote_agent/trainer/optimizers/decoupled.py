"""SGD and Lion whose weight decay bypasses the momentum: a weight shrinks by learning rate x decay, as in AdamW."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch


class DecoupledSGD(torch.optim.SGD):
    """SGD with a group key ``decay`` in the place of its own weight decay, which would enter the momentum."""

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Shrink the weights that have a gradient, then do SGD's own step."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if group.get("decay") and parameter.grad is not None:
                    parameter.data.mul_(1.0 - group["lr"] * group["decay"])
        loss: float | None = super().step(closure)
        return loss


class Lion(torch.optim.Optimizer):
    """The sign of an interpolated momentum as the update; elementwise, so it may run on flat parts of parameters.

    w <- w (1 - lr x decay) - lr x sign(beta1 m + (1 - beta1) g); m <- beta2 m + (1 - beta2) g.

    Source: Chen et al., Symbolic Discovery of Optimization Algorithms, 2023, arXiv:2302.06675, program 1.
    """

    def __init__(self, groups: Iterable[dict[str, Any]], lr: float, betas: tuple[float, float]) -> None:
        super().__init__(groups, {"lr": lr, "betas": betas, "decay": 0.0})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Do one update of every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for parameter in group["params"]:
                gradient = parameter.grad
                if gradient is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["exp_avg"] = torch.zeros_like(parameter)
                momentum = state["exp_avg"]
                parameter.mul_(1.0 - group["lr"] * group["decay"])
                parameter.add_(momentum.lerp(gradient, 1.0 - beta1).sign_(), alpha=-group["lr"])
                momentum.lerp_(gradient, 1.0 - beta2)
        return loss
