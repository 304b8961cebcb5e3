"""The agents of the nodes that were reached: one each, kept open, safe to ask from several threads. No Qt."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from studio.remote.asking import Asker
from studio.remote.transport import NodeAddress, Transport
from studio.secrets import KeyringKeeper

if TYPE_CHECKING:
    from studio.remote.agent import Agent

LOCAL_NODE = "This computer"


class Reached(NamedTuple):
    """An agent and the share of the connection that it talks over."""

    agent: Agent
    transport: Transport


class Reach:
    """Opens agents by address. ``known_hosts`` is the file of accepted host keys, ``local_home`` the local agent's.

    ``asker`` asks a person what only they know; it asks nobody until somebody attends.
    """

    def __init__(self, known_hosts: Path, local_home: str) -> None:
        self.known_hosts = known_hosts
        self.asker = Asker(keeper=KeyringKeeper())
        self._local = NodeAddress(name=LOCAL_NODE, kind="local", host="", home=local_home)
        self._reached: dict[NodeAddress, Reached] = {}
        self._lock = threading.Lock()

    @property
    def local_address(self) -> NodeAddress:
        """Return the address of this computer."""
        return self._local

    def agent(self, address: NodeAddress) -> Agent:
        """Return the agent of a node; it connects with its first call."""
        with self._lock:
            if address not in self._reached:
                self._reached[address] = self.another(address)
            return self._reached[address].agent

    def another(self, address: NodeAddress) -> Reached:
        """Return a further agent of a node, which the caller owns and whose transport it closes."""
        from studio.remote.agent import Agent  # brings what talks along, which the first paint does not wait for
        from studio.remote.reach import open_transport

        transport = open_transport(address, self.known_hosts, self.asker)
        return Reached(Agent(transport, address.home, network=address.network), transport)

    def local(self) -> Agent:
        """Return the agent of this computer."""
        return self.agent(self._local)

    def forget(self, address: NodeAddress) -> None:
        """Close a node's agent, so that the next call connects anew."""
        with self._lock:
            reached = self._reached.pop(address, None)
        if reached is not None:
            reached.transport.close()

    def close(self) -> None:
        """Close every agent."""
        with self._lock:
            all_reached, self._reached = tuple(self._reached.values()), {}
        for reached in all_reached:
            reached.transport.close()
