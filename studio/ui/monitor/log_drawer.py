"""The drawer under the charts: closed it shows the newest line, open the whole log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from studio.ui import icons
from studio.ui.monitor.log_view import LogView
from studio.ui.pieces import ElidedLabel, button

if TYPE_CHECKING:
    from studio.state.run import RunState

OPEN_HEIGHT = 180


class LogDrawer(QFrame):
    """A card with a button that opens and closes it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("logDrawer")
        self.setProperty("role", "card")
        self.setAccessibleName(self.tr("Log"))
        self._run: RunState | None = None
        self._toggle = button(self.tr("Log"), "logDrawerButton", self.tr("Open or close the log"), role="link")
        self._toggle.setCheckable(True)
        self._last = ElidedLabel("", "mono")
        self._last.setObjectName("lastLogLine")
        self._log: LogView | None = None
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(self._toggle)
        head.addWidget(self._last, 1)
        head.addStretch()
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(12, 6, 12, 6)
        self._rows.setSpacing(8)
        self._rows.addLayout(head)
        self._toggle.toggled.connect(self._on_toggled)
        self._on_toggled(False)

    def show_run(self, run: RunState) -> None:
        """Show another run's log."""
        self._run = run
        if self._log is not None:
            self._log.show_run(run)
        self.refresh()

    @property
    def log(self) -> LogView:
        """The whole log, built when it is first opened."""
        if self._log is None:
            self._log = LogView("drawerLog")
            self._log.show_run(self._run)
            self._rows.addWidget(self._log, 1)
        return self._log

    def refresh(self) -> None:
        """Take what was logged since."""
        run = self._run
        if run is None:
            return
        if self._toggle.isChecked():
            self.log.refresh()
        else:
            self._last.set_text(run.log[-1][1] if run.log else self.tr("Nothing was printed yet."))

    def set_open(self, is_open: bool) -> None:
        """Open or close the drawer."""
        self._toggle.setChecked(is_open)

    def _on_toggled(self, is_open: bool) -> None:
        icons.set_icon(self._toggle, "caret-down" if is_open else "caret-up", "muted", 12)
        if is_open or self._log is not None:
            self.log.setVisible(is_open)
        self._last.setVisible(not is_open)
        policy = QSizePolicy.Policy.Preferred if is_open else QSizePolicy.Policy.Fixed
        self.setSizePolicy(QSizePolicy.Policy.Preferred, policy)
        self.setMinimumHeight(OPEN_HEIGHT if is_open else 0)
        self.setMaximumHeight(16_777_215 if is_open else 36)
        self.refresh()
