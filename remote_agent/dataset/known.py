"""What is known of a job's rows so far: where they come from, which are trained, their numbers, what was found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from remote_agent.contract.job_spec import JobSpec
from remote_agent.dataset.conversation import Shape
from remote_agent.dataset.corpus import CorpusSource, Plan
from remote_agent.dataset.documents import LengthCounts, counts_at, document_chunks
from remote_agent.dataset.findings import Found
from remote_agent.dataset.length_findings import at_length
from remote_agent.dataset.planning import remixed
from remote_agent.dataset.row_arrays import NO_ROWS, RowArrays

_FIRST_ROWS = 20


class SourceFacts(NamedTuple):
    """What the report says of a training source; its number of rows is an estimate until it is indexed."""

    path: str
    rows: int
    first_row: int
    shape: Shape
    columns: tuple[str, ...]
    notes: tuple[str, ...]


def facts_of(sources: Sequence[CorpusSource]) -> tuple[SourceFacts, ...]:
    """Return what the report says of the training sources. Raises DataError where a file changed."""
    facts: list[SourceFacts] = []
    first = 0
    for source in sources:
        if not source.is_held_out:
            rows = source.rows.estimate()
            columns = tuple(dict.fromkeys(name for row in source.rows.rows(0, _FIRST_ROWS) for name in row.fields))
            facts.append(SourceFacts(str(source.path), rows, first, source.shape.shape, columns, source.rows.notes))
            first += rows
    return tuple(facts)


class Known(NamedTuple):
    """What is known of the rows so far.

    Attributes:
        sources: where the training rows come from.
        plan: which of them are trained; None while that is not decided.
        arrays: the numbers of the rows that were read.
        found: findings of the rows that no step left out, without a length.
        content_hash: of the training data, empty where it is not known yet.
        complete: nothing is missing.
    """

    sources: Sequence[SourceFacts]
    plan: Plan | None = None
    arrays: RowArrays = NO_ROWS
    found: tuple[Found, ...] = ()
    content_hash: str = ""
    complete: bool = False

    @property
    def rows(self) -> int:
        """Return the number of training rows."""
        return sum(source.rows for source in self.sources)

    @property
    def train(self) -> NDArray[np.int32] | None:
        """Return int32 [rows read], how often each row is trained; None while that is not decided."""
        return None if self.plan is None else self.plan.train[: self.arrays.rows]

    @property
    def held_out(self) -> NDArray[np.bool_] | None:
        """Return bool [rows read], which rows are held out; None while that is not decided."""
        return None if self.plan is None else self.plan.held_out[: self.arrays.rows]

    def mixed_at(self, job: JobSpec) -> Known:
        """Return the same with the sources' shares made up of the rows that are trained at the job's length.

        As long as rows are still being read the shares are of all rows, whatever their length.
        """
        plan = self.plan
        if plan is None or plan.before is None or self.arrays.rows < len(plan.before):
            return self
        is_used = np.zeros(self.arrays.rows, dtype=np.bool_)
        for found in document_chunks(self.arrays, job.data):
            is_used[found.rows] = True
        # a row that cannot be read stops the preparation where it is trained; it does not leave quietly
        is_used |= ~self.arrays.usable
        parts = [slice(source.first_row, source.first_row + source.rows) for source in self.sources]
        return self._replace(plan=remixed(plan, is_used, parts, job.data, job.seed))

    def counts_at(self, job: JobSpec) -> LengthCounts:
        """Return what the rows come to at the job's length."""
        return counts_at(self.arrays, job.data, self.train, self.held_out)

    def findings_at(self, job: JobSpec, is_used: NDArray[np.bool_] | None = None) -> tuple[Found, ...]:
        """Return the findings at the job's length; ``is_used`` as `LengthCounts` has it, where that is known."""
        if self.plan is None:
            return ()
        used = self.counts_at(job).is_used if is_used is None else is_used
        return at_length(self.found, self.arrays, self.plan.kept[: self.arrays.rows], used, job.data)
