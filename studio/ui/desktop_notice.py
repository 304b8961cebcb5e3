"""What the desktop is told about runs while nobody looks at the window: an alert came, or a run is over."""

from __future__ import annotations

import html
import shutil
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QProcess
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget

from remote_agent.contract.alerts import ERROR
from remote_agent.contract.events import AlertRaised
from studio.ui.translation import told

if TYPE_CHECKING:
    from studio.session.session import Session

_STAYS_MS = 15_000
_PROGRAM = "notify-send"


class DesktopNotice(QObject):
    """Tells the desktop of alerts: by the freedesktop notification service, elsewhere by an icon in the tray.

    A click on the tray's message brings the window up with the run. Where a desktop has neither, nothing is shown.
    """

    def __init__(self, session: Session, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._window = session, window
        self._tray: QSystemTrayIcon | None = None
        self._run_id = ""
        session.alert_raised.connect(self._on_alert)

    def _on_alert(self, run_id: str, alert: AlertRaised) -> None:
        if QApplication.activeWindow() is not None:
            return
        run = self._session.run(run_id)
        self._run_id = run_id
        self._tell(run.name or run_id, told(alert.sentence), alert.severity == ERROR)

    def _tell(self, title: str, text: str, is_urgent: bool) -> None:
        program = shutil.which(_PROGRAM)
        if program:
            # the service reads a text's markup, and a run may be called anything
            urgency = "critical" if is_urgent else "normal"
            options = ["--app-name=Luthier", f"--urgency={urgency}", f"--expire-time={_STAYS_MS}"]
            QProcess.startDetached(program, [*options, "--", title, html.escape(text, quote=False)])
        elif QSystemTrayIcon.isSystemTrayAvailable():
            kinds = QSystemTrayIcon.MessageIcon
            self._icon().showMessage(title, text, kinds.Critical if is_urgent else kinds.Warning, _STAYS_MS)

    def _icon(self) -> QSystemTrayIcon:
        if self._tray is None:
            icon = self._window.windowIcon()
            style = self._window.style()
            self._tray = QSystemTrayIcon(
                style.standardIcon(style.StandardPixmap.SP_ComputerIcon) if icon.isNull() else icon, self
            )
            self._tray.setToolTip("Luthier")
            self._tray.messageClicked.connect(self._on_clicked)
            self._tray.activated.connect(self._on_clicked)
            self._tray.show()
        return self._tray

    def _on_clicked(self) -> None:
        self._window.show()
        self._window.raise_()
        self._window.activateWindow()
        self._session.run_opened.emit(self._run_id)
