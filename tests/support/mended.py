"""A job after the click on a fix."""

from __future__ import annotations

from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.problem import Fix


def mended(spec: JobSpec, fix: Fix) -> JobSpec:
    """Return the job with the values that the fix sets."""
    for path, value in fix.changes:
        spec = with_value(spec, path, value)
    return spec
