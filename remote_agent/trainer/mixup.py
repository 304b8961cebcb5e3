"""Mixup of embeddings: each row of a micro batch mixed with another one's, and trained on the labels of both.

Source: Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018, arXiv:1710.09412; on embeddings: Guo et al.,
Augmenting Data with Mixup for Sentence Classification, 2019, arXiv:1905.08941.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from remote_agent.trainer.draws import purpose_seed


class Mixing(NamedTuple):
    """Row i is mixed with row ``order[i]``: ``share`` of the first and 1 - ``share`` of the second."""

    share: float
    order: list[int]

    def rows(self, device: torch.device) -> torch.Tensor:
        """Return ``order`` as an index on the device, without waiting for it."""
        return torch.tensor(self.order).to(device, non_blocking=True)


def draw_mixing(alpha: float, rows: int, draw: int) -> Mixing:
    """Return a micro batch's mixing: one share ~ Beta(alpha, alpha), one permutation of its rows."""
    numbers = np.random.default_rng(purpose_seed(draw, "mixup"))
    share = float(numbers.beta(alpha, alpha))
    return Mixing(share, [int(one) for one in numbers.permutation(rows)])


def mixed(embeddings: torch.Tensor, mixing: Mixing) -> torch.Tensor:
    """Return the mixed embeddings [batch, tokens, width].

    Where one of the two rows has ended, its padding's embedding takes part. No mask is needed: padding is on the right,
    so a token that is trained in either row sees exactly the positions that it saw there.
    """
    return mixing.share * embeddings + (1.0 - mixing.share) * embeddings[mixing.rows(embeddings.device)]
