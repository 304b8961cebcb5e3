"""What travels to the node while the job is still edited: a switch, the steps, and how to end them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from studio.ui.launch.checklist import Checklist
from studio.ui.pieces import button, labelled_switch, plain_label

if TYPE_CHECKING:
    from studio.session.session import Session


class AheadRow(QWidget):
    """Follows the session's preparing ahead."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("launchAhead")
        self._session = session
        self.switch, holder = labelled_switch(self.tr("Prepare the node while I edit"), "prepareAheadSwitch")
        self.cancel_button = button(
            self.tr("Cancel"), "cancelAheadButton", self.tr("Cancel what is on the way to the node")
        )
        self.steps = Checklist()
        self.steps.setObjectName("aheadSteps")
        self.steps.setAccessibleName(self.tr("What is on the way to the node"))
        self._said = plain_label("", "caption", "aheadWords", wraps=True)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(holder, 1)
        row.addWidget(self.cancel_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(row)
        layout.addWidget(self._said)
        layout.addWidget(self.steps)
        self.switch.toggled.connect(self._on_toggled)
        self.cancel_button.clicked.connect(session.ahead.cancel)
        session.ahead.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what is under way now; nothing travels to this computer."""
        ahead, node = self._session.ahead, self._session.node
        self.setVisible(node is not None and not node.is_local)
        self.switch.blockSignals(True)
        self.switch.setChecked(ahead.is_on)
        self.switch.blockSignals(False)
        if self.cancel_button.hasFocus() and not ahead.is_under_way:
            self.switch.setFocus()  # the keyboard would go astray otherwise
        self.cancel_button.setVisible(ahead.is_under_way)
        steps = ahead.steps
        self.steps.setVisible(bool(steps))
        self.steps.show_steps(steps)
        self._said.setVisible(ahead.is_on and not steps)
        self._said.setText(
            self.tr(
                "Once the node has stood chosen for some seconds and the checks hold, model and data travel there and "
                "the environment is built; a launch takes over what is under way."
            )
        )

    def _on_toggled(self, is_on: bool) -> None:
        self._session.ahead.turn(is_on)
