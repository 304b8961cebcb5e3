"""Which updates of a run the averaged weights take in."""

from __future__ import annotations

import math

from remote_agent.contract.recipe_spec import RegularizationSpec


def averaged_steps(spec: RegularizationSpec, total_steps: int) -> int:
    """Return over how many of the run's last updates the average goes: all of them for a moving one."""
    if spec.averaging != "tail":
        return total_steps
    return min(total_steps, max(1, math.ceil(total_steps * spec.tail_percent / 100.0 - 1e-9)))


def first_averaged_step(spec: RegularizationSpec, total_steps: int) -> int:
    """Return the first update whose weights go into the average, counted from 1."""
    return total_steps - averaged_steps(spec, total_steps) + 1
