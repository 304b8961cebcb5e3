"""What a journal says of commands, and of what they changed for the rest of a run."""

from __future__ import annotations

import dataclasses
from typing import ClassVar


@dataclasses.dataclass(frozen=True)
class CommandAccepted:
    """The supervisor took a command from the inbox."""

    kind: ClassVar[str] = "accepted"
    command_id: str
    verb: str


@dataclasses.dataclass(frozen=True)
class CommandRefused:
    """A command was not taken, or could not be carried out; ``reason`` is a sentence."""

    kind: ClassVar[str] = "refused"
    command_id: str
    verb: str
    reason: str


@dataclasses.dataclass(frozen=True)
class CommandDone:
    """The command's effect has happened."""

    kind: ClassVar[str] = "done"
    command_id: str
    verb: str
    step: int = 0


@dataclasses.dataclass(frozen=True)
class Amended:
    """A field of the job has another value from update ``from_step`` on, counted from 0; job.json never changes.

    ``field`` and the meaning of ``value`` are those of `contract.amendments`. ``at_start``: the supervisor made it with
    the attempt, before anything that rank 0 journals in it.
    """

    kind: ClassVar[str] = "amended"
    attempt: int
    from_step: int
    field: str
    value: float
    at_start: bool = False


@dataclasses.dataclass(frozen=True)
class Restarted:
    """The ranks ended without being asked to, and the next attempt starts after ``wait_s`` seconds.

    ``cause`` is one of `contract.recovery_spec`'s; ``checkpoint`` is empty where the run begins anew.
    """

    kind: ClassVar[str] = "restarted"
    attempt: int
    cause: str
    step: int
    wait_s: float
    checkpoint: str = ""
    reason: str = ""
