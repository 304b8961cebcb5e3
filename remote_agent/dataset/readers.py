"""Rows from JSON, JSONL, CSV and Parquet files, one at a time, each with the place it came from."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from remote_agent.dataset.data_error import DataError

_CHUNK_BYTES = 1 << 20
_LARGEST_ROW = 1 << 26
_PARQUET_BATCH = 512
_DECODER = json.JSONDecoder()


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


Located = tuple[int, dict[str, Any]]
"""A row's line and fields, before it has its index."""


def read_file(path: Path, name: str) -> Iterator[Located]:
    """Yield line and fields of every row of one file; ``name`` stands for it in errors.

    Raises:
        DataError: the file is of no known kind, cut off, not UTF-8, or a row is no record.
    """
    return READERS[path.suffix.lower()](path, name)


def kind_of(value: object) -> str:
    """Return what a JSON value is, in words for an error."""
    words = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}
    return "null" if value is None else words.get(type(value), type(value).__name__)


def _read_jsonl(path: Path, name: str) -> Iterator[Located]:
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            text = _decoded(raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw, name, number).strip()
            if not text:
                continue
            try:
                value = json.loads(text)
            except (ValueError, RecursionError) as error:
                raise DataError(
                    f"{name} line {number}: not valid JSON ({_json_reason(error)}). "
                    "A JSONL file holds one whole JSON object a line; mend or delete the line."
                ) from None
            yield number, _record(value, name, number)


def _read_json(path: Path, name: str) -> Iterator[Located]:
    with path.open("rb") as file:
        stream = _JsonStream(file, name)
        first = stream.peek()
        if first == "{":
            yield from _read_objects(stream, name)
            return
        if not first:
            raise DataError(f"{name}: the file is empty; choose one with rows.")
        if first != "[":
            raise DataError(f"{name}: a JSON data file starts with '[' (a list of rows), this one with {first!r}.")
        stream.skip(1)
        while stream.peek() != "]":
            line, value = stream.value()
            yield line, _record(value, name, line)
            if stream.peek() == ",":
                stream.skip(1)
                if stream.peek() == "]":
                    raise DataError(f"{name} line {stream.line}: a comma stands before the closing ']'; delete it.")
            elif not stream.peek():
                raise DataError(
                    f"{name} line {stream.line}: the file ends before the closing ']'; it was cut off. "
                    "Copy or download it again."
                )
            elif stream.peek() != "]":
                raise DataError(
                    f"{name} line {stream.line}: expected ',' or ']' after a row, found {stream.peek()!r}; "
                    "a comma or the end of the list is missing."
                )
        stream.skip(1)
        if stream.peek():
            raise DataError(f"{name} line {stream.line}: there is text after the closing ']'; delete it.")


def _read_objects(stream: _JsonStream, name: str) -> Iterator[Located]:
    """Yield objects that follow one another, as in a JSONL file that is named .json."""
    while stream.peek():
        line, value = stream.value()
        record = _record(value, name, line)
        lists = [key for key, item in record.items() if isinstance(item, list) and item and isinstance(item[0], dict)]
        if not stream.peek() and line == 1 and lists and not {"messages", "conversations"} & record.keys():
            raise DataError(
                f"{name}: the file is one object whose rows lie under {', '.join(map(repr, lists))}; "
                "a list of rows is needed. Save that list as a file of its own."
            )
        yield line, record


class _JsonStream:
    """JSON values out of a file that is never held whole."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._at = 0
        self._ended = False
        self._read_lines = 1
        self.line = 1

    def peek(self) -> str:
        """Return the next character that is no white space, empty at the end of the file."""
        while True:
            start = self._at
            text = self._text
            while self._at < len(text) and text[self._at] in " \t\r\n":
                self._at += 1
            self.line += text.count("\n", start, self._at)
            if self._at < len(text):
                return text[self._at]
            if not self._more():
                return ""

    def skip(self, characters: int) -> None:
        """Pass over characters that `peek` showed."""
        self._at += characters

    def value(self) -> tuple[int, Any]:
        """Return the next value and the line it starts on."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                hopeless = error.pos < len(self._text) - _LARGEST_ROW
                if hopeless or not self._more(max(_CHUNK_BYTES, len(self._text) - self._at)):
                    raise self._broken(error) from None
                continue
            except (ValueError, RecursionError) as error:
                raise DataError(f"{self._name} line {self.line}: this row cannot be read ({error}).") from None
            line = self.line
            self.line += self._text.count("\n", self._at, end)
            self._at = end
            return line, value

    def _more(self, size: int = _CHUNK_BYTES) -> bool:
        if self._ended:
            return False
        raw = self._file.read(size)
        self._ended = not raw
        try:
            text = self._decoder.decode(raw, final=not raw)
        except UnicodeDecodeError as error:
            line = self._read_lines + error.object[: error.start].count(b"\n")
            raise _not_utf8(self._name, line, error) from None
        self._read_lines += raw.count(b"\n")
        self._text = self._text[self._at :] + text
        self._at = 0
        return bool(raw)

    def _broken(self, error: json.JSONDecodeError) -> DataError:
        line = self.line + self._text.count("\n", self._at, error.pos)
        rest = self._text[error.pos :].strip()
        if self._ended and (not rest or error.msg.startswith("Unterminated")):
            return DataError(
                f"{self._name} line {line}: the file ends in the middle of the row that starts at line {self.line}; "
                "it was cut off. Copy or download it again."
            )
        return DataError(f"{self._name} line {line}: not valid JSON ({error.msg}); mend the row there.")


def _read_csv(path: Path, name: str) -> Iterator[Located]:
    csv.field_size_limit(_LARGEST_ROW)
    with path.open("r", encoding="utf-8-sig", newline="") as file:
        try:
            yield from _csv_rows(file, path, name)
        except UnicodeDecodeError:
            raise _first_bad_line(path, name) from None


def _csv_rows(file: TextIO, path: Path, name: str) -> Iterator[Located]:
    first_line = file.readline()
    file.seek(0)
    reader = csv.reader(file, delimiter=_delimiter(path, first_line), strict=True)
    line = 1
    try:
        header = next(reader, [])
        _check_header(header, name)
        line = reader.line_num + 1
        for cells in reader:
            if cells and len(cells) != len(header):
                raise DataError(
                    f"{name} line {line}: {len(cells)} fields, but the header names {len(header)} columns. "
                    "Put quotes around a field that holds the separator or a line break."
                )
            if cells:
                yield line, dict(zip(header, cells, strict=True))
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"{name} line {line}: not valid CSV ({error}); a quote is open or doubled in the row that starts there."
        ) from None


def _delimiter(path: Path, first_line: str) -> str:
    if path.suffix.lower() == ".tsv":
        return "\t"
    return max(",;\t", key=first_line.count) if "," not in first_line else ","


def _check_header(header: list[str], name: str) -> None:
    if len(set(header)) != len(header):
        twice = sorted({column for column in header if header.count(column) > 1})
        raise DataError(f"{name} line 1: the column {twice[0]!r} stands twice in the header; rename one.")


def _read_parquet(path: Path, name: str) -> Iterator[Located]:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_PARQUET_BATCH):
                for record in batch.to_pylist():
                    yield 0, record
    except (pyarrow.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise DataError(
            f"{name}: not a whole Parquet file ({reason}). Copy or download it again, or save it as JSONL."
        ) from None


def _record(value: Any, name: str, line: int) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DataError(f"{name} line {line}: a row is an object with named fields, this one is {kind_of(value)}.")
    return value


def _decoded(raw: bytes, name: str, line: int) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _not_utf8(name, line, error) from None


def _not_utf8(name: str, line: int, error: UnicodeDecodeError) -> DataError:
    raw = error.object
    if line == 1 and (raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in raw[:64]):
        return DataError(f"{name}: the text is UTF-16, not UTF-8; save it again as UTF-8.")
    byte = raw[error.start] if error.start < len(raw) else 0
    return DataError(
        f"{name} line {line}: not UTF-8 (byte 0x{byte:02x}); save the file again as UTF-8 "
        "(spreadsheets call it 'CSV UTF-8')."
    )


def _first_bad_line(path: Path, name: str) -> DataError:
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            try:
                raw.decode("utf-8")
            except UnicodeDecodeError as error:
                return _not_utf8(name, number, error)
    return DataError(f"{name}: not UTF-8; save the file again as UTF-8.")


def _json_reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg}, column {error.colno}"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


READERS: dict[str, Callable[[Path, str], Iterator[Located]]] = {
    ".json": _read_json,
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".parquet": _read_parquet,
}
"""The reader of each file name's ending."""
