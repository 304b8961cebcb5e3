"""The top of the window: the name of job or run, the chips of model, data and node, the tabs and the main button."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from studio.ui import icons, theme
from studio.ui.pieces import as_plain_tip

_CHIP_PX, _SMALL_CHIP_PX = 250, 96
_LEAST_PX = 520
_TITLE_PX, _SMALL_TITLE_PX = 320, 160
_BESIDE_CHIPS_PX = 92
"""Margins and gaps of the row that holds the chips."""


class Tab(NamedTuple):
    """A tab: the key of its page and its words."""

    key: str
    text: str


class Chip(QPushButton):
    """A rounded button with an icon, outside text cut to fit, and a caret: it opens a picker."""

    def __init__(self, name: str, icon: str, invitation: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setProperty("role", "chip")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setIconSize(QSize(16, 16))
        self._icon, self._invitation = icon, invitation
        self._words, self._spoken = "", ""
        self._most_px = _CHIP_PX
        self.show_text("")

    def set_limit(self, pixels: int) -> None:
        """Cut the text so that the chip is no wider than this."""
        if pixels != self._most_px:
            self._most_px = pixels
            self.show_text(self._words, self._spoken)

    def show_text(self, text: str, spoken: str = "") -> None:
        """Show what is chosen, or the invitation where nothing is."""
        self._words, self._spoken = text, spoken
        missing = not text
        shown = QFontMetrics(self.font()).elidedText(
            text or self._invitation, Qt.TextElideMode.ElideMiddle, self._most_px - 70
        )
        self.setText(shown.replace("&", "&&"))
        self.setToolTip(as_plain_tip(spoken or text or self._invitation))
        self.setAccessibleName(f"{self._invitation}: {text}" if text else self._invitation)
        if self.property("missing") != missing:
            self.setProperty("missing", missing)
            self.style().unpolish(self)
            self.style().polish(self)
        icons.set_icon(self, self._icon, "muted" if missing else "accent")
        self.updateGeometry()

    @property
    def words(self) -> str:
        """The whole text, empty where nothing is chosen."""
        return self._words

    def sizeHint(self) -> QSize:
        """Leave room for the caret."""
        hint = super().sizeHint()
        return QSize(hint.width() + 18, max(30, hint.height()))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the button and its caret."""
        super().paintEvent(event)
        caret = icons.pixmap("caret-down", "muted", 12, self.devicePixelRatioF())
        if caret is not None:
            painter = QPainter(self)
            painter.drawPixmap(self.width() - 24, (self.height() - 12) // 2, caret)
            painter.end()


class TabButton(QPushButton):
    """A tab as wide as its words in bold, which they are while it is chosen."""

    def sizeHint(self) -> QSize:
        """Return room for the bold words."""
        font = QFont(self.font())
        font.setWeight(QFont.Weight.DemiBold)
        return QSize(QFontMetrics(font).horizontalAdvance(self.text()) + 10, super().sizeHint().height())


class TitleEdit(QLineEdit):
    """The name of a job, edited in place; as wide as its text."""

    def __init__(self) -> None:
        super().__init__()
        self._most_px = _TITLE_PX
        self.setProperty("role", "title")
        self.setObjectName("jobName")
        self.setAccessibleName(self.tr("Name of the job"))
        self.setToolTip(self.tr("Rename the job"))
        self.setMaxLength(80)
        self.textChanged.connect(self._fit)

    def _fit(self, text: str) -> None:
        font = self.font()
        font.setPixelSize(theme.TITLE_PX)
        font.setWeight(font.Weight.DemiBold)
        self.setFixedWidth(min(self._most_px, max(60, QFontMetrics(font).horizontalAdvance(text) + 20)))

    def set_limit(self, pixels: int) -> None:
        """Be no wider than this."""
        if pixels != self._most_px:
            self._most_px = pixels
            self._fit(self.text())


class Header(QWidget):
    """Title row and tab row; a job has chips and the launch button, a run has a subtitle and the export button."""

    tab_chosen = Signal(str)
    renamed = Signal(str)
    launch_wanted = Signal()
    export_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.name = TitleEdit()
        self.run_name, self.subtitle = QLabel(), QLabel()
        self.model = Chip("modelChip", "cube", self.tr("Choose a model"))
        self.data = Chip("dataChip", "database", self.tr("Choose the data"))
        self.node = Chip("nodeChip", "hard-drives", self.tr("Choose a node"))
        self.launch = QPushButton(self.tr("Launch"))
        self.export = QPushButton(self.tr("Export…"))
        self._tabs = QHBoxLayout()
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._shown: tuple[Tab, ...] = ()
        self._dress()
        self._lay_out()
        self.name.editingFinished.connect(self._on_renamed)
        self.launch.clicked.connect(self.launch_wanted)
        self.export.clicked.connect(self.export_wanted)

    def _dress(self) -> None:
        for label, role in ((self.run_name, "title"), (self.subtitle, "muted")):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setProperty("role", role)
        self.run_name.setObjectName("runName")
        self.launch.setObjectName("launchButton")
        self.launch.setProperty("role", "primary")
        self.launch.setAccessibleName(self.tr("Launch the job"))
        self.launch.setToolTip(self.tr("Launch the job (Ctrl+Enter)"))
        icons.set_icon(self.launch, "play-fill", "on_accent", 14)
        self.export.setObjectName("exportButton")
        self.export.setAccessibleName(self.tr("Export as a bundle that reruns without Luthier"))
        icons.set_icon(self.export, "export", "text")

    def _lay_out(self) -> None:
        first = QHBoxLayout()
        first.setSpacing(8)
        first.addWidget(self.name)
        first.addWidget(self.run_name)
        first.addWidget(self.subtitle)
        first.addSpacing(4)
        for chip in (self.model, self.data, self.node):
            first.addWidget(chip)
        first.addStretch(1)
        self.run_name.setMinimumHeight(34)
        second = QHBoxLayout()
        second.setSpacing(8)
        self._tabs.setSpacing(14)
        second.addLayout(self._tabs)
        second.addStretch(1)
        second.addWidget(self.export)
        second.addWidget(self.launch)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 10, 20, 2)
        layout.setSpacing(4)
        layout.addLayout(first)
        layout.addLayout(second)

    def show_job(self, name: str, tabs: Sequence[Tab]) -> None:
        """Show a job's name, chips, tabs and the launch button."""
        if not self.name.hasFocus() and self.name.text() != name:
            self.name.setText(name)
            self.name.setCursorPosition(0)
        self._show_parts(job=True)
        self._show_tabs(tuple(tabs))
        self._share_out()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the row out anew."""
        super().resizeEvent(event)
        self._share_out()

    def minimumSizeHint(self) -> QSize:
        """Return a width that the chips give way to."""
        return QSize(_LEAST_PX, super().minimumSizeHint().height())

    def _share_out(self) -> None:
        """Cut the chips where title and chips are wider than the window."""
        self.name.set_limit(_TITLE_PX if self.width() > 1000 else _SMALL_TITLE_PX)
        each = (self.width() - self.name.width() - _BESIDE_CHIPS_PX) // 3
        for chip in (self.model, self.data, self.node):
            chip.set_limit(max(_SMALL_CHIP_PX, min(_CHIP_PX, each)))

    def show_run(self, name: str, subtitle: str, tabs: Sequence[Tab]) -> None:
        """Show a run's name, a line about it, its tabs and the export button."""
        self.run_name.setText(name)
        self.subtitle.setText(subtitle)
        self._show_parts(job=False)
        self._show_tabs(tuple(tabs))

    def choose_tab(self, key: str) -> None:
        """Mark a tab as the one shown."""
        for button in self._group.buttons():
            if button.property("key") == key:
                button.setChecked(True)

    @property
    def tabs(self) -> tuple[Tab, ...]:
        """The tabs from left to right."""
        return self._shown

    def _show_parts(self, job: bool) -> None:
        of_job: tuple[QWidget, ...] = (self.name, self.model, self.data, self.node, self.launch)
        of_run: tuple[QWidget, ...] = (self.run_name, self.subtitle, self.export)
        for widget in of_job:
            widget.setVisible(job)
        for widget in of_run:
            widget.setVisible(not job)

    def _show_tabs(self, tabs: tuple[Tab, ...]) -> None:
        if tabs == self._shown:
            return
        self._shown = tabs
        for button in self._group.buttons():
            self._group.removeButton(button)
            self._tabs.removeWidget(button)
            button.hide()
            button.deleteLater()
        for number, tab in enumerate(tabs, 1):
            button = TabButton(tab.text)
            button.setObjectName(f"tab{tab.key.capitalize()}")
            button.setProperty("role", "tab")
            button.setProperty("key", tab.key)
            button.setCheckable(True)
            button.setAccessibleName(self.tr("{} page").format(tab.text))
            button.setToolTip(self.tr("{} (Ctrl+{})").format(tab.text, number))
            button.clicked.connect(lambda _, key=tab.key: self.tab_chosen.emit(key))
            self._group.addButton(button)
            self._tabs.addWidget(button)

    def _on_renamed(self) -> None:
        if self.name.isModified():
            self.name.setModified(False)
            self.renamed.emit(self.name.text().strip())
            self.name.clearFocus()
