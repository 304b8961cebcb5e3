"""What every command needs: the library, the nodes, and words on the terminal; nothing is opened before it is asked."""

from __future__ import annotations

import functools
import json
import sys
from pathlib import Path
from typing import Any

from studio import places
from studio.cli.asking import ask_at_terminal
from studio.session.data_paths import Place
from studio.session.inputs import place_of_node
from studio.session.known_nodes import KnownNode, known_nodes
from studio.session.reach import Reach
from studio.store.library import Library


class Desk:
    """The terminal's side of the studio; close it at the end."""

    @functools.cached_property
    def library(self) -> Library:
        """Return the library, the same that the window shows."""
        return Library(places.library_path())

    @functools.cached_property
    def reach(self) -> Reach:
        """Return the agents of nodes."""
        reach = Reach(places.known_hosts_path(), places.agent_home())
        if sys.stdin is not None and sys.stdin.isatty():
            reach.asker.ask = ask_at_terminal
        return reach

    @property
    def model_cache(self) -> Path:
        """Return the folder of tokenizers that were looked at."""
        return places.cache_dir() / "models"

    def node(self, name: str) -> KnownNode:
        """Return a node by name. Raises ValueError where there is none."""
        nodes = known_nodes(self.library, self.reach.local_address)
        if name not in nodes:
            raise ValueError(f"There is no node {name}; known: {', '.join(nodes)}. `luthier nodes add` adds one.")
        return nodes[name]

    def local_place(self) -> Place:
        """Return this computer, whose own Python looks at models and data."""
        return Place(self.reach.local(), sys.executable, places.agent_home(), True)

    def node_place(self, name: str) -> Place:
        """Return a node after a probe. Raises ValueError and RemoteError."""
        known = self.node(name)
        agent = self.reach.agent(known.address)
        report = agent.probe(known.address.python)
        return place_of_node(agent, report, known.address.kind == "local", known.address.python)

    def close(self) -> None:
        """Let go of nodes and library."""
        if "reach" in self.__dict__:
            self.reach.close()
        if "library" in self.__dict__:
            self.library.close()


def say(text: str = "") -> None:
    """Write a line to standard output."""
    sys.stdout.write(text + "\n")


def complain(text: str) -> None:
    """Write a line to standard error."""
    sys.stderr.write(text + "\n")


def say_json(value: Any) -> None:
    """Write a value as JSON for another program; NaN and infinities become text."""
    from remote_agent.contract.journal_line import strict

    say(json.dumps(strict(value), indent=2, ensure_ascii=False, allow_nan=False))
