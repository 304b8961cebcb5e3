"""A node that a command of the person's reaches, such as ``docker exec -i box`` or ``kubectl exec -i pod --``.

The command's standard input and output carry the same frames as an SSH channel. It is split into words as a shell
would, but no shell of this computer sees it, and nothing of a job is ever among the words.
"""

from __future__ import annotations

import os
import shlex

from studio.remote import bootstrap
from studio.remote.channel import Channel
from studio.remote.errors import NeedsPerson
from studio.remote.process_channel import Line, OpenChannels, PipeChannel, SocketChannel
from studio.remote.transport import NodeAddress

PLACE = "{command}"
"""Where a command wants what to run as one text, as ``gcloud compute ssh box --command={command}`` does."""


def command_words(command: str) -> list[str]:
    """Return what is started on this computer.

    Raises NeedsPerson where the command is empty, has a quote that does not end, or asks for a terminal.
    """
    try:
        words = shlex.split(command, posix=os.name != "nt")
    except ValueError:
        raise NeedsPerson(f"The command has a quote that does not end: {command[:200]}") from None
    if not words:
        raise NeedsPerson("The node needs a command that reaches it, such as: docker exec -i box")
    if words[1:2] == ["exec"] and any(word in ("-it", "-ti", "-t", "--tty") for word in words):
        raise NeedsPerson(
            f"{command[:200]} asks for a terminal, which would garble the bytes. Write -i instead of -it."
        )
    if any(PLACE in word for word in words):
        return [word.replace(PLACE, bootstrap.COMMAND) for word in words]
    return [*words, *bootstrap.shell_words()]


class CommandTransport:
    """Every channel is a process of its own; nothing is shared between them."""

    def __init__(self, address: NodeAddress) -> None:
        self._address = address
        self._channels = OpenChannels()

    def open(self) -> Channel:
        """Start the command. Raises NodeRefused where its program is not there, NeedsPerson where it is none."""
        words = command_words(self._address.command)
        line = Line(who=f"The command that reaches {self.describe()}", whole_group=True)
        channel = (PipeChannel if os.name == "nt" else SocketChannel)(words, line)
        self._channels.add(channel)
        return channel

    def close(self) -> None:
        """End all of them."""
        self._channels.close()

    def describe(self) -> str:
        """Return the node's name."""
        return self._address.name
