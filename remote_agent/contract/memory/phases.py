"""What one GPU holds in each phase of a run, term by term: the tensors alone, before allocator and driver."""

from __future__ import annotations

from typing import Dict, NamedTuple, Tuple

from remote_agent.contract.memory import activations, fsdp
from remote_agent.contract.memory.setup import Setup

TERMS = ("weights", "gradients", "states", "average", "gathered", "activations", "scores", "logits", "buckets", "step")
PHASES = (
    "load", "forward", "loss", "backward_top", "backward_bottom", "step", "evaluate", "sample", "save", "load_best",
)  # fmt: skip


class Phase(NamedTuple):
    """A phase and its bytes by term, in the order of `TERMS`."""

    name: str
    terms: Tuple[Tuple[str, int], ...]

    @property
    def total(self) -> int:
        """Return the bytes of all terms."""
        return sum(size for _, size in self.terms)

    def of(self, term: str) -> int:
        """Return the bytes of a term, 0 where the phase has none."""
        return dict(self.terms).get(term, 0)


def phases(setup: Setup) -> Tuple[Phase, ...]:
    """Return every phase of the run in the order of `PHASES`."""
    always = resident(setup)
    forward = _forward(setup, always)
    made = (
        ("load", _load(setup)),
        ("forward", forward),
        ("loss", _loss(setup, forward)),
        ("backward_top", _backward_top(setup, forward)),
        ("backward_bottom", _backward_bottom(setup, always)),
        ("step", _step(setup, always)),
        ("evaluate", _evaluate(setup, always)),
        ("sample", _sample(setup, always)),
        ("save", _save(setup, always)),
        ("load_best", _load_best(setup, always)),
    )
    return tuple(Phase(name, tuple((term, int(terms[term])) for term in TERMS if terms.get(term, 0) >= 1))
                 for name, terms in made)  # fmt: skip


def weight_bytes(setup: Setup) -> float:
    """Return the weights that lie on one GPU all the time."""
    if setup.offload_parameters:
        return 0.0
    return setup.bytes_of.weights * _own(setup, setup.split_weights)


def _own(setup: Setup, split: int) -> float:
    """Return the elements that lie on one GPU of what so many share."""
    return fsdp.own_elements(setup) if setup.strategy == "fsdp" else setup.shape.parameters / split


def gradient_bytes(setup: Setup) -> float:
    """Return a GPU's gradients once the backward pass is through."""
    if setup.offload_optimizer and setup.strategy == "zero" and setup.zero_stage >= 2:
        return 0.0
    each = float(setup.gradient_width) * setup.trained
    if setup.strategy == "ddp":
        each *= 2  # the reducer's buckets hold a copy
    return each * _own(setup, setup.split_gradients)


def optimizer_bytes(setup: Setup) -> float:
    """Return a GPU's master copy and moments."""
    if setup.offload_optimizer:
        return 0.0
    return _state_width(setup) * setup.trained * _own(setup, setup.split_states)


def _state_width(setup: Setup) -> float:
    widths = setup.bytes_of
    master = widths.master
    if setup.precision == "fp32" and setup.strategy == "zero" and setup.zero_stage >= 1:
        master = 4  # DeepSpeed copies the partition it updates
    return master + widths.moment * setup.moments


def resident(setup: Setup) -> Dict[str, float]:
    """Return what never leaves while training: weights, states, averages, ZeRO-3's bucket and gradient buffer."""
    found = {"weights": weight_bytes(setup), "states": optimizer_bytes(setup)}
    if setup.zero_stage == 3:
        found["buckets"] = _buckets(setup)
    if setup.copies_bytes:
        found["average"] = setup.copies_bytes * setup.shape.parameters / setup.split_states
    if setup.accumulation > 1 or (setup.strategy == "zero" and setup.zero_stage in (0, 3)):
        found["gradients"] = gradient_bytes(setup)
    return found


def _buckets(setup: Setup) -> float:
    """Return the gradient buckets: of stage 1 and 2 two where communication overlaps, of stage 3 one."""
    if setup.strategy != "zero" or setup.zero_stage == 0 or not setup.contiguous_gradients:
        return 0.0
    elements = min(setup.reduce_bucket, setup.shape.parameters)
    twice = 2 if setup.overlap_comm and setup.zero_stage < 3 else 1
    return float(twice * setup.bytes_of.compute * elements)


def gathered_bytes(setup: Setup) -> float:
    """Return the whole weights that are there for a moment where they are split or offloaded."""
    shape, width = setup.shape, setup.bytes_of.compute
    if setup.strategy == "fsdp":
        return fsdp.gathered(setup)
    if setup.strategy == "zero" and setup.zero_stage == 3 and (setup.gpus > 1 or setup.offload_parameters):
        live = min(shape.parameters, setup.max_live)
        return float(width * max(live, shape.embedding))
    return 0.0


def _forward(setup: Setup, always: Dict[str, float]) -> Dict[str, float]:
    found = dict(always)
    found["gathered"] = gathered_bytes(setup)
    scores = activations.layer_scores(setup) * setup.shape.layers if setup.checkpointing == "none" else 0.0
    found["activations"] = activations.kept_layers(setup) - scores + activations.final_norm(setup)
    found["scores"] = scores
    return found


def _loss(setup: Setup, forward: Dict[str, float]) -> Dict[str, float]:
    found = dict(forward)
    if setup.strategy == "fsdp":
        found["gathered"] = fsdp.gathered(setup, at_loss=True)
    found["buckets"] = _buckets(setup)  # stage 1 and 2 make theirs as the backward pass begins
    found["logits"] = activations.logits(setup)
    if setup.loss == "fused_linear_ce":
        each = setup.head_gradient_bytes or setup.bytes_of.compute
        found["logits"] += float(each * setup.shape.embedding)
    return found


def _head_gradient(setup: Setup) -> float:
    """Return the whole gradient of the head's weight, which waits for its reduction."""
    return float(setup.bytes_of.compute * setup.shape.embedding)


def _layer_backward(setup: Setup) -> float:
    again = activations.recomputed_layer(setup)
    return again + activations.backward_extra(setup) * setup.tokens


def _backward_top(setup: Setup, forward: Dict[str, float]) -> Dict[str, float]:
    """Return the start of the backward pass through the layers: all inputs kept, gradients of the head there."""
    found = dict(forward)
    found["buckets"] = _buckets(setup)
    found["gathered"] = gathered_bytes(setup) + (fsdp.waiting(setup) if setup.strategy == "fsdp" else 0.0)
    found["activations"] += _layer_backward(setup) - activations.final_norm(setup)
    if "gradients" not in found:
        found["gradients"] = _head_gradient(setup)
    return found


def _backward_bottom(setup: Setup, always: Dict[str, float]) -> Dict[str, float]:
    """Return the end of the backward pass: the lowest layer's tensors, and all gradients."""
    found = dict(always)
    found["buckets"] = _buckets(setup)
    found["gathered"] = gathered_bytes(setup)
    entry = setup.bytes_of.compute * setup.shape.hidden * setup.tokens
    kept = entry if setup.checkpointing != "none" else (
        activations.layer_saved(setup) * setup.tokens + activations.layer_scores(setup)
    )  # fmt: skip
    found["activations"] = kept + _layer_backward(setup)
    # those of the lowest layer and of the embeddings (tied: the head's are there) come as its tensors go
    coming = min(1.0, (setup.shape.layer + (0 if setup.shape.tied else setup.shape.embedding)) / setup.shape.parameters)
    found["gradients"] = gradient_bytes(setup) * (1.0 if "gradients" in found else 1.0 - coming)
    return _lowest_of_fsdp(setup, found) if setup.strategy == "fsdp" else found


def _lowest_of_fsdp(setup: Setup, found: Dict[str, float]) -> Dict[str, float]:
    """Return the fuller of the lowest layer, where the head's gradient waits for the embeddings', and their sum."""
    lowest = {**found, "gathered": gathered_bytes(setup) + _head_gradient(setup)}
    if setup.fsdp_version == 1:
        return lowest
    lowest["gathered"] += fsdp.waiting(setup)
    coming = (setup.shape.outside + 2.0 * setup.shape.layer) / setup.shape.parameters
    lowest["gradients"] = gradient_bytes(setup) * max(0.0, 1.0 - coming)
    ended = {**found, "gathered": fsdp.last_of_all(setup), "activations": 0.0, "gradients": gradient_bytes(setup)}
    return max(lowest, ended, key=lambda terms: sum(terms.values()))


def _step(setup: Setup, always: Dict[str, float]) -> Dict[str, float]:
    found = dict(always)
    found["gradients"] = gradient_bytes(setup)
    found["step"] = step_bytes(setup)
    return found


def step_bytes(setup: Setup) -> float:
    """Return what the optimizer's step makes for itself.

    DeepSpeed flattens the gradients of the piece it updates and casts them to fp32 (2 + 4 bytes), then the update runs
    on the fp32 piece; PyTorch's foreach AdamW makes a copy of the second moment.
    """
    if setup.offload_optimizer:
        return 0.0
    widths = setup.bytes_of
    share = setup.trained * setup.shape.parameters / setup.split_states
    copies = setup.step_copies * widths.moment
    if setup.strategy != "zero":
        return copies * share
    piece = min(setup.sub_group, share) if setup.zero_stage == 3 else share
    cast = widths.master or setup.gradient_width
    return piece * (cast + max(setup.gradient_width, copies))


def _load(setup: Setup) -> Dict[str, float]:
    """Return loading: without zero.Init every GPU first takes all weights, then gives away what is not its own."""
    whole = setup.bytes_of.compute * setup.shape.parameters
    if setup.strategy == "zero" and setup.zero_stage == 3 and not setup.zero_init:
        return {"weights": float(whole), "gathered": float(setup.bytes_of.compute * setup.shape.embedding)}
    if setup.split_weights > 1 or setup.offload_parameters:
        return {"weights": weight_bytes(setup), "gathered": float(setup.bytes_of.compute * setup.shape.embedding)}
    return {"weights": weight_bytes(setup)}


def _evaluate(setup: Setup, always: Dict[str, float]) -> Dict[str, float]:
    """Return the held-out loss: no gradients are kept, logits in fp32 beside their own."""
    shape, width = setup.shape, setup.bytes_of.compute
    found = dict(always)
    found["gathered"] = gathered_bytes(setup)
    tokens = setup.evaluation_batch * setup.seq_len
    found["activations"] = tokens * (layer_transient(setup) + width * shape.hidden)
    if setup.loss in ("fused_linear_ce", "chunked"):
        found["logits"] = activations.logits(setup._replace(micro_batch=setup.evaluation_batch))
    else:
        found["logits"] = float(tokens * shape.vocabulary * (width + 8))
    return found


def layer_transient(setup: Setup) -> float:
    """Return the bytes a token takes in one layer when nothing is kept: the MLP's tensors and two hidden states."""
    width = setup.bytes_of.compute
    return width * (setup.shape.intermediate * (3 if setup.shape.gated_mlp else 2) + 2.0 * setup.shape.hidden)


def _sample(setup: Setup, always: Dict[str, float]) -> Dict[str, float]:
    """Return sampling: keys and values of one sequence in every layer."""
    shape, width = setup.shape, setup.bytes_of.compute
    found = dict(always)
    found["gathered"] = gathered_bytes(setup)
    found["activations"] = float(2 * width * shape.layers * shape.kv_heads * shape.head_dim * setup.seq_len)
    found["logits"] = float(shape.vocabulary * (width + 4))
    return found


def _save(setup: Setup, always: Dict[str, float]) -> Dict[str, float]:
    """Return saving: split weights come together on their way to the host, a module at a time."""
    found = dict(always)
    if setup.split_weights > 1 or setup.offload_parameters:
        found["gathered"] = float(setup.bytes_of.compute * setup.shape.embedding)
    return found


def _load_best(setup: Setup, always: Dict[str, float]) -> Dict[str, float]:
    """Return loading the best checkpoint's weights at the end, into a model that still has its optimizer.

    They come a tensor at a time, the largest whole beside the weights that it replaces; where weights are split, each
    GPU keeps its own piece of it.
    """
    found = dict(always)
    found["gathered"] = float(setup.bytes_of.weights * setup.shape.embedding)
    return found
