"""The control of one field of the job spec, chosen by the field's type and committing to the draft."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QWidget

from remote_agent.contract.job_spec import JobSpec, value_at
from remote_agent.contract.knob import DescribedField, described_fields
from remote_agent.contract.recipe_spec import PointSpec
from studio.state.draft import Draft
from studio.ui import words
from studio.ui.controls import ChoiceBox, Switch, read_float, read_int

FIELDS: dict[str, DescribedField] = {field.path: field for field in described_fields(JobSpec)}
"""Every field of the job spec by its dotted path."""

POINTS = "schedule.points"
_FEW = 8
_TEXT_PX, _POINTS_PX = 72, 104


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
        return "\n".join(point_text(each) if isinstance(each, PointSpec) else str(each) for each in value)
    return words.choice(value) if FIELDS[path].knob.choices else str(value)


def point_text(point: PointSpec) -> str:
    """Return a point of a hand-drawn schedule as a line of text: percent of the run, share of the peak."""
    return f"{words.exact_float(point.at_percent)}  {words.exact_float(point.factor)}"


def read_point(line: str) -> PointSpec:
    """Return the point a person typed, such as ``50 0.3``. Raises ValueError with a sentence."""
    parts = line.replace("%", " ").replace(";", " ").split()
    if len(parts) != 2:
        raise ValueError(
            QCoreApplication.translate(
                "controls", "A point is two numbers, percent of the run and share of the peak, such as 50 0.3."
            )
        )
    return PointSpec(read_float(parts[0]), read_float(parts[1]))


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

    def __init__(self, commit: Callable[[], None], height: int = _TEXT_PX) -> None:
        super().__init__()
        self._commit = commit
        self.setTabChangesFocus(True)
        self.setFixedHeight(height)

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
    def reference(self) -> Any:
        """What the field is compared with: the value of the preset that was applied, else the default."""
        return self._draft.reference_value(self.path, self._field.default)

    @property
    def is_default(self) -> bool:
        """Whether the draft holds what the field is compared with."""
        return bool(value_at(self._draft.spec, self.path) == self.reference)

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
        """Go back to what the field is compared with."""
        self._draft.set_value(self.path, self.reference)

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
            return TextInput(self._commit, _POINTS_PX if self.path == POINTS else _TEXT_PX)
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
            lines = [line for line in text.split("\n") if line.strip()]
            return tuple(map(read_point, lines)) if self.path == POINTS else tuple(lines)
        return text
