"""What the window's keys do beside its actions: pages by number, Esc, search in place, help of the field."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget

from studio.ui.knob_field import KnobField

if TYPE_CHECKING:
    from studio.ui.main_window import MainWindow

_PAGES = range(1, 10)


class WindowKeys(QObject):
    """Ctrl+1 … 9 and Esc of a window; `search` and `help` are what its actions call."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        for number in _PAGES:
            shortcut = QShortcut(QKeySequence(f"Ctrl+{number}"), window)
            shortcut.activated.connect(functools.partial(self._show_page, number))
        QShortcut(QKeySequence(Qt.Key.Key_Escape), window).activated.connect(self._cancel)

    def search(self) -> None:
        """Put the keyboard into the page's search, or into the library's filter where it has none."""
        for field in self._window.pages.findChildren(QLineEdit):
            if field.property("search") and field.isVisible():
                field.setFocus(Qt.FocusReason.ShortcutFocusReason)
                field.selectAll()
                return
        self._window.sidebar.filter.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._window.sidebar.filter.selectAll()

    def help(self) -> None:
        """Show the help of the field with the keyboard."""
        widget: QWidget | None = QApplication.focusWidget()
        while widget is not None and not isinstance(widget, KnobField):
            widget = widget.parentWidget()
        if isinstance(widget, KnobField):
            widget.show_help()
        else:
            said = self.tr("Put the cursor into a field, and F1 says what it does.")
            self._window.show_notice("info", said)

    def _show_page(self, number: int) -> None:
        tabs = self._window.header.tabs
        if number <= len(tabs):
            self._window.show_tab(tabs[number - 1].key)

    def _cancel(self) -> None:
        window = self._window
        if window.palette_panel is not None and window.palette_panel.isVisible():
            window.palette_panel.close_palette()
        elif window.notice.isVisible():
            window.notice.hide()
        elif window.sidebar.filter.text():
            window.sidebar.filter.clear()
