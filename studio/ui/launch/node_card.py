"""The machine a run goes to: its state, its GPUs (or cores and memory), the Python it trains with."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from remote_agent.contract.node_report import NodeReport
from studio.ui import icons, words
from studio.ui.launch.collective_row import CollectiveRow
from studio.ui.launch.gpu_picker import GpuPicker
from studio.ui.launch.survey_words import survey_lines
from studio.ui.monitor.hardware import HardwareTiles
from studio.ui.pickers.node_picker import NodePicker
from studio.ui.pickers.node_words import LINK_ICONS, hardware_words, link_word
from studio.ui.pieces import Card, ElidedLabel, button, plain_label
from studio.ui.translation import told

if TYPE_CHECKING:
    from studio.session.session import Session
    from studio.state.node import NodeState


class NodeCard(Card):
    """Shows the chosen node and opens the picker."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__("", "launchNode", parent)
        self.setAccessibleName(self.tr("Node"))
        self._session = session
        self._icon = QLabel()
        self._name = plain_label("", "heading", "launchNodeName")
        self._state = ElidedLabel("", "caption")
        self._state.setObjectName("launchNodeState")
        self._change = button(self.tr("Choose…"), "chooseNodeButton", self.tr("Choose the node"))
        self._again = button(self.tr("Ask again"), "askNodeButton", self.tr("Ask the node what it has"))
        self._tiles = HardwareTiles(a_row=4)
        self.gpus = GpuPicker(session)
        self.collective = CollectiveRow(session)
        self._facts = ElidedLabel("", "caption", Qt.TextElideMode.ElideMiddle)
        self._facts.setObjectName("launchNodeFacts")
        self._python = ElidedLabel("", "caption", Qt.TextElideMode.ElideMiddle)
        self._python.setObjectName("launchNodePython")
        self._survey = plain_label("", "caption", "launchNodeSurvey", wraps=True)
        self._problem = plain_label("", "warning", "launchNodeProblem", wraps=True)
        self._change.clicked.connect(lambda: NodePicker(session, self).popup_at(self._change))
        self._again.clicked.connect(lambda: session.probe_node(session.node_name))
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._icon)
        head.addWidget(self._name)
        head.addWidget(self._state, 1)
        head.addWidget(self._again)
        head.addWidget(self._change)
        self.body.addLayout(head)
        for widget in (self._problem, self._tiles, self.gpus, self._facts, self._python, self._survey, self.collective):
            self.body.addWidget(widget)

    def refresh(self) -> None:
        """Show the node that is chosen now."""
        node = self._session.node
        self.collective.refresh()
        icon, token = LINK_ICONS.get(node.link, ("circle", "muted")) if node is not None else ("circle", "muted")
        icons.set_pixmap(self._icon, icon, token, 18)
        self._again.setVisible(node is not None)
        if node is None:
            self._name.setText(self.tr("No node is chosen"))
            self._state.set_text(self.tr("a run needs a machine to go to; this computer is one"))
            self._tiles.show_facts(())
            self.gpus.show_report(None)
            self._facts.set_text("")
            self._python.set_text("")
            self._survey.hide()
            self._problem.hide()
            return
        self._name.setText(told(node.name))
        self._state.set_text(link_word(node.link))
        self._show_report(node)

    def _show_report(self, node: NodeState) -> None:
        report = node.report
        self.gpus.show_report(report)
        found = "\n".join(survey_lines(report)) if report is not None else ""
        self._survey.setText(found)
        self._survey.setVisible(bool(found))
        problems = [node.problem, *(report.problems if report is not None else ())]
        said = " ".join(problem for problem in problems if problem)
        self._problem.setText(said)
        self._problem.setVisible(bool(said))
        if report is None:
            self._tiles.show_facts(())
            self._facts.set_text("")
            self._python.set_text("")
        elif report.gpus:
            self._tiles.show_gpus([dataclasses.asdict(gpu) for gpu in report.gpus])
        else:
            total = report.memory_total_bytes
            used = total - report.memory_available_bytes
            self._tiles.show_machine(None, report.cores, used, total, report.disk_free_bytes)
        if report is not None:
            self._facts.set_text(self._fact_words(report))
            self._facts.setVisible(bool(report.gpus))
            self._python.set_text(self._python_words(report))

    def _fact_words(self, report: NodeReport) -> str:
        parts = [hardware_words(report)] if report.gpus else []
        if report.gpus:
            said = self.tr("{cores} cores, {memory}, {disk} free on disk")
            memory, disk = words.size(report.memory_total_bytes), words.size(report.disk_free_bytes)
            parts.append(said.format(cores=report.cores, memory=memory, disk=disk))
        return "  ·  ".join(parts)

    def _python_words(self, report: NodeReport) -> str:
        found = report.interpreter
        if found is None:
            return self.tr("no Python for the trainer was found")
        return self.tr("trains with {path}, Python {version}").format(path=found.path, version=found.version)
