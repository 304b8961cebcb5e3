"""What a forward pass keeps for the backward pass, token by token: layers, attention scores and logits.

The counts are of the tensors autograd saves, as torch's profiler shows them, in the manner of Korthikanti et al.,
Reducing Activation Recomputation, 2022, arXiv:2205.05198, section 4, for today's kernels.
"""

from __future__ import annotations

from remote_agent.contract.memory.setup import Setup

FUSED_NORMS = ("compile", "liger", "titan")
FUSED_MLP = ("compile", "liger", "titan")

# Bytes per token x vocabulary entry at the loss's peak, logits of 2 bytes. fp32 upcast: logits 2 (training loops hold
# them until the step is through), copy in fp32 4, log-probabilities 4, their gradient 4; older transformers kept a
# shifted fp32 copy beside (4). Without upcast all four (logits, shifted copy, log-probabilities, gradient) have 2;
# a fused kernel: logits 2, shifted copy 2, fp32 part.
LOGIT_BYTES = {
    "full_fp32_upcast": 14.0,
    "full_fp32_upcast_twice": 18.0,
    "full_no_upcast": 8.0,
    "fused_ce_bf16_logits": 8.0,
    "megatron": 10.0,
    "chunked": 5.5,
}
LINEAR_CE_CHUNK_BYTES = 6.0
"""Fused linear cross entropy: a chunk's logits in 2 bytes and once in fp32."""


def layer_saved(setup: Setup) -> float:
    """Return the bytes a token leaves in one layer that is not checkpointed, attention scores apart."""
    shape, width = setup.shape, setup.bytes_of.compute
    hidden, inner = shape.hidden, shape.intermediate
    queries, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    norm = _norm(setup)
    kept = shape.norms_per_layer * norm
    # q, k, v after the rotation and the attention's output with its log-sum-exp in fp32
    kept += width * (2 * queries + 2 * keys) + 4 * shape.heads
    if shape.fused_qkv:
        kept += width * (queries + keys)
    if shape.qk_norm:
        kept += (queries + keys) / hidden * (norm - width * hidden) + width * (queries + keys)
    if not shape.gated_mlp:
        # before and after the activation function; GPT-2's GELU is spelled out and keeps three more
        return kept + width * inner * (5 if shape.plain_gelu else 2)
    fused = setup.kernels in FUSED_MLP
    # gate, up and their product; eager keeps the activated gate as well
    return kept + width * inner * (3 if fused else 4)


def _norm(setup: Setup) -> float:
    """Return the bytes a token leaves in one norm, with its output that the next linear layer keeps."""
    shape, width = setup.shape, setup.bytes_of.compute
    if not shape.rms_norm or setup.kernels in FUSED_NORMS:
        return 2 * width * shape.hidden
    # transformers' RMSNorm: the input in fp32, the normed input, and that times the weight
    return (4 + 2 * width) * shape.hidden


def layer_scores(setup: Setup) -> float:
    """Return the bytes of the scores eager attention keeps in one layer: fp32 softmax, its cast, and for dropout."""
    if setup.attention != "eager":
        return 0.0
    width = setup.bytes_of.compute
    each = 4 + width if width < 4 else width
    return float(each) * setup.micro_batch * setup.shape.heads * setup.seq_len * setup.seq_len


def backward_extra(setup: Setup) -> float:
    """Return the bytes a token needs beside what is kept while a layer's MLP goes backward."""
    shape, width = setup.shape, setup.bytes_of.compute
    inner = shape.intermediate
    if not shape.gated_mlp:
        return width * (shape.hidden + inner * (3 if shape.plain_gelu else 1))
    fused = setup.kernels in FUSED_MLP
    # the output's gradient, the product's, and (fused kernels write them in place) those of gate and up
    return width * (shape.hidden + inner * (1 if fused else 2))


def kept_layers(setup: Setup) -> float:
    """Return the bytes all layers keep until the backward pass, without the layer that is being recomputed."""
    shape, tokens = setup.shape, setup.tokens
    entry = setup.bytes_of.compute * shape.hidden * tokens
    whole = layer_saved(setup) * tokens + layer_scores(setup)
    if setup.checkpointing == "none":
        return shape.layers * whole
    if setup.checkpointing == "offloaded":
        return 2.0 * entry  # one on its way out, one on its way back
    if setup.checkpointing == "every_nth":
        checkpointed = shape.layers // max(1, setup.checkpoint_every)
        return checkpointed * entry + (shape.layers - checkpointed) * whole
    if setup.checkpointing == "submodules":
        # both norms, attention and MLP keep their inputs, each apart (NeMo Automodel wraps them so)
        return shape.layers * (2.0 + shape.norms_per_layer) * entry
    if setup.checkpointing == "selective":
        # every linear layer's output is kept, norms and activation functions are computed again
        queries, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
        inner = shape.intermediate * (2 if shape.gated_mlp else 1)
        return shape.layers * setup.bytes_of.compute * tokens * (2.0 * shape.hidden + 2 * queries + 2 * keys + inner)
    return shape.layers * entry


def recomputed_layer(setup: Setup) -> float:
    """Return the bytes of the one layer that is computed again in the backward pass; 0 where nothing is."""
    if setup.checkpointing == "none":
        return 0.0
    entry = setup.bytes_of.compute * setup.shape.hidden * setup.tokens
    if setup.checkpointing == "submodules":
        # the MLP alone: its input is kept
        kept = setup.shape.intermediate * ((3 if setup.kernels in FUSED_MLP else 4) if setup.shape.gated_mlp else 2)
        return float(setup.bytes_of.compute * kept * setup.tokens)
    return max(0.0, layer_saved(setup) * setup.tokens + layer_scores(setup) - entry)


def final_norm(setup: Setup) -> float:
    """Return the bytes the last norm keeps, with the hidden states that go into the head."""
    return _norm(setup) * setup.tokens


def logits(setup: Setup) -> float:
    """Return the bytes of logits and loss at their peak, gradients of the head's weight apart."""
    shape, tokens = setup.shape, setup.tokens * setup.supervised_share
    width = setup.bytes_of.compute
    if setup.loss == "fused_linear_ce":
        chunk = setup.loss_chunk_tokens or _linear_ce_chunk(int(tokens), shape.vocabulary, shape.hidden)
        return min(chunk, tokens) * shape.vocabulary * LINEAR_CE_CHUNK_BYTES + width * shape.hidden * tokens
    each = LOGIT_BYTES[setup.loss]
    if width == 4:
        # no copy is made: log-probabilities, their gradient and the logits'; older transformers' shifted copy beside
        each = 16.0 if setup.loss == "full_fp32_upcast_twice" else 12.0
    return tokens * shape.vocabulary * each


def _linear_ce_chunk(tokens: int, vocabulary: int, hidden: int) -> int:
    """Return Liger's chunk: a power of two near which a chunk's logits are as large as the hidden states."""
    pieces = -(-vocabulary // hidden)
    return 1 << max(0, (-(-max(1, tokens) // pieces) - 1).bit_length())
