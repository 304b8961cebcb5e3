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
    from remote_agent.contract.schedule_spans import Horizon
    from studio.exchange.imported import Imported
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

    def read_config(self, path: Path) -> Imported | None:
        """Return a job made of another tool's configuration, None where the file is none."""
        from studio.exchange.imported import ExchangeError
        from studio.exchange.importing import imported

        try:
            return imported(path.read_text(encoding="utf-8-sig"), path.name)
        except ExchangeError as error:
            self.notice.emit("error", str(error))
        except UnicodeDecodeError:
            self.notice.emit("error", f"{path} is no text.")
        except OSError as error:
            self.notice.emit("error", f"{path} cannot be read: {error.strerror}.")
        return None

    def export_for(self, spec: JobSpec, target: str, folder: Path, horizon: Horizon) -> None:
        """Write a job as another tool reads it; nothing that stands in the folder is replaced."""
        from studio.exchange.exporting import exported
        from studio.exchange.imported import ExchangeError

        try:
            made = exported(spec, target, horizon if horizon.total_steps else None)
            taken = [name for name in made.files if (folder / name).exists()]
            if taken:
                self.notice.emit("error", f"{folder} has {', '.join(taken)} already; choose another folder.")
                return
            for name, text in made.files.items():
                (folder / name).write_text(text, encoding="utf-8", newline="\n")
        except ExchangeError as error:
            self.notice.emit("error", str(error))
        except OSError as error:
            self.notice.emit("error", f"{folder} cannot be written: {error.strerror}.")
        else:
            lost = "".join(f"\n{one.path}: {one.sentence}" for one in made.lost)
            said = f"Written to {folder}: {', '.join(made.files)}. Start it there with: {made.start}"
            self.notice.emit("warning" if lost else "info", said + (f"\nWhat it cannot say:{lost}" if lost else ""))

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
