"""The jobs and runs that the studio keeps, as the sidebar lists them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from PySide6.QtCore import QObject, Signal

from remote_agent.contract.job_spec import JobSpec


@dataclasses.dataclass(frozen=True)
class JobEntry:
    """A job of the library; ``opened_s`` is when it was last opened, in seconds since the epoch."""

    job_id: str
    name: str
    spec: JobSpec
    opened_s: float = 0.0


@dataclasses.dataclass(frozen=True)
class RunEntry:
    """A run of the library. ``loss`` is NaN where there is none yet; ``losses`` are a few points for a sparkline.

    Times are seconds since the epoch, ``ended_s`` 0 while the run goes on. ``heading`` (under which a person put it),
    ``tags`` and ``remark`` are a person's own; ``job_id`` is the job that it was launched from, empty where unknown.
    """

    run_id: str
    name: str
    node: str
    state: str
    step: int = 0
    total_steps: int = 0
    loss: float = float("nan")
    created_s: float = 0.0
    ended_s: float = 0.0
    note: str = ""
    losses: tuple[float, ...] = ()
    job_id: str = ""
    best_held_out: float = float("nan")
    tokens_per_s: float = float("nan")
    heading: str = ""
    tags: tuple[str, ...] = ()
    remark: str = ""
    archived: bool = False


class LibraryState(QObject):
    """Jobs (last opened first) and runs (newest first); ``changed`` follows every change of either."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs: dict[str, JobEntry] = {}
        self._runs: dict[str, RunEntry] = {}
        self._runs_in_order: tuple[RunEntry, ...] | None = ()

    @property
    def jobs(self) -> tuple[JobEntry, ...]:
        """Return the jobs, last opened first."""
        return tuple(sorted(self._jobs.values(), key=lambda job: -job.opened_s))

    @property
    def runs(self) -> tuple[RunEntry, ...]:
        """Return the runs, newest first."""
        if self._runs_in_order is None:
            self._runs_in_order = tuple(sorted(self._runs.values(), key=lambda run: (-run.created_s, run.run_id)))
        return self._runs_in_order

    def job(self, job_id: str) -> JobEntry | None:
        """Return a job by its id, None where there is none."""
        return self._jobs.get(job_id)

    def run(self, run_id: str) -> RunEntry | None:
        """Return a run by its id, None where there is none."""
        return self._runs.get(run_id)

    def fill(self, jobs: Iterable[JobEntry], runs: Iterable[RunEntry]) -> None:
        """Replace everything."""
        self._jobs = {job.job_id: job for job in jobs}
        self._runs = {run.run_id: run for run in runs}
        self._runs_in_order = None
        self.changed.emit()

    def put_job(self, job: JobEntry) -> None:
        """Add or replace a job."""
        if self._jobs.get(job.job_id) != job:
            self._jobs[job.job_id] = job
            self.changed.emit()

    def remove_job(self, job_id: str) -> None:
        """Forget a job; one that is not here is passed over."""
        if self._jobs.pop(job_id, None) is not None:
            self.changed.emit()

    def put_run(self, run: RunEntry) -> None:
        """Add or replace a run."""
        if self._runs.get(run.run_id) != run:
            self._runs[run.run_id], self._runs_in_order = run, None
            self.changed.emit()

    def put_runs(self, runs: Iterable[RunEntry]) -> None:
        """Add or replace runs, and tell it once."""
        for run in runs:
            self._runs[run.run_id] = run
        self._runs_in_order = None
        self.changed.emit()

    def remove_run(self, run_id: str) -> None:
        """Forget a run; one that is not here is passed over."""
        if self._runs.pop(run_id, None) is not None:
            self._runs_in_order = None
            self.changed.emit()
