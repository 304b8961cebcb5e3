"""A form over the described fields of any object of the job spec: a step, or one more source of rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QCoreApplication, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from remote_agent.contract.knob import DescribedField, described_fields
from studio.ui import words
from studio.ui.controls import ChoiceBox, Switch, read_float, read_int
from studio.ui.knob_field import TextInput
from studio.ui.pieces import plain_label

LABEL_WIDTH, CONTROL_WIDTH, INDENT = 104, 124, 16
Choices = Mapping[str, Sequence[tuple[object, str]]]


class DescribedForm(QWidget):
    """One row for each field of a class; ``edited`` follows each change that can be read, with path and value.

    Args:
        name: begins the object names of the controls; they end with the field's path.
        spec_class: the class whose fields are drawn.
        only: the paths that are drawn, all where it is empty.
        choices: (value, words) of fields that are chosen from a list which the class does not know.
    """

    edited = Signal(str, object)

    def __init__(
        self, name: str, spec_class: type[Any], only: Sequence[str] = (), choices: Choices | None = None
    ) -> None:
        super().__init__()
        self._fields = {one.path: one for one in described_fields(spec_class) if not only or one.path in only}
        self._whole_numbers = _lists_of_numbers(spec_class)
        self._values: dict[str, Any] = {path: one.default for path, one in self._fields.items()}
        self._controls: dict[str, QWidget] = {}
        self._problems: dict[str, Any] = {}
        self._rows: dict[str, QWidget] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        for path in only or self._fields:
            self._rows[path] = self._row(name, self._fields[path], (choices or {}).get(path))
            layout.addWidget(self._rows[path])
        self.show_values({})

    @property
    def values(self) -> dict[str, Any]:
        """Return the values as they were read last, by path."""
        return dict(self._values)

    @property
    def problem(self) -> str:
        """Return why the first field that cannot be read cannot, empty where all can."""
        return next((label.text() for label in self._problems.values() if label.text()), "")

    def show_values(self, values: Mapping[str, Any]) -> None:
        """Show values by path, without a signal; other fields keep theirs."""
        self._values.update(values)
        for path, widget in self._controls.items():
            self._show(path, widget, self._values[path])
            self._say(path, "")

    def set_choices(self, path: str, choices: Sequence[tuple[object, str]]) -> None:
        """Offer other values for a field that is chosen from a list."""
        box = self._controls[path]
        assert isinstance(box, ChoiceBox)
        if [(box.itemData(number), box.itemText(number)) for number in range(box.count())] == list(choices):
            return
        box.blockSignals(True)
        box.clear()
        for value, text in choices:
            box.addItem(text, value)
        box.blockSignals(False)
        box.set_value(self._values[path])

    def set_shown(self, path: str, shown: bool) -> None:
        """Show or hide the row of a field."""
        self._rows[path].setVisible(shown)

    def control(self, path: str) -> QWidget:
        """Return the control of a field. Raises KeyError for a path that is not drawn."""
        return self._controls[path]

    def _row(self, name: str, field: DescribedField, choices: Sequence[tuple[object, str]] | None) -> QWidget:
        label = plain_label(QCoreApplication.translate("JobSpec", field.knob.label), wraps=True)
        help_text = QCoreApplication.translate("JobSpec", field.knob.help)
        if field.path in self._whole_numbers:
            help_text = self.tr("Row numbers, counted from 1 over all sources, one a line.")
        label.setFixedWidth(LABEL_WIDTH)
        label.setToolTip(help_text)
        control = self._control(field, choices)
        control.setObjectName(f"{name}.{field.path}")
        control.setAccessibleName(label.text())
        control.setAccessibleDescription(help_text)
        control.setToolTip(help_text)
        label.setBuddy(control)
        self._controls[field.path] = control
        problem = plain_label("", "problem", wraps=True)
        problem.hide()
        self._problems[field.path] = problem
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(label)
        row.addWidget(control, 0 if isinstance(control, Switch) else 1)
        if isinstance(control, Switch):
            row.addStretch(1)
        unit = QCoreApplication.translate("JobSpec", field.knob.unit) if field.knob.unit else ""
        if unit and isinstance(control, QLineEdit):
            control.setPlaceholderText(unit)
        held = QWidget()
        outer = QVBoxLayout(held)
        outer.setContentsMargins(INDENT, 0, 0, 0)
        outer.setSpacing(2)
        outer.addLayout(row)
        outer.addWidget(problem)
        return held

    def _control(self, field: DescribedField, choices: Sequence[tuple[object, str]] | None) -> QWidget:
        path = field.path
        if choices is not None or field.knob.choices:
            box = ChoiceBox(
                choices if choices is not None else [(one, words.choice(one)) for one in field.knob.choices]
            )
            box.setSizeAdjustPolicy(box.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.activated.connect(lambda _: self._take(path, box.value()))
            return box
        if field.kind is bool:
            switch = Switch()
            switch.toggled.connect(lambda on: self._take(path, on))
            return switch
        if field.kind is tuple:
            text = TextInput(lambda: self._commit(path))
            text.textChanged.connect(lambda: self._commit(path))
            return text
        line = QLineEdit()
        line.setMinimumWidth(64)
        line.textEdited.connect(lambda _: self._commit(path))
        return line

    def _show(self, path: str, widget: QWidget, value: Any) -> None:
        widget.blockSignals(True)
        if isinstance(widget, Switch):
            widget.setChecked(bool(value))
            widget.update()
        elif isinstance(widget, ChoiceBox):
            widget.set_value(value)
        elif isinstance(widget, QPlainTextEdit):
            text = "\n".join(str(one + 1) if path in self._whole_numbers else str(one) for one in value)
            if widget.toPlainText() != text and not widget.hasFocus():
                widget.setPlainText(text)
        elif isinstance(widget, QLineEdit):
            text = words.exact_float(value) if isinstance(value, float) else str(value)
            if not widget.hasFocus() or self._read_or_none(path, widget.text()) != value:
                widget.setText(text)
                widget.setCursorPosition(0)
        widget.blockSignals(False)

    def _read_or_none(self, path: str, text: str) -> Any:
        try:
            return self._read(path, text)
        except ValueError:
            return None

    def _commit(self, path: str) -> None:
        widget = self._controls[path]
        text = widget.toPlainText() if isinstance(widget, QPlainTextEdit) else ""
        if isinstance(widget, QLineEdit):
            text = widget.text()
        try:
            value = self._read(path, text)
        except ValueError as error:
            self._say(path, str(error))
            return
        self._take(path, value)

    def _read(self, path: str, text: str) -> Any:
        field = self._fields[path]
        if field.kind is tuple:
            lines = [line.strip() for line in text.replace(",", "\n").split("\n")] if path in self._whole_numbers else (
                text.split("\n"))  # fmt: skip
            kept = [line for line in lines if line.strip()]
            if path in self._whole_numbers:
                return tuple(max(0, read_int(line) - 1) for line in kept)
            return tuple(kept)
        if field.kind is float:
            return self._bounded(field, read_float(text))
        if field.kind is int:
            return self._bounded(field, read_int(text))
        return text

    def _bounded(self, field: DescribedField, value: Any) -> Any:
        knob = field.knob
        if knob.low is not None and value < knob.low:
            raise ValueError(self.tr("The least is {}.").format(words.short_number(knob.low)))
        if knob.high is not None and value > knob.high:
            raise ValueError(self.tr("The most is {}.").format(words.short_number(knob.high)))
        if knob.above is not None and value <= knob.above:
            raise ValueError(self.tr("It has to be more than {}.").format(words.short_number(knob.above)))
        return value

    def _take(self, path: str, value: Any) -> None:
        self._say(path, "")
        if value != self._values[path]:
            self._values[path] = value
            self.edited.emit(path, value)

    def _say(self, path: str, problem: str) -> None:
        self._problems[path].setText(problem)
        self._problems[path].setVisible(bool(problem))


def _lists_of_numbers(spec_class: type[Any]) -> set[str]:
    """Return the names of the fields that hold row numbers, which people count from 1."""
    return {
        field.name
        for field in dataclasses.fields(spec_class)
        if isinstance(field.default, tuple) and "int" in str(field.type)
    }
