"""Muon for the layers' matrices and AdamW for the rest, in one optimizer, as an engine that knows only one wants it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from remote_agent.contract.recipe_spec import OptimizerSpec


class MuonWithAdamW(torch.optim.Optimizer):
    """PyTorch's Muon and AdamW over disjoint groups. They share this optimizer's groups and its state.

    A group's key ``rule`` says which of the two updates it. Muon's update is scaled by 0.2 sqrt(max(rows, columns)), so
    that its size is AdamW's and one learning rate and one decay serve both.

    Source: Jordan et al., Muon, 2024, https://kellerjordan.github.io/posts/muon/; Liu et al., Muon is Scalable for LLM
    Training, 2025, arXiv:2502.16982, section 2.2.
    """

    def __init__(self, groups: list[dict[str, Any]], spec: OptimizerSpec) -> None:
        super().__init__(groups, {"lr": spec.learning_rate, "weight_decay": 0.0, "rule": "adamw"})
        matrices = [group for group in self.param_groups if group["rule"] == "muon"]
        others = [group for group in self.param_groups if group["rule"] != "muon"]
        self._parts: list[torch.optim.Optimizer] = []
        if matrices:
            self._parts.append(
                torch.optim.Muon(
                    matrices, lr=spec.learning_rate, momentum=spec.momentum, adjust_lr_fn="match_rms_adamw"
                )
            )
        if others:
            betas = (spec.beta1, spec.beta2)
            self._parts.append(
                torch.optim.AdamW(others, lr=spec.learning_rate, betas=betas, eps=spec.epsilon, fused=True)
            )
        self._share()

    def _share(self) -> None:
        """Let both parts work on this optimizer's own groups and state, after anything that replaces them."""
        matrices = [group for group in self.param_groups if group["rule"] == "muon"]
        others = [group for group in self.param_groups if group["rule"] != "muon"]
        for part in self._parts:
            groups = matrices if isinstance(part, torch.optim.Muon) else others
            for group in groups:
                for key, value in part.defaults.items():
                    group.setdefault(key, value)
            part.param_groups = groups
            part.state = self.state

    def load_state_dict(self, state_dict: Any) -> None:
        """Take a saved state over, for both parts."""
        super().load_state_dict(state_dict)
        self._share()

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Do one update of both parts."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        self._share()
        for part in self._parts:
            part.step()
        return loss
