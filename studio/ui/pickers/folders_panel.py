"""Where the agent's folders lie on a node: how much is free there, whether it lasts, and another place for each."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from remote_agent.contract.node_folders import FOLDERS, WORK, folder_of, placed_at, proposed_folders
from remote_agent.contract.node_report import NodeFolder, NodeReport
from studio.ui import words
from studio.ui.pieces import button, plain_label
from studio.ui.translation import told

if TYPE_CHECKING:
    from studio.session.session import Session


class FoldersPanel(QWidget):
    """``done`` tells that the folders lie as wished, ``cancelled`` that a person went back."""

    done = Signal()
    cancelled = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("nodeFolders")
        self._session, self._node = session, ""
        self._lines: dict[str, QLineEdit] = {}
        self._facts: dict[str, QLabel] = {}
        self._report: NodeReport | None = None
        self._proposed: dict[str, str] = {}
        self._intro = plain_label("", "caption", "nodeFoldersIntro", wraps=True)
        self._said = plain_label("", "problem", "nodeFoldersWords", wraps=True)
        self._propose = button(self.tr("Take the proposal"), "proposeFolders")
        self._place = button(self.tr("Place"), "placeFolders", self.tr("Place the folders"), role="primary")
        self._propose.clicked.connect(self._on_propose)
        self._place.clicked.connect(self._on_place)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(self._intro)
        layout.addLayout(self._grid())
        layout.addWidget(self._said)
        layout.addStretch(1)
        layout.addLayout(self._bottom())

    def start(self, name: str) -> None:
        """Show where the folders of a node lie; nothing where it was not asked or its agent does not tell."""
        node = self._session.hosts.get(name)
        report = node.report if node is not None else None
        self._node = name
        self._say("")
        self._place.setEnabled(report is not None)
        if report is None:
            return
        self._report, self._proposed = report, proposed_folders(report)
        self._propose.setVisible(bool(self._proposed))
        self._intro.setText(self._intro_words(name))
        for folder in report.folders:
            self._show_folder(folder)
        self._lines["environments"].setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take the folders with Enter, leave with Esc."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._on_place()
        elif event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        else:
            super().keyPressEvent(event)

    def _intro_words(self, name: str) -> str:
        said = self.tr(
            "Where the agent on {node} keeps things. What lies in a folder now stays there and is still found; new "
            "things go to the new place. Empty: in the agent's own folder. Whether a place outlives a stop of the box "
            "is told by its kind."
        ).format(node=told(name))
        if self._proposed:
            said += " " + self.tr("Some would last longer or have more room elsewhere.")
        return said

    def _show_folder(self, folder: NodeFolder) -> None:
        assert self._report is not None
        line = self._lines.get(folder.name)
        if line is not None:
            line.setText(folder.path if folder.placed else "")
            line.setPlaceholderText(f"{self._report.home}/{FOLDERS[folder.name]}")
        self._show_facts(folder.name)

    def _show_facts(self, name: str) -> None:
        """Tell what is there, of the disk that the path as it stands would lie on."""
        if self._report is None:
            return
        folder = folder_of(self._report, name)
        if folder is not None and name in self._facts:
            path = self._lines[name].text().strip() if name in self._lines else ""
            self._facts[name].setText(folder_words(placed_at(self._report, folder, path)))

    def _on_edited(self, name: str, text: str) -> None:
        self._show_facts(name)

    def _on_propose(self) -> None:
        for name, path in self._proposed.items():
            self._lines[name].setText(path)
        self._lines["environments"].setFocus()

    def _on_place(self) -> None:
        if not self._place.isEnabled():
            return
        self._say("")
        self._place.setEnabled(False)
        asked = {name: line.text().strip() for name, line in self._lines.items()}
        self._session.place_folders(self._node, asked, self._on_placed, self._on_failed)

    def _on_placed(self) -> None:
        self._place.setEnabled(True)
        self.done.emit()

    def _on_failed(self, sentence: str) -> None:
        self._place.setEnabled(True)
        self._say(told(sentence))

    def _say(self, text: str) -> None:
        self._said.setText(text)
        self._said.setVisible(bool(text))

    def _grid(self) -> QGridLayout:
        names = {
            WORK: self.tr("Work"),
            "environments": self.tr("Environments"),
            "models": self.tr("Models"),
            "data": self.tr("Data"),
            "checkpoints": self.tr("Checkpoints"),
        }
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        for number, (name, text) in enumerate(names.items()):
            label = plain_label(text, "muted")
            self._facts[name] = plain_label("", "caption", f"nodeFolderFacts_{name}", wraps=True)
            grid.addWidget(label, 3 * number, 0)
            grid.addWidget(self._facts[name], 3 * number + (name != WORK), 1)
            grid.setRowMinimumHeight(3 * number + 2, 6)
            if name == WORK:
                continue  # the agent's home, which the form of the node names
            line = QLineEdit()
            line.setObjectName(f"nodeFolder_{name}")
            line.setAccessibleName(text)
            label.setBuddy(line)
            line.textChanged.connect(functools.partial(self._on_edited, name))
            self._lines[name] = line
            grid.addWidget(line, 3 * number, 1)
        return grid

    def _bottom(self) -> QHBoxLayout:
        cancel = button(self.tr("Back"), "nodeFoldersCancel", self.tr("Back to the node"))
        cancel.clicked.connect(self.cancelled)
        bottom = QHBoxLayout()
        bottom.setSpacing(8)
        bottom.addWidget(self._propose)
        bottom.addStretch(1)
        bottom.addWidget(cancel)
        bottom.addWidget(self._place)
        return bottom


def folder_words(folder: NodeFolder) -> str:
    """Return how much is free where a folder lies, on what, and whether that outlives a stop of the box."""
    if not folder.total_bytes:
        return words.translated("its disk is not there")
    lasts = words.translated("outlives a stop") if folder.lasts else words.translated("gone when the box stops")
    if not folder.mount:
        return words.translated("{free} free").format(free=words.size(folder.free_bytes))
    said = words.translated("{free} free  ·  {kind} at {mount}  ·  {lasts}")
    return said.format(free=words.size(folder.free_bytes), kind=folder.kind, mount=folder.mount, lasts=lasts)
