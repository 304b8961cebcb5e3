"""Opens what is dropped onto the window: a job file, data or a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QDragEnterEvent, QDropEvent

from studio.ui.dropped import DATA, JOB_FILE, MODEL, dropped_path, kind_of

if TYPE_CHECKING:
    from studio.ui.main_window import MainWindow


class DropTarget(QObject):
    """Takes a job file, a data file or folder, or a model folder that is dropped onto a window."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Answer drags and drops onto the window; everything else is its own."""
        if not isinstance(event, QDropEvent):
            return super().eventFilter(watched, event)
        path = dropped_path(event.mimeData())
        kind = kind_of(path) if path is not None else ""
        if path is None or not kind:
            event.ignore()
            return True
        event.acceptProposedAction()
        if not isinstance(event, QDragEnterEvent) and event.type() == QEvent.Type.Drop:
            session, window = self._window.session, self._window
            if kind == JOB_FILE:
                session.open_job_file(path)
            elif kind == MODEL:
                session.choose_model("desktop", str(path))
                window.show_job()
            elif kind == DATA:
                session.choose_data("desktop", str(path))
                window.show_job()
                window.show_tab("data")
        return True
