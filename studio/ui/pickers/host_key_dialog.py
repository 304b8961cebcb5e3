"""Shows the key of a machine that is not known yet, or that changed its key; only the first can be accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from studio.ui import icons
from studio.ui.pickers.popup import open_above
from studio.ui.pieces import button, plain_label

if TYPE_CHECKING:
    from studio.session.addresses import HostKeyUnknown
    from studio.session.session import Session


class ChangedKey(Protocol):
    """A host key that is not the one on file."""

    host: str
    port: int
    offered_fingerprint: str
    known_fingerprint: str
    place: str
    offered_art: str
    known_art: str


class HostKeyDialog(QDialog):
    """Asks once about an unknown key. "Not now" and Esc accept nothing."""

    def __init__(self, session: Session, question: HostKeyUnknown, node: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        _dress(self, "hostKeyDialog", self.tr("Is this the right machine?"))
        self._session, self._question, self._node = session, question, node
        layout = QVBoxLayout(self)
        said = self.tr(
            "{node} is reached for the first time. Compare this fingerprint with the one that its owner or your "
            "provider shows; it is remembered, and another key is refused from then on."
        ).format(node=node)
        facts = (
            (self.tr("Node"), node, "hostKeyNode"),
            (self.tr("Host"), f"{question.host}:{question.port}", "hostKeyHost"),
            (self.tr("Key type"), question.key_type, "hostKeyType"),
            (self.tr("Fingerprint"), question.fingerprint, "hostKeyFingerprint"),
        )
        accept = button(self.tr("Accept this key"), "acceptHostKeyButton", role="primary")
        refuse = button(self.tr("Not now"), "refuseHostKeyButton", self.tr("Do not accept the key"))
        accept.clicked.connect(self._on_accept)
        refuse.clicked.connect(self.reject)
        arts = ((self.tr("Its picture"), question.art, "hostKeyArt"),)
        _fill(layout, "key", "accent", self.windowTitle(), said, facts, arts, (refuse, accept))
        # Enter must not accept by accident: the focus starts on the way back.
        refuse.setDefault(True)
        refuse.setFocus()

    def asks(self, question: HostKeyUnknown, node: str) -> bool:
        """Say whether this is about the same key of the same node."""
        mine = self._question
        same_place = (mine.host, mine.port) == (question.host, question.port)
        return self._node == node and same_place and mine.fingerprint == question.fingerprint

    def _on_accept(self) -> None:
        self.accept()
        self._session.accept_host_key(self._question)


class HostKeyChangedDialog(QDialog):
    """Tells that the key is another one, with both fingerprints; there is no way on from here but to the file."""

    def __init__(self, change: ChangedKey, node: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        _dress(self, "hostKeyChangedDialog", self.tr("The machine shows another key"))
        layout = QVBoxLayout(self)
        said = self.tr(
            "{node} does not show the key that it showed before. Either it was set up anew, or somebody sits in "
            "between. Nothing was sent. If its owner confirms the new key, delete the line that holds the old one."
        ).format(node=node)
        facts = (
            (self.tr("Node"), node, "hostKeyNode"),
            (self.tr("Host"), f"{change.host}:{change.port}", "hostKeyHost"),
            (self.tr("Key on file"), change.known_fingerprint, "knownFingerprint"),
            (self.tr("Key shown now"), change.offered_fingerprint, "offeredFingerprint"),
            (self.tr("The line"), change.place, "hostKeyPlace"),
        )
        close = button(self.tr("Close"), "closeHostKeyButton")
        close.clicked.connect(self.reject)
        arts = (
            (self.tr("Key on file"), change.known_art, "knownArt"),
            (self.tr("Key shown now"), change.offered_art, "offeredArt"),
        )
        _fill(layout, "warning-circle-fill", "bad", self.windowTitle(), said, facts, arts, (close,))


def ask_about_host_key(session: Session, error: object, node: str, parent: QWidget) -> QDialog | None:
    """Open the dialog that fits an error of the link and return it; None where the error is about no host key."""
    if hasattr(error, "known_fingerprint"):
        dialog: QDialog = HostKeyChangedDialog(error, node, parent)  # type: ignore[arg-type]
    elif hasattr(error, "fingerprint"):
        dialog = HostKeyDialog(session, error, node, parent)  # type: ignore[arg-type]
    else:
        return None
    open_above(dialog)
    return dialog


def _dress(dialog: QDialog, name: str, title: str) -> None:
    dialog.setObjectName(name)
    dialog.setWindowTitle(title)
    dialog.setAccessibleName(title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowModality(Qt.WindowModality.WindowModal)
    dialog.setMinimumWidth(520)


def _fill(
    layout: QVBoxLayout,
    icon: str,
    token: str,
    title: str,
    said: str,
    facts: tuple[tuple[str, str, str], ...],
    arts: tuple[tuple[str, str, str], ...],
    buttons: tuple[QWidget, ...],
) -> None:
    layout.setContentsMargins(20, 16, 20, 16)
    layout.setSpacing(16)
    head = QHBoxLayout()
    head.setSpacing(12)
    mark: QLabel = icons.pixmap_label(icon, token, 20)
    head.addWidget(mark)
    head.addWidget(plain_label(title, "heading"), 1)
    layout.addLayout(head)
    layout.addWidget(plain_label(said, "", wraps=True))
    grid = QGridLayout()
    grid.setHorizontalSpacing(16)
    grid.setVerticalSpacing(8)
    for row, (label, value, name) in enumerate(facts):
        grid.addWidget(plain_label(label, "muted"), row, 0)
        shown = plain_label(value, "mono", name, wraps=True)
        shown.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        shown.setAccessibleName(f"{label}: {value}")
        grid.addWidget(shown, row, 1)
    grid.setColumnStretch(1, 1)
    layout.addLayout(grid)
    pictures = QHBoxLayout()
    pictures.setSpacing(24)
    for label, art, name in arts:
        if art:
            pictures.addLayout(_picture(label, art, name))
    pictures.addStretch(1)
    layout.addLayout(pictures)
    row_of_buttons = QHBoxLayout()
    row_of_buttons.setSpacing(8)
    row_of_buttons.addStretch(1)
    for one in buttons:
        row_of_buttons.addWidget(one)
    layout.addLayout(row_of_buttons)


def _picture(label: str, art: str, name: str) -> QVBoxLayout:
    """Return a key's picture below its label; people compare it by eye, a screen reader has the fingerprint."""
    column = QVBoxLayout()
    column.setSpacing(4)
    column.addWidget(plain_label(label, "muted"))
    shown = plain_label(art, "mono", name)
    shown.setAccessibleName(label)
    column.addWidget(shown)
    return column
