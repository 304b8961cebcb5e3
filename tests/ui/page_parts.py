"""What stands in for the session's own parts: nodes being added, and range tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from remote_agent.contract.node_report import CollectiveReport, NodeReport
from remote_agent.contract.range_test import RangeTest
from studio.remote.asking import Asker
from studio.session.addresses import NodeAddress
from studio.session.asking import Asking
from studio.session.environments import EnvironmentPlan
from studio.session.launching import LaunchStep
from studio.state.run import RunState


class PageNodeSetup(QObject):
    """What helps to add a node, noted; the steps of a test of the way come from the test that uses it."""

    def __init__(self, calls: list[tuple[Any, ...]], parent: QObject) -> None:
        super().__init__(parent)
        self.asking = Asking(Asker(), self)
        self._calls = calls
        self.names: tuple[str, ...] = ()
        self.on_step: Callable[[str, Exception | None], None] = lambda sentence, error: None
        self.on_done: Callable[[bool], None] = lambda went: None

    def aliases(self) -> tuple[str, ...]:
        return self.names

    def make_key(self, node: str) -> tuple[str, str]:
        self._calls.append(("make_key", node))
        return f"/keys/{node}_ed25519", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6kK2sG3rQdWdyI8yNzXq5U me@desk luthier"

    def test(self, address: NodeAddress, on_step: Any, on_done: Any, owner: QObject) -> None:
        self._calls.append(("test", address))
        self.on_step, self.on_done = on_step, on_done


class PageAhead(QObject):
    """Preparing ahead, noted; the steps come from the test."""

    changed = Signal()

    def __init__(self, calls: list[tuple[Any, ...]], parent: QObject) -> None:
        super().__init__(parent)
        self._calls = calls
        self.steps: tuple[LaunchStep, ...] = ()
        self.is_on = True
        self.is_under_way = False

    def turn(self, is_on: bool) -> None:
        self._calls.append(("prepare_ahead", is_on))
        self.is_on = is_on
        self.changed.emit()

    def cancel(self) -> None:
        self._calls.append(("cancel_ahead",))


class PageEnvironments(QObject):
    """Builds of environments, noted; ``planned`` and the steps come from the test."""

    changed = Signal()

    def __init__(self, calls: list[tuple[Any, ...]], parent: QObject) -> None:
        super().__init__(parent)
        self._calls = calls
        self.steps: tuple[LaunchStep, ...] = ()
        self.node_name = ""
        self.is_building = False
        self.planned: EnvironmentPlan | None = None

    def plan(self, report: NodeReport) -> EnvironmentPlan | None:
        return self.planned

    def build(self, name: str) -> None:
        self._calls.append(("build_environment", name))

    def cancel(self) -> None:
        self._calls.append(("cancel_environment",))


class PageCollectiveTests(QObject):
    """Tests of the ranks, noted; what came of one is the test's."""

    changed = Signal()

    def __init__(self, calls: list[tuple[Any, ...]], parent: QObject) -> None:
        super().__init__(parent)
        self._calls = calls
        self.node_name, self.problem, self.is_running = "", "", False
        self.report: CollectiveReport | None = None

    def run(self, name: str) -> None:
        self._calls.append(("test_collective", name))
        self.node_name, self.is_running = name, True
        self.changed.emit()

    def cancel(self) -> None:
        self._calls.append(("cancel_collective",))


class PageRangeTests(QObject):
    """Range tests, noted; the run that is the newest one comes from the test."""

    changed = Signal()

    def __init__(self, calls: list[tuple[Any, ...]], parent: QObject) -> None:
        super().__init__(parent)
        self._calls = calls
        self.newest: RunState | None = None
        self.refusal = ""

    def start(self, test: RangeTest) -> None:
        if self.refusal:
            raise ValueError(self.refusal)
        self._calls.append(("range_test", test))

    def latest(self) -> RunState | None:
        return self.newest
