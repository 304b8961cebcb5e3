"""Builds the application: session and window, shown first; what costs time to import comes after the first paint."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from studio import __version__, places
from studio.session.opening import open_session
from studio.session.session import Session
from studio.store.rows import StoreError
from studio.ui import theme
from studio.ui.main_window import MainWindow


def main(argv: Sequence[str]) -> int:
    """Open the window and return the exit code of the application."""
    app = make_application(argv)
    sys.excepthook = _say_on_standard_error
    try:
        session = open_session()
    except StoreError as error:
        sys.stderr.write(error.sentence + "\n")
        return 2
    window = open_window(session)
    try:
        return app.exec()
    finally:
        # Qt objects that outlive the application can abort the interpreter's shutdown
        window.close()
        session.close()
        window.deleteLater()
        session.deleteLater()
        app.processEvents()


def make_application(argv: Sequence[str]) -> QApplication:
    """Return the dressed application; also for the demo and the tests of the whole window."""
    app = QApplication(list(argv))
    app.setApplicationName("luthier")
    app.setApplicationDisplayName("Luthier")
    app.setApplicationVersion(__version__)
    app.setOrganizationName("luthier")
    theme.start(app, places.resources_dir())
    return app


def open_window(session: Session) -> MainWindow:
    """Show the window on a session; it takes up its work once the window is painted."""
    window = MainWindow(session)
    window.show()
    QTimer.singleShot(0, session, session.take_up)
    return window


def _say_on_standard_error(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Write an unforeseen error where it can be found: PySide swallows what is raised in a slot otherwise."""
    text = "".join(traceback.format_exception(kind, error, trace))
    sys.stderr.write(text)
    log = Path(places.data_dir()) / "errors.log"
    try:
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{os.getpid()} {__version__}\n{text}\n")
    except OSError:
        sys.stderr.write(f"{log} could not be written.\n")
