"""What the verbs of the Data page change in a job: steps, sources and fixes, as values by field path. No Qt."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from remote_agent.contract.data_report import DataFix, SourceReport
from remote_agent.contract.data_spec import DataSpec, SourceSpec
from remote_agent.contract.data_steps import DropStep, Step
from remote_agent.contract.job_spec import JobSpec, value_at
from remote_agent.contract.spec_json import spec_from_dict

STEPS, MORE = "data.steps", "data.more"

Changes = dict[str, Any]


def with_step(data: DataSpec, step: Step) -> Changes:
    """Return the changes that put a step behind the others."""
    return {STEPS: (*data.steps, step)}


def without_step(data: DataSpec, number: int) -> Changes:
    """Return the changes that take a step out. Raises IndexError for a wrong number."""
    _check(number, data.steps)
    return {STEPS: (*data.steps[:number], *data.steps[number + 1 :])}


def with_step_moved(data: DataSpec, number: int, to: int) -> Changes:
    """Return the changes that put a step at another place of the order. Raises IndexError for a wrong number."""
    _check(number, data.steps)
    _check(to, data.steps)
    rest = [step for at, step in enumerate(data.steps) if at != number]
    return {STEPS: (*rest[:to], data.steps[number], *rest[to:])}


def of_fix(spec: JobSpec, fix: DataFix) -> Changes:
    """Return the changes that a finding's fix makes: its step behind the others, and its fields.

    Raises:
        SpecError: it holds a step or field that this job does not know.
    """
    changes: Changes = {}
    for path, value in fix.changes.items():
        changes[path] = value_at(spec_from_dict(_nested(path, value)), path)
    if fix.step is not None:
        steps = changes.get(STEPS, spec.data.steps)
        changes[STEPS] = (*steps, *spec_from_dict(_nested(STEPS, [dict(fix.step)])).data.steps)
    return changes


def with_source(data: DataSpec, source: SourceSpec) -> Changes:
    """Return the changes that add a source, as the job's first where it has none yet."""
    if data.path:
        return {MORE: (*data.more, source)}
    return {f"data.{field.name}": getattr(source, field.name) for field in dataclasses.fields(SourceSpec)}


def with_other_source(data: DataSpec, number: int, source: SourceSpec) -> Changes:
    """Return the changes that put another source in the place of one of ``data.more``. Raises IndexError."""
    _check(number, data.more)
    return {MORE: (*data.more[:number], source, *data.more[number + 1 :])}


def without_source(data: DataSpec, number: int, known: Sequence[SourceReport]) -> Changes:
    """Return the changes that take a source of ``data.more`` out; rows that steps name keep their meaning.

    ``known``: the sources of the last report, in the order of `all_sources`; where it tells of others, steps that name
    rows lose them, since nobody can say which they were. Raises IndexError.
    """
    _check(number, data.more)
    changes: Changes = {MORE: (*data.more[:number], *data.more[number + 1 :])}
    gone = known[number + 1] if len(known) == len(data.more) + 1 else None
    steps = without_named_rows(data.steps) if gone is None else _renumbered(data.steps, gone.first_row, gone.rows)
    if steps != data.steps:
        changes[STEPS] = steps
    return changes


def without_named_rows(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return the steps but those that name rows by their number: other data has other rows there."""
    return tuple(step for step in steps if not (isinstance(step, DropStep) and step.rows))


def _renumbered(steps: Sequence[Step], first: int, count: int) -> tuple[Step, ...]:
    """Return the steps as they are once ``count`` rows from ``first`` on are no more."""
    found: list[Step] = []
    for step in steps:
        if isinstance(step, DropStep) and step.rows:
            rows = tuple(row if row < first else row - count for row in step.rows if not first <= row < first + count)
            if rows or step.finding:
                found.append(dataclasses.replace(step, rows=rows))
        else:
            found.append(step)
    return tuple(found)


def _nested(path: str, value: Any) -> Mapping[str, Any]:
    nested: Any = value
    for name in reversed(path.split(".")):
        nested = {name: nested}
    found: Mapping[str, Any] = nested
    return found


def _check(number: int, items: Sequence[object]) -> None:
    if not 0 <= number < len(items):
        raise IndexError(f"there is no number {number} among {len(items)}")
