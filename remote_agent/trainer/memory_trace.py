"""Traces the real transformers model without its weights: what a training step on one GPU makes, to the byte.

The tensors are fake (shapes without numbers) and stand on the CPU, since a build of torch without CUDA cannot train
fake CUDA tensors; torch's MemTracker counts what is alive. An oracle for the memory model's arithmetic, and the answer
for architectures it has no formula for.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

DTYPES = ("bf16", "fp32")
LOSSES = ("full", "lean")
_TRACED = "traced_causal_sdpa"


class Trace(NamedTuple):
    """What was alive in a training step, in bytes.

    Attributes:
        parameters: elements of the model.
        peak: the most at any moment of the second step, when the optimizer's states exist.
        terms: what the peak is made of, by torch's kinds: Parameter, Gradient, Optstate, Activation, Temp …
    """

    parameters: int
    peak: int
    terms: Mapping[str, int]


def trace(
    config: Mapping[str, Any],
    micro_batch: int,
    seq_len: int,
    checkpointing: bool = True,
    loss: str = "lean",
    dtype: str = "bf16",
    attention: str = "sdpa",
) -> Trace:
    """Return what a step of AdamW on one GPU holds, all in one precision, without master weights.

    Args:
        config: the model's parsed config.json.
        micro_batch: sequences at once.
        seq_len: tokens of each.
        checkpointing: whether each layer keeps its input only.
        loss: "full" makes all logits, as transformers does; "lean" is the trainer's chunked head.
        dtype: "bf16" or "fp32".
        attention: an attention implementation of transformers; "sdpa" is the model's own where it has no other.

    Raises:
        ValueError: transformers does not know the model, or it has no head that the lean loss could take.
    """
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.distributed._tools.mem_tracker import MemTracker
    from transformers import AutoModelForCausalLM

    made = _config_of(config)
    if attention == "sdpa":
        attention = _causal_attention() if _takes_sdpa(made) else "eager"
    with FakeTensorMode():
        model = AutoModelForCausalLM.from_config(
            made, attn_implementation=attention, dtype=torch.bfloat16 if dtype == "bf16" else torch.float32
        )
        model.train()
        model.loss_type = "ForCausalLM"  # some classes' names do not tell it
        if checkpointing:
            model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
        ids = torch.zeros((micro_batch, seq_len), dtype=torch.int64)
        tracker = MemTracker()
        tracker.track_external(model, optimizer, ids)
        with tracker:
            for _ in range(2):
                _loss_of(model, ids, loss).backward()
                optimizer.step()
                optimizer.zero_grad()
                tracker.reset_mod_stats()
            peak = tracker.get_tracker_snapshot("peak")
    return _trace_of(sum(parameter.numel() for parameter in model.parameters()), peak)


def _config_of(config: Mapping[str, Any]) -> Any:
    from transformers import AutoConfig

    values = {key: value for key, value in config.items() if key != "model_type"}
    made = AutoConfig.for_model(str(config.get("model_type")), **values)
    made.use_cache = False
    return made


def _takes_sdpa(config: Any) -> bool:
    """Say whether transformers has SDPA for a config's causal model; some have an attention of their own alone."""
    from transformers import MODEL_FOR_CAUSAL_LM_MAPPING

    kind = MODEL_FOR_CAUSAL_LM_MAPPING.get(type(config), None)
    return bool(getattr(kind, "_supports_sdpa", False))


def _causal_attention() -> str:
    """Register causal SDPA without a mask and return its name.

    transformers takes fake tensors for an export and would make a mask, which real training with SDPA does not have.
    """
    import torch
    from transformers import AttentionInterface, AttentionMaskInterface

    def attend(module: Any, query: Any, key: Any, value: Any, mask: Any, **options: Any) -> tuple[Any, None]:
        found = torch.nn.functional.scaled_dot_product_attention(
            query,
            key,
            value,
            dropout_p=options.get("dropout", 0.0),
            scale=options.get("scaling"),
            is_causal=True,
            enable_gqa=key.shape[1] != query.shape[1],
        )
        return found.transpose(1, 2).contiguous(), None

    AttentionInterface.register(_TRACED, attend)
    AttentionMaskInterface.register(_TRACED, lambda *_, **__: None)
    return _TRACED


def _loss_of(model: Any, ids: Any, loss: str) -> Any:
    if loss == "full":
        return model(input_ids=ids, labels=ids).loss
    from remote_agent.trainer.lean_head import LeanHead

    head = getattr(model, "lm_head", None)
    if head is None or getattr(head, "bias", None) is not None:
        raise ValueError("This model has no plain head; trace it with the full loss.")
    head.__class__ = LeanHead
    hidden = model.get_decoder()(input_ids=ids).last_hidden_state
    return head(hidden[:, :-1].flatten(0, 1), ids[:, 1:].flatten())[0]


def _trace_of(parameters: int, snapshot: Mapping[Any, Mapping[Any, int]]) -> Trace:
    """Return the device's snapshot with the most, its kinds by name."""
    most = max(snapshot.values(), key=lambda kinds: kinds.get("Total", 0), default={})
    terms = {str(getattr(kind, "value", kind)): int(size) for kind, size in most.items()}
    return Trace(parameters, terms.pop("Total", 0), {name: size for name, size in terms.items() if size})


def main() -> int:
    """Trace a model folder's config and write the trace as JSON; 2 where it cannot be traced."""
    parser = argparse.ArgumentParser(prog="memory_trace", description="Trace a training step without weights.")
    parser.add_argument("config", type=Path, help="config.json")
    parser.add_argument("--micro-batch", type=int, default=1)
    parser.add_argument("--length", type=int, default=1024)
    parser.add_argument("--no-checkpointing", dest="checkpointing", action="store_false")
    parser.add_argument("--loss", choices=LOSSES, default="lean")
    parser.add_argument("--dtype", choices=DTYPES, default="bf16")
    parser.add_argument("--attention", default="sdpa")
    arguments = parser.parse_args()
    try:
        config = json.loads(arguments.config.read_text(encoding="utf-8"))
        found = trace(
            config, arguments.micro_batch, arguments.length, arguments.checkpointing, arguments.loss, arguments.dtype,
            arguments.attention,
        )  # fmt: skip
    except (OSError, ValueError, KeyError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(json.dumps(found._asdict()) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
