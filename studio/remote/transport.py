"""What reaches a node: a transport as protocol, a node's address, and this computer as a node."""

from __future__ import annotations

import dataclasses
import os
import sys
from typing import Protocol

from remote_agent.contract.node_network import NodeNetwork
from studio.remote.bootstrap import interpreter_arguments
from studio.remote.channel import Channel, Ending
from studio.remote.errors import (
    AgentFailed,
    AuthenticationFailed,
    Cancelled,
    HostKeyChanged,
    HostKeyUnknown,
    LinkError,
    LinkTimeout,
    NeedsPerson,
    NodeRefused,
    RemoteError,
)
from studio.remote.process_channel import OpenChannels, PipeChannel, SocketChannel

__all__ = [
    "AgentFailed", "AuthenticationFailed", "Cancelled", "Channel", "Ending", "HostKeyChanged", "HostKeyUnknown",
    "LinkError", "LinkTimeout", "LocalTransport", "NeedsPerson", "NodeAddress", "NodeRefused", "RemoteError",
    "Transport",
]  # fmt: skip


@dataclasses.dataclass(frozen=True)
class NodeAddress:
    """How a node is reached. ``kind`` is "local", "ssh" or "command"; ``host`` may be a name of the user's ssh config.

    ``port`` 0 and empty ``user`` and ``identity_file`` leave the choice to the ssh config; ``home`` is the agent's
    folder there, ``python`` the interpreter for the trainer, empty to let the probe find one. ``jump`` names the hosts
    to go through as ``ssh -J`` takes them, empty to leave it to the ssh config; ``program`` is "ssh" where the
    system's own ssh is to carry the node. ``command`` is what reaches a node of the kind "command", such as
    ``docker exec -i box``. ``proxy``, ``index`` and ``hub`` are how the node itself gets to the outside.
    """

    name: str
    kind: str = "local"
    host: str = ""
    port: int = 0
    user: str = ""
    identity_file: str = ""
    home: str = "~/.luthier"
    python: str = ""
    jump: str = ""
    program: str = ""
    command: str = ""
    proxy: str = ""
    index: str = ""
    hub: str = ""

    @property
    def network(self) -> NodeNetwork:
        """Return how the node gets to the outside, where its own settings are not to stand."""
        return NodeNetwork(self.proxy, self.index, self.hub)


class Transport(Protocol):
    """A way to one node."""

    def open(self) -> Channel:
        """Return a new channel on which the bootstrap is about to run. Raises RemoteError."""

    def close(self) -> None:
        """Let go of the node; channels end."""

    def describe(self) -> str:
        """Return the node as a sentence names it."""


class LocalTransport:
    """This computer as a node: every channel is a child process in a session of its own, started in the user's home."""

    def __init__(self, python: str = "", pipes: bool = os.name == "nt") -> None:
        self._python = python or sys.executable
        self._pipes = pipes
        self._channels = OpenChannels()

    def open(self) -> Channel:
        """Start the bootstrap as a child. Raises NodeRefused where the interpreter cannot be started."""
        kind = PipeChannel if self._pipes else SocketChannel
        channel = kind([self._python, *interpreter_arguments()])
        self._channels.add(channel)
        return channel

    def close(self) -> None:
        """End all children."""
        self._channels.close()

    def describe(self) -> str:
        """Return "this computer"."""
        return "this computer"
