"""A job as other tools read it: LLaMA-Factory, Axolotl, a plain transformers script."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.schedule_spans import Horizon
from studio.exchange.exported import Exported, Writer
from studio.exchange.imported import ExchangeError
from studio.exchange.to_axolotl import to_axolotl
from studio.exchange.to_llamafactory import to_llamafactory
from studio.exchange.to_script import to_script

TARGETS: Mapping[str, Callable[[Writer], Exported]] = {
    "llamafactory": to_llamafactory, "axolotl": to_axolotl, "transformers": to_script,
}  # fmt: skip
"""By their names on a command line."""


def exported(spec: JobSpec, target: str, horizon: Horizon | None = None) -> Exported:
    """Return a job as files of another tool, and what they cannot say.

    Args:
        spec: the job.
        target: one of TARGETS.
        horizon: the run's length, where it is known; spans in epochs or tokens cannot be said without it.

    Raises:
        ExchangeError: there is no such target, or the job has no model or no data.
    """
    if target not in TARGETS:
        raise ExchangeError(f"There is no format {target}; there are {', '.join(TARGETS)}.")
    for path, value, what in (("model.id", spec.model.id, "model"), ("data.path", spec.data.path, "training data")):
        if not value.strip():
            raise ExchangeError(f"{path}: no {what} is chosen; the other tool would have none either.")
    return TARGETS[target](Writer(spec, horizon))
