"""What comes in once the window is painted and answers: icons and charts, a library a turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QTimer

from studio.ui import icons
from studio.ui.charts import loading

if TYPE_CHECKING:
    from studio.ui.main_window import MainWindow

_BETWEEN_LIBRARIES_MS = 50


def bring_in_libraries(window: MainWindow) -> None:
    """Say that the window is up, and bring in what icons and charts need.

    numpy comes on another thread. What uses Qt comes on this one: PySide makes its classes when they are first asked
    for, and crashes where two threads ask at the same time.
    """
    if not window.isVisible():
        return  # closed again already
    window.session.tasks.run(
        window, lambda _: loading.load_numbers(), lambda _: _show_icons(window), lambda error: _complain(window, error)
    )
    from studio.ui.desktop_notice import DesktopNotice

    DesktopNotice(window.session, window)
    window.ready.emit()


def _show_icons(window: MainWindow) -> None:
    icons.load()
    window.sidebar.tree.viewport().update()  # the library's rows are painted, and were without icons so far
    QTimer.singleShot(_BETWEEN_LIBRARIES_MS, window, loading.load)


def _complain(window: MainWindow, error: Exception) -> None:
    said = QCoreApplication.translate("MainWindow", "Icons and charts cannot be drawn: {}")
    window.show_notice("error", said.format(error))
