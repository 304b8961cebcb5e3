"""A path on this computer: typed, or chosen in the system's dialog."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from studio.ui.pickers.popup import ask_for_path
from studio.ui.pieces import button, plain_label


class PathRow(QWidget):
    """A line with buttons for a file or a folder; ``chosen`` carries an existing path.

    Args:
        name: the object name of the line; buttons are named after it.
        spoken: what the path is, for screen readers.
        use: the words on the button that takes a typed path.
        files: whether a file may be chosen.
        folders: whether a folder may be chosen.
        filters: the name filter of the file dialog.
    """

    chosen = Signal(str)

    def __init__(self, name: str, spoken: str, use: str, files: bool, folders: bool, filters: str = "") -> None:
        super().__init__()
        self._spoken, self._files, self._folders, self._filters = spoken, files, folders, filters
        self.line = QLineEdit()
        self.line.setObjectName(name)
        self.line.setAccessibleName(spoken)
        self.line.setPlaceholderText(self.tr("Type or paste a path"))
        self._said = plain_label("", "problem", name + "Words", wraps=True)
        self._said.hide()
        use_button = button(use, name + "Use", role="primary")
        row = QHBoxLayout()
        row.setSpacing(8)
        if files:
            row.addWidget(self._opener(self.tr("File…"), name + "File", folder=False))
        if folders:
            row.addWidget(self._opener(self.tr("Folder…"), name + "Folder", folder=True))
        row.addStretch(1)
        row.addWidget(use_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.line)
        layout.addWidget(self._said)
        layout.addLayout(row)
        layout.addStretch(1)
        self.line.returnPressed.connect(self._on_use)
        use_button.clicked.connect(self._on_use)

    def _opener(self, text: str, name: str, folder: bool) -> QWidget:
        opener = button(text, name)
        opener.clicked.connect(lambda: self._open(folder))
        return opener

    def _open(self, folder: bool) -> None:
        ask_for_path(self, self._spoken, folder, self._filters, self.chosen.emit)

    def _on_use(self) -> None:
        text = self.line.text().strip().strip('"')
        path = Path(text).expanduser()
        problem = ""
        if not text:
            problem = self.tr("Type a path first, or choose one.")
        elif not path.exists():
            problem = self.tr("There is nothing at {path} on this computer.").format(path=text)
        elif path.is_dir() and not self._folders:
            problem = self.tr("{path} is a folder; a file is needed.").format(path=text)
        elif path.is_file() and not self._files:
            problem = self.tr("{path} is a file; the folder that holds it is needed.").format(path=text)
        self._said.setText(problem)
        self._said.setVisible(bool(problem))
        if not problem:
            self.chosen.emit(str(path.absolute()))
