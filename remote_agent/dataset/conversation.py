"""What a row says: the turns of a conversation, and the shape it was read from."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from remote_agent.dataset.readers import Row


class Turn(NamedTuple):
    """Who speaks and what is said.

    Attributes:
        role: system, user, assistant or tool.
        content: the text; empty where the assistant only calls tools.
        extra: what else the template reads of the message: tool_calls, tool_call_id, name, reasoning_content. A
            ``content`` of None there says that the message has none, which templates tell from an empty one.
        weight: its share in the loss; None leaves that to ``train_on``, 0 takes it out.
    """

    role: str
    content: str
    extra: Mapping[str, Any] = MappingProxyType({})
    weight: float | None = None


class Conversation(NamedTuple):
    """A row's turns.

    Attributes:
        turns: in their order; of plain text for continued pretraining, one turn of role "text".
        glued: prompt and response follow each other with nothing between them.
        tools: the functions that the assistant may call, as the template takes them.
        label: the row's class, empty where there is none.
    """

    turns: tuple[Turn, ...]
    glued: bool = False
    tools: tuple[Mapping[str, Any], ...] = ()
    label: str = ""


class Example(NamedTuple):
    """A row and what it says after the job's steps.

    ``conversation`` is None where the row cannot be used, and ``problem`` then says why. ``origin`` says how the row
    came to be where it stands in no file.
    """

    row: Row
    conversation: Conversation | None
    problem: str = ""
    origin: str = ""


class Shape(NamedTuple):
    """A shape's name, the sentence that says why it was chosen, and the columns that are not read."""

    name: str
    reason: str
    unused: tuple[str, ...] = ()
