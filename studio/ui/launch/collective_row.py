"""A button that tries whether the job's processes find each other on the node, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QWidget

from remote_agent.contract.node_report import CollectiveReport
from studio.state.node import READY
from studio.ui import words
from studio.ui.pieces import button, plain_label
from studio.ui.translation import told

if TYPE_CHECKING:
    from studio.session.session import Session


class CollectiveRow(QWidget):
    """Hidden where the job has one process, or the node was not looked at."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._said = plain_label("", "caption", "collectiveWords", wraps=True)
        self.button = button(
            self.tr("Test processes"), "collectiveButton", self.tr("Test whether the processes work together")
        )
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self._said, 1)
        layout.addWidget(self.button)
        self.button.clicked.connect(self._on_clicked)
        session.collective_tests.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what is known of the chosen node."""
        session, tests = self._session, self._session.collective_tests
        node, ranks = session.node, session.draft.spec.strategy.ranks
        self.setVisible(node is not None and node.link == READY and ranks > 1)
        here = tests.node_name == session.node_name
        running = tests.is_running and here
        self.button.setText(self.tr("Cancel") if running else self.tr("Test processes"))
        self.button.setEnabled(running or not tests.is_running)
        if running:
            self._said.setText(self.tr("{count} processes are summing for five seconds…").format(count=ranks))
        elif here and tests.report is not None:
            self._said.setText(self._result(tests.report))
        elif here and tests.problem:
            self._said.setText(told(tests.problem))
        else:
            said = self.tr("Whether the {count} processes find each other can be tried in a few seconds.")
            self._said.setText(said.format(count=ranks))

    def _result(self, report: CollectiveReport) -> str:
        said = self.tr("{count} processes found each other in {joined} s and sum at {rate}/s over {backend}.")
        return said.format(
            count=report.ranks,
            joined=f"{report.joined_s:.1f}",
            rate=words.size(report.bus_bytes_per_s),
            backend=report.backend,
        )

    def _on_clicked(self) -> None:
        tests = self._session.collective_tests
        if tests.is_running:
            tests.cancel()
        else:
            tests.run(self._session.node_name)
