"""What an export gives: the files, and field by field what they cannot say."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from remote_agent.contract.job_spec import JobSpec, value_at
from remote_agent.contract.knob import described_fields
from remote_agent.contract.schedule_spans import Horizon

# fields that no other tool needs: names, and what Luthier does around the training
_OUTSIDE = ("schema_version", "name", "alerts.", "loading.", "strategy.threads_per_rank", "strategy.ranks")


@dataclasses.dataclass(frozen=True)
class Lost:
    """A field whose value the other tool cannot be told, or not exactly."""

    path: str
    value: Any
    sentence: str


@dataclasses.dataclass(frozen=True)
class Exported:
    """Files by name, relative to their folder, and what of the job is not in them. ``start`` is the command to run."""

    tool: str
    files: Mapping[str, str]
    lost: tuple[Lost, ...]
    start: str


class Writer:
    """One export at work: hands out values and keeps account of every field that nobody asked for."""

    def __init__(self, spec: JobSpec, horizon: Horizon | None = None) -> None:
        self.spec = spec
        self.horizon = horizon
        self.lost: list[Lost] = []
        self._taken: set[str] = set()

    def take(self, path: str) -> Any:
        """Return a field's value; the export says it."""
        self._taken.add(path)
        return value_at(self.spec, path)

    def lose(self, path: str, sentence: str) -> None:
        """Say what becomes of a field that the export cannot say."""
        self._taken.add(path)
        self.lost.append(Lost(path, value_at(self.spec, path), sentence))

    def close(self, tool: str) -> tuple[Lost, ...]:
        """Return all that is lost, in the order of the fields: also what nobody took and is not at its default."""
        for field in described_fields(JobSpec):
            if field.path in self._taken or field.path.startswith(_OUTSIDE):
                continue
            if value_at(self.spec, field.path) != field.default:
                self.lose(field.path, f"{tool} has no counterpart.")
        order = {field.path: number for number, field in enumerate(described_fields(JobSpec))}
        return tuple(sorted(self.lost, key=lambda one: order[one.path]))
