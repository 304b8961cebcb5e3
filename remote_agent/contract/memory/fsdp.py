"""What PyTorch's two FSDPs gather, pad and reduce, which is where they differ.

FSDP 1 keeps a unit's parameters as one flat tensor and gathers straight into it. FSDP 2 keeps each parameter by itself,
split by its first dimension and padded to the number of GPUs, gathers a unit into one buffer from which its parameters
are copied, and holds a unit's gradients in the type they are summed in until their sum is through. Sources: Zhao et
al., PyTorch FSDP, VLDB 2023, arXiv:2304.11277; torch.distributed.fsdp, _fully_shard/_fsdp_param_group.py.
"""

from __future__ import annotations

from typing import List, Tuple

from remote_agent.contract.memory.setup import Setup, Shape


def own_elements(setup: Setup) -> float:
    """Return the elements of the weights that lie on one GPU, padding included."""
    if setup.fsdp_version == 1:
        return float(-(-setup.shape.parameters // setup.gpus))
    found = _matrices(setup.shape)
    padded = sum(times * (_rounded(rows, setup.gpus) - rows) * columns for times, rows, columns in found)
    return (setup.shape.parameters + padded) / setup.gpus


def gathered(setup: Setup, at_loss: bool = False) -> float:
    """Return the bytes of whole weights beside the split ones, in forward and backward alike.

    Embeddings, head and last norm stay whole through the step. Of the layers two are there: FSDP 1 has this one and the
    next, FSDP 2 this one and the buffer that the last or next one was gathered in; at the loss only the top layer's.
    """
    layers = 1.0 if at_loss and setup.fsdp_version == 2 else 2.0
    shape = setup.shape
    return setup.bytes_of.compute * (shape.outside + layers * shape.layer)


def waiting(setup: Setup) -> float:
    """Return the bytes of a layer's whole gradients: as they come, and under FSDP 2 those before them, on their way."""
    layer = setup.shape.layer
    return float(layer * (setup.bytes_of.compute + (setup.gradient_width if setup.fsdp_version == 2 else 0)))


def last_of_all(setup: Setup) -> float:
    """Return the bytes of embeddings' and head's whole gradients at the end: as they came and as they are summed.

    FSDP 2 frees the weights first; of FSDP 1 see the lowest layer, whose moment is the fuller one.
    """
    return float(setup.shape.outside * (setup.bytes_of.compute + setup.gradient_width))


def _matrices(shape: Shape) -> List[Tuple[int, int, int]]:
    """Return how many there are of each kind of parameter, its rows and its columns; experts are not told apart."""
    queries, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    found = [(1 if shape.tied else 2, shape.vocabulary, shape.hidden)]
    attention = [(1, queries, shape.hidden), (2, keys, shape.hidden), (1, shape.hidden, queries)]
    mlp = [(2 if shape.gated_mlp else 1, shape.intermediate, shape.hidden), (1, shape.hidden, shape.intermediate)]
    for times, rows, columns in attention + ([] if shape.experts else mlp):
        found.append((times * shape.layers, rows, columns))
    return found


def _rounded(rows: int, pieces: int) -> int:
    return -(-rows // max(1, pieces)) * max(1, pieces)
