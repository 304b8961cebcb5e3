"""JSON values out of a file that is never held whole, with the place of each."""

from __future__ import annotations

import codecs
import json
import re
from typing import Any, NamedTuple

from remote_agent.dataset.readers.byte_source import ByteSource
from remote_agent.dataset.readers.json_values import NUL_BYTES, JsonValues, json_reason
from remote_agent.dataset.readers.lines import TOO_LONG
from remote_agent.dataset.readers.rows import LARGEST_ROW_BYTES, Mark

_CHUNK_BYTES = 1 << 20
_SPACE = re.compile(r"[ \t\r\n]*")
_OUTSIDE = re.compile(r'["{}\[\]]')
_INSIDE = re.compile(r'[^"\\]*(?:\\.[^"\\]*){0,1000}', re.DOTALL)
_NEXT_ROW = re.compile(r",[ \t\r\n]*(?=\{)")
_SCALAR_END = re.compile(r"[,\]} \t\r\n]")
_LONGEST_WORD = 16
_MOST_TRIES = 200
_UNDECODED = re.compile("[\udc80-\udcff]")


class BrokenError(Exception):
    """The stream is no JSON from a line on; ``is_cut``: it ends too early."""

    def __init__(self, line: int, sentence: str, is_cut: bool = False) -> None:
        super().__init__(sentence)
        self.line, self.is_cut = line, is_cut


class Value(NamedTuple):
    """A decoded value.

    Attributes:
        line: the line it starts on, from 1.
        value: what it decodes to.
        problem: why it cannot be used: its text is not UTF-8, or it is larger than a row may be.
        has_escapes: it may hold halves of characters.
    """

    line: int
    value: Any
    problem: str = ""
    has_escapes: bool = False


class JsonStream:
    """JSON values from one mark on."""

    def __init__(self, source: ByteSource, mark: Mark, values: JsonValues) -> None:
        self._file = source.open()
        self._file.seek(mark.offset)
        self._values = values
        self._undecoded = b""
        self._has_damage = False
        self._text = ""
        self._at = 0
        self._counted = 0
        self._counted_bytes = mark.offset
        self._ended = False
        self.line = mark.line + 1

    def mark(self, part: int) -> Mark:
        """Return the place where the next value or bracket starts."""
        self._count()
        return Mark(self._counted_bytes, self.line - 1, part)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def peek(self) -> str:
        """Return the next character that is no white space, empty at the end of the file."""
        while True:
            match = _SPACE.match(self._text, self._at)
            assert match is not None
            self._pass_to(match.end())
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def peek_behind(self) -> str:
        """Return the character that follows the next one, white space left out."""
        while True:
            match = _SPACE.match(self._text, self._at + 1)
            if match is not None and match.end() < len(self._text):
                return self._text[match.end()]
            if not self._more():
                return ""

    def pass_over(self, characters: int) -> None:
        """Pass over characters that `peek` showed."""
        self._at += characters

    def expect(self, character: str, sentence: str) -> None:
        """Pass over one character. Raises BrokenError where another stands there."""
        found = self.peek()
        if found != character:
            if not found:
                raise BrokenError(self.line, "the file ends too early; it was cut off. Copy or download it again", True)
            raise BrokenError(self.line, f"{sentence}; found {found!r}. The rest of the file cannot be read")
        self._at += 1

    def value(self) -> Value:
        """Return the next value. Raises BrokenError where it is none; the place stays in front of it then."""
        self.peek()
        while True:
            held = len(self._text) - self._at
            try:
                value, end = self._values.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                is_open = self._is_open(error)
                if is_open and held > LARGEST_ROW_BYTES:
                    return self._oversize()
                if is_open and self._more(max(_CHUNK_BYTES, held)):
                    continue
                raise self._broken(error, is_open) from None
            except (ValueError, RecursionError) as error:
                raise BrokenError(self.line, f"this row cannot be read ({json_reason(error)})") from None
            # A number at the window's end may go on behind it.
            if end == len(self._text) and self._more():
                continue
            if end - self._at > LARGEST_ROW_BYTES:
                return self._oversize()
            found = Value(self.line, value, self._damage(end), self._text.find("\\u", self._at, end) >= 0)
            self._pass_to(end)
            return found

    def pass_over_value(self) -> None:
        """Pass over one value by its brackets and quotes alone, without holding it. Raises BrokenError at the end."""
        line, depth = self.line, 0
        is_scalar = self.peek() not in ("{", "[", '"')
        while True:
            match = (_SCALAR_END if is_scalar else _OUTSIDE).search(self._text, self._at)
            if match is None:
                self._pass_to(len(self._text))
                if not self._more():
                    raise self._cut(line)
                continue
            if is_scalar:
                self._pass_to(match.start())
                return
            self._pass_to(match.end())
            if match[0] == '"':
                self._pass_over_text(line)
            else:
                depth += 1 if match[0] in "{[" else -1
            if depth <= 0:
                return

    def find_next(self, keys: frozenset[str]) -> bool:
        """Go behind a damaged value to the next one that surely is a row: with the keys of the file's first.

        Objects within a row are told from rows by their keys. Returns False where none follows within the largest
        size of a row, or none is as sure.
        """
        offset, tries = 0, 0
        while keys and tries < _MOST_TRIES:
            match = _NEXT_ROW.search(self._text, self._at + offset)
            if match is None:
                if len(self._text) - self._at > LARGEST_ROW_BYTES or not self._more():
                    return False
                continue
            tries += 1
            comma, brace = match.start() - self._at, match.end() - self._at
            if self._is_row(brace, keys):
                self._pass_to(self._at + comma)
                return True
            offset = comma + 1
        return False

    def _oversize(self) -> Value:
        line = self.line
        self.pass_over_value()
        return Value(line, None, TOO_LONG)

    def _is_open(self, error: json.JSONDecodeError) -> bool:
        """Say whether a value may only lack what follows behind the window."""
        return error.msg.startswith("Unterminated") or error.pos >= len(self._text) - _LONGEST_WORD

    def _is_row(self, offset: int, keys: frozenset[str]) -> bool:
        while True:
            try:
                value, end = self._values.raw_decode(self._text, self._at + offset)
            except json.JSONDecodeError as error:
                if self._is_open(error) and len(self._text) - self._at <= LARGEST_ROW_BYTES and self._more():
                    continue
                return False
            except (ValueError, RecursionError):
                return False
            return isinstance(value, dict) and value.keys() == keys and self._ends_row(end)

    def _ends_row(self, end: int) -> bool:
        match = _SPACE.match(self._text, end)
        return match is None or match.end() >= len(self._text) or self._text[match.end()] in ",]"

    def _pass_over_text(self, line: int) -> None:
        while True:
            match = _INSIDE.match(self._text, self._at)
            assert match is not None
            self._pass_to(match.end())
            if self._text[self._at : self._at + 1] == '"':
                self._at += 1
                return
            # Here the window ends, perhaps behind half of an escape, or the pattern's count of escapes is used up.
            if len(self._text) - self._at <= 1 and not self._more():
                raise self._cut(line)

    def _pass_to(self, at: int) -> None:
        self.line += self._text.count("\n", self._at, at)
        self._at = at

    def _count(self) -> None:
        passed = self._text[self._counted : self._at]
        self._counted_bytes += len(passed) if passed.isascii() else len(passed.encode("utf-8", "surrogateescape"))
        self._counted = self._at

    def _more(self, size: int = _CHUNK_BYTES) -> bool:
        if self._ended:
            return False
        raw = self._file.read(size)
        self._ended = not raw
        data = self._undecoded + raw
        try:
            text, used = codecs.utf_8_decode(data, "strict", self._ended)
        except UnicodeDecodeError:
            text, used = codecs.utf_8_decode(data, "surrogateescape", self._ended)
            self._has_damage = True
        self._undecoded = data[used:]
        self._count()
        self._text = self._text[self._at :] + text
        self._at = self._counted = 0
        return bool(raw)

    def _damage(self, end: int) -> str:
        if not self._has_damage:
            return ""
        found = _UNDECODED.search(self._text, self._at, end)
        if found is None:
            return ""
        return (
            f"not UTF-8 (byte 0x{ord(found[0]) - 0xDC00:02x}), although the file is; "
            "mend it, or save the file again as UTF-8"
        )

    def _cut(self, line: int) -> BrokenError:
        return BrokenError(
            line, "the file ends in the middle of this row; it was cut off. Copy or download it again", True
        )

    def _broken(self, error: json.JSONDecodeError, is_open: bool) -> BrokenError:
        if is_open and (not self._text[error.pos :].strip() or error.msg.startswith("Unterminated")):
            return self._cut(self.line)
        line = self.line + self._text.count("\n", self._at, error.pos)
        if self._text[error.pos : error.pos + 1] == "\0":
            return BrokenError(self.line, NUL_BYTES)
        place = f" at line {line}" if line != self.line else ""
        return BrokenError(self.line, f"not valid JSON ({error.msg}{place}); mend the row there")
