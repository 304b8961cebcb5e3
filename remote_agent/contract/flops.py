"""FLOPs of training from the model's sizes alone: per token, forward and backward, what is computed again kept apart.

Counted are matrix products, two operations a multiplication, as `torch.utils.flop_counter` counts them; norms,
rotations and activation functions are left out, as there. Attention is counted over every position of the sequence, as
in Chowdhery et al., PaLM, 2022, arXiv:2204.02311, appendix B, unless ``attended`` says that fewer are seen.
"""

from __future__ import annotations

from typing import NamedTuple, Tuple

from remote_agent.contract.memory.setup import Setup, Shape

PRODUCT = 2
"""Operations of one multiplication and its addition."""


class Flops(NamedTuple):
    """Floating-point operations a token.

    Attributes:
        forward: of the forward pass.
        backward: of the backward pass.
        recomputed: what checkpointing and attention kernels compute again.
        attention: the part of forward and backward that multiplies positions with positions.
    """

    forward: float
    backward: float
    recomputed: float = 0.0
    attention: float = 0.0

    @property
    def model(self) -> float:
        """Return what the model itself needs: the figure MFU is made of."""
        return self.forward + self.backward

    @property
    def computed(self) -> float:
        """Return what the hardware really computes."""
        return self.forward + self.backward + self.recomputed


def flops_per_token(
    shape: Shape, seq_len: int, supervised_share: float = 1.0, attended: float = 0.0, trained: float = 1.0
) -> Flops:
    """Return the model's FLOPs of one token in training.

    Args:
        shape: the model's sizes; of a mixture only the experts that a token passes count.
        seq_len: tokens of the sequence that attention runs over.
        supervised_share: the share of tokens whose logits are made (the lean loss makes no others).
        attended: positions a token is multiplied with in attention on average; 0: all of the sequence. Half of it is
            what a causal kernel computes, and the mean document length what packed rows do.
        trained: the share of the parameters that is not frozen; of the rest only the inputs' gradients are made.
    """
    layers, head, attention = _parts(shape, attended or float(seq_len))
    head *= supervised_share
    forward = layers + head + attention
    # each product has two gradients, of its input and of its weight; attention's both inputs are activations
    backward = layers * (1.0 + trained) + head * (1.0 + trained) + 2.0 * attention
    return Flops(forward, backward, 0.0, 3.0 * attention)


def flops_of(setup: Setup, attended: float = 0.0) -> Flops:
    """Return a run's FLOPs a token, with what its checkpointing and its attention kernel compute again."""
    found = flops_per_token(setup.shape, setup.seq_len, setup.supervised_share, attended, setup.trained)
    layers, _, attention = _parts(setup.shape, attended or float(setup.seq_len))
    again = _recomputed_share(setup) * (layers + attention)
    if setup.attention == "flash":
        again += attention / 2.0  # the backward kernel makes the scores once more: one of the forward's two products
    return found._replace(recomputed=again)


def _parts(shape: Shape, attended: float) -> Tuple[float, float, float]:
    """Return a token's forward FLOPs in the layers' matrices, in the head, and in attention."""
    layers = float(PRODUCT * (shape.linear or shape.layer * shape.layers))
    head = float(PRODUCT * shape.embedding)
    attention = 2.0 * PRODUCT * shape.layers * shape.heads * shape.head_dim * attended
    return layers, head, attention


def _recomputed_share(setup: Setup) -> float:
    """Return the share of the layers whose products are made once more in the backward pass.

    Selective checkpointing keeps the outputs of the linear layers; what it computes again counts nothing here.
    """
    if setup.checkpointing in ("full", "submodules", "offloaded"):
        return 1.0
    if setup.checkpointing == "every_nth":
        return (setup.shape.layers // max(1, setup.checkpoint_every)) / max(1, setup.shape.layers)
    return 0.0
