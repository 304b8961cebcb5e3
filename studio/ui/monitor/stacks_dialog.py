"""Where every rank of a run stood when no update came: plain text, to be read and copied."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from studio.ui import theme
from studio.ui.pieces import button


class StacksDialog(QDialog):
    """Shows the stacks of all ranks, as the node took them."""

    def __init__(self, stacks: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("stacksDialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Where the ranks stand"))
        self.setAccessibleName(self.windowTitle())
        self.resize(720, 480)
        text = QPlainTextEdit("\n\n".join(stacks))
        text.setObjectName("stacksText")
        text.setAccessibleName(self.windowTitle())
        text.setReadOnly(True)
        text.setFont(theme.mono_font())
        close = button(self.tr("Close"), "stacksCloseButton", role="primary")
        close.clicked.connect(self.accept)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 16)
        layout.setSpacing(12)
        layout.addWidget(text, 1)
        layout.addLayout(row)
