"""When a run has stopped getting better on its held-out part.

Every rank has the same held-out loss to the bit, for it is summed in the order of the ranks; so all decide alike.

Source: Prechelt, Early Stopping - But When?, in Neural Networks: Tricks of the Trade, 1998.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch

_BEST, _BEST_STEP, _WAITED = "patience.best", "patience.best_step", "patience.waited"


class Patience:
    """Counts the evaluations since the best one.

    Args:
        evaluations: how many in a row without a better loss end the run.
        threshold: how much lower than the best so far a loss has to be to count as better.
    """

    def __init__(self, evaluations: int, threshold: float) -> None:
        self._evaluations = evaluations
        self._threshold = threshold
        self._best = math.inf
        self._best_step = 0
        self._waited = 0

    def take(self, step: int, loss: float) -> str:
        """Take an evaluation; return the sentence that says why the run ends here, empty where it goes on."""
        # a loss that is no number is never better
        if loss < self._best - self._threshold:
            self._best, self._best_step, self._waited = loss, step, 0
            return ""
        self._waited += 1
        if self._waited < self._evaluations:
            return ""
        return (
            f"Stopped early at step {step}: the held-out loss has not become better than {self._best:.4f} "
            f"(step {self._best_step}) in {self._waited} evaluation{'' if self._waited == 1 else 's'}."
        )

    def state(self) -> dict[str, torch.Tensor]:
        """Return what a resume needs."""
        return {
            _BEST: torch.tensor(self._best, dtype=torch.float64),
            _BEST_STEP: torch.tensor(self._best_step),
            _WAITED: torch.tensor(self._waited),
        }

    def restore(self, kept: Mapping[str, torch.Tensor]) -> None:
        """Go on from what a checkpoint held."""
        self._best = float(kept[_BEST])
        self._best_step, self._waited = int(kept[_BEST_STEP]), int(kept[_WAITED])
