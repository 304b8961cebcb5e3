"""NEFTune: uniform noise on the embeddings while training.

Source: Jain et al., NEFTune: Noisy Embeddings Improve Instruction Finetuning, ICLR 2024, arXiv:2310.05914.
"""

from __future__ import annotations

import torch

from remote_agent.trainer.draws import generator


def with_noise(
    embeddings: torch.Tensor, position_ids: torch.Tensor, row_tokens: torch.Tensor, alpha: float, draw: int
) -> torch.Tensor:
    """Return the embeddings plus noise that is uniform within plus and minus alpha / sqrt(L x width).

    L is the number of tokens of the data's row that a token belongs to, without padding and without the rows it is
    packed with, so that packing changes no noise level.

    Args:
        embeddings: [batch, tokens, width].
        position_ids: [batch, tokens], from 0 in every row.
        row_tokens: int64 [rows], in the order of the rows; empty for a filler, which gets no noise.
        alpha: the paper's.
        draw: the micro batch's seed.
    """
    if not row_tokens.numel():
        return embeddings
    of_row = (position_ids == 0).flatten().cumsum(0) - 1
    lengths = row_tokens[of_row].view_as(position_ids)
    size = alpha / (lengths.float() * embeddings.shape[-1]).sqrt()
    drawn = torch.rand(
        embeddings.shape, generator=generator(draw, "neftune", embeddings.device), device=embeddings.device
    )
    return embeddings + drawn.mul_(2.0).sub_(1.0).mul_(size.unsqueeze(-1)).to(embeddings.dtype)
