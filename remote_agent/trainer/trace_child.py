"""The child process that traces a training step of a model without its weights: one request in, one result out."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from remote_agent.contract.memory.from_job import PLAIN_HEADS
from remote_agent.contract.spec_json import spec_from_dict
from remote_agent.dataset.answers import Answer
from remote_agent.dataset.child_process import run_child
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.sources import Cancelled

PHASE = "tracing"


def traced(arguments: Mapping[str, Any], answer: Answer, cancelled: Cancelled) -> dict[str, Any]:
    """Trace a step of the ``job`` on one GPU under the model's ``config`` and answer ``{"trace"}``.

    Raises:
        DataError: transformers does not know the model, or its config is not one.
        SpecError: the job is none.
    """
    spec, config = spec_from_dict(arguments.get("job")), arguments.get("config")
    if not isinstance(config, dict) or not config:
        raise DataError("There is no config.json of the model to trace.")
    answer.progress(PHASE, 0, 1, "")
    from remote_agent.trainer.memory_trace import trace

    full = spec.strategy.loss_kernel == "plain" or config.get("model_type") not in PLAIN_HEADS
    try:
        found = trace(
            config,
            spec.batch.micro_batch,
            spec.data.max_length,
            spec.strategy.activation_checkpointing,
            "full" if full else "lean",
            "fp32" if spec.strategy.precision == "fp32" else "bf16",
            "eager" if spec.strategy.attention == "eager" else "sdpa",
        )
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError, NotImplementedError) as error:
        raise DataError(f"The model cannot be traced: {' '.join(str(error).split())[:300]}") from None
    answer.progress(PHASE, 1, 1, "")
    return {"trace": {"parameters": found.parameters, "peak": found.peak, "terms": dict(found.terms)}}


if __name__ == "__main__":
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    sys.exit(run_child(traced))
