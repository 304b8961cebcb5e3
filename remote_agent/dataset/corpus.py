"""All rows of a job: its sources one after the other, their steps applied, and the plan of what is trained."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from remote_agent.contract.data_report import StepReport
from remote_agent.contract.data_spec import all_sources
from remote_agent.contract.data_steps import DropStep, Step
from remote_agent.contract.job_spec import JobSpec
from remote_agent.dataset.augmented import AugmentedFile, AugmentedRow
from remote_agent.dataset.conversation import Example
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.made_rows import of_files, with_made
from remote_agent.dataset.planning import Plan, make_plan, preview_step
from remote_agent.dataset.readers import Row
from remote_agent.dataset.row_file import RowFile
from remote_agent.dataset.shapes import RowShape, row_shape
from remote_agent.dataset.sources import Advance, Cancelled, never, no_progress
from remote_agent.dataset.steps.finding_rows import check_finding
from remote_agent.dataset.steps.row_steps import RowStep, applied, applied_to, row_step
from remote_agent.dataset.tokenizer_files import ModelTokenizer

__all__ = ["Corpus", "CorpusSource", "DataPaths", "Plan"]

_FIRST_ROWS = 20
"""So many rows of a source show its shape."""


class DataPaths(NamedTuple):
    """Where the job's data lies: a path for each of ``all_sources(job.data)`` in order, and the held-out file."""

    data: tuple[Path, ...]
    held_out: Path | None = None


class CorpusSource(NamedTuple):
    """One source of rows and how they are read."""

    path: Path
    rows: RowFile
    shape: RowShape
    is_held_out: bool

    @property
    def first_row(self) -> int:
        """Return the index of its first row over all sources, known once all sources before it are indexed."""
        return self.rows.first_row


class Corpus:
    """The rows of a job's training sources one after the other, then those of the held-out file, then made ones.

    Attributes:
        job: whose data it is.
        model: the tokenizer that steps and findings count by.
        sources: in the order of their rows.
        row_steps: the steps that change rows one by one, by their number in the job.
    """

    def __init__(
        self,
        job: JobSpec,
        model: ModelTokenizer,
        paths: DataPaths,
        cache: Path | None = None,
        augmented: Path | None = None,
    ) -> None:
        """Open the files and look at their first rows.

        Args:
            job: which rows, steps and split.
            model: its tokenizer.
            paths: where the sources lie.
            cache: a folder that the files' indices are kept in.
            augmented: the file of rows that augment steps made; need not be there.

        Raises:
            DataError: a file is unreadable or empty, no shape fits, or a step cannot be done.
        """
        self.job = job
        self.model = model
        self._augmented_path = augmented
        self._augmented: AugmentedFile | None = None
        specs = all_sources(job.data)
        assert len(specs) == len(paths.data), (len(specs), len(paths.data))
        self.sources: tuple[CorpusSource, ...] = tuple(
            self._opened(number, path, cache)
            for number, path in enumerate([*paths.data, *([paths.held_out] if paths.held_out else [])])
        )
        self.row_steps: dict[int, RowStep] = {}
        for number, step in enumerate(job.data.steps):
            if isinstance(step, DropStep):
                check_finding(step.finding)
            change = row_step(step, model)
            if change is not None:
                self.row_steps[number] = change

    def _opened(self, number: int, path: Path, cache: Path | None) -> CorpusSource:
        specs = all_sources(self.job.data)
        is_held_out = number == len(specs)
        # A held-out file is read as the first source is, but whole.
        spec = specs[0 if is_held_out else number]
        rows = RowFile(path, cache, source=number, max_rows=0 if is_held_out else spec.max_rows)
        first = rows.rows(0, _FIRST_ROWS)
        if not first:
            raise DataError(f"{path.name}: there is no row in it; choose a file with rows.")
        return CorpusSource(path, rows, row_shape(first, spec, self.job.data), is_held_out)

    @property
    def complete(self) -> bool:
        """Return whether every source is indexed, so that the number of rows is exact."""
        return all(source.rows.complete for source in self.sources)

    def estimate(self) -> int:
        """Return the number of rows: exact once complete, before that from the sizes of the files."""
        return sum(source.rows.estimate() for source in self.sources)

    def index(self, progress: Advance = no_progress, cancelled: Cancelled = never) -> int:
        """Index every source, number their rows through, and return how many there are. Raises CancelledError."""
        total = 0
        for source in self.sources:
            source.rows.first_row = total
            total += source.rows.index(progress, cancelled)
        return total

    def rows_at(self, start: int, count: int) -> list[Example]:
        """Return the rows from an index on with the row-wise steps applied; fewer at the end.

        Rows of a later source are there once those before it are indexed, and those that steps made after all.
        """
        found = applied_to(self._raw_at(start, count), list(self.row_steps.values()))
        if len(found) < count and self.complete:
            found += self._made(start + len(found), count - len(found))
        return found

    def raw_at(self, indices: list[int]) -> list[Example]:
        """Return single rows as they are before any step."""
        return [one for index in indices for one in self._raw_at(index, 1)]

    def _raw_at(self, start: int, count: int) -> list[Example]:
        found: list[Example] = []
        first = 0
        for source in self.sources:
            source.rows.first_row = first
            local = start + len(found) - first
            if not source.rows.complete or local < source.rows.indexed:
                found += [source.shape.example(row) for row in source.rows.rows(local, count - len(found))]
            if not source.rows.complete or len(found) >= count:
                break
            first += source.rows.indexed
        return found

    def plan(self, progress: Advance = no_progress, cancelled: Cancelled = never, with_reports: bool = True) -> Plan:
        """Index everything and decide which rows are left out, trained how often, and held out.

        ``with_reports`` False spares the reading of all rows that only counts what steps change.

        Raises:
            DataError: a step cannot be done. CancelledError: somebody asked to stop.
        """
        self.index(progress, cancelled)
        plan = make_plan(self, progress, cancelled, with_reports)
        made = self.augmented()
        return plan if made is None else with_made(plan, made, self.job.data.steps)

    def preview(
        self, step: Step, plan: Plan, progress: Advance = no_progress, cancelled: Cancelled = never
    ) -> StepReport:
        """Return what a step would do behind those of the job. Raises as `plan`."""
        return preview_step(self, step, of_files(plan), progress, cancelled)

    def examples(self, plan: Plan | None = None, used_only: bool = False) -> Iterator[Example]:
        """Yield all rows in order, each once, with the row-wise steps applied, then the rows that steps made.

        With a plan only rows that no step left out; with ``used_only`` only rows that are trained or held out. Made
        rows are trained where their row is.
        """
        mask = None
        if plan is not None:
            mask = (plan.train > 0) | plan.held_out if used_only else plan.kept
        yield from applied(self.raw(mask), list(self.row_steps.values()))
        yield from self._made(mask=mask)

    def raw(self, mask: NDArray[np.bool_] | None = None) -> Iterator[Example]:
        """Yield all rows in order, or those of the mask, before any step."""
        for source in self.sources:
            for row in source.rows.iterate():
                if mask is None or mask[row.index]:
                    yield source.shape.example(row)

    def augmented(self) -> AugmentedFile | None:
        """Return the rows that steps made, None where there are none yet. Raises DataError, OSError."""
        if self._augmented is None and self._augmented_path is not None and self._augmented_path.is_file():
            self._augmented = AugmentedFile(self._augmented_path)
        return self._augmented

    def _made(
        self, start: int | None = None, count: int | None = None, mask: NDArray[np.bool_] | None = None
    ) -> Iterator[Example]:
        """Yield made rows by their indices, all without a start, or those of the mask; later steps applied."""
        file = self.augmented()
        if file is None:
            return
        first = sum(source.rows.indexed for source in self.sources)
        start = first if start is None else start
        for index, made in enumerate(file.rows(start - first, count), start):
            if mask is None or mask[index]:
                yield self._example(index, index - first + 1, made, file.name)

    def _example(self, index: int, number: int, made: AugmentedRow, name: str) -> Example:
        later = [change for place, change in self.row_steps.items() if place > made.step]
        row = Row(index, name, number, {})
        return applied_to([Example(row, made.conversation, origin=made.origin)], later)[0]
