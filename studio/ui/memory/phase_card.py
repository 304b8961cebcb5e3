"""The phases of a run as stacked bars on one scale, the binding one marked, and the parts of its peak in figures."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QSizePolicy, QToolTip, QVBoxLayout, QWidget

from remote_agent.contract.memory import Phase
from remote_agent.contract.memory.phases import PHASES
from studio.state.memory_figures import Estimate
from studio.state.memory_outlook import MemoryOutlook
from studio.ui import theme, words
from studio.ui.memory.memory_card import phase_name
from studio.ui.memory.state_bar import paint_bar, part_names, parts_of

_ROW = 22
_LABEL, _SIZE = 170, 96


class PhaseChart(QWidget):
    """A row a phase: its name, a stacked bar, its bytes. Resting the pointer on a row names its parts."""

    def __init__(self) -> None:
        super().__init__()
        self._figures: Estimate | None = None
        self._parts: list[tuple[int, ...]] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.installEventFilter(self)

    def sizeHint(self) -> QSize:
        """Return room for all phases."""
        return QSize(420, _ROW * (len(self._figures.memory.phases) if self._figures else len(PHASES)))

    def show_estimate(self, figures: Estimate) -> None:
        """Show other figures."""
        self._figures = figures
        self._parts = [parts_of(figures, each.name) for each in self._phases()]
        told = zip(self._phases(), self._parts, strict=True)
        rows = (f"{phase_name(each.name)} {words.size(sum(parts))}" for each, parts in told)
        self.setAccessibleName(", ".join(rows))
        self.updateGeometry()
        self.update()

    def row_text(self, row: int) -> str:
        """Return what a row is made of, a line a part; empty where there is no such row."""
        if self._figures is None or not 0 <= row < len(self._phases()):
            return ""
        phase = self._phases()[row].name
        parts = zip(part_names(), self._parts[row], strict=True)
        return "\n".join([phase_name(phase), *(f"{name}: {words.size(size)}" for name, size in parts if size)])

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Show a row's parts in a tool tip."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.row_text(event.y() // _ROW), self)
            return True
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint a row for each phase."""
        figures = self._figures
        if figures is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        reach = max(max(sum(parts) for parts in self._parts), figures.capacity_bytes)
        for row, (each, parts) in enumerate(zip(self._phases(), self._parts, strict=True)):
            top = row * _ROW
            binds = each.name == figures.memory.binding
            font = QFont(self.font())
            font.setWeight(QFont.Weight.DemiBold if binds else QFont.Weight.Normal)
            painter.setFont(font)
            painter.setPen(QColor(theme.tokens().text if binds else theme.tokens().muted))
            name = f"▸ {phase_name(each.name)}" if binds else phase_name(each.name)
            side = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, top, _LABEL, _ROW), side | Qt.AlignmentFlag.AlignLeft, name)
            size = words.size(sum(parts))
            right = QRectF(self.width() - _SIZE, top, _SIZE, _ROW)
            painter.drawText(right, side | Qt.AlignmentFlag.AlignRight, size)
            bar = QRectF(_LABEL, top + 6, max(10.0, self.width() - _LABEL - _SIZE - 8), _ROW - 12)
            paint_bar(painter, bar, figures, reach, parts)
        painter.end()

    def _phases(self) -> tuple[Phase, ...]:
        return self._figures.memory.phases if self._figures is not None else ()


class PhaseCard(QFrame):
    """The phases of the draft's run."""

    def __init__(self, outlook: MemoryOutlook) -> None:
        super().__init__()
        self._outlook = outlook
        self.setProperty("role", "card")
        self.setObjectName("phaseCard")
        heading = QLabel(self.tr("Phase by phase"))
        heading.setProperty("role", "heading")
        self.setAccessibleName(heading.text())
        self.chart = PhaseChart()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        layout.addWidget(heading)
        layout.addWidget(self.chart)
        outlook.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the draft's figures."""
        figures = self._outlook.figures
        self.setHidden(figures is None)
        if figures is not None:
            self.chart.show_estimate(figures)


class PartsCard(QFrame):
    """Every part of the peak in bytes and in bytes a parameter, the three numbers, host memory and disk."""

    def __init__(self, outlook: MemoryOutlook) -> None:
        super().__init__()
        self._outlook = outlook
        self.setProperty("role", "card")
        self.setObjectName("partsCard")
        heading = QLabel(self.tr("What the peak is made of"))
        heading.setProperty("role", "heading")
        self.setAccessibleName(heading.text())
        self._cells: list[tuple[QLabel, QLabel]] = []
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(6)
        names = (
            *part_names(),
            self.tr("in all"),
            self.tr("host memory of a node"),
            self.tr("disk"),
        )
        for row, name in enumerate(names):
            size, each = QLabel(), QLabel()
            each.setProperty("role", "caption")
            size.setAlignment(Qt.AlignmentFlag.AlignRight)
            each.setAlignment(Qt.AlignmentFlag.AlignRight)
            grid.addWidget(QLabel(name[:1].upper() + name[1:]), row, 0)
            grid.addWidget(size, row, 1)
            grid.addWidget(each, row, 2)
            self._cells.append((size, each))
        grid.setColumnStretch(3, 1)
        self._note = QLabel()
        self._note.setProperty("role", "caption")
        self._note.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        layout.addWidget(heading)
        layout.addLayout(grid)
        layout.addWidget(self._note)
        outlook.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the draft's figures."""
        figures = self._outlook.figures
        self.setHidden(figures is None)
        if figures is None:
            return
        parts = parts_of(figures)
        values = (*parts, sum(parts), figures.host.used.likely, figures.disk.total)
        for (size, each), value in zip(self._cells, values, strict=True):
            size.setText(words.size(value) if value else "–")
            a_parameter = words.short_number(value / figures.parameters)
            each.setText(self.tr("{} bytes a parameter").format(a_parameter) if value else "")
        self._note.setText(
            self.tr(
                "{} parameters. An estimate: tensors by arithmetic (Rajbhandari et al., 2020, arXiv:1910.02054; "
                "Korthikanti et al., 2022, arXiv:2205.05198), allocator and driver fitted to published peaks."
            ).format(words.count(figures.parameters))
        )
