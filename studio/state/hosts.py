"""The nodes of the library by name; emits when one of them changes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from PySide6.QtCore import QObject, Signal

from studio.state.node import NO_LABELS, Address, NodeState


class Hosts(QObject):
    """An ordered mapping from names to `NodeState`; ``changed`` carries the name, empty where the set changed."""

    changed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._nodes: dict[str, NodeState] = {}

    def __iter__(self) -> Iterator[NodeState]:
        return iter(tuple(self._nodes.values()))

    def __len__(self) -> int:
        return len(self._nodes)

    def __contains__(self, name: object) -> bool:
        return name in self._nodes

    def __getitem__(self, name: str) -> NodeState:
        return self._nodes[name]

    def get(self, name: str) -> NodeState | None:
        """Return the node of that name, None where there is none."""
        return self._nodes.get(name)

    def put(self, address: Address) -> None:
        """Add a node, or give one a new address; only its labels stay then."""
        known = self._nodes.get(address.name)
        if known is not None and known.address == address:
            return
        self._nodes[address.name] = NodeState(address, labels=known.labels if known is not None else NO_LABELS)
        self.changed.emit("")

    def update(self, name: str, **changes: Any) -> None:
        """Replace fields of a node's state; a name that is not (or no longer) here is passed over."""
        known = self._nodes.get(name)
        if known is None:
            return
        state = dataclasses.replace(known, **changes)
        if state != known:
            self._nodes[name] = state
            self.changed.emit(name)

    def remove(self, name: str) -> None:
        """Forget a node; a name that is not here is passed over."""
        if self._nodes.pop(name, None) is not None:
            self.changed.emit("")
