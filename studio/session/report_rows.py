"""The report to send to a colleague: its example rows are asked of the session with the data, then it is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from remote_agent.contract.data_report import DataReport, RowView
from remote_agent.contract.job_spec import JobSpec
from studio.background.tasks import Tasks
from studio.session.live_data import LiveData
from studio.session.nodes import sentence_of


class ReportRows(QObject):
    """Writes reports, one after the other; what became of one is a ``notice`` (severity, sentence)."""

    notice = Signal(str, str)

    def __init__(self, live: LiveData, tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._live, self._tasks = live, tasks

    def save(self, path: Path, spec: JobSpec, report: DataReport) -> None:
        """Write a report with the rows that it shows; those that cannot be had are left out."""
        from studio.remote.answers import answer_as  # brings what talks along, which the first paint does not wait for
        from studio.report.page import rows_shown

        wanted = set(rows_shown(report))
        found: dict[int, RowView] = {}

        def over(index: int) -> None:
            wanted.discard(index)
            if not wanted:
                self._write(path, spec, report, found)

        def on_answer(row: RowView) -> None:
            found[row.index] = row
            over(row.index)

        if not wanted:
            self._write(path, spec, report, found)
        for index in tuple(wanted):
            self._ask(index, lambda value: answer_as(RowView, value), on_answer, over)

    def _ask(self, index: int, read: Any, on_answer: Any, over: Any) -> None:
        self._live.ask("row", {"index": index}, read, on_answer, lambda _: over(index))

    def _write(self, path: Path, spec: JobSpec, report: DataReport, rows: dict[int, RowView]) -> None:
        from studio.report.page import write_report

        self._tasks.run(
            self,
            lambda task: write_report(path, spec, report, rows),
            lambda _: self.notice.emit("info", f"The report was written to {path}."),
            lambda error: self.notice.emit("error", sentence_of(error)),
        )
