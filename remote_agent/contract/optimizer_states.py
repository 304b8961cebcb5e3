"""What an optimizer remembers of each parameter, in bytes, beside the weights and their fp32 master copy."""

from __future__ import annotations

from typing import Iterable, NamedTuple, Tuple

from remote_agent.contract.parameter_groups import ParameterGroup, Shape, elements, parameter_groups
from remote_agent.contract.recipe_spec import OptimizerSpec

EIGHT_BIT_BLOCK = 256
EIGHT_BIT_LEAST = 4096
"""bitsandbytes keeps a scale for each block of so many numbers, and smaller tensors in 32 bits."""


class StateNumbers(NamedTuple):
    """Bytes a parameter: of the layers' matrices, and of all else. Adafactor's matrices need next to nothing."""

    matrices: float
    others: float


def state_bytes_per_parameter(kind: str, momentum: float = 0.9) -> StateNumbers:
    """Return what an optimizer of this kind keeps of each parameter, in bytes.

    Adafactor keeps 4 bytes for each row and each column of a matrix, 0 to the nearest byte a parameter; in 8 bits there
    is a 4-byte scale for every 256 numbers of each moment. SGD without momentum keeps nothing.

    Raises:
        KeyError: for a kind there is none of.
    """
    eight_bit = 2.0 * (1.0 + 4.0 / EIGHT_BIT_BLOCK)
    return {
        "adamw": StateNumbers(8.0, 8.0),
        "adamw_8bit": StateNumbers(eight_bit, eight_bit),
        "lion": StateNumbers(4.0, 4.0),
        "muon": StateNumbers(4.0, 8.0),
        "sgd": StateNumbers(4.0, 4.0) if momentum > 0.0 else StateNumbers(0.0, 0.0),
        "adafactor": StateNumbers(0.0, 4.0),
    }[kind]


def tensor_state_bytes(rule: str, shape: Tuple[int, ...], momentum: float = 0.9) -> int:
    """Return the bytes of one tensor's state under an update rule: "adamw", "muon", "lion", …, counters left out."""
    count = elements(shape)
    if rule == "adafactor" and len(shape) >= 2:
        return 4 * (count // shape[-1] + count // shape[-2])
    if rule == "adamw_8bit" and count >= EIGHT_BIT_LEAST:
        return 2 * (count + 4 * -(-count // EIGHT_BIT_BLOCK))
    if rule in ("adamw", "adamw_8bit"):
        return 8 * count
    if rule == "sgd" and momentum == 0.0:
        return 0
    return 4 * count


def optimizer_state_bytes(shapes: Iterable[Shape], spec: OptimizerSpec) -> int:
    """Return the bytes of all trained parameters' states, undivided; a frozen one has none."""
    known = dict(shapes)
    groups: Tuple[ParameterGroup, ...] = parameter_groups(known.items(), spec)
    return sum(
        tensor_state_bytes(group.rule, known[name], spec.momentum)
        for group in groups
        if not group.frozen
        for name in group.names
    )
