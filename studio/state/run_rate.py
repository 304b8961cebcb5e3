"""What a measured run's rate of tokens comes to in FLOP/s a GPU, and as a share of its peak where that is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from remote_agent.contract.flops import Flops, flops_of
from remote_agent.contract.memory import setup_of_job
from remote_agent.contract.memory.gpu_kinds import GpuKind, kind_of_device
from remote_agent.contract.model_facts import UnknownModelError
from remote_agent.contract.spec_json import SpecError, spec_from_json
from remote_agent.contract.throughput import Throughput, throughput
from studio.state.measured_run import MeasuredRun


class _Known(NamedTuple):
    """What of a run does not change with its rate; ``peak_flops`` is 0 where it is not known."""

    asked: tuple[str, str]
    flops: Flops | None
    peak_flops: float


class RunRates:
    """Works the FLOP/s of runs out; what a run's job and model come to is kept, so that only the rate is new."""

    def __init__(self, kinds: Callable[[], Sequence[GpuKind]]) -> None:
        self._kinds = kinds
        self._known: dict[str, _Known] = {}

    def of(self, run: MeasuredRun | None, tokens_per_s: float) -> Throughput | None:
        """Return what a rate means, None where the run, its model's formula or the rate is not known.

        Args:
            run: with its job, its model's config.json and its GPU's name.
            tokens_per_s: of all ranks together.
        """
        if run is None or not math.isfinite(tokens_per_s) or tokens_per_s <= 0.0:
            return None
        known = self._known.get(run.run_id)
        if known is None or known.asked != (run.job, run.gpu):
            known = self._known[run.run_id] = self._look(run)
        if known.flops is None:
            return None
        return throughput(tokens_per_s / max(1, run.ranks), known.flops, known.peak_flops)

    def _look(self, run: MeasuredRun) -> _Known:
        asked = (run.job, run.gpu)
        try:
            spec = spec_from_json(run.job)
            setup, missing = setup_of_job(spec, dict(run.config), run.parameters)
        except (SpecError, UnknownModelError):
            return _Known(asked, None, 0.0)
        if missing:
            return _Known(asked, None, 0.0)
        kind = kind_of_device(self._kinds(), run.gpu) if run.on_gpu and run.gpu else None
        return _Known(asked, flops_of(setup), kind.peak(spec.strategy.precision) if kind is not None else 0.0)
