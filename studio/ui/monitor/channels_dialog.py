"""Where alerts are sent: a text of one line a channel, checked before it is kept."""

from __future__ import annotations

from collections.abc import Mapping
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
        self.text = QPlainTextEdit()
        self.text.setEnabled(False)
        self.text.setObjectName("channelsText")
        self.text.setAccessibleName(self.tr("Channels"))
        self.text.setPlaceholderText(_EXAMPLE)
        self.text.setFont(theme.mono_font())
        self.text.setTabChangesFocus(True)
        self.problem = plain_label("", "bad", "channelsProblem", wraps=True)
        self.problem.hide()
        self.note = plain_label("", "caption", "channelsNote", wraps=True)
        self.note.hide()
        self.outcome = plain_label("", "muted", "channelsOutcome", wraps=True)
        self.outcome.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 16)
        layout.setSpacing(12)
        for widget in (plain_label(said, "muted", wraps=True), self.text, self.problem, self.outcome, self.note):
            layout.addWidget(widget)
        layout.addLayout(self._button_row())
        session.alert_channels_loaded.connect(self._on_loaded)
        session.test_message_sent.connect(self._on_tested)
        session.load_alert_channels()

    def _button_row(self) -> QHBoxLayout:
        self.test = button(
            self.tr("Send a test message"),
            "channelsTestButton",
            self.tr("The chosen node sends it to every channel above, kept or not, as it would send an alert"),
        )
        self.test.setEnabled(False)
        self.test.clicked.connect(self._on_test)
        cancel = button(self.tr("Cancel"), "channelsCancelButton")
        cancel.clicked.connect(self.reject)
        self.keep = button(self.tr("Keep"), "channelsKeepButton", role="primary")
        self.keep.setEnabled(False)
        self.keep.clicked.connect(self._on_keep)
        row = QHBoxLayout()
        row.addWidget(self.test)
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(self.keep)
        return row

    def _on_loaded(self, text: str, note: str) -> None:
        if not self.text.isEnabled():
            self.text.setPlainText(text)
            self.note.setText(told(note))
            self.note.setVisible(bool(note))
            self.text.setEnabled(True)
            self.keep.setEnabled(True)
            self.test.setEnabled(True)
            self.text.setFocus()

    def _on_keep(self) -> None:
        if self._is_right(self._session.keep_alert_channels(self.text.toPlainText())):
            self.accept()

    def _on_test(self) -> None:
        if self._is_right(self._session.send_test_message(self.text.toPlainText())):
            self.test.setEnabled(False)
            self.outcome.setText(self.tr("Sending…"))
            self.outcome.show()

    def _on_tested(self, node: str, problems: Mapping[str, str], reason: str) -> None:
        arrived = ", ".join(name for name, problem in problems.items() if not problem)
        said = [self.tr("Sent from {node} to {channels}.").format(node=told(node), channels=arrived)] if arrived else []
        said += [
            self.tr("{channel} was not reached from {node}. {problem}").format(
                channel=name, node=told(node), problem=told(problem)
            )
            for name, problem in problems.items()
            if problem
        ]
        if reason:
            said.append(self.tr("Nothing was sent. {reason}").format(reason=told(reason)))
        self.outcome.setText(" ".join(said))
        self.outcome.show()
        self.test.setEnabled(True)

    def _is_right(self, problem: str) -> bool:
        self.problem.setText(told(problem))
        self.problem.setVisible(bool(problem))
        self.outcome.hide()
        return not problem
