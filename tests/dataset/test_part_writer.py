"""An array that grows on disk is the array that numpy loads, mapped or not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from remote_agent.dataset.part_writer import GrowingArray, PartWriter
from remote_agent.dataset.prepared import Part


@pytest.mark.parametrize("sizes", [[], [0], [3], [1, 0, 5, 1000]])
def test_that_a_growing_array_loads_as_what_was_appended(tmp_path: Path, sizes: list[int]) -> None:
    pieces = [np.arange(size, dtype=np.int32) - 2 for size in sizes]
    array = GrowingArray(tmp_path / "a.npy")
    for piece in pieces:
        array.append(piece)
    array.finish()
    expected = np.concatenate([np.array([], dtype=np.int32), *pieces])
    for mode in (None, "r"):
        found = np.load(tmp_path / "a.npy", mmap_mode=mode, allow_pickle=False)
        assert found.dtype == np.int32
        assert (found == expected).all() and found.shape == expected.shape
        assert not found.size or (tmp_path / "a.npy").stat().st_size == 128 + 4 * expected.size


def test_that_a_part_without_rows_is_an_empty_part(tmp_path: Path) -> None:
    writer = PartWriter(tmp_path, "held_out")
    writer.add([])
    writer.finish(packing=True, max_length=16)
    part = Part(tmp_path, "held_out")
    assert (len(part), part.rows, part.tokens) == (0, 0, 0)
