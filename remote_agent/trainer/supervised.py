"""The supervised tokens of a micro batch: where their logits come from, what they are, and how much each counts."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import nn

from remote_agent.trainer.batches import IGNORED
from remote_agent.trainer.mixup import Mixing
from remote_agent.trainer.r_drop import paired_losses


class Targets(NamedTuple):
    """What is to be predicted where.

    Attributes:
        chosen: rows and columns of the states that predict something, int64 each, one such pair after the other.
        ids: the tokens they predict, all pairs' joined.
        weights: how much each counts, fp32; None where each counts 1.
        own: how many belong to the rows' own labels; they are the first.
    """

    chosen: tuple[tuple[torch.Tensor, torch.Tensor], ...]
    ids: torch.Tensor
    weights: torch.Tensor | None
    own: int

    @classmethod
    def of(cls, labels: torch.Tensor, weights: torch.Tensor | None, places: torch.Tensor | None = None) -> Targets:
        """Return the targets of labels [batch, tokens], which a state before each of them predicts.

        ``places`` says where they are, as `batches.collate` does; a GPU that is asked for them makes the process wait.
        """
        if places is None:
            places = torch.stack((labels[:, 1:] != IGNORED).nonzero(as_tuple=True))
        rows, columns = places
        ids = labels[rows, columns + 1]
        return cls(((rows, columns),), ids, None if weights is None else weights[rows, columns + 1], len(ids))

    def reordered(self, labels: torch.Tensor, weights: torch.Tensor | None, order: torch.Tensor) -> Targets:
        """Return the targets of the rows of ``labels`` in another order, where these are those of ``labels``."""
        ((rows, columns),) = self.chosen
        now = order.argsort()[rows]
        by_place = (now * labels.shape[1] + columns).argsort()
        places = torch.stack((now[by_place], columns[by_place]))
        return Targets.of(labels[order], None if weights is None else weights[order], places)

    def mixed_with(self, other: Targets, mixing: Mixing) -> Targets:
        """Return both rows' targets, each side counting its share.

        A permutation of the rows has as many supervised tokens as they have themselves, so one division by those of the
        global batch makes each side a mean over its own.
        """
        weights = [
            share * (torch.ones(side.ids.shape, device=side.ids.device) if side.weights is None else side.weights)
            for side, share in ((self, mixing.share), (other, 1.0 - mixing.share))
        ]
        ids = torch.cat([self.ids, other.ids])
        return Targets((*self.chosen, *other.chosen), ids, torch.cat(weights), self.own)

    def states(self, states: torch.Tensor, twice: bool) -> torch.Tensor:
        """Return the states that predict, [targets, width], of [batch, tokens - 1, width].

        With ``twice`` the batch holds a second pass after the first, and so does the result.
        """
        passes = states.chunk(2) if twice else (states,)
        picked = [one[rows, columns] for one in passes for rows, columns in self.chosen]
        return picked[0] if len(picked) == 1 else torch.cat(picked)


def losses_of_logits(
    logits: torch.Tensor, targets: torch.Tensor, smoothing: float, weights: torch.Tensor | None, divergence: float
) -> Any:
    """Return what `lean_head.LeanHead` does, from the logits themselves [positions, vocabulary]."""
    logits = logits.float()
    if not torch.is_grad_enabled():
        return nn.functional.cross_entropy(logits, targets, reduction="none")
    if divergence > 0.0:
        first, second = logits.chunk(2)
        losses, single = paired_losses(first, second, targets, smoothing, divergence)
    else:
        single = nn.functional.cross_entropy(logits.detach(), targets, reduction="none")
        losses = nn.functional.cross_entropy(logits, targets, reduction="none", label_smoothing=smoothing)
    return (losses if weights is None else losses * weights).sum(), single
