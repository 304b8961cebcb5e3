"""The Memory page: what a device holds as one large bar, by phase, what fits, and by ZeRO stage and GPU count."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from remote_agent.contract.job_spec import JobSpec, with_value
from studio.session.session import Session
from studio.state.memory_figures import Estimate
from studio.state.memory_outlook import MemoryOutlook
from studio.ui import icons, theme, words
from studio.ui.memory.adapters_card import AdaptersCard
from studio.ui.memory.cost_card import CostCard
from studio.ui.memory.examples_card import ExamplesCard
from studio.ui.memory.fit_card import FitCard
from studio.ui.memory.hardware_card import HardwareCard
from studio.ui.memory.host_card import HostCard
from studio.ui.memory.measured_card import MeasuredCard
from studio.ui.memory.memory_card import MemoryCard, verdict_of
from studio.ui.memory.phase_card import PartsCard, PhaseCard
from studio.ui.memory.state_bar import paint_bar, spoken
from studio.ui.pieces import button

STAGES = (0, 1, 2, 3)
COUNTS = (1, 2, 4, 8, 16, 32, 64)
LATER_MS = 60


class Variant(QAbstractButton):
    """A small bar of the job with one field changed; a click makes the change."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(name)
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._figures: Estimate | None = None
        self._reach = 1.0

    def sizeHint(self) -> QSize:
        """Return room for a title, a bar and a line."""
        return QSize(150, 84)

    def show_estimate(self, title: str, figures: Estimate, reach_bytes: float, chosen: bool) -> None:
        """Show figures on a scale shared with the neighbours; what is shown already is not painted again."""
        if (title, reach_bytes, chosen) == (self.text(), self._reach, self.isChecked()) and figures == self._figures:
            return
        self._figures, self._reach = figures, reach_bytes
        self.setText(title)
        self.setChecked(chosen)
        said = spoken(figures)
        verdict = verdict_of(figures)[0]
        self.setAccessibleName(f"{title}: {said}, {verdict}")
        self.setToolTip(f"{verdict}\n{said}")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint title, bytes, bar and verdict."""
        if self._figures is None:
            return
        colours = theme.tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        edge = colours.accent if self.isChecked() or self.hasFocus() else colours.border
        painter.setPen(QPen(QColor(edge), 2 if self.hasFocus() else 1))
        painter.setBrush(QColor(colours.selection if self.isChecked() else colours.card))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        inner = QRectF(self.rect()).adjusted(12, 8, -12, -8)
        self._write(painter, inner, self.text(), colours.text, Qt.AlignmentFlag.AlignLeft, QFont.Weight.DemiBold)
        figure = words.size(self._figures.used_bytes)
        self._write(painter, inner, figure, colours.text, Qt.AlignmentFlag.AlignRight, QFont.Weight.Normal)
        paint_bar(painter, QRectF(inner.left(), inner.top() + 25, inner.width(), 12), self._figures, self._reach)
        verdict, role = verdict_of(self._figures)
        font = painter.font()
        font.setPixelSize(theme.CAPTION_PX)
        painter.setFont(font)
        painter.setPen(QColor(getattr(colours, role)))
        text = painter.fontMetrics().elidedText(verdict, Qt.TextElideMode.ElideRight, int(inner.width()))
        painter.drawText(inner, Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft, text)
        painter.end()

    def _write(
        self, painter: QPainter, area: QRectF, text: str, colour: str, side: Qt.AlignmentFlag, weight: QFont.Weight
    ) -> None:
        font = QFont(self.font())
        font.setWeight(weight)
        painter.setFont(font)
        painter.setPen(QColor(colour))
        painter.drawText(area, Qt.AlignmentFlag.AlignTop | side, text)


class VariantCard(QFrame):
    """A card of small multiples over the values of one field."""

    def __init__(
        self, outlook: MemoryOutlook, name: str, path: str, values: tuple[int, ...], title: Callable[[JobSpec], str],
        words_for: Callable[[int], str],
    ) -> None:  # fmt: skip
        super().__init__()
        self._outlook, self._draft = outlook, outlook.draft
        self._path, self._values = path, values
        self._title, self._words_for = title, words_for
        self.setProperty("role", "card")
        self.setObjectName(name)
        self._heading = QLabel()
        self._heading.setProperty("role", "heading")
        self._grid = QHBoxLayout()
        self._grid.setSpacing(8)
        self.variants = [Variant(f"{path}={value}") for value in values]
        for value, variant in zip(values, self.variants, strict=True):
            self._grid.addWidget(variant)
            variant.clicked.connect(lambda _, value=value: self._choose(value))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 16)
        layout.setSpacing(8)
        layout.addWidget(self._heading)
        layout.addLayout(self._grid)
        self._later = QTimer(self, singleShot=True, interval=LATER_MS)
        self._later.timeout.connect(self.refresh)
        outlook.changed.connect(self._on_changed)
        self.refresh()

    def _on_changed(self) -> None:
        """Follow a change now where it is seen; what is scrolled away or on a hidden page waits for a pause."""
        if self.window().isVisible() and self.visibleRegion().isEmpty():
            self._later.start()
        else:
            self.refresh()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Catch up first with what was changed while the card was scrolled away."""
        if self._later.isActive():
            self.refresh()
        super().paintEvent(event)

    def refresh(self) -> None:
        """Show the draft's figures with each of the values."""
        self._later.stop()
        spec = self._draft.spec
        self._heading.setText(self._title(spec))
        self.setAccessibleName(self._heading.text())
        figures = [self._outlook.of(with_value(spec, self._path, value)) for value in self._values]
        known_figures = [each for each in figures if each is not None]
        self.setHidden(not known_figures)
        reach = max((max(each.used_bytes, each.capacity_bytes) for each in known_figures), default=1)
        for value, variant, each in zip(self._values, self.variants, figures, strict=True):
            if each is not None:
                chosen = getattr(spec.strategy, self._path.rpartition(".")[2]) == value
                variant.show_estimate(self._words_for(value), each, reach, chosen)

    def _choose(self, value: int) -> None:
        self._draft.set_value(self._path, value)
        self.refresh()


class MemoryPage(QWidget):
    """The bar of the chosen recipe, its parts, and the same job at every stage and at several counts."""

    model_wanted = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        memory = session.memory
        self._draft, outlook = session.draft, memory.outlook
        self._outlook = outlook
        self.card = MemoryCard(outlook, bar_height=26, drop_correction=memory.drop_correction)
        self.stages = VariantCard(
            outlook, "stageCard", "strategy.zero_stage", STAGES, self._stage_title, self.tr("ZeRO {}").format
        )
        self.counts = VariantCard(outlook, "countCard", "strategy.ranks", COUNTS, self._count_title, self._count_words)
        self._empty = self._empty_state()
        column = QWidget()
        column.setObjectName("scrolled")
        layout = QVBoxLayout(column)
        layout.setContentsMargins(20, 12, 20, 12)
        layout.setSpacing(12)
        for widget in (
            HardwareCard(memory),
            self.card,
            HostCard(outlook),
            PhaseCard(outlook),
            FitCard(outlook),
            self.stages,
            self.counts,
            CostCard(memory),
            MeasuredCard(memory),
            PartsCard(outlook),
            AdaptersCard(outlook),
            ExamplesCard(),
        ):
            layout.addWidget(widget)
        layout.addStretch(1)
        area = QScrollArea()
        area.setWidget(column)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)
        outer.addWidget(self._empty)
        self._area = area
        outlook.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the figures, or what this page is for while there are none."""
        empty = self._draft.known.model is None
        self._area.setVisible(not empty)
        self._empty.setVisible(empty)

    def _empty_state(self) -> QWidget:
        empty = QWidget()
        icon = icons.pixmap_label("cpu", "accent", 32)
        title = QLabel(self.tr("What each GPU will hold"))
        title.setProperty("role", "title")
        text = QLabel(
            self.tr(
                "Every phase under every ZeRO stage stands here, term by term, before anything is rented. "
                "It follows from the model's config.json and the recipe."
            )
        )
        text.setProperty("role", "muted")
        text.setWordWrap(True)
        text.setFixedWidth(420)
        text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        choose = button(self.tr("Choose a model…"), "memoryChooseModel", role="primary")
        choose.clicked.connect(self.model_wanted)
        layout = QVBoxLayout(empty)
        layout.setSpacing(12)
        layout.addStretch(1)
        layout.addWidget(icon, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(title, 0, Qt.AlignmentFlag.AlignHCenter)
        row = QHBoxLayout()  # an alignment of its own would cut wrapped text to one line
        row.addStretch(1)
        row.addWidget(text)
        row.addStretch(1)
        layout.addLayout(row)
        layout.addWidget(choose, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)
        return empty

    def _on_gpus(self) -> bool:
        node = self._draft.known.node
        return node is None or bool(node.gpus) or self._outlook.kind is not None

    def _stage_title(self, spec: JobSpec) -> str:
        ranks = spec.strategy.ranks
        if self._on_gpus():
            devices = words.counted(ranks, self.tr("one GPU"), self.tr("each of {} GPUs"))
        else:
            devices = words.counted(ranks, self.tr("{} process"), self.tr("{} processes"))
        return self.tr("By ZeRO stage, on {}").format(devices)

    def _count_title(self, spec: JobSpec) -> str:
        if self._on_gpus():
            return self.tr("By number of GPUs, each under ZeRO {}").format(spec.strategy.zero_stage)
        return self.tr("By number of processes, together under ZeRO {}").format(spec.strategy.zero_stage)

    def _count_words(self, count: int) -> str:
        return self.tr("× {}").format(count)
