"""Builds the application: session and window, shown first; what costs time to import comes after the first paint."""

from __future__ import annotations

import gc
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication

from studio import __version__, places

if TYPE_CHECKING:
    from studio.session.session import Session
    from studio.ui.main_window import MainWindow

SWITCH_S = 0.0003
"""How long a thread of ours may hold the interpreter while another one waits for it, in seconds.

Painting asks for the interpreter at every item; with Python's 5 ms, a thread that decodes made one paint of 10 ms last
100. With 0.3 ms a journal is decoded as fast.
"""


def main(argv: Sequence[str]) -> int:
    """Open the window and return the exit code of the application."""
    app = make_application(argv)
    sys.excepthook = _say_on_standard_error
    from studio.session.opening import open_session
    from studio.store.rows import StoreError

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
    _hurry()
    from studio.ui import theme, translation

    app = QApplication(list(argv))
    app.setApplicationName("luthier")
    app.setApplicationDisplayName("Luthier")
    app.setApplicationVersion(__version__)
    app.setOrganizationName("luthier")
    translation.start(app, places.resources_dir())
    theme.start(app, places.resources_dir())
    return app


def open_window(session: Session) -> MainWindow:
    """Show the window on a session; it takes up its work once the first page is painted."""
    from studio.ui.main_window import MainWindow

    window = MainWindow(session, places.config_dir() / "window.ini")
    window.show()
    window.ready.connect(_stop_hurrying)
    window.ready.connect(session.take_up)
    return window


def _hurry() -> None:
    """Spare the start what only costs time: a collector that finds nothing to collect yet."""
    gc.disable()
    sys.setswitchinterval(SWITCH_S)


def _stop_hurrying() -> None:
    """Let the collector run again, over what comes from now on."""
    gc.freeze()
    gc.enable()


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
