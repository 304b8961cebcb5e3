"""The trainer's environment on the chosen node: what a build would fetch, its button, and how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QWidget

from remote_agent.contract.environment_lock import EnvironmentLock, total_needed_bytes
from remote_agent.contract.node_folders import free_bytes
from remote_agent.contract.node_report import NodeReport
from studio.state.node import READY
from studio.ui import words
from studio.ui.launch.checklist import Checklist
from studio.ui.pieces import Card, button, plain_label
from studio.ui.translation import told

if TYPE_CHECKING:
    from studio.session.session import Session


class EnvironmentCard(Card):
    """Hidden until the node was looked at."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__("", "launchEnvironment", parent)
        self.setAccessibleName(self.tr("Environment"))
        self._session = session
        self._state = plain_label("", "caption", "environmentState", wraps=True)
        self._plan = plain_label("", "caption", "environmentPlan", wraps=True)
        self.build_button = button(self.tr("Build environment"), "buildEnvironmentButton")
        self.cancel_button = button(
            self.tr("Cancel"), "cancelEnvironmentButton", self.tr("Cancel the build of the environment")
        )
        self.steps = Checklist()
        self.steps.setObjectName("environmentSteps")
        self.steps.setAccessibleName(self.tr("Steps of the build"))
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(plain_label(self.tr("Environment"), "heading"), 1)
        head.addWidget(self.cancel_button)
        head.addWidget(self.build_button)
        self.body.addLayout(head)
        for widget in (self._state, self._plan, self.steps):
            self.body.addWidget(widget)
        self.build_button.clicked.connect(lambda: session.environments.build(session.node_name))
        self.cancel_button.clicked.connect(session.environments.cancel)
        session.environments.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the chosen node's environment as it is now."""
        node, environments = self._session.node, self._session.environments
        report = node.report if node is not None and node.link == READY else None
        here = environments.node_name == self._session.node_name and bool(self._session.node_name)
        building = environments.is_building and here
        self.setVisible(report is not None or building)
        plan = environments.plan(report) if report is not None else None
        held = self.build_button.hasFocus() or self.cancel_button.hasFocus()
        self.cancel_button.setVisible(building)
        self.build_button.setVisible(not building)
        self.build_button.setEnabled(plan is not None and plan.lock is not None and not environments.is_building)
        if held:
            (self.cancel_button if building else self.build_button).setFocus()
        steps = environments.steps if here else ()
        self.steps.setVisible(bool(steps))
        self.steps.show_steps(steps)
        if report is not None:
            self._state.setText(self._state_words(report))
            self._plan.setVisible(plan is not None)
            if plan is not None:
                said = self._plan_words(plan.lock, plan.sends, report) if plan.lock is not None else told(plan.problem)
                self._plan.setText(said)

    def _state_words(self, report: NodeReport) -> str:
        found = report.interpreter
        if found is None:
            return self.tr("The node has no Python that trains yet.")
        if found.missing:
            said = self.tr("{path} lacks {names}.")
            return said.format(path=found.path, names=", ".join(found.missing))
        said = self.tr("{path} has everything that training needs; nothing has to be built.")
        return said.format(path=found.path)

    def _plan_words(self, lock: EnvironmentLock, sends: bool, report: NodeReport) -> str:
        torch = lock.over_torch or next((file.version for file in lock.files if file.package == "torch"), "?")
        said = self.tr(
            "A build fetches {count} packages with fixed hashes, {size}: Python {python}, torch {torch}. While it goes "
            "on it takes about {room} of the {free} that are free (estimated)."
        ).format(
            count=len(lock.files),
            size=words.size(lock.size_bytes),
            python=lock.python,
            torch=torch,
            room=words.size(total_needed_bytes(lock)),
            free=words.size(free_bytes(report, "environments")),
        )
        if lock.over:
            there = self.tr(
                "The torch of {path} is used as it is, and what lies there in the same version is not fetched."
            )
            said += " " + there.format(path=lock.over)
        if sends:
            said += " " + self.tr("The node has no way to the package index, so this computer fetches and sends them.")
        if not lock.tried:
            said += " " + self.tr("These versions fit by what they declare; this very set has not been run yet.")
        return said
