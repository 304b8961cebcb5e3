"""The plan of a job's rows on disk: its arrays are mapped and not read, so that another process has it at once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from remote_agent.contract.data_report import StepReport
from remote_agent.contract.wire import from_wire, to_wire
from remote_agent.dataset.corpus import Plan
from remote_agent.run_files.atomic_write import atomic_write_json

_ARRAYS = ("kept", "train", "held_out")
_BEFORE, _REST = "before.npy", "plan.json"


def write_plan(plan: Plan, folder: Path) -> None:
    """Write a plan into a folder. Raises OSError."""
    for name in _ARRAYS:
        np.save(folder / f"{name}.npy", getattr(plan, name), allow_pickle=False)
    if plan.before is not None:
        np.save(folder / _BEFORE, plan.before, allow_pickle=False)
    atomic_write_json(str(folder / _REST), {"steps": to_wire(plan.steps), "problems": plan.problems, "made": plan.made})


def read_plan(folder: Path) -> Plan:
    """Map a plan that `write_plan` wrote. Raises OSError, and ValueError where it is damaged."""
    rest = json.loads((folder / _REST).read_text(encoding="utf-8"))
    if not isinstance(rest, dict) or not {"steps", "problems", "made"} <= rest.keys():
        raise ValueError(f"{folder / _REST} is damaged")
    kept, train, held_out = (np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _ARRAYS)
    if not len(kept) == len(train) == len(held_out):
        raise ValueError(f"the arrays in {folder} do not fit together")
    before = None
    if (folder / _BEFORE).exists():
        before = np.load(folder / _BEFORE, mmap_mode="r", allow_pickle=False)
        if len(before) > len(kept):
            raise ValueError(f"the arrays in {folder} do not fit together")
    steps = tuple(from_wire(StepReport, step) for step in rest["steps"])
    return Plan(len(kept), kept, train, held_out, steps, tuple(rest["problems"]), int(rest["made"]), before)
