"""Rows of JSONL files: one JSON object a line."""

from __future__ import annotations

from collections.abc import Generator

from remote_agent.dataset.readers.byte_source import ByteSource
from remote_agent.dataset.readers.json_values import JsonValues
from remote_agent.dataset.readers.lines import TOO_LONG, Lines, is_blank, scan_lines
from remote_agent.dataset.readers.rows import Block, Entry, Mark


class JsonLinesFormat:
    """A file whose rows are its lines that are not blank."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self.start = Mark(source.text_start)
        self.parts: list[str] = []

    def reader(self, mark: Mark) -> JsonLinesReader:
        """Open the file at a mark."""
        return JsonLinesReader(self._source, mark)

    def release(self) -> None:
        """Hold nothing between readings."""

    def scan(self, row: int, mark: Mark) -> Generator[Block, None, None]:
        """Yield the blocks behind a mark; only line ends are looked for."""
        return scan_lines(self._source, row, mark)


class JsonLinesReader:
    """The rows of a JSONL file from one mark on."""

    def __init__(self, source: ByteSource, mark: Mark) -> None:
        self._lines = Lines(source, mark)
        self._values = JsonValues(source.notes)

    def entries(self) -> Generator[Entry, None, None]:
        """Yield the rows that follow."""
        lines = self._lines
        while raw := lines.next():
            if lines.is_too_long:
                yield Entry(lines.line, {}, TOO_LONG)
            elif not is_blank(raw):
                yield self._values.entry_of_line(raw.strip(), lines.line)

    def skip(self, count: int) -> int:
        """Pass over rows without decoding them."""
        passed = 0
        while passed < count and (raw := self._lines.next()):
            passed += self._lines.is_too_long or not is_blank(raw)
        return passed

    def mark(self) -> Mark:
        """Return the place of the next row."""
        return self._lines.mark()

    def close(self) -> None:
        """Close the file."""
        self._lines.close()
