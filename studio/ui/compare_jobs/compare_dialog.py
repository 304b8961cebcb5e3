"""A window that compares any two jobs of the library, the open one as it is being edited: only what differs."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.spec_diff import ABSENT, FieldDifference, differences
from studio.session.session import Session
from studio.ui import words
from studio.ui.controls import ChoiceBox
from studio.ui.field_table import FieldRow, FieldTable
from studio.ui.knob_control import FIELDS, field_label, value_text
from studio.ui.pieces import button, plain_label

_SIZE = (720, 480)


class CompareDialog(QDialog):
    """Two choices of a job over a table of the fields that differ; it follows every edit of the open job."""

    def __init__(self, session: Session, parent: QWidget, job_id: str = "") -> None:
        super().__init__(parent)
        self.setObjectName("compareJobs")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Compare jobs"))
        self.resize(*_SIZE)
        self._session = session
        self.left, self.right = ChoiceBox([]), ChoiceBox([])
        for box, name, spoken in (
            (self.left, "comparedJob", self.tr("First job")),
            (self.right, "comparedWith", self.tr("Second job")),
        ):
            box.setObjectName(name)
            box.setAccessibleName(spoken)
            box.activated.connect(self._show)
        self._summary = plain_label("", "muted", "compareSummary", wraps=True)
        self.table = FieldTable(
            [self.tr("Field"), "", ""], "differingFields", self.tr("Fields that differ between the two jobs"), (1, 2)
        )
        self._copy = button(self.tr("Copy"), "compareCopy", self.tr("Copy the differences"))
        self._copy.clicked.connect(self.table.copy_rows)
        self._lay_out()
        self._fill(job_id)
        session.library.changed.connect(self._fill)
        session.draft.changed.connect(self._show)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.left, 1)
        top.addWidget(plain_label(self.tr("with"), "muted"))
        top.addWidget(self.right, 1)
        bottom = QHBoxLayout()
        bottom.addWidget(self._summary, 1)
        bottom.addWidget(self._copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(12)
        layout.addLayout(top)
        layout.addWidget(self.table, 1)
        layout.addLayout(bottom)

    def _fill(self, other: str = "") -> None:
        """List the library's jobs; those that were compared stay chosen, at first the open job with another."""
        jobs = {entry.job_id: entry.name for entry in self._session.library.jobs}
        chosen = [self.left.value() or self._session.job_id, self.right.value() or other]
        if chosen[1] not in jobs or chosen[1] == chosen[0]:
            chosen[1] = next((job_id for job_id in jobs if job_id != chosen[0]), chosen[0])
        for box, job_id in zip((self.left, self.right), chosen, strict=True):
            box.clear()
            for each, name in jobs.items():
                box.addItem(name, each)
            if job_id in jobs:
                box.set_value(job_id)
        self._show()

    def _spec(self, job_id: Any) -> JobSpec:
        """Return a job as it stands: the open one as it is being edited."""
        entry = self._session.library.job(str(job_id or ""))
        if entry is None or entry.job_id == self._session.job_id:
            return self._session.draft.spec
        return entry.spec

    def _show(self, *_: object) -> None:
        first, second = self._spec(self.left.value()), self._spec(self.right.value())
        self.table.setHorizontalHeaderLabels([self.tr("Field"), self.left.currentText(), self.right.currentText()])
        found = [each for each in differences(first, second) if each.path != "name"]  # they are chosen by it
        self.table.show_rows([FieldRow(difference_cells(each), each.path) for each in found])
        if not self.left.count():
            sentence = self.tr("There is no job to compare yet.")
        elif self.left.value() == self.right.value():
            sentence = self.tr("This is the same job twice; choose another one.")
        elif found:
            sentence = words.counted(len(found), self.tr("{} field differs."), self.tr("{} fields differ."))
        else:
            sentence = self.tr("The two jobs are the same in every field.")
        self._summary.setText(sentence)
        self._copy.setEnabled(bool(found))


def difference_cells(found: FieldDifference) -> tuple[str, str, str]:
    """Return a difference as a row of a table: the field's words and both values as its control shows them."""
    label = field_label(found.path) if found.path in FIELDS else found.label
    return label, _text(found.path, found.first), _text(found.path, found.second)


def _text(path: str, value: Any) -> str:
    """Return a value as its control shows it; an item of a list has none, and may be missing on one side."""
    if value is ABSENT:
        return "–"
    if path in FIELDS:
        return value_text(path, value) or "–"
    return words.exact_float(value) if isinstance(value, float) else str(value)
