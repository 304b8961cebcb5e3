"""Which sequence a row is trained in, and beside which others, as `prepare` packs them."""

from __future__ import annotations

import numpy as np

from remote_agent.contract.data_report import PackedRow
from remote_agent.contract.job_spec import JobSpec
from remote_agent.dataset.corpus import Plan
from remote_agent.dataset.documents import documents
from remote_agent.dataset.packing import one_row_each, pack
from remote_agent.dataset.row_arrays import RowArrays


class PackedRows:
    """The sequences of the training part."""

    def __init__(self, arrays: RowArrays, plan: Plan, job: JobSpec) -> None:
        """Pack what a pass over the data trains, at the job's length; about 16 bytes a row stay."""
        used = documents(arrays, job.data).of(plan.train)
        self._rows, self._tokens = used.rows, used.tokens
        packed = pack(used.tokens, job.data.max_length) if job.data.packing else one_row_each(len(used.tokens))
        self._starts, self._members = packed.starts.astype(np.int32), packed.rows.astype(np.int32)
        self._sequence_of = np.empty(len(self._members), dtype=np.int32)
        self._sequence_of[self._members] = np.repeat(np.arange(packed.sequences, dtype=np.int32), np.diff(self._starts))

    def of(self, row: int) -> tuple[int, tuple[PackedRow, ...]]:
        """Return the number of the sequence that a row is trained in first, -1 where it is not, and all rows of it."""
        document = int(np.searchsorted(self._rows, row))
        if document == len(self._rows) or int(self._rows[document]) != row:
            return -1, ()
        sequence = int(self._sequence_of[document])
        members = self._members[int(self._starts[sequence]) : int(self._starts[sequence + 1])]
        tokens = self._tokens[members].tolist()
        starts = np.cumsum([0, *tokens]).tolist()
        packed = zip(self._rows[members].tolist(), starts, tokens, strict=False)
        return sequence, tuple(PackedRow(*one) for one in packed)
