"""A row and where it stands, as every reader gives it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

LARGEST_ROW_BYTES = 32 << 20
"""A row over this is a problem and is passed over without being held: no model reads millions of tokens at once."""

MARK_ROWS = 64
"""A file's index holds the place of every so many rows."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its index over all sources, the file's name, its line (from 1; 0 where there are none), its fields.

    ``source`` is the number of its source; ``problem`` says why it could not be read, its fields are empty then.
    """

    index: int
    file: str
    line: int
    fields: dict[str, Any]
    source: int = 0
    problem: str = ""

    def where(self) -> str:
        """Return the place for an error's sentence; rows are counted from 1 as people do."""
        line = f" line {self.line}" if self.line else ""
        return f"{self.file}{line} (row {self.index + 1})"


class Entry(NamedTuple):
    """A row within its file, before it has its index.

    Attributes:
        line: the line it starts on, from 1; 0 where the file has none.
        fields: empty where the row cannot be read.
        problem: why it cannot, without the place; empty where it can.
        part: the list of a JSON file with several that it stands in.
    """

    line: int
    fields: dict[str, Any]
    problem: str = ""
    part: str = ""


class Mark(NamedTuple):
    """A place where a reader can start: byte (or batch) offset, lines before it, number of the part it lies in."""

    offset: int
    line: int = 0
    part: int = 0


class RowReader(Protocol):
    """The rows of one file from one mark on."""

    def entries(self) -> Generator[Entry, None, None]:
        """Yield the rows that follow."""

    def skip(self, count: int) -> int:
        """Pass over as many rows and return how many there were."""

    def mark(self) -> Mark | None:
        """Return the place of the next row, None where a reader cannot start there."""

    def close(self) -> None:
        """Let go of the file."""


class Block(NamedTuple):
    """What a scan has passed.

    Attributes:
        marks: int64 [n, 4]: row, offset, line, part of places to start at.
        rows: rows from the file's start to the end of this block.
        end: the place behind it.
        passed: the file's bytes up to there.
    """

    marks: NDArray[np.int64]
    rows: int
    end: Mark
    passed: int


class RowFormat(Protocol):
    """How the rows of one file are read."""

    start: Mark
    parts: list[str]

    def reader(self, mark: Mark) -> RowReader:
        """Open the file at a mark."""

    def release(self) -> None:
        """Let go of what is held between readings."""

    def scan(self, row: int, mark: Mark) -> Generator[Block, None, None]:
        """Yield the blocks behind a mark, whose row has the number ``row``, to the file's end."""


def walk(reader: RowReader, row: int) -> Generator[Block, None, None]:
    """Yield the blocks of a file whose rows can only be found by reading them."""
    marked, before = row, -1
    for number, _ in enumerate(reader.entries(), row + 1):
        mark = reader.mark()
        if mark is not None and (number - marked >= MARK_ROWS or mark.offset - before > 1 << 20):
            yield Block(np.array([[number, *mark]], dtype=np.int64), number, mark, mark.offset)
            marked, before = number, mark.offset
        row = number
    end = reader.mark() or Mark(0)
    yield Block(np.empty((0, 4), dtype=np.int64), row, end, end.offset)


def kind_of(value: object) -> str:
    """Return what a JSON value is, in words for an error."""
    words = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}
    return "null" if value is None else words.get(type(value), type(value).__name__)


class Notes:
    """What a reader of one file did that its owner should know: a sentence of each kind, with the first place."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._sentences: dict[str, str] = {}

    def add(self, kind: str, sentence: str, line: int = 0) -> None:
        """Keep a sentence that follows the file's name, unless one of its kind stands there already."""
        if kind not in self._sentences:
            place = f"{self._name} line {line}" if line else self._name
            self._sentences[kind] = f"{place} {sentence}"

    def sentences(self) -> dict[str, str]:
        """Return every sentence by its kind."""
        return dict(self._sentences)

    def restore(self, sentences: dict[str, str]) -> None:
        """Take back sentences that were kept with an index."""
        self._sentences = {**sentences, **self._sentences}
