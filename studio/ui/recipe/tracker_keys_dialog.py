"""The keys of trackers: kept in the keyring, never shown again, never in a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from studio.ui.pieces import button, plain_label
from studio.ui.translation import told

if TYPE_CHECKING:
    from studio.session.session import Session


class TrackerKeysDialog(QDialog):
    """A line a key; what is left empty stays as it is, and Forget takes one away. Nothing changes before Keep."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("trackerKeysDialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Keys of trackers"))
        self.setAccessibleName(self.windowTitle())
        self.setMinimumWidth(520)
        self._session = session
        said = self.tr(
            "Needed only for trackers that are online. A key goes to the node of a run, or to the tracker, when the "
            "run is started, resumed or sent; it stands in no job, journal, log or export."
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 16)
        layout.setSpacing(12)
        layout.addWidget(plain_label(said, "muted", wraps=True))
        self.lines: dict[str, QLineEdit] = {}
        self.forgets: dict[str, QPushButton] = {}
        self._forgotten: set[str] = set()
        table = QGridLayout()
        table.setHorizontalSpacing(12)
        table.setVerticalSpacing(8)
        for row, (name, label) in enumerate((
            ("WANDB_API_KEY", self.tr("Weights & Biases, API key")),
            ("MLFLOW_TRACKING_TOKEN", self.tr("MLflow, token")),
            ("HF_TOKEN", self.tr("trackio, token of the Hub")),
        )):  # fmt: skip
            self._add_line(table, row, name, label)
        layout.addLayout(table)
        self.note = plain_label("", "caption", "trackerKeysNote", wraps=True)
        self.note.hide()
        layout.addWidget(self.note)
        layout.addLayout(self._button_row())
        session.tracker_keys_loaded.connect(self._on_loaded)
        session.load_tracker_keys()

    def _add_line(self, table: QGridLayout, row: int, name: str, label: str) -> None:
        line = QLineEdit()
        line.setObjectName(f"trackerKey_{name}")
        line.setAccessibleName(label)
        line.setEchoMode(QLineEdit.EchoMode.Password)
        line.setEnabled(False)
        forget = button(self.tr("Forget"), f"forget_{name}", self.tr("Forget: {}").format(label), role="link")
        forget.clicked.connect(lambda: self._on_forget(name))
        forget.hide()
        self.lines[name], self.forgets[name] = line, forget
        table.addWidget(plain_label(label), row, 0)
        table.addWidget(line, row, 1)
        table.addWidget(forget, row, 2)

    def _button_row(self) -> QHBoxLayout:
        cancel = button(self.tr("Cancel"), "trackerKeysCancelButton")
        cancel.clicked.connect(self.reject)
        self.keep = button(self.tr("Keep"), "trackerKeysKeepButton", role="primary")
        self.keep.setEnabled(False)
        self.keep.clicked.connect(self._on_keep)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(self.keep)
        return row

    def _on_loaded(self, kept: tuple[str, ...], note: str) -> None:
        for name, line in self.lines.items():
            line.setPlaceholderText(self.tr("A key is kept") if name in kept else "")
            line.setEnabled(True)
            self.forgets[name].setVisible(name in kept)
        self.note.setText(told(note))
        self.note.setVisible(bool(note))
        self.adjustSize()
        self.keep.setEnabled(True)
        next(iter(self.lines.values())).setFocus()

    def _on_forget(self, name: str) -> None:
        self._forgotten.add(name)
        self.forgets[name].hide()
        self.lines[name].clear()
        self.lines[name].setPlaceholderText(self.tr("Will be forgotten"))

    def _on_keep(self) -> None:
        changes = dict.fromkeys(self._forgotten, "")
        changes.update({name: line.text().strip() for name, line in self.lines.items() if line.text().strip()})
        if changes:
            self._session.keep_tracker_keys(changes)
        self.accept()
