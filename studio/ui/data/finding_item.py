"""One finding: a line that can be chosen, its sentence, and once it is chosen why it matters and what can be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from remote_agent.contract.data_report import DataFix, Finding
from remote_agent.contract.spec_json import spec_from_dict
from studio.ui import icons, theme, words
from studio.ui.data.step_preview import StepPreview
from studio.ui.knob_field import FIELDS, field_label, value_text
from studio.ui.pieces import button, plain_label
from studio.ui.translation import told

if TYPE_CHECKING:
    from studio.session.session import Session

SEVERITIES = {
    "error": ("x-circle-fill", "bad"),
    "warning": ("warning-fill", "warning"),
    "info": ("info-fill", "info"),
}
_INDENT = 24


class FindingLine(QAbstractButton):
    """Icon, title and count of a finding; checked while the table shows its rows."""

    def __init__(self, finding: Finding, title: str, spoken: str) -> None:
        super().__init__()
        self.setCheckable(True)
        self.setText(title)
        self.setAccessibleName(spoken)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._icon, self._tint = SEVERITIES.get(finding.severity, SEVERITIES["info"])
        self._count = words.whole(finding.count)

    def show_count(self, count: int) -> None:
        """Show another count."""
        self._count = words.whole(count)
        self.update()

    def sizeHint(self) -> QSize:
        """Return the height of a line."""
        return QSize(120, 28)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the line, and behind it what tells that it is chosen or pointed at."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = theme.tokens()
        if self.isChecked() or self.underMouse() or self.hasFocus():
            painter.setPen(QColor(colours.accent) if self.hasFocus() else Qt.PenStyle.NoPen)
            fill = QColor(colours.selection if self.isChecked() else colours.hover)
            painter.setBrush(fill if self.isChecked() or self.underMouse() else Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), 6, 6)
        image = icons.pixmap(self._icon, self._tint, 16, self.devicePixelRatioF())
        if image is not None:
            painter.drawPixmap(4, (self.height() - 16) // 2, image)
        painter.setPen(QColor(colours.muted))
        right = self.rect().adjusted(0, 0, -8, 0)
        painter.drawText(right, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, self._count)
        room = self.width() - _INDENT - 20 - painter.fontMetrics().horizontalAdvance(self._count)
        font = painter.font()
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(QColor(colours.text))
        text = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRect(_INDENT, 0, room, self.height()), Qt.AlignmentFlag.AlignVCenter, text)
        painter.end()


class FindingItem(QWidget):
    """A finding in the list; ``chosen``: whether the table shall show its rows; ``grown``: there is more of it."""

    chosen = Signal(bool)
    grown = Signal()

    def __init__(self, session: Session, number: int, finding: Finding, severity_word: str) -> None:
        super().__init__()
        self.finding = finding
        self._session = session
        self._number = number
        self._fix: DataFix | None = None
        self.setObjectName(f"finding{number}")
        title = told(finding.title) or finding.kind
        spoken = f"{severity_word}, {title}, {finding.count}: {told(finding.sentence)}"
        self.setAccessibleName(spoken)
        self.line = FindingLine(finding, title, spoken)
        self.line.setObjectName(f"findingLine{number}")
        self.line.toggled.connect(self._on_toggled)
        self._more: QWidget | None = None
        self._sentence = plain_label(told(finding.sentence), "caption", wraps=True)
        self._body = QVBoxLayout()
        self._body.setContentsMargins(_INDENT, 0, 8, 4)
        self._body.setSpacing(8)
        self._body.addWidget(self._sentence)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.line)
        layout.addLayout(self._body)

    def renew(self, finding: Finding) -> None:
        """Take the figures of a later look; what is unfolded stays so."""
        self.finding = finding
        self.line.show_count(finding.count)
        self._sentence.setText(told(finding.sentence))

    def _on_toggled(self, on: bool) -> None:
        if on and self._more is None:
            self._more = self._details()
            self._body.addWidget(self._more)
        if self._more is not None:
            self._more.setVisible(on)
        self.chosen.emit(on)

    def _details(self) -> QWidget:
        """Return why it matters, the bound that was applied, and the fixes."""
        held = QWidget()
        layout = QVBoxLayout(held)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        if self.finding.why:
            layout.addWidget(plain_label(told(self.finding.why), "muted", wraps=True))
        if self.finding.threshold is not None:
            bound = self.tr("Bound: {}").format(words.short_number(self.finding.threshold))
            layout.addWidget(plain_label(bound, "caption"))
        row = QVBoxLayout()
        row.setSpacing(4)
        for place, fix in enumerate(self.finding.fixes):
            made = button(told(fix.label).replace("&", "&&"), f"findingFix{self._number}-{place}")
            made.clicked.connect(lambda _=False, fix=fix: self._preview_fix(fix))
            line = QHBoxLayout()
            line.addWidget(made)
            line.addStretch(1)
            row.addLayout(line)
        layout.addLayout(row)
        self.preview = StepPreview(self._session)
        self.preview.hide()
        self._apply = button(self.tr("Apply"), f"findingApply{self._number}", role="primary")
        self._apply.clicked.connect(self._on_apply)
        self._apply.hide()
        self.preview.known.connect(self._apply.setEnabled)
        self.preview.known.connect(lambda _: self.grown.emit())
        layout.addWidget(self.preview)
        last = QHBoxLayout()
        last.addWidget(self._apply)
        last.addStretch(1)
        layout.addLayout(last)
        return held

    def _preview_fix(self, fix: DataFix) -> None:
        """Say what a fix would do; it is done by another click."""
        self._fix = fix
        self.preview.show()
        self._apply.show()
        if fix.step is not None:
            self.preview.ask(spec_from_dict({"data": {"steps": [dict(fix.step)]}}).data.steps[0], at_once=True)
        else:
            said = [
                self.tr("{field} becomes {value}.").format(
                    field=field_label(path) if path in FIELDS else path,
                    value=value_text(path, value) if path in FIELDS else value,
                )
                for path, value in fix.changes.items()
            ]
            self.preview.show_sentence(" ".join(said))
            self._apply.setEnabled(True)

    def _on_apply(self) -> None:
        if self._fix is not None:
            self._session.apply_data_fix(self._fix)
            self.preview.show_sentence(self.tr("Done. Undo takes it back; the figures follow with the next look."))
            self._apply.hide()
