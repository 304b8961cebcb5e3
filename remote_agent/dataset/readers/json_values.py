"""JSON values as rows: what is no row is told, and what JSON leaves open is settled and noted."""

from __future__ import annotations

import json
import re
from typing import Any

from remote_agent.dataset.readers.rows import Entry, Notes, kind_of

_LONE = re.compile("[\ud800-\udfff]")
NUL_BYTES = (
    "it holds NUL bytes, as a file does after a crash while it was written. Delete the line, or make the file again"
)


class JsonValues:
    """Decodes JSON and keeps notes of keys that stand twice and of halves of characters."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._twice = ""
        self._decoder = json.JSONDecoder(object_pairs_hook=self._object)

    def raw_decode(self, text: str, start: int) -> tuple[Any, int]:
        """Return the value that starts at a character, and where it ends. Raises ValueError, RecursionError."""
        self._twice = ""
        return self._decoder.raw_decode(text, start)

    def entry_of_line(self, raw: bytes, line: int) -> Entry:
        """Return the row of one line of a JSONL file, which has no white space around it."""
        self._twice = ""
        try:
            text = raw.decode("utf-8")
            value, end = self._decoder.raw_decode(text)
            if end != len(text):
                raise json.JSONDecodeError("Extra data", text, end)
        except UnicodeDecodeError as error:
            return Entry(line, {}, not_utf8(raw, error))
        except (ValueError, RecursionError) as error:
            return Entry(line, {}, _line_problem(raw, error))
        has_escapes = b"\\u" in raw
        return self.entry(value, line, has_escapes)

    def entry(self, value: Any, line: int, has_escapes: bool = True, part: str = "") -> Entry:
        """Return a decoded value as a row; ``has_escapes``: it may hold halves of characters."""
        if not isinstance(value, dict):
            return Entry(line, {}, f"a row is an object with named fields, this one is {kind_of(value)}", part)
        if self._twice:
            self._notes.add("twice", f"names the key {self._twice!r} twice in one object; the last value is read", line)
        if has_escapes and _mend(value):
            self._notes.add(
                "lone", "holds half of a character (as \\ud83d without its other half), read as U+FFFD", line
            )
        return Entry(line, value, "", part)

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            keys: set[str] = set()
            self._twice = next(key for key, _ in pairs if key in keys or keys.add(key))  # type: ignore[func-returns-value]
        return found


def json_reason(error: Exception) -> str:
    """Return why a text is no JSON."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg}, column {error.colno}"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error).partition(";")[0]


def not_utf8(raw: bytes, error: UnicodeDecodeError) -> str:
    """Return the sentence for a row whose bytes are no text."""
    return (
        f"not UTF-8 (byte 0x{raw[error.start]:02x} at byte {error.start + 1} of it), although the file is; "
        "mend it, or save the file again as UTF-8"
    )


def _line_problem(raw: bytes, error: Exception) -> str:
    if b"\0" in raw:
        return NUL_BYTES
    return f"not valid JSON ({json_reason(error)}). A JSONL file holds one whole JSON object a line; mend or delete it"


def _mend(record: dict[str, Any]) -> bool:
    """Replace halves of characters, which no tokenizer and no UTF-8 file takes, within a row; say whether any was."""
    mended = False
    waiting: list[Any] = [record]
    while waiting:
        holder = waiting.pop()
        if isinstance(holder, dict) and any(map(_LONE.search, holder)):
            items = [(_LONE.sub("\ufffd", key), value) for key, value in holder.items()]
            holder.clear()
            holder.update(items)
            mended = True
        for key, value in list(holder.items()) if isinstance(holder, dict) else list(enumerate(holder)):
            if isinstance(value, str):
                if _LONE.search(value):
                    holder[key] = _LONE.sub("\ufffd", value)
                    mended = True
            elif isinstance(value, (dict, list)):
                waiting.append(value)
    return mended
