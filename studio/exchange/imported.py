"""What an import gives: the job, and key by key what was taken over, what was changed and what has no counterpart."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.problem import Problem


class ExchangeError(ValueError):
    """The text cannot be imported, or the job not exported; the text is a sentence for people."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """One key of the other tool and what became of it.

    Attributes:
        their_key: the key as the file names it, dotted where it is nested.
        their_value: its value in the file, or the tool's default.
        path: our field, empty where it has none.
        value: our value there, None where it has no field.
        sentence: what was done with it.
        by_default: the file does not have the key; the tool's default stands for it.
    """

    their_key: str
    their_value: Any
    path: str
    value: Any
    sentence: str
    by_default: bool = False


@dataclasses.dataclass(frozen=True)
class Given:
    """What the file does not say and whoever imports it knows.

    Attributes:
        gpus: processes over all nodes, 0 where not known.
        rows: rows of the training data, 0 where not known.
        dataset_info: LLaMA-Factory's dataset_info.json, which its file refers to.
    """

    gpus: int = 0
    rows: int = 0
    dataset_info: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Imported:
    """A job made of another tool's configuration.

    ``mapped`` have the same meaning here, ``converted`` another form or value, ``dropped`` no counterpart. ``findings``
    are what whoever wrote the file may not know of it, with the fix where there is one; the job itself is as the file
    says.
    """

    spec: JobSpec
    origin: str
    reason: str
    mapped: tuple[Entry, ...]
    converted: tuple[Entry, ...]
    dropped: tuple[Entry, ...]
    findings: tuple[Problem, ...]
