"""Where the window stood and how it was split when it was last closed."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMainWindow, QSplitter


class LastLayout:
    """Keeps geometry, splitter, the tab of a job and choices of pages in a file; without a file it keeps nothing."""

    def __init__(self, file: Path | None) -> None:
        self._settings = QSettings(str(file), QSettings.Format.IniFormat) if file else None

    def restore(self, window: QMainWindow, splitter: QSplitter) -> str:
        """Put the window where it was and return the tab that was shown, empty where nothing is known."""
        if self._settings is None:
            return ""
        geometry, sizes = self._settings.value("window/geometry"), self._settings.value("window/splitter")
        if isinstance(geometry, QByteArray):
            window.restoreGeometry(geometry)
        elif QGuiApplication.platformName() != "offscreen":  # whose screen is nobody's, and small
            window.resize(window.size().boundedTo(window.screen().availableSize()))
        if isinstance(sizes, QByteArray):
            splitter.restoreState(sizes)
        return str(self._settings.value("window/jobTab", ""))

    def keep(self, window: QMainWindow, splitter: QSplitter, tab: str) -> None:
        """Remember where the window stands."""
        if self._settings is not None:
            self._settings.setValue("window/geometry", window.saveGeometry())
            self._settings.setValue("window/splitter", splitter.saveState())
            self._settings.setValue("window/jobTab", tab)
            self._settings.sync()

    def choice(self, key: str) -> str:
        """Return a choice that a page keeps under a key, empty where nothing is known."""
        return str(self._settings.value(f"choices/{key}", "")) if self._settings is not None else ""

    def keep_choice(self, key: str, text: str) -> None:
        """Remember a choice of a page."""
        if self._settings is not None:
            self._settings.setValue(f"choices/{key}", text)
