"""Rows of Arrow files, streamed (as `save_to_disk` of datasets writes them) or with a footer."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

import numpy as np

from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.readers.batches import BatchReader, arrow_input, damage_errors, reason_of, sliced, unlike_json
from remote_agent.dataset.readers.byte_source import ByteSource
from remote_agent.dataset.readers.rows import Block, Mark

_END = -1
"""The place behind a damaged end."""


class ArrowFormat:
    """An Arrow file, streamed (as `save_to_disk` writes it) or with a footer."""

    def __init__(self, source: ByteSource) -> None:
        """Read the schema. Raises DataError where it is damaged."""
        import pyarrow

        self._source = source
        self.start = Mark(0)
        self.parts: list[str] = []
        self._passed = 0
        self._has_footer = source.magic.startswith(b"ARROW1")
        damaged = damage_errors()
        try:
            with arrow_input(source) as raw:
                opened = pyarrow.ipc.open_file(raw) if self._has_footer else pyarrow.ipc.open_stream(raw)
                self._schema = opened.schema
                self._unlike_json = unlike_json(self._schema)
        except damaged as error:
            raise DataError(
                f"{source.name}: not a whole Arrow file ({reason_of(error)}). Copy or download it again."
            ) from None
        # A batch of a stream can be read by itself unless its values stand in dictionaries sent before.
        self._by_offset = not self._has_footer and source.is_plain and "dictionary<" not in str(self._schema)

    def reader(self, mark: Mark) -> BatchReader:
        """Open the file at a batch."""
        return BatchReader(sliced(self._batches(mark.offset)), self._unlike_json)

    def release(self) -> None:
        """Hold nothing between readings."""

    def scan(self, row: int, mark: Mark) -> Generator[Block, None, None]:
        """Yield a block for every batch."""
        at = mark.offset
        for batch, end in self._batches(mark.offset):
            rows = 1 if isinstance(batch, str) else batch.num_rows
            yield Block(np.array([[row, at, 0, 0]], np.int64), row + rows, end, self._passed)
            row, at = row + rows, end.offset

    def _batches(self, first: int) -> Iterator[tuple[Any, Mark]]:
        """Yield each batch, and the place behind it, from a place on; a damaged end as a sentence."""
        damaged = damage_errors()
        if first == _END:
            return
        try:
            with arrow_input(self._source) as raw:
                found = self._numbered(raw, first) if not self._by_offset else self._at_offsets(raw, first)
                yield from found
        except damaged as error:
            yield f"the file is damaged from here on ({reason_of(error)}). Copy or download it again", Mark(_END)

    def _numbered(self, raw: Any, first: int) -> Iterator[tuple[Any, Mark]]:
        import pyarrow

        if self._has_footer:
            opened = pyarrow.ipc.open_file(raw)
            for number in range(first, opened.num_record_batches):
                self._passed = self._source.stamp.size * (number + 1) // opened.num_record_batches
                yield opened.get_batch(number), Mark(number + 1)
            return
        for number, batch in enumerate(pyarrow.ipc.open_stream(raw)):
            if number >= first:
                self._passed = raw.tell()
                yield batch, Mark(number + 1)

    def _at_offsets(self, raw: Any, first: int) -> Iterator[tuple[Any, Mark]]:
        import pyarrow

        if first:
            raw.seek(first)
        else:
            pyarrow.ipc.open_stream(raw)
        while True:
            try:
                message = pyarrow.ipc.read_message(raw)
            except EOFError:
                return
            batch = pyarrow.ipc.read_record_batch(message, self._schema)
            self._passed = raw.tell()
            yield batch, Mark(self._passed)
