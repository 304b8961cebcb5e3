"""The framing of every talk with the agent: a header that survives login banners, then length-prefixed frames.

A call opens with a request frame on the agent's standard input. The agent answers with `greeting` and frames:
any number of ``progress``, ``journal`` and so on, and at the end one ``result`` or one ``error``.
"""

from __future__ import annotations

import json
import struct
from typing import Any, Dict, List, NamedTuple

PROTOCOL = 1
MAX_HEAD_BYTES = 1 << 20
MAX_BODY_BYTES = 1 << 20
_LENGTHS = struct.Struct(">II")


class Frame(NamedTuple):
    """A message: ``head`` is a JSON object whose "frame" names its kind, ``body`` raw bytes."""

    head: Dict[str, Any]
    body: bytes = b""

    @property
    def kind(self) -> str:
        """Return the kind, empty where the head names none."""
        kind = self.head.get("frame", "")
        return kind if isinstance(kind, str) else ""


class FrameError(ValueError):
    """The bytes are no frames: a size over the limit, or a head that is no JSON object."""


def greeting(nonce: str) -> bytes:
    """Return the line that the agent prints before its first frame; ``nonce`` came with the request."""
    return "\nLUTHIER {} {}\n".format(PROTOCOL, nonce).encode("ascii")


def encode_frame(frame: Frame) -> bytes:
    """Return the frame's bytes: two 32-bit lengths (big endian), the head as JSON, the body."""
    head = json.dumps(frame.head, ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode("ascii")
    if len(head) > MAX_HEAD_BYTES or len(frame.body) > MAX_BODY_BYTES:
        raise FrameError("a frame of {} + {} bytes is over the limit".format(len(head), len(frame.body)))
    return _LENGTHS.pack(len(head), len(frame.body)) + head + frame.body


class FrameReader:
    """Turns a byte stream into frames; ``feed`` takes what arrived and returns the frames it completed."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> List[Frame]:
        """Return the complete frames. Raises FrameError where the stream is no frames; it is then of no more use."""
        self._buffer += data
        frames: List[Frame] = []
        start = 0
        while len(self._buffer) - start >= _LENGTHS.size:
            head_size, body_size = _LENGTHS.unpack_from(self._buffer, start)
            if head_size > MAX_HEAD_BYTES or body_size > MAX_BODY_BYTES:
                raise FrameError("the stream is out of step: a frame of {} + {} bytes".format(head_size, body_size))
            end = start + _LENGTHS.size + head_size + body_size
            if len(self._buffer) < end:
                break
            head_end = start + _LENGTHS.size + head_size
            with memoryview(self._buffer) as view:  # a slice of the buffer itself would be one more copy
                head, body = bytes(view[start + _LENGTHS.size : head_end]), bytes(view[head_end:end])
            frames.append(Frame(_head(head), body))
            start = end
        del self._buffer[:start]
        return frames


def _head(raw: bytes) -> Dict[str, Any]:
    try:
        head = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise FrameError("a frame's head is no JSON: {}".format(error)) from None
    if not isinstance(head, dict):
        raise FrameError("a frame's head is no JSON object")
    return head
