"""By what a node computes FlashAttention 2: its own package, a kernel of the Hub that lies there, or not at all.

Nothing is compiled for it unasked: building the package takes an hour. Where it is not to be had, PyTorch's own
scaled dot product attention serves, whose CUDA builds hold the same algorithm.
"""

from __future__ import annotations

from typing import NamedTuple

from remote_agent.contract.node_report import NodeReport

KERNEL = "kernels-community/flash-attn2"
PACKAGE, HUB_KERNEL, NONE = "package", "kernel", "none"
LEAST_CAPABILITY = 8.0


class FlashAttention(NamedTuple):
    """``by`` is PACKAGE, HUB_KERNEL or NONE; then ``why`` says what lacks. ``version`` is the package's."""

    by: str
    version: str = ""
    why: str = ""


def flash_attention(node: NodeReport) -> FlashAttention:
    """Return by what the trainer's interpreter on a probed node computes FlashAttention 2.

    transformers takes the package flash-attn where it is installed, else the package kernels with its kernel of the
    Hub, which has to lie in the node's cache, since the ranks of a run ask nobody outside.
    """
    if not node.gpus:
        return FlashAttention(NONE, why="the node has no GPU")
    if any(_capability(gpu.compute_capability) < LEAST_CAPABILITY for gpu in node.gpus):
        return FlashAttention(NONE, why="it needs GPUs of compute capability 8.0 or later")
    found = node.interpreter
    package, kernels = (found.optional(name) if found is not None else None for name in ("flash-attn", "kernels"))
    if found is None or package is None:
        return FlashAttention(NONE, why="the node's Python was not looked at for it")
    if package:
        return FlashAttention(PACKAGE, package)
    cached = node.survey.hub_kernels if node.survey is not None else ()
    if kernels and KERNEL in cached:
        return FlashAttention(HUB_KERNEL, kernels)
    if kernels:
        return FlashAttention(NONE, why="{} lacks flash-attn, and the kernel {} does not lie on the node".format(
            found.path, KERNEL))  # fmt: skip
    return FlashAttention(NONE, why="{} lacks flash-attn and kernels".format(found.path))


def _capability(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return LEAST_CAPABILITY
