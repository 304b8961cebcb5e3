"""Shows the public half of a key that was just made, and what to do with it."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from studio.ui.pieces import button, plain_label


class KeyPanel(QWidget):
    """Hidden until a key is shown. The private half never leaves this computer and is not shown."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("keyPanel")
        self._line = QPlainTextEdit()
        self._line.setObjectName("publicKey")
        self._line.setAccessibleName(self.tr("Public key"))
        self._line.setReadOnly(True)
        self._line.setProperty("role", "mono")
        self._line.setFixedHeight(64)
        copy = button(self.tr("Copy"), "copyPublicKey", self.tr("Copy the public key"))
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._line.toPlainText()))
        said = self.tr("Paste this line where your provider asks for an SSH key, or into ~/.ssh/authorized_keys there.")
        bottom = QHBoxLayout()
        bottom.addWidget(plain_label(said, "caption", wraps=True), 1)
        bottom.addWidget(copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._line)
        layout.addLayout(bottom)
        self.hide()

    def show_key(self, line: str) -> None:
        """Show a public key, "" to show nothing."""
        self._line.setPlainText(line)
        self.setVisible(bool(line))
