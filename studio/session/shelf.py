"""Jobs and runs between the database and what the sidebar lists; written as things change."""

from __future__ import annotations

import dataclasses
import functools
import math
import secrets
import time
from collections.abc import Callable, Iterable

from remote_agent.contract.events import ENDED
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.spec_json import SpecError, spec_from_json, spec_to_json
from studio.session.writing import Writing
from studio.state.library import JobEntry, LibraryState, RunEntry
from studio.store.library import Library
from studio.store.rows import JobRow, LabelRow, RunRow

_NO_LABEL = LabelRow("")


class Shelf:
    """Keeps a `LibraryState` and the `Library` equal. Lives on the GUI thread; writes go through `Writing`."""

    def __init__(
        self, store: Library, shown: LibraryState, writing: Writing, clock: Callable[[], float] = time.time
    ) -> None:
        self._store, self._shown, self._writing, self._clock = store, shown, writing, clock
        self._rows: dict[str, RunRow] = {}
        self._saved: dict[str, RunRow] = {}
        self._labels: dict[str, LabelRow] = {}

    def fill(self) -> list[str]:
        """Read everything. Returns a sentence for each job that cannot be read, which is then left out."""
        jobs: list[JobEntry] = []
        complaints: list[str] = []
        for row in self._store.jobs():
            try:
                jobs.append(JobEntry(row.job_id, row.name, spec_from_json(row.spec), row.opened_s))
            except SpecError as error:
                complaints.append(f"The job {row.name} cannot be read and is not shown. {error.mistakes[0]}")
        self._rows = {row.run_id: row for row in self._store.runs()}
        self._saved = dict(self._rows)
        self._labels = self._store.labels()
        self._shown.fill(jobs, [self._entry(row) for row in self._rows.values()])
        return complaints

    def save_job(self, job_id: str, spec: JobSpec, opened: bool = False) -> None:
        """Keep a job; ``opened`` moves it to the top of the list."""
        known = self._shown.job(job_id)
        opened_s = self._clock() if opened or known is None else known.opened_s
        entry = JobEntry(job_id, spec.name, spec, opened_s)
        if entry != known:
            row = JobRow(job_id, spec.name, spec_to_json(spec), opened_s)
            self._writing.put(f"job {job_id}", lambda: self._store.save_job(row))
            self._shown.put_job(entry)

    def add_job(self, spec: JobSpec) -> str:
        """Keep a new job and return its id."""
        job_id = secrets.token_hex(6)
        self.save_job(job_id, spec, opened=True)
        return job_id

    def free_name(self, name: str) -> str:
        """Return the name, with a number behind it where a job has it already."""
        taken = {job.name for job in self._shown.jobs}
        count, free = 1, name
        while free in taken:
            count += 1
            free = f"{name} {count}"
        return free

    def delete_job(self, job_id: str) -> None:
        """Forget a job; its runs stay."""
        self._writing.put(f"job {job_id}", lambda: self._store.delete_job(job_id))
        self._shown.remove_job(job_id)

    def run(self, run_id: str) -> RunRow:
        """Return a run's row. Raises KeyError for an unknown id."""
        return self._rows[run_id]

    def has_run(self, run_id: str) -> bool:
        """Say whether a run is here."""
        return run_id in self._rows

    def label(self, run_id: str) -> LabelRow:
        """Return what a person noted about a run."""
        return self._labels.get(run_id, LabelRow(run_id))

    def label_runs(self, labels: Iterable[LabelRow]) -> None:
        """Show and keep what a person noted about runs; runs that are not here are passed over."""
        changed = [label for label in labels if label.key in self._rows]
        for label in changed:
            self._labels[label.key] = label
            self._writing.put(f"label {label.key}", functools.partial(self._store.save_label, label))
        self._shown.put_runs([self._entry(self._rows[label.key]) for label in changed])

    def adopt_runs(self, rows: Iterable[RunRow]) -> list[str]:
        """Show and keep runs that were started elsewhere; return the ids of those that were not here."""
        new = [row for row in rows if row.run_id not in self._rows]
        for row in new:
            self._rows[row.run_id] = self._saved[row.run_id] = row
            self._writing.put(f"run {row.run_id}", functools.partial(self._store.save_run, row))
        if new:
            self._shown.put_runs([self._entry(row) for row in new])
        return [row.run_id for row in new]

    def runs(self) -> list[RunRow]:
        """Return the rows of all runs, newest first."""
        return sorted(self._rows.values(), key=lambda row: -row.created_s)

    def unended(self) -> list[RunRow]:
        """Return the runs that were not over when they were last heard of."""
        return [row for row in self._rows.values() if row.state not in ENDED and not row.note]

    def show_run(self, row: RunRow) -> None:
        """Show what is known of a run without keeping it."""
        self._rows[row.run_id] = row
        self._shown.put_run(self._entry(row))

    def update_run(self, row: RunRow) -> None:
        """Show and keep what is new of a run."""
        if not _same(self._saved.get(row.run_id), row):
            self._writing.put(f"run {row.run_id}", lambda: self._store.save_run(row))
            self._saved[row.run_id] = row
        self.show_run(row)

    def delete_run(self, run_id: str) -> None:
        """Forget a run with its journal; what lies on the node stays."""
        self._writing.put(f"run {run_id}", lambda: self._store.delete_run(run_id))
        self._rows.pop(run_id, None)
        self._saved.pop(run_id, None)
        self._labels.pop(run_id, None)
        self._shown.remove_run(run_id)

    def _entry(self, row: RunRow) -> RunEntry:
        label = self._labels.get(row.run_id, _NO_LABEL)
        return RunEntry(
            row.run_id, row.name, row.node, row.state, row.step, row.total_steps, row.loss, row.created_s, row.ended_s,
            row.note, row.losses, row.job_id, row.best_held_out, row.tokens_per_s, label.heading, label.tags,
            label.remark, label.archived,
        )  # fmt: skip


def _same(known: RunRow | None, row: RunRow) -> bool:
    """Compare two rows with NaN equal to NaN."""
    if known is None:
        return False
    if math.isnan(known.loss) and math.isnan(row.loss):
        known = dataclasses.replace(known, loss=0.0)
        row = dataclasses.replace(row, loss=0.0)
    return known == row
