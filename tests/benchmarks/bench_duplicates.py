"""How long equal and nearly equal rows take to find among many short ones, against the two libraries' work alone."""

from __future__ import annotations

import hashlib
import os
import random
import resource
import sys
import time
from collections.abc import Iterator

import numpy as np
import pytest

from remote_agent.contract.job_spec import DataSpec, JobSpec
from remote_agent.dataset.conversation import Conversation, Turn
from remote_agent.dataset.encoding import EncodedRow
from remote_agent.dataset.findings.row_batch import RowBatch
from remote_agent.dataset.findings.set_checks import AlikeChecks
from remote_agent.dataset.readers import Row

ROWS_VARIABLE = "LUTHIER_DUPLICATE_ROWS"
GOAL_S = 180.0
_BATCH = 512
_WORDS = [f"{one}{two}{three}" for one in "bdfgklmn" for two in "aeiou" for three in ("r", "st", "nd", "l", "ck", "m")]


@pytest.mark.benchmark
def test_that_duplicates_among_many_short_rows_are_found_in_time() -> None:
    rows = int(os.environ.get(ROWS_VARIABLE, "1000000"))
    checks = AlikeChecks(JobSpec(data=DataSpec()), AlikeChecks.kinds)
    taking = hashing = sketching = 0.0
    planted: set[tuple[int, int]] = set()
    copies = 0
    for batch, near, equal in _batches(rows):
        planted |= near
        copies += equal
        laid_out = RowBatch(batch, ["train"] * len(batch))
        began = time.perf_counter()
        checks.take(laid_out)
        taking += time.perf_counter() - began
        hashing += _exact_hashing(laid_out.texts)
        sketching += _bare_rensa(laid_out.texts)
    began = time.perf_counter()
    found = {one.kind: one for one in checks.found()}
    comparing = time.perf_counter() - began
    reported = set(found["near_duplicate"].rows.tolist())
    named = {other for _, other in planted}
    recall = len(reported & named) / len(named)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << (20 if sys.platform == "darwin" else 10))
    print(
        f"\nEqual and like rows among {rows:,}: {taking + comparing:.1f} s "
        f"(goal {GOAL_S:g} s for a million on 2 cores), {taking:.1f} s taking in and {comparing:.1f} s comparing; "
        f"exact hashing alone {hashing:.1f} s, rensa's digests of word sets alone {sketching:.1f} s; "
        f"{recall:.2%} of {len(planted):,} planted near-duplicates found and {len(reported - named):,} others, "
        f"{found['duplicate'].count:,} of {copies:,} copies; memory {memory:,.0f} MiB"
    )
    assert found["duplicate"].count == copies
    assert recall > 0.99


def _batches(rows: int) -> Iterator[tuple[list[EncodedRow], set[tuple[int, int]], int]]:
    """Yield rows of 12 to 40 words; 1 % are copies of an earlier row, 2 % have one word changed at their end."""
    numbers = random.Random(11)
    ids = np.zeros(1, dtype=np.int32)
    earlier: list[tuple[int, list[str]]] = []
    for start in range(0, rows, _BATCH):
        batch, near, equal = [], set(), 0
        for index in range(start, min(start + _BATCH, rows)):
            draw = numbers.random()
            if draw < 0.03 and earlier:
                first, words = numbers.choice(earlier)
                if draw < 0.01:
                    equal += 1
                else:
                    words = [*words[:-1], f"other{index}"]
                    near.add((first, index))
            else:
                words = numbers.choices(_WORDS, k=numbers.randint(12, 40))
                if draw > 0.9:
                    earlier.append((index, words))
            turns = (Turn("user", " ".join(words[:8])), Turn("assistant", " ".join(words[8:])))
            row = Row(index, "rows.jsonl", index + 1, {})
            batch.append(EncodedRow(row, Conversation(turns), "", ids, ids, ((0, 1),)))
        yield batch, near, equal


def _exact_hashing(texts: list[str]) -> float:
    began = time.perf_counter()
    for text in texts:
        hashlib.blake2b(text.encode(), digest_size=8).digest()
    return time.perf_counter() - began


def _bare_rensa(texts: list[str]) -> float:
    from rensa import RMinHash

    began = time.perf_counter()
    RMinHash.digest_matrix_from_token_sets([text.split() for text in texts], num_perm=128, seed=42)
    return time.perf_counter() - began
