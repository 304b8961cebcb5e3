"""What is drawn at random while training: a function of the job's seed, the update, the micro batch and the rank.

So a rerun and a resumed run draw the same, and no rank draws what another draws.
"""

from __future__ import annotations

import hashlib

import torch


def draw_seed(seed: int, step: int, micro: int, rank: int) -> int:
    """Return the seed of a micro batch's draws, 63 bits.

    Args:
        seed: the job's.
        step: updates done before.
        micro: the micro batch's number within the update.
        rank: this process's.
    """
    return _mixed(f"{seed}/{step}/{micro}/{rank}")


def generator(draw: int, purpose: str, device: torch.device) -> torch.Generator:
    """Return the generator of one purpose, which no other purpose's numbers depend on."""
    made = torch.Generator(device=device)
    made.manual_seed(purpose_seed(draw, purpose))
    return made


def purpose_seed(draw: int, purpose: str) -> int:
    """Return the seed of one purpose within a micro batch's draws."""
    return _mixed(f"{draw}/{purpose}")


def _mixed(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
