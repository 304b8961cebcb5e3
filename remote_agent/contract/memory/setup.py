"""Everything that a run's memory depends on, as plain numbers: the model's shape and how it is trained."""

from __future__ import annotations

from typing import Dict, NamedTuple

STRATEGIES = ("single", "ddp", "zero", "fsdp")
CHECKPOINTING = ("none", "full", "submodules", "selective", "every_nth", "offloaded")
LOSSES = (
    "full_fp32_upcast", "full_fp32_upcast_twice", "full_no_upcast", "fused_ce_bf16_logits", "megatron", "chunked",
    "fused_linear_ce",
)  # fmt: skip
KERNELS = ("eager", "compile", "liger", "titan")
ATTENTIONS = ("flash", "eager")


class Precision(NamedTuple):
    """Bytes a parameter or element: stored weights, what layers compute in, gradients, master copy, one moment."""

    weights: int
    compute: int
    gradients: int
    master: int
    moment: int


PRECISIONS: Dict[str, Precision] = {
    "bf16+fp32_master": Precision(2, 2, 2, 4, 4),
    "fp16+fp32_master": Precision(2, 2, 2, 4, 4),
    "all_bf16": Precision(2, 2, 2, 0, 2),
    "fp32_params_amp": Precision(4, 2, 4, 0, 4),
    "fp32": Precision(4, 4, 4, 0, 4),
}


class Shape(NamedTuple):
    """A decoder's sizes. ``intermediate`` is the width a token passes, of all its experts together.

    ``plain_gelu``: the MLP's activation is written out in elementary operations (GPT-2), which autograd keeps.
    ``fused_qkv``: one linear layer gives queries, keys and values, and the values keep its whole output alive.
    ``linear``: the elements of all layers' matrices that a token is multiplied with; 0: all that is in the layers.
    """

    parameters: int
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocabulary: int
    tied: bool = False
    gated_mlp: bool = True
    qk_norm: bool = False
    rms_norm: bool = True
    norms_per_layer: int = 2
    experts: int = 0
    plain_gelu: bool = False
    fused_qkv: bool = False
    linear: int = 0

    @property
    def embedding(self) -> int:
        """Return the elements of the token embeddings."""
        return self.vocabulary * self.hidden

    @property
    def outside(self) -> int:
        """Return the elements of embeddings and head together."""
        return min(self.parameters, self.embedding * (1 if self.tied else 2))

    @property
    def layer(self) -> int:
        """Return the elements of one layer."""
        return (self.parameters - self.outside) // max(1, self.layers)


class Setup(NamedTuple):
    """One run. Counts are plain, buckets in elements, lengths in tokens; ``precision`` is a key of `PRECISIONS`.

    Attributes:
        moments: how many moments of ``Precision.moment`` bytes the optimizer keeps of a parameter (AdamW 2).
        step_copies: how many copies of a moment an update makes at once (PyTorch's foreach AdamW 1, fused kernels 0).
        copies_bytes: bytes a parameter of weights kept beside: an average, the base of a penalty. Split as the states.
        trained: the share of the parameters that is not frozen.
        checkpoint_every: under "every_nth", how many layers lie from one checkpointed layer to the next.
        optimizer_on_nvme: offloaded states lie on the node's disk and pass through host memory in pieces.
        parameters_on_nvme: the same for offloaded weights.
        accumulate_bytes: an element of the summed gradient where it is kept in another type than the precision's own;
            0: as the precision has it.
        fsdp_version: 1 or 2, under "fsdp".
        sub_group: elements that ZeRO-3 updates at once.
        max_live: elements that ZeRO-3 keeps gathered for their next use.
        supervised_share: the share of tokens whose logits are made.
        loss_chunk_tokens: tokens whose logits a fused linear loss makes at once; 0: Liger's rule.
        head_gradient_bytes: bytes an element of the head's gradient takes while such a loss sums it; 0: as computed in.
    """

    shape: Shape
    gpus: int = 1
    nodes: int = 1
    strategy: str = "single"
    zero_stage: int = 0
    offload_optimizer: bool = False
    offload_parameters: bool = False
    precision: str = "bf16+fp32_master"
    moments: float = 2.0
    step_copies: float = 0.0
    micro_batch: int = 1
    seq_len: int = 1024
    accumulation: int = 1
    checkpointing: str = "full"
    checkpoint_every: int = 1
    attention: str = "flash"
    loss: str = "full_fp32_upcast"
    kernels: str = "eager"
    zero_init: bool = True
    copies_bytes: float = 0.0
    trained: float = 1.0
    reduce_bucket: int = 500_000_000
    overlap_comm: bool = False
    sub_group: int = 1_000_000_000
    max_live: int = 1_000_000_000
    contiguous_gradients: bool = True
    evaluation_batch: int = 1
    supervised_share: float = 1.0
    loss_chunk_tokens: int = 0
    head_gradient_bytes: int = 0
    optimizer_on_nvme: bool = False
    parameters_on_nvme: bool = False
    accumulate_bytes: int = 0
    fsdp_version: int = 1

    @property
    def tokens(self) -> int:
        """Return the tokens of a micro batch."""
        return self.micro_batch * self.seq_len

    @property
    def bytes_of(self) -> Precision:
        """Return the widths of this precision."""
        return PRECISIONS[self.precision]

    @property
    def gradient_width(self) -> int:
        """Return the bytes an element of the summed gradient takes."""
        return self.accumulate_bytes or self.bytes_of.gradients

    @property
    def split_weights(self) -> int:
        """Return over how many GPUs the weights are split."""
        return self.gpus if self.strategy == "fsdp" or (self.strategy == "zero" and self.zero_stage == 3) else 1

    @property
    def split_gradients(self) -> int:
        """Return over how many GPUs the gradients are split."""
        return self.gpus if self.strategy == "fsdp" or (self.strategy == "zero" and self.zero_stage >= 2) else 1

    @property
    def split_states(self) -> int:
        """Return over how many GPUs master copy and moments are split."""
        return self.gpus if self.strategy == "fsdp" or (self.strategy == "zero" and self.zero_stage >= 1) else 1
