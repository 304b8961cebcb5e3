"""A panel that opens below a button and goes away on a click elsewhere or on Esc."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QApplication,
    QButtonGroup,
    QDialog,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from studio.ui.pieces import button, plain_label

GAP_PX = 4


class Popup(QFrame):
    """A popup with a heading; `body` takes what stands below. It deletes itself once it is closed."""

    def __init__(self, heading: str, name: str, parent: QWidget, width: int = 460) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName(name)
        self.setProperty("role", "popup")
        self.setAccessibleName(heading)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFixedWidth(width)
        self.was_closed = False
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 16)
        layout.setSpacing(12)
        self.heading = plain_label(heading, "heading")
        layout.addWidget(self.heading)
        self.body = QVBoxLayout()
        self.body.setSpacing(8)
        layout.addLayout(self.body, 1)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Note that the popup is done with; a file dialog that it asked for does not bring it back."""
        self.was_closed = True
        super().closeEvent(event)

    def event(self, event: QEvent) -> bool:
        """Grow when a part needs more room, such as a sentence that appears; it never shrinks under the mouse."""
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest and self.isVisible():
            self._grow()
        return done

    def _grow(self) -> None:
        area = self.screen().availableGeometry()
        wanted = min(max(self.height(), self._needed_height()), area.height())
        if wanted > self.height():
            self.resize(self.width(), wanted)
            self.move(self.x(), max(area.top(), min(self.y(), area.bottom() - wanted)))

    def _needed_height(self) -> int:
        layout = self.layout()
        assert layout is not None
        wrapped = layout.totalHeightForWidth(self.width()) if layout.hasHeightForWidth() else 0
        return max(wrapped, layout.totalMinimumSize().height())

    def popup_at(self, anchor: QWidget) -> None:
        """Open below a widget, and inside the screen it is on."""
        for widget in self.findChildren(QWidget):
            widget.ensurePolished()  # the style's padding counts
        self.setFixedWidth(max(self.width(), self.minimumSizeHint().width()))
        self.adjustSize()
        place = anchor.mapToGlobal(QPoint(0, anchor.height() + GAP_PX))
        screen = anchor.screen().availableGeometry()
        x = max(screen.left(), min(place.x(), screen.right() - self.width()))
        y = max(screen.top(), min(place.y(), screen.bottom() - self.height()))
        self.move(x, y)
        self.show()
        lines = [line for line in self.findChildren(QLineEdit) if line.isVisible() and line.isEnabled()]
        if lines:
            lines[0].setFocus(Qt.FocusReason.PopupFocusReason)
            lines[0].selectAll()
        else:
            self.setFocus(Qt.FocusReason.PopupFocusReason)
            self.focusNextChild()


class Tabs(QWidget):
    """A row of choices over a stack of pages."""

    def __init__(self, pages: Sequence[tuple[str, str, QWidget]], spoken: str) -> None:
        super().__init__()
        self.setAccessibleName(spoken)
        self.stack = QStackedWidget()
        self._group = QButtonGroup(self)
        row = QHBoxLayout()
        row.setSpacing(12)
        for number, (text, name, page) in enumerate(pages):
            tab = button(text, name, role="tab")
            tab.setCheckable(True)
            self._group.addButton(tab, number)
            row.addWidget(tab)
            self.stack.addWidget(page)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addLayout(row)
        layout.addWidget(self.stack, 1)
        self._group.idClicked.connect(self.show_page)

    def show_page(self, number: int) -> None:
        """Switch to a page."""
        self._group.button(number).setChecked(True)
        self.stack.setCurrentIndex(number)


def open_above(dialog: QDialog) -> None:
    """Open a dialog without waiting for it; a popup that is open steps aside, as a click beside it would close it."""
    popup = QApplication.activePopupWidget()
    if isinstance(popup, Popup):
        aside = popup

        def come_back() -> None:
            if not aside.was_closed:
                aside.show()

        dialog.finished.connect(come_back)
        aside.hide()
    dialog.open()


def ask_for_path(parent: QWidget, title: str, folder: bool, filters: str, on_chosen: Callable[[str], None]) -> None:
    """Open the system's file dialog without waiting for it.

    A popup that asks steps aside, as it would close and be gone by the time of the answer; it comes back afterwards,
    unless the answer closed it.
    """
    asking = parent.window()
    popup = asking if isinstance(asking, Popup) else None
    above = popup.parentWidget() if popup is not None else None
    owner = above.window() if above is not None else asking
    dialog = QFileDialog(owner, title, str(Path.home()))
    dialog.setObjectName("fileDialog")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setFileMode(QFileDialog.FileMode.Directory if folder else QFileDialog.FileMode.ExistingFile)
    if folder:
        dialog.setOption(QFileDialog.Option.ShowDirsOnly, True)
    elif filters:
        dialog.setNameFilter(filters)

    def finished(result: int) -> None:
        if result == QDialog.DialogCode.Accepted and dialog.selectedFiles():
            on_chosen(dialog.selectedFiles()[0])
        if popup is not None and not popup.was_closed:
            popup.show()

    dialog.finished.connect(finished)
    if popup is not None:
        popup.hide()
    dialog.open()
