"""The notice over the charts while the link to the node is not as it should be, with the way to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from remote_agent.contract.events import ENDED
from studio.ui import icons
from studio.ui.monitor.link_words import NEEDS_PERSON, RECONNECTING, link_sentence
from studio.ui.pickers.host_key_dialog import ask_about_host_key
from studio.ui.pieces import button, plain_label
from studio.ui.translation import told

if TYPE_CHECKING:
    from studio.session.session import Session
    from studio.state.run import RunState


class LinkRow(QFrame):
    """Hidden while all is well, and once the run has ended."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("linkRow")
        self.setProperty("role", "notice")
        self._session = session
        self._run: RunState | None = None
        self._icon = icons.pixmap_label("link-break", "warning", 16)
        self._text = plain_label("", name="linkSentence", wraps=True)
        self._retry = button(self.tr("Try now"), "retryLinkButton", self.tr("Try the link now"))
        self._look = button(self.tr("Look at it…"), "lookAtLinkButton", self.tr("Look at what the link needs"))
        self._retry.clicked.connect(self._on_retry)
        self._look.clicked.connect(self._on_look)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 12, 8)
        row.setSpacing(8)
        row.addWidget(self._icon)
        row.addWidget(self._text, 1)
        row.addWidget(self._look)
        row.addWidget(self._retry)
        self.hide()

    @property
    def has_words(self) -> bool:
        """Whether there is something to say; the sentence counts seconds then."""
        return bool(self._text.text())

    def show_link(self, run: RunState | None, now: float) -> None:
        """Show the link of a run at a moment of the clock that its times are told in."""
        self._run = run
        link = run.link if run is not None and run.state not in ENDED else None
        sentence = ""
        if run is not None and link is not None:
            next_try_s = link.next_try_s - now if link.next_try_s else 0.0
            sentence = link_sentence(told(run.node), link, now - link.since, next_try_s)
        self._text.setText(sentence)
        self.setAccessibleName(sentence)
        self.setVisible(bool(sentence))
        if link is None or not sentence:
            return
        needs_person = link.kind == NEEDS_PERSON
        icon, token = ("warning-fill", "bad") if needs_person else ("link-break", "warning")
        icons.set_pixmap(self._icon, icon, token, 16)
        self._look.setVisible(needs_person and hasattr(link.error, "host"))
        self._retry.setVisible(needs_person or (link.kind == RECONNECTING and bool(link.next_try_s)))

    def _on_retry(self) -> None:
        if self._run is not None:
            self._session.retry_link(self._run.node)

    def _on_look(self) -> None:
        if self._run is not None and self._run.link is not None:
            ask_about_host_key(self._session, self._run.link.error, self._run.node, self)
