"""Where alerts are sent: a text of one line a channel, checked before it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QDialog, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from studio.ui import theme
from studio.ui.pieces import button, plain_label
from studio.ui.translation import told

if TYPE_CHECKING:
    from studio.session.session import Session

_EXAMPLE = (
    "phone: ntfy https://ntfy.example/my-topic\n"
    "team: slack https://hooks.example/services/…\n"
    "bot: telegram https://api.telegram.example/bot…/sendMessage 4711\n"
    "script: command /home/me/tell"
)


class ChannelsDialog(QDialog):
    """Edits the channels of the session's person; nothing changes before Keep."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("channelsDialog")
        self.setWindowTitle(self.tr("Where alerts are sent"))
        self.setAccessibleName(self.windowTitle())
        self.setMinimumWidth(560)
        self._session = session
        said = self.tr(
            "The node sends an alert of a run to each of these, also while this computer is off: run, step, loss "
            "and time left, never a row of the data. One line a channel: a name, a colon, then ntfy, slack (also "
            "Mattermost and the like), telegram or command, and the address. Runs that are started or resumed from "
            "now on use them."
        )
        self.text = QPlainTextEdit(session.alert_channels_text())
        self.text.setObjectName("channelsText")
        self.text.setAccessibleName(self.tr("Channels"))
        self.text.setPlaceholderText(_EXAMPLE)
        self.text.setFont(theme.mono_font())
        self.text.setTabChangesFocus(True)
        self.problem = plain_label("", "bad", "channelsProblem", wraps=True)
        self.problem.hide()
        note = plain_label(told(session.alert_channels_note()), "caption", "channelsNote", wraps=True)
        note.setVisible(bool(note.text()))
        cancel = button(self.tr("Cancel"), "channelsCancelButton")
        cancel.clicked.connect(self.reject)
        keep = button(self.tr("Keep"), "channelsKeepButton", role="primary")
        keep.clicked.connect(self._on_keep)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(keep)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 16)
        layout.setSpacing(12)
        for widget in (plain_label(said, "muted", wraps=True), self.text, self.problem, note):
            layout.addWidget(widget)
        layout.addLayout(row)

    def _on_keep(self) -> None:
        problem = self._session.keep_alert_channels(self.text.toPlainText())
        self.problem.setText(told(problem))
        self.problem.setVisible(bool(problem))
        if not problem:
            self.accept()
