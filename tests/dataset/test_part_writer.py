"""An array that grows on disk is the array that numpy loads, mapped or not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from remote_agent.dataset.encoding import EncodedRow
from remote_agent.dataset.part_writer import GrowingArray, PartWriter
from remote_agent.dataset.prepared import Part
from remote_agent.dataset.readers import Row


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


def encoded(index: int, tokens: int, pieces: tuple[tuple[int, int], ...], weight: float | None = None) -> EncodedRow:
    ids = np.arange(tokens, dtype=np.int32) + 100 * index
    weights = None if weight is None else np.full(tokens, weight, dtype=np.float32)
    return EncodedRow(Row(index, "f", 1, {}), None, "", ids, ids, pieces, weights=weights)


def test_that_rows_are_written_as_often_as_asked_and_pieces_apart(tmp_path: Path) -> None:
    writer = PartWriter(tmp_path, "train")
    writer.add([encoded(1, 3, ((0, 3),)), encoded(2, 9, ((0, 4), (5, 9)))], [2, 1])
    writer.add([encoded(3, 2, ()), encoded(4, 2, ((0, 2),))], [5, 0])
    writer.add([encoded(5, 2, ((0, 1),))])
    writer.finish(packing=False, max_length=9)
    assert (writer.rows, writer.documents, writer.tokens, writer.sequences) == (4, 5, 15, 5)
    part = Part(tmp_path, "train")
    assert [part.sequence(number).ids.tolist() for number in range(5)] == [
        [100, 101, 102], [100, 101, 102], [200, 201, 202, 203], [205, 206, 207, 208], [500],
    ]  # fmt: skip
    assert part.row_ids.tolist() == [1, 1, 2, 2, 5]
    assert part.sequence(0).weights is None


def test_that_a_weight_that_comes_late_leaves_earlier_tokens_at_one(tmp_path: Path) -> None:
    writer = PartWriter(tmp_path, "train")
    for index, weight in enumerate((None, None, 0.25, None)):
        writer.add([encoded(index, 3, ((0, 2),), weight)], [2])
    writer.finish(packing=True, max_length=4)
    part = Part(tmp_path, "train")
    for number in range(len(part)):
        sequence = part.sequence(number)
        assert sequence.weights is not None
        expected = [0.25 if token // 100 == 2 else 1.0 for token in sequence.ids.tolist()]
        assert sequence.weights.tolist() == expected
