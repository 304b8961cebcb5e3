"""Rows of plain text: a document a line, a document between blank lines, or the whole file, as its owner wrote it.

A ``.md`` file is one document. A ``.txt`` file that has a blank line among its first lines holds documents with blank
lines between them; any other holds a document on each line. A document keeps its own line ends and indentation.
"""

from __future__ import annotations

from collections.abc import Generator

from remote_agent.dataset.readers.byte_source import ByteSource
from remote_agent.dataset.readers.json_values import not_utf8
from remote_agent.dataset.readers.lines import TOO_LONG, Lines, is_blank, scan_lines
from remote_agent.dataset.readers.rows import LARGEST_ROW_BYTES, Block, Entry, Mark, walk

BY_LINE, BY_BLANK_LINE, WHOLE = "line", "blank line", "file"


class TextFormat:
    """A file of plain text."""

    def __init__(self, source: ByteSource, ending: str) -> None:
        self._source = source
        self.start = Mark(source.text_start)
        self.parts: list[str] = []
        self._documents = WHOLE if ending == ".md" else _documents_of(source.sample()[source.text_start :])
        if self._documents == BY_BLANK_LINE:
            source.notes.add("documents", "holds blank lines: each block of lines between them is one row")
        elif self._documents == BY_LINE:
            source.notes.add("documents", "holds no blank lines: each line is one row")
        else:
            source.notes.add("documents", "is one row")

    def reader(self, mark: Mark) -> TextReader:
        """Open the file at a mark."""
        return TextReader(self._source, mark, self._documents)

    def release(self) -> None:
        """Hold nothing between readings."""

    def scan(self, row: int, mark: Mark) -> Generator[Block, None, None]:
        """Yield the blocks behind a mark."""
        if self._documents == BY_LINE:
            yield from scan_lines(self._source, row, mark)
            return
        reader = self.reader(mark)
        try:
            yield from walk(reader, row)
        finally:
            reader.close()


class TextReader:
    """The documents of a text file from one mark on."""

    def __init__(self, source: ByteSource, mark: Mark, documents: str) -> None:
        self._lines = Lines(source, mark)
        self._documents = documents
        self._mark = mark

    def entries(self) -> Generator[Entry, None, None]:
        """Yield the rows that follow."""
        lines = self._lines
        while raw := lines.next():
            if lines.is_too_long:
                yield self._found(Entry(lines.line, {}, TOO_LONG))
            elif self._documents == WHOLE or not is_blank(raw):
                yield self._found(self._document(raw, lines.line))

    def skip(self, count: int) -> int:
        """Pass over rows."""
        passed = 0
        while passed < count and next(self.entries(), None) is not None:
            passed += 1
        return passed

    def mark(self) -> Mark:
        """Return the place of the next row."""
        return self._mark

    def close(self) -> None:
        """Close the file."""
        self._lines.close()

    def _found(self, entry: Entry) -> Entry:
        self._mark = self._lines.mark()
        return entry

    def _document(self, raw: bytes, line: int) -> Entry:
        pieces, size = [raw], len(raw)
        if self._documents != BY_LINE:
            while (more := self._lines.next()) and (self._documents == WHOLE or not is_blank(more)):
                size += len(more)
                if not self._lines.is_too_long and size <= LARGEST_ROW_BYTES:
                    pieces.append(more)
                else:
                    size = LARGEST_ROW_BYTES + 1
        if size > LARGEST_ROW_BYTES:
            return Entry(line, {}, TOO_LONG)
        raw = b"".join(pieces)
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            return Entry(line, {}, not_utf8(raw, error))
        return Entry(line, {"text": text.removesuffix("\n").removesuffix("\r")})


def _documents_of(sample: bytes) -> str:
    lines = sample.strip().split(b"\n")
    return BY_BLANK_LINE if any(not line.strip() for line in lines) else BY_LINE
