"""Drives the real window through its own widgets: clicks, waits for what a person would wait for, takes pictures."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView, QApplication, QWidget

from studio.ui.main_window import MainWindow

_SLICE_MS = 50


class DriveError(RuntimeError):
    """The window did not get where it should in time; the text says what was waited for and what it showed."""


class Driver:
    """A pair of hands on the window. ``pictures`` is the folder that screenshots go to."""

    def __init__(self, application: QApplication, window: MainWindow, pictures: Path) -> None:
        self._application = application
        self._window = window
        self._pictures = pictures
        self._sentences: list[str] = []
        window.session.notice.connect(lambda severity, sentence: self._sentences.append(f"{severity}: {sentence}"))

    def wait(self, what: str, condition: Callable[[], bool], timeout_s: float) -> None:
        """Let the window work until the condition holds. Raises DriveError when the time is over."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                said = "; ".join(self._sentences[-5:]) or "nothing"
                raise DriveError(f"After {timeout_s:.0f} s there is still no {what}. The window said: {said}.")
            QTest.qWait(_SLICE_MS)

    def settle(self, seconds: float = 0.6) -> None:
        """Let the window paint what it has, for so many seconds."""
        until = time.monotonic() + seconds
        self.wait("moment", lambda: time.monotonic() >= until, seconds + 1.0)

    def click(self, name: str) -> None:
        """Click the visible control of that object name, once it is enabled. Raises DriveError where none comes."""
        self.wait(f"control {name} to click", lambda: self._control(name) is not None, 20.0)
        control = self._control(name)
        assert control is not None
        QTest.mouseClick(control, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, _middle(control))

    def cell(self, name: str, row: int, column: int) -> str:
        """Return what a cell of the visible table of that object name says, empty where there is none."""
        table = self._control(name)
        if not isinstance(table, QAbstractItemView) or table.model() is None:
            return ""
        return str(table.model().index(row, column).data() or "")

    def picture(self, name: str) -> None:
        """Save what the window shows as ``<name>.png``."""
        self.settle()
        self._window.grab().save(str(self._pictures / f"{name}.png"))

    def _control(self, name: str) -> QWidget | None:
        for top in (self._window, *self._application.topLevelWidgets()):
            for control in top.findChildren(QWidget, name):
                if control.isVisible() and control.isEnabled():
                    return control
        return None


def _middle(control: QWidget) -> QPoint:
    return control.rect().center()
