"""Rows of CSV and TSV files; a row that is out of shape is told and the next one is read."""

from __future__ import annotations

import csv
from collections import Counter, deque
from collections.abc import Generator, Iterator
from typing import NamedTuple

from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.readers.byte_source import ByteSource
from remote_agent.dataset.readers.json_values import not_utf8
from remote_agent.dataset.readers.lines import TOO_LONG, Lines
from remote_agent.dataset.readers.rows import LARGEST_ROW_BYTES, Block, Entry, Mark, walk


class CsvFormat:
    """A table whose first line names its columns."""

    def __init__(self, source: ByteSource, ending: str) -> None:
        """Read the header. Raises DataError where it is none."""
        self._source = source
        records = _Records(source, Mark(source.text_start), _delimiter(source, ending))
        try:
            line, cells, problem = next(records.read(), (1, [], "there is no header in it"))
            if problem:
                raise DataError(f"{source.name} line {line}: {problem}.")
            self._check_header(cells)
            self.start = records.mark()
            self.parts: list[str] = []
        finally:
            records.close()
        self.header, self.delimiter = cells, records.delimiter

    def reader(self, mark: Mark) -> CsvReader:
        """Open the file at a mark."""
        return CsvReader(_Records(self._source, mark, self.delimiter), self.header)

    def release(self) -> None:
        """Hold nothing between readings."""

    def scan(self, row: int, mark: Mark) -> Generator[Block, None, None]:
        """Yield the blocks behind a mark."""
        reader = self.reader(mark)
        try:
            yield from walk(reader, row)
        finally:
            reader.close()

    def _check_header(self, header: list[str]) -> None:
        column, count = Counter(header).most_common(1)[0] if header else ("", 1)
        if count > 1:
            raise DataError(
                f"{self._source.name} line 1: the column {column!r} stands twice in the header; rename one."
            )


class CsvReader:
    """The rows of a table from one mark on."""

    def __init__(self, records: _Records, header: list[str]) -> None:
        self._records = records
        self._header = header

    def entries(self) -> Generator[Entry, None, None]:
        """Yield the rows that follow."""
        header = self._header
        columns = len(header)
        for line, cells, problem in self._records.read():
            if problem:
                yield Entry(line, {}, problem)
            elif len(cells) == columns or (len(cells) > columns and not any(cells[columns:])):
                yield Entry(line, dict(zip(header, cells, strict=False)))
            else:
                yield Entry(
                    line,
                    {},
                    f"{len(cells)} fields, but the header names {columns} columns. "
                    "Put quotes around a field that holds the separator or a line break",
                )

    def skip(self, count: int) -> int:
        """Pass over rows."""
        passed = 0
        records = self._records.read()
        while passed < count and next(records, None) is not None:
            passed += 1
        return passed

    def mark(self) -> Mark:
        """Return the place of the next row."""
        return self._records.mark()

    def close(self) -> None:
        """Close the file."""
        self._records.close()


class _TooLongError(Exception):
    """A record is larger than a row may be."""


class _Line(NamedTuple):
    raw: bytes
    size: int
    is_too_long: bool


class _Records:
    """Records of a table, each with the line it starts on; it feeds the csv module line by line.

    A record that breaks the rules of quoting is given up after its first line, and reading goes on with the next: an
    open quote does not swallow the rest of the file. A quote that opens within what was swallowed would have closed
    it, so that no line is read more than twice.
    """

    def __init__(self, source: ByteSource, mark: Mark, delimiter: str) -> None:
        csv.field_size_limit(LARGEST_ROW_BYTES)
        self.delimiter = delimiter
        self._source = source
        self._lines = Lines(source, mark)
        self._again: deque[_Line] = deque()
        self._again_bytes = 0
        self._held: list[_Line] = []
        self._held_bytes = 0
        self._mark = mark
        self._damage = ""
        self._is_at_end = False

    def read(self) -> Iterator[tuple[int, list[str], str]]:
        """Yield line, cells and problem of every record that is not blank."""
        reader = self._reader()
        while True:
            self._held, self._held_bytes, self._damage = [], 0, ""
            problem = ""
            line = self._mark.line + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except (_TooLongError, csv.Error) as error:
                cells, problem = [], _quoting_problem(error)
                self._give_back()
                reader = self._reader()
            self._mark = Mark(self._lines.offset - self._again_bytes, self._lines.line - len(self._again))
            if problem and self._is_at_end and self._source.ended_early and not self._again:
                return
            if cells or problem:
                yield line, cells, problem or self._damage

    def mark(self) -> Mark:
        """Return the place behind the last record given."""
        return self._mark

    def close(self) -> None:
        """Close the file."""
        self._lines.close()

    def _reader(self) -> Iterator[list[str]]:
        return csv.reader(self._feed(), delimiter=self.delimiter, strict=True)

    def _feed(self) -> Iterator[str]:
        while line := self._next():
            self._held.append(line)
            self._held_bytes += len(line.raw)
            if line.is_too_long or self._held_bytes > LARGEST_ROW_BYTES:
                raise _TooLongError
            try:
                yield line.raw.decode("utf-8")
            except UnicodeDecodeError as error:
                self._damage = self._damage or not_utf8(line.raw, error)
                yield line.raw.decode("utf-8", "replace")

    def _next(self) -> _Line | None:
        if self._again:
            line = self._again.popleft()
            self._again_bytes -= line.size
            return line
        raw = self._lines.next()
        self._is_at_end = not raw
        return _Line(raw, self._lines.size, self._lines.is_too_long) if raw else None

    def _give_back(self) -> None:
        """Let all but the first line of a record be read again."""
        again = self._held[1:]
        self._again.extendleft(reversed(again))
        self._again_bytes += sum(line.size for line in again)


def _quoting_problem(error: Exception) -> str:
    if isinstance(error, _TooLongError):
        return TOO_LONG
    reason = "a quote is opened and never closed" if "unexpected end" in str(error) else str(error)
    return f"not valid CSV ({reason}); a quote is open or doubled in the row that starts here"


def _delimiter(source: ByteSource, ending: str) -> str:
    if ending == ".tsv":
        return "\t"
    first_line = source.sample()[source.text_start :].lstrip(b"\r\n").partition(b"\n")[0].decode("utf-8", "replace")
    return max(",;\t|", key=first_line.count) if "," not in first_line else ","
