"""Job files and bundles: what the window reads from and writes to the person's own folders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.spec_json import SpecError
from studio.background.tasks import Tasks
from studio.session.nodes import sentence_of
from studio.store.library import Library
from studio.store.rows import RunRow

if TYPE_CHECKING:
    from studio.report.comparison import Table

# studio.job_file and studio.export are imported where they are used: the first paint does not wait for YAML


class Files(QObject):
    """Reads job files, writes job files and bundles; what went wrong is a ``notice`` (severity, sentence)."""

    notice = Signal(str, str)

    def __init__(self, store: Library, tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._store, self._tasks = store, tasks

    def read_job(self, path: Path) -> JobSpec | None:
        """Return the job of a file, None where it cannot be read."""
        from studio.job_file import read_job_file

        try:
            return read_job_file(path)
        except SpecError as error:
            self.notice.emit("error", "\n".join(error.mistakes))
        except OSError as error:
            self.notice.emit("error", f"{path} cannot be read: {error.strerror}.")
        return None

    def write_comparison(
        self, path: Path, run_ids: Sequence[str], drawings: Sequence[bytes], tables: Sequence[Table]
    ) -> None:
        """Write the comparison of runs as one HTML file."""
        from studio.report.comparison import write_comparison

        try:
            write_comparison(path, run_ids, drawings, tables)
        except OSError as error:
            self.notice.emit("error", f"{path} cannot be written: {error.strerror}.")
        else:
            self.notice.emit("info", f"The comparison was written to {path}.")

    def write_job(self, path: Path, spec: JobSpec) -> None:
        """Write a job file."""
        from studio.job_file import write_job_file

        try:
            write_job_file(path, spec)
        except OSError as error:
            self.notice.emit("error", f"{path} cannot be written: {error.strerror}.")
        else:
            self.notice.emit("info", f"The job was written to {path}.")

    def export_run(self, row: RunRow, folder: Path, pack_inputs: bool) -> None:
        """Write a run's bundle in the background."""
        from studio.export import export_run

        self._export(folder, lambda: export_run(row, folder, self._store, pack_inputs))

    def export_job(self, spec: JobSpec, folder: Path) -> None:
        """Write the bundle of a job in the background."""
        from studio.export import export_job

        self._export(folder, lambda: export_job(spec, folder))

    def _export(self, folder: Path, write: Callable[[], object]) -> None:
        self._tasks.run(
            self,
            lambda task: write(),
            lambda _: self.notice.emit("info", f"Exported to {folder}; `bash run.sh` there reruns it."),
            lambda error: self.notice.emit("error", sentence_of(error)),
        )


def short_name(path: str) -> str:
    """Return the last part of a path of this computer or a node."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2]
