"""What the agent's commands answer that the contract does not describe, and how an answer becomes such a value."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

from remote_agent.contract.data_report import PreparedData
from remote_agent.contract.wire import from_wire
from studio.remote.errors import AgentFailed

Report = TypeVar("Report")


@dataclasses.dataclass(frozen=True)
class BrowseEntry:
    """One entry of a folder on the node."""

    name: str
    is_dir: bool
    size_bytes: int


@dataclasses.dataclass(frozen=True)
class Listing:
    """A folder on the node; ``parent`` is empty at the top."""

    path: str
    parent: str
    entries: tuple[BrowseEntry, ...]


@dataclasses.dataclass(frozen=True)
class Prepared:
    """Data and environment made ready on the node; ``data_folder`` is an absolute path there."""

    prepared: PreparedData
    data_folder: str
    environment: Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class RunSummary:
    """A run as its node lists it."""

    run_id: str
    name: str
    state: str
    attempt: int
    step: int
    alive: bool
    size_bytes: int
    created_s: float


@dataclasses.dataclass(frozen=True)
class Resumed:
    """A run that goes on as its ``attempt``; ``step`` updates were done before it."""

    attempt: int
    step: int


@dataclasses.dataclass(frozen=True)
class RowsMade:
    """What the augment steps of a job came to on a node; ``rejected`` counts rows by the reason."""

    rows: int
    rejected: Mapping[str, int]


@dataclasses.dataclass(frozen=True)
class HubModel:
    """A model or data set of the Hub that lies on the node: ``revision`` is its commit, ``path`` absolute there."""

    repo: str
    revision: str
    path: str


def answer_as(report_class: type[Report], value: object) -> Report:
    """Return an answer's value as a dataclass. Raises AgentFailed where it is another one's."""
    try:
        return from_wire(report_class, value)
    except ValueError as error:
        raise AgentFailed(f"The agent's answer cannot be read: {error}.", "failed") from None


def answers_as(report_class: type[Report], values: object) -> tuple[Report, ...]:
    """Return an answer's list as dataclasses. Raises AgentFailed."""
    if not isinstance(values, list):
        raise AgentFailed("The agent's answer cannot be read: expected a list.", "failed")
    return tuple(answer_as(report_class, value) for value in values)
