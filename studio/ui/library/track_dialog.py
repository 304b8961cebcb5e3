"""A run sent to a tracker from this computer: which one, kept here or sent, and where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from remote_agent.contract.tracker_spec import TENSORBOARD, TRACKER_KINDS, TRACKER_NAMES
from studio.ui.controls import ChoiceBox
from studio.ui.pieces import button, labelled_switch, plain_label
from studio.ui.translation import told

if TYPE_CHECKING:
    from studio.session.session import Session


class TrackDialog(QDialog):
    """Feeds a tracker with what is kept of a run; offline unless its person says otherwise."""

    def __init__(self, session: Session, run_id: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("trackDialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Send {} to a tracker").format(run_id))
        self.setAccessibleName(self.windowTitle())
        self.setMinimumWidth(520)
        self._session, self._run_id = session, run_id
        said = self.tr(
            "What this computer has of the run: its metrics and its recipe, never a row of the data. A run that goes "
            "on is followed to its end while Luthier is open. A tracker other than TensorBoard needs its package "
            "where Luthier runs."
        )
        self.kind = ChoiceBox([(kind, TRACKER_NAMES[kind]) for kind in TRACKER_KINDS])
        self.kind.setObjectName("trackKind")
        self.kind.setAccessibleName(self.tr("Tracker"))
        self.online, self._online_row = labelled_switch(self.tr("Send it over the network"), "trackOnlineSwitch")
        self.server, self.folder = QLineEdit(), QLineEdit(str(Path.home() / "tracking"))
        self.problem = plain_label("", "bad", "trackProblem", wraps=True)
        self.problem.hide()
        self._labels: dict[QLineEdit, QWidget] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 16)
        layout.setSpacing(12)
        layout.addWidget(plain_label(said, "muted", wraps=True))
        layout.addLayout(self._table())
        layout.addWidget(self.problem)
        layout.addLayout(self._button_row())
        self.kind.activated.connect(self._show_what_matters)
        self.online.toggled.connect(self._show_what_matters)
        self._show_what_matters()

    def _table(self) -> QGridLayout:
        table = QGridLayout()
        table.setHorizontalSpacing(12)
        table.setVerticalSpacing(8)
        table.addWidget(plain_label(self.tr("Tracker")), 0, 0)
        table.addWidget(self.kind, 0, 1)
        table.addWidget(self._online_row, 1, 1)
        for row, (line, name, label) in enumerate(
            (
                (self.server, "trackServer", self.tr("Server, or Space for trackio")),
                (self.folder, "trackFolder", self.tr("Folder on this computer")),
            ),
            2,
        ):
            line.setObjectName(name)
            line.setAccessibleName(label)
            self._labels[line] = plain_label(label)
            table.addWidget(self._labels[line], row, 0)
            table.addWidget(line, row, 1)
        table.setColumnStretch(1, 1)
        return table

    def _button_row(self) -> QHBoxLayout:
        cancel = button(self.tr("Cancel"), "trackCancelButton")
        cancel.clicked.connect(self.reject)
        self.send = button(self.tr("Send"), "trackSendButton", role="primary")
        self.send.clicked.connect(self._on_send)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(self.send)
        return row

    @property
    def chosen(self) -> str:
        """The kind of tracker that is chosen."""
        return str(self.kind.value())

    def _show_what_matters(self) -> None:
        can_send = self.chosen != TENSORBOARD
        self._online_row.setVisible(can_send)
        sends = can_send and self.online.isChecked()
        for line, shown in ((self.server, sends), (self.folder, not sends)):
            line.setVisible(shown)
            self._labels[line].setVisible(shown)
        self.problem.hide()
        self.adjustSize()

    def _on_send(self) -> None:
        online = self.chosen != TENSORBOARD and self.online.isChecked()
        folder = Path(self.folder.text().strip() or str(Path.home() / "tracking")).expanduser() / self.chosen
        server = self.server.text().strip() if online else ""
        problem = self._session.track_run(self._run_id, self.chosen, online, server, folder)
        self.problem.setText(told(problem))
        self.problem.setVisible(bool(problem))
        if not problem:
            self.accept()
