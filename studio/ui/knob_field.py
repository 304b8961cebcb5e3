"""One field of the job spec as a row of a form: label, control, unit, the way back to its default, help and problem."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, QPoint, Qt
from PySide6.QtGui import QColor, QKeyEvent, QKeySequence, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from remote_agent.contract.job_spec import JobSpec, value_at
from remote_agent.contract.knob import DescribedField, described_fields
from remote_agent.contract.problems import ERROR
from studio.state.draft import Draft
from studio.ui import icons, theme, words
from studio.ui.controls import ChoiceBox, Switch, read_float, read_int
from studio.ui.pieces import ElidedLabel
from studio.ui.translation import told

FIELDS: dict[str, DescribedField] = {field.path: field for field in described_fields(JobSpec)}
"""Every field of the job spec by its dotted path."""

LABEL_WIDTH, CONTROL_WIDTH = 140, 122
_FEW = 8


def field_label(path: str) -> str:
    """Return the words beside a field's control."""
    return QCoreApplication.translate("JobSpec", FIELDS[path].knob.label)


def value_text(path: str, value: Any) -> str:
    """Return a field's value as its control shows it."""
    if isinstance(value, bool):
        return QCoreApplication.translate("JobSpec", "on") if value else QCoreApplication.translate("JobSpec", "off")
    if isinstance(value, float):
        return words.exact_float(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, tuple):
        return "\n".join(value)
    return words.choice(value) if FIELDS[path].knob.choices else str(value)


class LineInput(QLineEdit):
    """A line of text that Escape puts back to what the draft holds."""

    def __init__(self, revert: Callable[[], None]) -> None:
        super().__init__()
        self._revert = revert

    def event(self, event: QEvent) -> bool:
        """Keep Escape from the window while there is something to put back, and leave it an undo there is none for."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Escape and self.isModified():
                event.accept()
                return True
            undoes = event.matches(QKeySequence.StandardKey.Undo) and not self.isUndoAvailable()
            if undoes or (event.matches(QKeySequence.StandardKey.Redo) and not self.isRedoAvailable()):
                event.ignore()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Put the text back on Escape."""
        if event.key() == Qt.Key.Key_Escape and self.isModified():
            self._revert()
            return
        super().keyPressEvent(event)


class TextInput(QPlainTextEdit):
    """Several lines of text, taken over when the focus leaves."""

    def __init__(self, commit: Callable[[], None]) -> None:
        super().__init__()
        self._commit = commit
        self.setTabChangesFocus(True)
        self.setFixedHeight(72)

    def focusOutEvent(self, event: Any) -> None:
        """Take the text over."""
        super().focusOutEvent(event)
        self._commit()


class KnobControl:
    """The control of one field, chosen by its type; ``widget`` is named by the path and commits to the draft."""

    def __init__(self, draft: Draft, path: str, on_wrong: Callable[[str], None], multiline: bool = False) -> None:
        self._draft, self._field, self._on_wrong = draft, FIELDS[path], on_wrong
        self.path = path
        self._is_wrong = False
        self.widget: QWidget = self._make(multiline)
        self.widget.setObjectName(path)
        self.widget.setAccessibleName(field_label(path))
        self.widget.setAccessibleDescription(QCoreApplication.translate("JobSpec", self._field.knob.help))
        self._shown: Any = None
        self.refresh()

    @property
    def is_default(self) -> bool:
        """Whether the draft holds the field's default."""
        return bool(value_at(self._draft.spec, self.path) == self._field.default)

    def refresh(self) -> None:
        """Show what the draft holds, unless it is shown already."""
        value = value_at(self._draft.spec, self.path)
        is_put_right = self._is_wrong and self.path not in self._draft.unread
        if value != self._shown or type(value) is not type(self._shown) or is_put_right:
            self.show_value(value)

    def show_value(self, value: Any) -> None:
        """Show a value that the draft need not hold yet."""
        self._shown = value
        widget = self.widget
        if isinstance(widget, Switch):
            widget.blockSignals(True)
            widget.setChecked(bool(value))
            widget.blockSignals(False)
            widget.update()
        elif isinstance(widget, ChoiceBox):
            widget.set_value(value)
        elif isinstance(widget, QPlainTextEdit):
            widget.setPlainText(value_text(self.path, value))
        elif isinstance(widget, QLineEdit):
            widget.setText(value_text(self.path, value))
            widget.setCursorPosition(0)
        self._say("")

    def reset(self) -> None:
        """Go back to the default."""
        self._draft.set_value(self.path, self._field.default)

    def _make(self, multiline: bool) -> QWidget:
        knob, kind = self._field.knob, self._field.kind
        if kind is bool:
            switch = Switch()
            switch.toggled.connect(self._set)
            return switch
        if knob.choices or (kind is int and knob.low is not None and knob.high is not None and knob.high <= _FEW):
            values: Sequence[object] = knob.choices or range(int(knob.low or 0), int(knob.high or 0) + 1)
            box = ChoiceBox([(value, words.choice(str(value))) for value in values])
            box.activated.connect(lambda _: self._set(box.value()))
            return box
        if kind is tuple or multiline:
            return TextInput(self._commit)
        line = LineInput(lambda: self.show_value(value_at(self._draft.spec, self.path)))
        line.editingFinished.connect(self._commit)
        return line

    def _set(self, value: Any) -> None:
        self._shown = value
        self._draft.set_value(self.path, value)

    def _commit(self) -> None:
        widget = self.widget
        text = widget.toPlainText() if isinstance(widget, QPlainTextEdit) else ""
        if isinstance(widget, QLineEdit):
            if not widget.isModified():
                return
            text = widget.text()
        try:
            value = self._read(text)
        except ValueError as error:
            self._say(str(error))
            return
        if isinstance(widget, QLineEdit):
            widget.setModified(False)
        self._say("")
        if value != value_at(self._draft.spec, self.path):
            self._draft.set_value(self.path, value)
        self.show_value(value_at(self._draft.spec, self.path))

    def _say(self, wrong: str) -> None:
        """Tell row and draft that what was typed cannot be read, or that it can again."""
        self._is_wrong = bool(wrong)
        self._on_wrong(wrong)
        self._draft.set_unread(self.path, wrong)

    def _read(self, text: str) -> Any:
        kind = self._field.kind
        if kind is float:
            return read_float(text)
        if kind is int:
            return read_int(text)
        if kind is tuple:
            return tuple(line for line in text.split("\n") if line.strip())
        return text


class DefaultDot(QToolButton):
    """A dot beside a field that differs from its default; a click goes back."""

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
        self._problem = QLabel()
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
        self._problem.setTextFormat(Qt.TextFormat.PlainText)
        self._problem.setWordWrap(True)
        self._problem.setContentsMargins(16, 0, 0, 0)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(2)
        outer.addLayout(row)
        if isinstance(self._controls[0].widget, QPlainTextEdit):
            holder = QHBoxLayout()
            holder.setContentsMargins(16, 0, 0, 0)
            holder.addWidget(self._controls[0].widget)
            outer.addLayout(holder)
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
            first.setFixedWidth(CONTROL_WIDTH if len(self._controls) == 1 else CONTROL_WIDTH // 2 - 3)
        row.addWidget(first)
        if len(self._controls) == 2:
            second = self._controls[1].widget
            second.setFixedWidth(76 if isinstance(second, ChoiceBox) else CONTROL_WIDTH // 2 - 3)
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

    def set_tail(self, text: str) -> None:
        """Say something in the unit's place, such as what a percentage comes to."""
        self.tail.set_text(text)

    def reset(self) -> None:
        """Go back to the default of the field, and of its companion."""
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
        HelpPopup(self.paths, self).popup_at(self._controls[0].widget)

    def _on_changed(self) -> None:
        for control in self._controls:
            control.refresh()
        defaults = ", ".join(value_text(path, FIELDS[path].default) for path in self.paths)
        differs = any(not control.is_default for control in self._controls)
        self._dot.setVisible(differs)
        tip = self.tr("Back to {}").format(defaults or self.tr("nothing"))
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


class HelpPopup(QFrame):
    """What a field does, what it was by default, and where that comes from."""

    def __init__(self, paths: tuple[str, ...], parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setProperty("role", "popup")
        self.setObjectName("helpPopup")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(6)
        for path in paths:
            knob = FIELDS[path].knob
            default = value_text(path, FIELDS[path].default) or self.tr("empty")
            unit = f" {QCoreApplication.translate('JobSpec', knob.unit)}" if knob.unit else ""
            for text, role in (
                (field_label(path), "heading"),
                (QCoreApplication.translate("JobSpec", knob.help), ""),
                (self.tr("Default: {}").format(default + unit), "caption"),
                (self.tr("Source: {}").format(knob.source) if knob.source else "", "caption"),
            ):
                if text:
                    label = QLabel(text)
                    label.setTextFormat(Qt.TextFormat.PlainText)
                    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
                    label.setWordWrap(True)
                    label.setProperty("role", role)
                    layout.addWidget(label)
        self.setFixedWidth(340)

    def popup_at(self, widget: QWidget) -> None:
        """Open below a widget, inside its screen."""
        self.adjustSize()
        place = widget.mapToGlobal(QPoint(0, widget.height() + 4))
        area = widget.screen().availableGeometry()
        place.setX(max(area.left(), min(place.x(), area.right() - self.width())))
        if place.y() + self.height() > area.bottom():
            place = widget.mapToGlobal(QPoint(0, -self.height() - 4))
        self.move(place)
        self.show()
