"""What a node's host memory and disk will hold, as bars against what the node has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QToolTip, QVBoxLayout, QWidget

from remote_agent.contract.node_folders import free_bytes
from studio.state.memory_outlook import MemoryOutlook
from studio.ui import theme, words
from studio.ui.pieces import ElidedLabel, plain_label

Terms = Sequence[tuple[str, int]]

_BAR_PX = 14


def host_terms() -> dict[str, str]:
    """Return the words for what lies in a node's host memory."""
    return {
        "processes": QCoreApplication.translate("memory", "processes"),
        "loaders": QCoreApplication.translate("memory", "data loaders"),
        "offload": QCoreApplication.translate("memory", "offloaded"),
        "nvme buffers": QCoreApplication.translate("memory", "buffers to the disk"),
        "load": QCoreApplication.translate("memory", "weights while loading"),
        "save": QCoreApplication.translate("memory", "weights while saving"),
    }


def disk_terms() -> dict[str, str]:
    """Return the words for what lies on a node's disk."""
    return {
        "model": QCoreApplication.translate("memory", "model"),
        "checkpoints": QCoreApplication.translate("memory", "kept checkpoints"),
        "being written": QCoreApplication.translate("memory", "checkpoint being written"),
        "dataset": QCoreApplication.translate("memory", "prepared data"),
        "offloaded": QCoreApplication.translate("memory", "offloaded"),
    }


class TermBar(QWidget):
    """A stacked bar of named bytes; resting the pointer on it names them. A line marks a capacity that is passed."""

    def __init__(self) -> None:
        super().__init__()
        self._terms: Terms = ()
        self._capacity = 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.installEventFilter(self)

    def sizeHint(self) -> QSize:
        """Return room for the bar."""
        return QSize(120, _BAR_PX)

    def show_terms(self, terms: Terms, capacity: int) -> None:
        """Show other bytes; a capacity of 0 is not known."""
        self._terms, self._capacity = terms, capacity
        self.setAccessibleName(self.text())
        self.update()

    def text(self) -> str:
        """Return the bar in words."""
        return ", ".join(f"{name} {words.size(size)}" for name, size in self._terms)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Show the terms in a tool tip."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.text().replace(", ", "\n"), self)
            return True
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint what is taken over what is free."""
        colours = theme.tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        taken = sum(size for _, size in self._terms)
        scale = self.width() / max(1, taken, self._capacity)
        painter.setBrush(QColor(colours.free))
        painter.drawRoundedRect(QRectF(0, 0, (self._capacity or taken) * scale, self.height()), 3, 3)
        left = 0.0
        for number, (_, size) in enumerate(self._terms):
            painter.setBrush(theme.series_colour(number))
            painter.drawRect(QRectF(left, 0, max(0.0, size * scale - 1.0), self.height()))
            left += size * scale
        if 0 < self._capacity < taken:
            painter.setPen(QPen(QColor(colours.bad), 2))
            edge = self._capacity * scale
            painter.drawLine(round(edge), 0, round(edge), self.height())
        painter.end()


class _Place(QWidget):
    """Heading, figure and bar of host memory or disk."""

    def __init__(self, name: str, heading: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.figure, self.bar = plain_label("", "strong"), TermBar()
        self.verdict, self.parts = plain_label(), ElidedLabel("", "caption")
        top = QHBoxLayout()
        top.addWidget(plain_label(heading))
        top.addWidget(self.figure)
        top.addStretch(1)
        top.addWidget(self.verdict)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(self.bar)
        layout.addWidget(self.parts)

    def show_terms(self, terms: Terms, named: Mapping[str, str], capacity: int) -> None:
        """Show bytes by their keys against a capacity, 0 where that is not known."""
        told = [(named[key], size) for key, size in terms if size]
        taken = sum(size for _, size in told)
        used = words.size(taken)
        whole = self.tr("{} of {}").format(used, words.size(capacity)) if capacity else used
        self.figure.setText(whole)
        self.bar.show_terms(told, capacity)
        self.parts.set_text(self.bar.text())
        if capacity and taken > capacity:
            self.verdict.setText(self.tr("✕ {} over").format(words.size(taken - capacity)))
            theme.set_role(self.verdict, "bad")
        else:
            self.verdict.setText(self.tr("✓ {} left").format(words.percent(1 - taken / capacity)) if capacity else "")
            theme.set_role(self.verdict, "good")


class HostCard(QFrame):
    """Host memory and disk of one node beside each other; on a node without GPUs its memory has a bar already."""

    def __init__(self, outlook: MemoryOutlook) -> None:
        super().__init__()
        self._outlook = outlook
        self.setProperty("role", "card")
        self.setObjectName("hostCard")
        self.setAccessibleName(self.tr("Host memory and disk of a node"))
        self.host = _Place("hostPlace", self.tr("Host memory of a node"))
        self.disk = _Place("diskPlace", self.tr("Disk"))
        self.nvme = plain_label("", "caption", "nvmeNote", wraps=True)
        places = QHBoxLayout()
        places.setSpacing(24)
        places.addWidget(self.host, 1)
        places.addWidget(self.disk, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        layout.addLayout(places)
        layout.addWidget(self.nvme)
        outlook.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the draft's figures."""
        figures, node = self._outlook.figures, self._outlook.draft.known.node
        self.setHidden(figures is None)
        if figures is None:
            return
        self.host.setHidden(figures.on_host)
        self.host.show_terms(figures.host.terms, host_terms(), figures.host_capacity_bytes)
        free = free_bytes(node, "checkpoints") if node is not None and self._outlook.kind is None else 0
        self.disk.show_terms(figures.disk.terms, disk_terms(), free)
        self.nvme.setHidden(figures.on_nvme is None)
        if figures.on_nvme is not None:
            host, disk = (words.size(size) for size in figures.on_nvme)
            self.nvme.setText(
                self.tr(
                    "On the node's NVMe instead of in its memory, what is offloaded would take {} of host memory "
                    "and {} on disk. This is an estimate only: jobs offload to memory."
                ).format(host, disk)
            )
