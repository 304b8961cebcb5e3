"""How long packing a million rows takes and what it wastes, in turns with TRL's packer on the same lengths."""

from __future__ import annotations

import statistics
import time

import numpy as np
import pyarrow as pa
import pytest
from trl.data_utils import _pack_bfd

from remote_agent.contract.job_spec import DataSpec, JobSpec
from remote_agent.dataset.corpus import Corpus, DataPaths
from remote_agent.dataset.encoding import RowEncoder
from remote_agent.dataset.packing import Packed, pack
from remote_agent.dataset.tokenizer_files import load_tokenizer
from tests.support.real_model import real_inputs
from tests.support.samples import sample

ROWS = 1_000_000
LENGTH = 2048
TURNS = 2
GOAL_S, GOAL_WASTE = 2.0, 0.02

Lengths = np.ndarray[tuple[int], np.dtype[np.int64]]


def alpaca_lengths() -> Lengths:
    """Return a million lengths drawn from those of real alpaca rows under the real tokenizer."""
    model = load_tokenizer(real_inputs().model)
    job = JobSpec(data=DataSpec(max_length=LENGTH))
    corpus = Corpus(job, model, DataPaths((sample("alpaca_en_demo.json"),)))
    batches = RowEncoder(model, job.data).encode(corpus.examples(), strict=True)
    lengths = np.array([row.kept for batch in batches for row in batch], dtype=np.int64)
    return np.random.default_rng(17).choice(lengths, ROWS)


def trl_sequences(rows: pa.Table) -> int:
    """Pack as TRL does."""
    return len(_pack_bfd(rows, LENGTH))


def waste(lengths: Lengths, sequences: int) -> float:
    """Return the share of the sequences' room that no token fills."""
    return 1 - int(lengths.sum()) / (sequences * LENGTH)


@pytest.mark.benchmark
def test_that_a_million_rows_are_packed_no_slower_and_no_looser_than_trl_packs_them() -> None:
    lengths = alpaca_lengths()
    # TRL moves the tokens as well: at a byte each that takes a small part of its time.
    starts = pa.array(np.append(0, np.cumsum(lengths)), type=pa.int64())
    values = pa.array(np.zeros(int(lengths.sum()), dtype=np.int8), type=pa.int8())
    rows = pa.table({"ids": pa.LargeListArray.from_arrays(starts, values)})
    ours, theirs, packed, sequences = [], [], Packed(lengths, lengths), 0
    for _ in range(TURNS):
        began = time.perf_counter()
        packed = pack(lengths, LENGTH)
        ours.append(time.perf_counter() - began)
        began = time.perf_counter()
        sequences = trl_sequences(rows)
        theirs.append(time.perf_counter() - began)
    assert np.array_equal(np.sort(packed.rows), np.arange(ROWS))
    print(
        f"\npacking {ROWS:,} rows of alpaca's lengths (mean {lengths.mean():.0f}) into {LENGTH:,} tokens: "
        f"{statistics.median(ours):.2f} s (goal {GOAL_S:g} s), {packed.sequences:,} sequences, "
        f"{waste(lengths, packed.sequences):.3%} waste (goal {GOAL_WASTE:.0%})"
        f"\n  TRL's best-fit decreasing: {statistics.median(theirs):.2f} s, {sequences:,} sequences, "
        f"{waste(lengths, sequences):.3%} waste; {statistics.median(theirs) / statistics.median(ours):.1f} x ours"
    )
