"""One field of the job spec as a row of a form: label, control, unit, the way back to its default, help and problem."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPlainTextEdit, QToolButton, QVBoxLayout, QWidget

from remote_agent.contract.problems import ERROR
from studio.state.draft import Draft
from studio.ui import icons, theme
from studio.ui.controls import ChoiceBox, Switch
from studio.ui.knob_control import FIELDS as FIELDS
from studio.ui.knob_control import KnobControl
from studio.ui.knob_control import TextInput as TextInput
from studio.ui.knob_control import field_label as field_label
from studio.ui.knob_control import value_text as value_text
from studio.ui.knob_help import HelpPopup as HelpPopup
from studio.ui.pieces import ElidedLabel
from studio.ui.translation import told

LABEL_WIDTH, CONTROL_WIDTH = 140, 122
_WIDEST_CHOICE = 176


class DefaultDot(QToolButton):
    """A dot beside a field that differs from its default or the preset applied; a click goes back."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(16, 16)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        policy = self.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.setSizePolicy(policy)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the dot, and a ring while the mouse or the focus is on it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        accent = QColor(theme.tokens().accent)
        if self.underMouse() or self.hasFocus():
            painter.setPen(accent)
            painter.drawEllipse(self.rect().adjusted(1, 1, -2, -2))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(accent)
        painter.drawEllipse(self.rect().adjusted(4, 4, -4, -4))
        painter.end()


class KnobField(QWidget):
    """A row for one field, or for two that belong together.

    Args:
        draft: the job being edited.
        path: dotted path of the field.
        companion: a second field whose control stands in the unit's place.
        label: other words than the field's own.
        multiline: several lines of text instead of one.
    """

    def __init__(self, draft: Draft, path: str, companion: str = "", label: str = "", multiline: bool = False) -> None:
        super().__init__()
        self._draft = draft
        self._wrong: dict[str, str] = {}
        self.paths = (path, companion) if companion else (path,)
        self._dot = DefaultDot()
        self._problem, self._note = QLabel(), QLabel()
        self._controls = [
            KnobControl(draft, each, lambda text, each=each: self._on_wrong(each, text), multiline)  # type: ignore[misc]
            for each in self.paths
        ]
        self._lay_out(label or field_label(path))
        draft.changed.connect(self._on_changed)
        draft.problems_changed.connect(self._show_problem)
        self._on_changed()
        self._show_problem()

    def _lay_out(self, label: str) -> None:
        text = QLabel(label)
        text.setFixedWidth(LABEL_WIDTH)
        text.setWordWrap(True)
        text.setBuddy(self._controls[0].widget)
        knob = FIELDS[self.paths[0]].knob
        text.setToolTip(QCoreApplication.translate("JobSpec", knob.help))
        self._dot.clicked.connect(self.reset)
        info = QToolButton()
        info.setFixedSize(20, 20)
        info.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        info.setAccessibleName(self.tr("Help on {}").format(label))
        icons.set_icon(info, "info", "muted", 14)
        info.clicked.connect(self.show_help)
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addWidget(self._dot)
        row.addWidget(text)
        row.addSpacing(4)
        self._add_controls(row, QCoreApplication.translate("JobSpec", knob.unit))
        row.addWidget(info)
        for said in (self._problem, self._note):
            said.setTextFormat(Qt.TextFormat.PlainText)
            said.setWordWrap(True)
            said.setContentsMargins(16, 0, 0, 0)
        self._note.setProperty("role", "caption")
        self._note.hide()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(2)
        outer.addLayout(row)
        if isinstance(self._controls[0].widget, QPlainTextEdit):
            holder = QHBoxLayout()
            holder.setContentsMargins(16, 0, 0, 0)
            holder.addWidget(self._controls[0].widget)
            outer.addLayout(holder)
        outer.addWidget(self._note)
        outer.addWidget(self._problem)

    def _add_controls(self, row: QHBoxLayout, unit: str) -> None:
        first = self._controls[0].widget
        if isinstance(first, QPlainTextEdit):
            row.addStretch(1)
            return
        if FIELDS[self.paths[0]].knob.path_like:
            row.addWidget(first, 1)
            return
        if not isinstance(first, Switch):
            first.setFixedWidth(_width_of(first) if len(self._controls) == 1 else CONTROL_WIDTH // 2 - 3)
        row.addWidget(first)
        if len(self._controls) == 2:
            second = self._controls[1].widget
            second.setFixedWidth(84 if isinstance(second, ChoiceBox) else CONTROL_WIDTH // 2 - 3)
            row.addSpacing(6)
            row.addWidget(second)
        self.tail = ElidedLabel(unit, "caption")
        row.addSpacing(8)
        row.addWidget(self.tail, 1)

    def show_value(self, path: str, value: Any) -> None:
        """Show a value that is being tried, before the draft holds it."""
        for control in self._controls:
            if control.path == path:
                control.show_value(value)

    @property
    def control(self) -> QWidget:
        """The first field's control."""
        return self._controls[0].widget

    def set_tail(self, text: str) -> None:
        """Say something in the unit's place, such as what a percentage comes to."""
        self.tail.set_text(text)

    def set_note(self, text: str) -> None:
        """Say a sentence below the control, such as what the choice costs; an empty one takes it away."""
        if text != self._note.text():
            self._note.setText(text)
        self._note.setVisible(bool(text))

    def reset(self) -> None:
        """Go back to what the field, and its companion, are compared with: a preset's values or the defaults."""
        for control in self._controls:
            control.reset()

    def focus(self) -> None:
        """Put the keyboard on the control."""
        widget = self._controls[0].widget
        widget.setFocus(Qt.FocusReason.OtherFocusReason)
        if isinstance(widget, QLineEdit):
            widget.selectAll()

    def show_help(self) -> None:
        """Open the field's help beside its control."""
        HelpPopup(self.paths, self, self._draft.spec).popup_at(self._controls[0].widget)

    def _on_changed(self) -> None:
        for control in self._controls:
            control.refresh()
        values = ", ".join(value_text(control.path, control.reference) for control in self._controls)
        differs = any(not control.is_default for control in self._controls)
        self._dot.setVisible(differs)
        tip = self.tr("Back to {}").format(values or self.tr("nothing"))
        if self._draft.preset:
            tip = self.tr("{back}, as in {preset}").format(back=tip, preset=self._draft.preset)
        self._dot.setToolTip(tip)
        self._dot.setAccessibleName(f"{field_label(self.paths[0])}: {tip}")

    def _on_wrong(self, path: str, text: str) -> None:
        if self._wrong.get(path, "") != text:
            self._wrong[path] = text
            self._show_problem()

    def _show_problem(self) -> None:
        found = {problem.field: problem for problem in reversed(self._draft.problems)}
        sentences, severe = [], False
        for control in self._controls:
            wrong, problem = self._wrong.get(control.path, ""), found.get(control.path)
            error = bool(wrong) or (problem is not None and problem.severity == ERROR)
            mark = "true" if error else ("warning" if problem is not None else "")
            if control.widget.property("wrong") != mark:
                control.widget.setProperty("wrong", mark)
                control.widget.style().unpolish(control.widget)
                control.widget.style().polish(control.widget)
            sentence = wrong or (told(problem.sentence) if problem is not None else "")
            sentences += [sentence] if sentence else []
            severe = severe or error
        self._problem.setText(" ".join(sentences))
        theme.set_role(self._problem, "problem" if severe else "hint")
        self._problem.setVisible(bool(sentences))


def _width_of(widget: QWidget) -> int:
    """Return a control's width: the column's, or what the longest of its choices needs."""
    if not isinstance(widget, ChoiceBox):
        return CONTROL_WIDTH
    widget.ensurePolished()
    return max(CONTROL_WIDTH, min(widget.sizeHint().width(), _WIDEST_CHOICE))
