"""What a run was measured to hold beside its estimate, and what that says of later ones. No Qt."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from remote_agent.contract.events import MemoryMeasured
from remote_agent.contract.job_spec import ModelSpec
from remote_agent.contract.memory.host import PROCESS_BYTES
from studio.state.memory_figures import UNCORRECTED, Correction

TERMS = ("weights", "gradients", "optimizer", "activations", "process")
"""What a rank's peak is made of, in the order of the screen."""


@dataclasses.dataclass(frozen=True)
class MeasuredRun:
    """A run's memory: what a rank was estimated to hold, and what the fullest one held, in bytes.

    Attributes:
        model: as `model_key` names it.
        probe: it trained the longest batch alone, so that its peak is the job's.
        corrects: whether later estimates of this node and model follow it.
        on_gpu: the peak is of a GPU, else of a process.
        ranks: over how many it was spread.
        tokens_per_s: the median over all ranks, NaN where there was none.
        job: the run's job.json as text, for its shape.
        config, parameters: the model's config.json and size.
        gpu: what nvidia-smi calls the GPU, empty where there was none.
        predicted, measured: bytes by name: peak, `TERMS`, and on GPUs reserved, card and host.
    """

    run_id: str
    name: str
    node: str
    model: str
    time_s: float
    probe: bool
    corrects: bool
    on_gpu: bool
    ranks: int
    tokens_per_s: float
    job: str
    config: Mapping[str, Any]
    parameters: int
    gpu: str
    predicted: Mapping[str, int]
    measured: Mapping[str, int]

    @property
    def ratio(self) -> float:
        """Return measured over predicted peak, NaN where nothing was predicted."""
        predicted = self.predicted.get("peak", 0)
        return self.measured.get("peak", 0) / predicted if predicted > 0 else math.nan

    @property
    def correction(self) -> Correction:
        """Return what this run says of an estimate on its node."""
        if not math.isfinite(self.ratio) or self.ratio <= 0.0:
            return UNCORRECTED
        if self.on_gpu:
            return Correction(factor=self.ratio)
        process = PROCESS_BYTES + self.measured["peak"] - self.predicted["peak"]
        return Correction(process_bytes=max(process, self.measured.get("process", 0)))


def model_key(model: ModelSpec) -> str:
    """Return what names a model among measured runs."""
    return f"{model.source} {model.id}"


def measured_bytes(memory: MemoryMeasured) -> dict[str, int]:
    """Return what the ranks told under the names of the estimate.

    Where the ranks counted no tensors, the peak alone is known.
    """
    tensors = {"weights": memory.weights, "gradients": memory.gradients, "optimizer": memory.optimizer}
    found = {"peak": memory.peak_bytes}
    if any(tensors.values()):
        process = 0 if memory.on_gpu else memory.before_bytes
        beside = max(0, memory.peak_bytes - process - sum(tensors.values()))
        found |= {**tensors, "activations": beside, "process": process}
    if memory.on_gpu:
        found |= {"reserved": memory.reserved_bytes, "card": memory.card_bytes, "host": memory.host_bytes}
    return found


def body_of(run: MeasuredRun) -> dict[str, Any]:
    """Return a run as JSON holds it, without what the library keeps in columns."""
    known = {"run_id", "node", "model", "time_s", "corrects"}
    body = {name: value for name, value in dataclasses.asdict(run).items() if name not in known}
    return {**body, "tokens_per_s": run.tokens_per_s if math.isfinite(run.tokens_per_s) else None}


def run_of_body(
    run_id: str, node: str, model: str, time_s: float, corrects: bool, body: Mapping[str, Any]
) -> MeasuredRun:
    """Return the run of a body. Raises TypeError, ValueError and KeyError where it is none."""
    rate = body["tokens_per_s"]
    values = {**body, "tokens_per_s": math.nan if rate is None else float(rate)}
    return MeasuredRun(run_id=run_id, node=node, model=model, time_s=time_s, corrects=corrects, **values)
