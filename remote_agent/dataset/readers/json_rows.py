"""Rows of JSON files: a list of objects, several named lists in one object, or objects that follow one another."""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from itertools import islice

from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.readers.byte_source import SAMPLE_BYTES, ByteSource
from remote_agent.dataset.readers.json_stream import BrokenError, JsonStream
from remote_agent.dataset.readers.json_values import JsonValues, json_reason
from remote_agent.dataset.readers.rows import Block, Entry, Mark, walk

LIST, SPLITS, OBJECTS, LINES = "list", "splits", "objects", "lines"
_PARTS_START, _PARTS_END = -1, -2
_ROW_KEYS = frozenset(
    ("messages", "conversations", "conversation", "instruction", "prompt", "completion", "output", "text", "tools")
)
_FIRST_LINES = 20


class JsonFormat:
    """A JSON file that is read value by value."""

    def __init__(self, source: ByteSource, layout: str) -> None:
        self._source = source
        self.layout = layout
        self.start = Mark(source.text_start, 0, _PARTS_START)
        self.parts: list[str] = []
        self.first_keys: frozenset[str] = frozenset()
        reader = self.reader(self.start)
        try:
            first = next(reader.entries(), None)
        finally:
            reader.close()
        if first is not None:
            self.first_keys = frozenset(first.fields)

    def reader(self, mark: Mark) -> JsonReader:
        """Open the file at a mark."""
        return JsonReader(self._source, self, mark)

    def release(self) -> None:
        """Hold nothing between readings."""

    def scan(self, row: int, mark: Mark) -> Generator[Block, None, None]:
        """Yield the blocks behind a mark."""
        reader = self.reader(mark)
        try:
            yield from walk(reader, row)
        finally:
            reader.close()


class JsonReader:
    """The rows of a JSON file from one mark on; a mark's part is the number of the list it lies in."""

    def __init__(self, source: ByteSource, layout: JsonFormat, mark: Mark) -> None:
        self._source, self._format = source, layout
        self._values = JsonValues(source.notes)
        self._stream = JsonStream(source, mark, self._values)
        self._part = mark.part

    def entries(self) -> Generator[Entry, None, None]:
        """Yield the rows that follow; where the rest cannot be read, the last one says so."""
        try:
            if self._part == _PARTS_END:
                return
            if self._format.layout == SPLITS:
                yield from self._splits()
            elif self._format.layout == LIST:
                yield from self._list()
            else:
                yield from self._values_of_list("")
            self._part = _PARTS_END
        except BrokenError as error:
            part, self._part = self._part_name(), _PARTS_END
            if not (error.is_cut and self._source.ended_early):
                yield Entry(error.line, {}, str(error), part)

    def skip(self, count: int) -> int:
        """Pass over rows."""
        return sum(1 for _ in islice(self.entries(), count))

    def mark(self) -> Mark:
        """Return the place of the next row."""
        return self._stream.mark(self._part)

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def _part_name(self) -> str:
        return self._format.parts[self._part] if 0 <= self._part < len(self._format.parts) else ""

    def _list(self) -> Generator[Entry, None, None]:
        stream = self._stream
        if self._part == _PARTS_START:
            stream.expect("[", "a JSON data file starts with '[' (a list of rows)")
            self._part = 0
        yield from self._values_of_list("]")
        stream.expect("]", "a comma or the end of the list is missing")
        if stream.peek():
            raise BrokenError(stream.line, "there is text after the closing ']', which is not read; delete it")

    def _splits(self) -> Generator[Entry, None, None]:
        stream = self._stream
        if self._part == _PARTS_START:
            stream.expect("{", "a JSON data file starts with '[' or '{'")
        else:
            yield from self._split()
        while stream.peek() not in ("}", ""):
            if stream.peek() == ",":
                stream.pass_over(1)
                continue
            found = stream.value()
            line, key = found.line, found.value
            if not isinstance(key, str):
                raise BrokenError(line, "the name of a list is needed here; the rest of the file cannot be read")
            stream.expect(":", "a colon is missing behind the name of a list")
            if stream.peek() == "[" and stream.peek_behind() in ("{", "]"):
                stream.pass_over(1)
                self._part = self._part + 1
                if self._part == len(self._format.parts):
                    self._format.parts.append(key)
                yield from self._split()
            else:
                self._source.notes.add(f"unread {key}", f"has {key!r} beside its lists of rows; it is not read", line)
                stream.pass_over_value()
        stream.expect("}", "the closing '}' is missing")
        if len(self._format.parts) > 1:
            lists = ", ".join(self._format.parts)
            self._source.notes.add("parts", f"holds several lists of rows, read one after the other: {lists}")

    def _split(self) -> Generator[Entry, None, None]:
        yield from self._values_of_list("]")
        self._stream.expect("]", "a comma or the end of the list is missing")

    def _values_of_list(self, closing: str) -> Generator[Entry, None, None]:
        """Yield the values up to a closing bracket, or up to the file's end."""
        stream, part = self._stream, self._part_name()
        had_value = False
        while (following := stream.peek()) and following != closing:
            if following == ",":
                stream.pass_over(1)
                if stream.peek() == closing:
                    self._source.notes.add("comma", "has a comma before the closing bracket", stream.line)
                had_value = False
                continue
            if had_value and closing:
                self._source.notes.add("missing", "lacks a comma between two rows", stream.line)
            yield self._next(part)
            had_value = True
        if not following and closing:
            raise BrokenError(
                stream.line, "the file ends before the closing bracket; it was cut off. Copy or download it again", True
            )

    def _next(self, part: str) -> Entry:
        try:
            found = self._stream.value()
        except BrokenError as error:
            if self._stream.find_next(self._format.first_keys):
                return Entry(error.line, {}, str(error), part)
            raise
        if found.problem:
            return Entry(found.line, {}, found.problem, part)
        return self._values.entry(found.value, found.line, found.has_escapes, part)


def layout_of(source: ByteSource, ending: str) -> str:
    """Return how a JSON file is laid out, by its beginning; what it is outweighs what its name says.

    Raises:
        DataError: it holds no rows of any layout.
    """
    sample = source.sample()
    is_whole = len(sample) < SAMPLE_BYTES
    text = sample[source.text_start :].decode("utf-8", "replace").lstrip(" \t\r\n")
    if not text:
        return LINES
    if text[0] not in "[{" and ending == ".json":
        raise DataError(
            f"{source.name}: a JSON data file starts with '[' (a list of rows) or '{{', this one with {text[0]!r}."
        )
    try:
        first, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return _layout_of_broken(source, text, ending, is_whole)
    rest = text[end:].lstrip(" \t\r\n")
    is_one_line = "\n" not in text[:end]
    has_own_line = is_one_line and (not rest or text[end:].lstrip(" \t\r").startswith("\n"))
    if isinstance(first, list):
        return LIST if ending == ".json" or not rest or not is_one_line else LINES
    if not isinstance(first, dict):
        return LINES
    if ending == ".json" and not rest and is_whole and _lists_of_rows(first):
        return SPLITS
    return LINES if has_own_line else OBJECTS


def _layout_of_broken(source: ByteSource, text: str, ending: str, is_whole: bool) -> str:
    """Return the layout where the first value is damaged, cut, or longer than the sample."""
    lines = [line for line in text.split("\n")[: _FIRST_LINES + 1] if line.strip()]
    complete = lines if is_whole else lines[:-1]
    if any(_is_object(line) for line in complete[:_FIRST_LINES]):
        return LINES if text[0] != "[" else LIST
    if text[0] == "[":
        return LIST
    if ending == ".json":
        return SPLITS if _begins_splits(text) else OBJECTS
    if not complete or len(complete[0]) > 2 or not complete[0].startswith("{"):
        _refuse_if_no_row(source, complete, is_whole)
        return LINES
    return OBJECTS


def _refuse_if_no_row(source: ByteSource, lines: list[str], is_whole: bool) -> None:
    if not lines:
        return
    try:
        json.loads(lines[0])
    except (ValueError, RecursionError) as error:
        more = f"and {len(lines) - 1} more lines like it" if len(lines) > 1 else "its only line"
        raise DataError(
            f"{source.name} line 1: not valid JSON ({json_reason(error)}), {more}. "
            "A JSONL file holds one whole JSON object a line; choose another file."
        ) from None


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _lists_of_rows(value: object) -> list[str]:
    if not isinstance(value, dict) or _ROW_KEYS & value.keys():
        return []
    return [key for key, item in value.items() if isinstance(item, list) and item and isinstance(item[0], dict)]


def _begins_splits(text: str) -> bool:
    """Say whether an object that is longer than the sample names a list of objects before any row's key."""
    decoder = json.JSONDecoder()
    at = 1
    while found := re.compile(r'\s*,?\s*("(?:[^"\\]|\\.){0,200}")\s*:\s*').match(text, at):
        if json.loads(found[1]) in _ROW_KEYS:
            return False
        if re.compile(r"\[\s*\{").match(text, found.end()):
            return True
        try:
            _, at = decoder.raw_decode(text, found.end())
        except (ValueError, RecursionError):
            return False
    return False
