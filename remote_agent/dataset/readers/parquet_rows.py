"""Rows of Parquet files: the footer knows how many there are and in which row group."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

import numpy as np

from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.readers.batches import (
    BatchReader,
    arrow_input,
    batch_rows,
    damage_errors,
    reason_of,
    unlike_json,
)
from remote_agent.dataset.readers.byte_source import ByteSource
from remote_agent.dataset.readers.rows import Block, Mark

_HELD_GROUP_BYTES = 64 << 20


class ParquetFormat:
    """A Parquet file: its footer knows how many rows there are and where."""

    def __init__(self, source: ByteSource) -> None:
        """Read the footer. Raises DataError where it is damaged."""
        import pyarrow
        import pyarrow.parquet

        self._source = source
        self.start = Mark(0)
        self.parts: list[str] = []
        damaged = damage_errors()
        try:
            with arrow_input(source) as raw, pyarrow.parquet.ParquetFile(raw) as file:
                self._metadata: Any = file.metadata
                self._decoded = unlike_json(file.schema_arrow)
        except damaged as error:
            raise DataError(
                f"{source.name}: not a whole Parquet file ({reason_of(error)}). "
                "Copy or download it again, or save it as JSONL."
            ) from None
        groups = [self._metadata.row_group(number) for number in range(self._metadata.num_row_groups)]
        self._group_rows = [group.num_rows for group in groups]
        self._group_bytes = [group.total_byte_size for group in groups]
        self._held: tuple[int, Any] = (-1, None)

    def reader(self, mark: Mark) -> BatchReader:
        """Open the file at a row group."""
        return BatchReader(((batch, None) for batch in self._batches(mark.offset)), self._decoded)

    def release(self) -> None:
        """Let go of the row group that was read last."""
        self._held = (-1, None)

    def scan(self, row: int, mark: Mark) -> Generator[Block, None, None]:
        """Yield one block with a mark for every row group."""
        starts = row + np.cumsum([0, *self._group_rows[mark.offset :]])
        groups = len(self._group_rows) - mark.offset
        marks = np.zeros((groups, 4), np.int64)
        marks[:, 0], marks[:, 1] = starts[:-1], np.arange(mark.offset, len(self._group_rows))
        yield Block(marks, int(starts[-1]), Mark(len(self._group_rows)), self._source.stamp.size)

    def _batches(self, first: int) -> Iterator[Any]:
        damaged = damage_errors()
        for group in range(first, len(self._group_rows)):
            done = 0
            try:
                for batch in self._batches_of(group):
                    done += len(batch)
                    yield batch
            except damaged as error:
                problem = f"row group {group + 1} is damaged ({reason_of(error)}). Copy or download the file again"
                yield from (problem for _ in range(self._group_rows[group] - done))

    def _batches_of(self, group: int) -> Iterator[Any]:
        import pyarrow.parquet

        rows, size = max(1, self._group_rows[group]), self._group_bytes[group]
        most = batch_rows(rows, size, self._metadata.num_columns)
        if self._held[0] == group:
            yield from self._held[1].to_batches(max_chunksize=most)
            return
        with arrow_input(self._source) as raw, pyarrow.parquet.ParquetFile(raw, metadata=self._metadata) as file:
            if size <= _HELD_GROUP_BYTES and len(self._group_rows) > 1:
                self._held = (group, file.read_row_group(group, use_threads=False))
                yield from self._held[1].to_batches(max_chunksize=most)
            else:
                yield from file.iter_batches(batch_size=most, row_groups=[group], use_threads=False)
