"""Which rows are in some findings, for steps that leave those rows out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from remote_agent.contract.job_spec import JobSpec
from remote_agent.dataset.conversation import Example
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.encoding import BATCH_ROWS, EncodedRow, RowEncoder
from remote_agent.dataset.findings import KINDS, FindingsPass
from remote_agent.dataset.findings.kinds import CONVERSATION, TOKENS
from remote_agent.dataset.sources import Advance, Cancelled
from remote_agent.dataset.tokenizer_files import ModelTokenizer

Int64 = NDArray[np.int64]
_NO_TOKENS = np.zeros(0, dtype=np.int32)


def check_finding(kind: str) -> None:
    """Raise DataError where there is no finding of that name."""
    if kind and kind not in KINDS:
        raise DataError(
            f"There is no finding named {kind!r} whose rows could be dropped; there are {', '.join(KINDS)}."
        )


def is_of_one_row(kind: str) -> bool:
    """Return whether a row alone decides about it, so that leaving out other rows changes nothing."""
    return KINDS[kind].decided_by in (CONVERSATION, TOKENS)


def found_rows(
    job: JobSpec,
    model: ModelTokenizer,
    kinds: Collection[str],
    examples: Iterable[Example],
    trained: NDArray[np.bool_],
    progress: Advance,
    cancelled: Cancelled,
) -> dict[str, Int64]:
    """Return the rows of each kind of finding among the examples, in rising order.

    ``trained``: bool [rows], whether a row belongs to the training or to the held-out part.
    """
    looking = FindingsPass(job, model, kinds=kinds)
    for batch in _batches(job, model, kinds, examples, cancelled):
        looking.take(batch, ["train" if trained[row.row.index] else "held_out" for row in batch])
    found = {kind: np.zeros(0, dtype=np.int64) for kind in kinds}
    found.update((one.kind, one.rows) for one in looking.finish(progress, cancelled))
    return found


def _batches(
    job: JobSpec, model: ModelTokenizer, kinds: Collection[str], examples: Iterable[Example], cancelled: Cancelled
) -> Iterator[list[EncodedRow]]:
    if not all(KINDS[kind].decided_by == CONVERSATION for kind in kinds):
        yield from RowEncoder(model, job.data).encode(examples, strict=False, cancelled=cancelled)
        return
    # What the turns alone decide needs no token, which is most of the work.
    source = iter(examples)
    while chunk := list(islice(source, BATCH_ROWS)):
        yield [EncodedRow(one.row, one.conversation, "", _NO_TOKENS, _NO_TOKENS, (), one.problem) for one in chunk]
