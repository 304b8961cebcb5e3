"""Bytes that programs print to plain lines of text: escapes, control characters and progress bars taken out."""

from __future__ import annotations

import re

MAX_LINE_CHARACTERS = 4096
_HELD_BYTES = 4 * MAX_LINE_CHARACTERS
_CUT = " … (cut)"

# CSI, OSC (hyperlinks, clipboard) and other strings, then two-character escapes
_ESCAPES = re.compile(
    "\x1b\\[[0-?]*[ -/]*[@-~]|\x1b[\\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\\\|$)|\x1b[ -/]*[0-~]|\x9b[0-?]*[ -/]*[@-~]"
)
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def plain_text(text: str, limit: int = MAX_LINE_CHARACTERS) -> str:
    """Return text that is safe to show: no escape sequences or control characters but LF and tab, cut to a limit.

    Characters that turn the reading direction around are shown as ``<U+202E>`` and the like.
    """
    if len(text) > limit:
        text = text[:limit] + _CUT
    text = text.expandtabs(8) if "\t" in text else text
    if text.isascii() and text.isprintable():
        return text
    text = _CONTROLS.sub("", _ESCAPES.sub("", text))
    return _BIDI.sub(lambda found: f"<U+{ord(found.group()):04X}>", text)


class LogLines:
    """Turns the pieces of one rank's log into whole lines; of a progress bar only its last state is kept."""

    def __init__(self) -> None:
        self._rest = b""
        self._held = 0

    @property
    def held_bytes(self) -> int:
        """Return how many bytes came since the last line's end: a line that still grows."""
        return self._held

    def feed(self, data: bytes, at_most: int = 20_000) -> list[str]:
        """Return the lines that the piece completed, the last ``at_most`` of them."""
        whole, newline, rest = (self._rest + data).rpartition(b"\n")
        self._rest = rest
        self._held = len(rest) if newline else self._held + len(data)
        if len(rest) > _HELD_BYTES:
            # a bar that never ends its line: what stands now is all that can be shown of it
            self._rest = rest.rpartition(b"\r")[2][:_HELD_BYTES]
        if not newline:
            return []
        return [_line(raw) for raw in whole.split(b"\n")[-at_most:]]

    def finish(self) -> list[str]:
        """Return the last line where it lacks its end."""
        rest, self._rest, self._held = self._rest, b"", 0
        return [_line(rest)] if rest else []


def _line(raw: bytes) -> str:
    folded = raw.rstrip(b"\r").rpartition(b"\r")[2]
    # at most four bytes a character, so that a line of 100 MB is not decoded whole
    return plain_text(folded[: _HELD_BYTES + 4].decode("utf-8", "replace"))
