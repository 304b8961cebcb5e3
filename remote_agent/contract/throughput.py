"""What a measured rate of tokens comes to in FLOP/s, and as a share of the GPU's peak.

MFU as Chowdhery et al., PaLM, 2022, arXiv:2204.02311, appendix B define it: the model's own FLOPs, nothing computed
twice counted, over the hardware's dense peak.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from remote_agent.contract.flops import Flops

_WRONG = "{:.0f} TFLOP/s are above the GPU's peak of {:.0f}. Tokens, time or the kind of GPU must be wrong."
_ATTENTION = (
    "{:.0f} TFLOP/s are above the GPU's peak of {:.0f}. "
    "Attention is counted over whole sequences; causal kernels and packed rows compute less of it."
)


class Throughput(NamedTuple):
    """How fast a GPU trained.

    Attributes:
        tokens_per_s: tokens a second of one GPU.
        flops_per_s: the model's FLOP/s of one GPU, recomputation not counted.
        mfu: ``flops_per_s`` as a share of the peak; None where the peak is not known.
        utilisation: the same with everything that was computed again; None where the peak is not known.
        defect: a sentence where the figure cannot be, as it is above the hardware's peak; empty where it can.
    """

    tokens_per_s: float
    flops_per_s: float
    mfu: Optional[float]
    utilisation: Optional[float]
    defect: str

    @property
    def tflops(self) -> float:
        """Return the model's TFLOP/s of one GPU."""
        return self.flops_per_s / 1e12


def throughput(tokens_per_s_per_gpu: float, flops: Flops, peak_flops: float = 0.0) -> Throughput:
    """Return what a rate of tokens means.

    Args:
        tokens_per_s_per_gpu: of one GPU, all non-padding tokens.
        flops: of one token, from `remote_agent.contract.flops`.
        peak_flops: the GPU's dense peak in the precision that computes, FLOP/s; 0: not known.

    Raises:
        ValueError: the rate is negative or not finite.
    """
    if not 0.0 <= tokens_per_s_per_gpu < float("inf"):
        raise ValueError("{} tokens a second is no rate.".format(tokens_per_s_per_gpu))
    model = tokens_per_s_per_gpu * flops.model
    if peak_flops <= 0.0:
        return Throughput(tokens_per_s_per_gpu, model, None, None, "")
    share, used = model / peak_flops, tokens_per_s_per_gpu * flops.computed / peak_flops
    defect = ""
    if share > 1.0:
        surely = tokens_per_s_per_gpu * (flops.model - flops.attention)
        defect = (_WRONG if surely > peak_flops else _ATTENTION).format(model / 1e12, peak_flops / 1e12)
    return Throughput(tokens_per_s_per_gpu, model, share, used, defect)
