"""What a journal says of alerts: raised, over, sent."""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Tuple


@dataclasses.dataclass(frozen=True)
class AlertRaised:
    """A rule of `contract.alerts` found something wrong. It is over with an `AlertCleared` of the same rule and rank.

    Attributes:
        rule: the rule's name.
        severity: error, warning or info.
        sentence: what is wrong, for people; holds no data rows.
        attempt, step: where the run was.
        since_s: the time of the event that raised it, seconds since the epoch.
        rank: the GPU or rank it is about, -1 for the run.
        value, limit: what was measured, and the threshold it went beyond.
        rows: the numbers of the rows of the data in that update, counted from 0 over all sources; the first of many.
    """

    kind: ClassVar[str] = "alert"
    rule: str
    severity: str
    sentence: str
    attempt: int
    step: int
    since_s: float
    rank: int = -1
    value: float = 0.0
    limit: float = 0.0
    rows: Tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True)
class AlertCleared:
    """What an alert said is over."""

    kind: ClassVar[str] = "alert_cleared"
    rule: str
    attempt: int
    step: int
    rank: int = -1


@dataclasses.dataclass(frozen=True)
class AlertSent:
    """A message about an alert reached a channel, or never will: ``problem`` is empty where it did."""

    kind: ClassVar[str] = "alert_sent"
    rule: str
    step: int
    channel: str
    problem: str = ""


@dataclasses.dataclass(frozen=True)
class StacksTaken:
    """Where every rank stands while no update comes: the innermost calls of each, first rank first.

    ``tool`` is py-spy or faulthandler; ``stacks`` holds a text a rank, plain, without values of variables.
    """

    kind: ClassVar[str] = "stacks"
    attempt: int
    step: int
    tool: str
    stacks: Tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class StepRows:
    """The rows of the data in an update that looks odd, numbered from 0 over all sources; at most the first few."""

    kind: ClassVar[str] = "step_rows"
    attempt: int
    step: int
    rows: Tuple[int, ...]
