"""The verbs of nodes: add, remove, probe, browse, and the question of a host key."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QObject, Signal

from remote_agent.contract.node_report import NodeReport
from remote_agent.contract.wire import to_wire
from studio.background.tasks import Task, Tasks
from studio.remote.errors import HostKeyUnknown, NeedsPerson, RemoteError
from studio.remote.known_hosts import accept_host_key
from studio.remote.transport import NodeAddress
from studio.session.known_nodes import check_address, known_nodes, save_labels, save_node
from studio.session.reach import LOCAL_NODE, Reach
from studio.state.hosts import Hosts
from studio.state.node import NEEDS_PERSON, PROBING, READY, UNREACHABLE, Labels
from studio.store.library import Library

Say = Callable[[str, str], None]


def sentence_of(error: Exception) -> str:
    """Return what an error says to people."""
    said = getattr(error, "sentence", "")
    return said if isinstance(said, str) and said else str(error)


class Nodes(QObject):
    """Keeps `Hosts` and the library's nodes equal, and asks nodes in the background.

    ``probed`` carries (name, NodeReport); ``host_key_question`` (HostKeyUnknown, name); ``reachable_again`` the name
    of a node whose key was just accepted.
    """

    probed = Signal(str, object)
    host_key_question = Signal(object, str)
    reachable_again = Signal(str)

    def __init__(self, hosts: Hosts, store: Library, reach: Reach, tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._hosts, self._store, self._reach, self._tasks = hosts, store, reach, tasks
        self._asked: dict[HostKeyUnknown, str] = {}
        for name, node in known_nodes(store, reach.local_address).items():
            hosts.put(node.address)
            hosts.update(name, labels=node.labels)
            if node.report is not None:
                hosts.update(name, report=node.report)

    def address(self, name: str) -> NodeAddress:
        """Return the address of a node. Raises KeyError for an unknown name."""
        address = self._hosts[name].address
        assert isinstance(address, NodeAddress)
        return address

    def add(self, address: NodeAddress) -> None:
        """Keep a node, or its new address, and probe it. Raises ValueError with a sentence."""
        check_address(address)
        former = self._hosts.get(address.name)
        if former is not None and former.address != address:
            self._reach.forget(self.address(address.name))
        save_node(self._store, address)
        self._hosts.put(address)
        self.probe(address.name)

    def label(self, name: str, labels: Labels) -> None:
        """Keep a node's group and tags."""
        if self._hosts[name].labels != labels:
            save_labels(self._store, name, labels)
            self._hosts.update(name, labels=labels)

    def place_folders(
        self, name: str, folders: Mapping[str, str], on_done: Callable[[], None], on_error: Callable[[str], None]
    ) -> None:
        """Let the agent's folders lie elsewhere on a node, in the background, and probe it; an error is a sentence."""
        address = self.address(name)

        def work(task: Task) -> None:
            self._reach.agent(address).place_folders(folders, task.cancelled)

        def on_result(_: None) -> None:
            on_done()
            if name in self._hosts:
                self.probe(name)

        def failed(error: Exception) -> None:
            if isinstance(error, NeedsPerson):
                self.failed(name, error)
            on_error(sentence_of(error))

        self._tasks.run(self, work, on_result, failed)

    def remove(self, name: str) -> None:
        """Forget a node; nothing on it is touched. Raises ValueError for this computer."""
        if name == LOCAL_NODE:
            raise ValueError(f"{LOCAL_NODE} cannot be removed.")
        if name in self._hosts:
            self._reach.forget(self.address(name))
        self._store.delete_node(name)
        self._hosts.remove(name)

    def set_python(self, name: str, python: str) -> None:
        """Choose the interpreter of the trainer on a node, empty to let the probe choose."""
        address = dataclasses.replace(self.address(name), python=python)
        self._reach.forget(self.address(name))
        save_node(self._store, address)
        self._hosts.put(address)
        self.probe(name)

    def probe(self, name: str) -> None:
        """Look at a node in the background."""
        address = self.address(name)
        self._hosts.update(name, link=PROBING, problem="")

        def work(task: Task) -> NodeReport:
            report = self._reach.agent(address).probe(address.python, cancelled=task.cancelled, wide=True)
            save_node(self._store, address, report)
            return report

        def is_current() -> bool:
            known = self._hosts.get(name)
            return known is not None and known.address == address

        def on_result(report: NodeReport) -> None:
            if is_current():  # else another address is being looked at by now
                self._hosts.update(name, report=report, link=READY, problem="")
                self.probed.emit(name, report)

        def on_error(error: Exception) -> None:
            if is_current():
                self.failed(name, error)

        self._tasks.run(self, work, on_result, on_error)

    def failed(self, name: str, error: Exception) -> None:
        """Take in that a call to a node failed; a host key is asked about once."""
        if isinstance(error, RemoteError):
            link = NEEDS_PERSON if isinstance(error, NeedsPerson) else UNREACHABLE
            self._hosts.update(name, link=link, problem=sentence_of(error))
        else:
            self._hosts.update(name, problem=sentence_of(error))
        if isinstance(error, HostKeyUnknown):
            self.ask_host_key(name, error)

    def ask_host_key(self, name: str, question: HostKeyUnknown) -> None:
        """Put the question of a host key to the person."""
        self._asked[question] = name
        self.host_key_question.emit(question, name)

    def accept_host_key(self, question: HostKeyUnknown) -> None:
        """Pin the key that a person accepted and go on with the node that it was asked for."""
        accept_host_key(self._reach.known_hosts, question)
        name = self._asked.pop(question, "")
        if name in self._hosts:
            self._reach.forget(self.address(name))
            self.probe(name)
            self.reachable_again.emit(name)

    def browse(
        self, name: str, path: str, on_result: Callable[[dict[str, Any]], None], on_error: Callable[[str], None]
    ) -> None:
        """List a folder of a node in the background; an error comes as a sentence."""
        address = self.address(name)

        def work(task: Task) -> dict[str, Any]:
            listing: dict[str, Any] = to_wire(self._reach.agent(address).browse(path, cancelled=task.cancelled))
            return listing

        def failed(error: Exception) -> None:
            if isinstance(error, NeedsPerson):
                self.failed(name, error)
            on_error(sentence_of(error))

        self._tasks.run(self, work, on_result, failed)
