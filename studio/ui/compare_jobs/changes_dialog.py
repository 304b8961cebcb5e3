"""A window that says what of a job was changed since it was last launched."""

from __future__ import annotations

import datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from remote_agent.contract.spec_diff import differences
from studio.session.session import Session
from studio.ui import words
from studio.ui.compare_jobs.compare_dialog import difference_cells
from studio.ui.field_table import FieldRow, FieldTable
from studio.ui.pieces import button, plain_label

_SIZE = (720, 420)


class ChangesDialog(QDialog):
    """The fields of a job that are not as they were at its last launch; it follows every edit of the open job.

    Args:
        job_id: a job of the library; a sentence says so where it is none or was never launched.
    """

    def __init__(self, session: Session, parent: QWidget, job_id: str) -> None:
        super().__init__(parent)
        self.setObjectName("changesDialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("What changed since the last launch"))
        self.resize(*_SIZE)
        self._session, self._job_id = session, job_id
        self.summary = plain_label("", "muted", "changesSummary", wraps=True)
        self.table = FieldTable(
            [self.tr("Field"), self.tr("At the last launch"), self.tr("Now")], "changedFields",
            self.tr("Fields that were changed since the last launch"), (1, 2),
        )  # fmt: skip
        self._copy = button(self.tr("Copy"), "changesCopy", self.tr("Copy the changes"))
        self._copy.clicked.connect(self.table.copy_rows)
        bottom = QHBoxLayout()
        bottom.addWidget(self.summary, 1)
        bottom.addWidget(self._copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(12)
        layout.addWidget(self.table, 1)
        layout.addLayout(bottom)
        session.draft.changed.connect(self.refresh)
        session.library.changed.connect(self.refresh)
        self.refresh()

    def refresh(self, *_: object) -> None:
        """Compare the job as it stands with its newest run."""
        session = self._session
        job, run = session.library.job(self._job_id), session.last_launch(self._job_id)
        launched = session.spec_of_run(run.run_id) if run is not None else None
        rows: list[FieldRow] = []
        if job is None:
            sentence = self.tr("The job of this run is not in the library any more.")
        elif run is None:
            sentence = self.tr("{} was not launched yet.").format(job.name)
        elif launched is None:
            sentence = self.tr("The job of {} cannot be read.").format(run.run_id)
        else:
            now = session.draft.spec if self._job_id == session.job_id else job.spec
            rows = [FieldRow(difference_cells(each), each.path) for each in differences(launched, now)]
            when = datetime.datetime.fromtimestamp(run.created_s, datetime.UTC).astimezone().strftime("%Y-%m-%d %H:%M")
            changed = words.counted(len(rows), self.tr("{} field was changed"), self.tr("{} fields were changed"))
            said = changed if rows else self.tr("Nothing was changed")
            sentence = self.tr("{what} since {run} was launched on {time}.").format(
                what=said, run=run.run_id, time=when
            )
        self.table.show_rows(rows)
        self.summary.setText(sentence)
        self._copy.setEnabled(bool(rows))
