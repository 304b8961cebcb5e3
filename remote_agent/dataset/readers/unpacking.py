"""The bytes of gzip and zstd files, piece by piece, with a limit against files made to fill a disk or memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_READ_BYTES = 1 << 16
_PIECE_BYTES = 1 << 20
_FREE_BYTES = 64 << 20
LARGEST_RATIO = 300
LARGEST_UNPACKED_BYTES = 1 << 40
# A zstd block of four bytes may stand for 128 KiB, so that little is given at once to a decoder that has no limit.
_ZSTD_READ_BYTES = 1 << 11
_ZSTD_WINDOW_BYTES = 128 << 20

GZIP, ZSTD = "gzip", "zstd"
_MAGIC = {b"\x1f\x8b": GZIP, b"\x28\xb5\x2f\xfd": ZSTD}
PACKED_ENDINGS = (".gz", ".zst", ".zstd")


class EndedEarlyError(Exception):
    """The pieces end before the file's content does; the sentence says why and follows the file's name."""


def packing_of(head: bytes) -> str:
    """Return how a file is packed, by its first bytes; empty where it is not."""
    return next((packing for magic, packing in _MAGIC.items() if head.startswith(magic)), "")


def unpacked(path: Path, packing: str, seen: list[int]) -> Iterator[bytes]:
    """Yield what a packed file holds; ``seen`` gets the bytes read of it and the bytes given so far.

    Raises:
        EndedEarlyError: it is cut short or damaged, or unpacks to more than is believed.
    """
    with path.open("rb") as file:
        given = 0
        for piece in _gzip_pieces(file) if packing == GZIP else _zstd_pieces(file):
            given += len(piece)
            taken = max(1, file.tell())
            seen[:] = [taken, given]
            if given > _FREE_BYTES and given > LARGEST_RATIO * taken:
                raise EndedEarlyError(
                    f"unpacks to more than {LARGEST_RATIO} times its size and is read no further: such files are made "
                    "to fill memory. If it is meant, unpack it and choose the unpacked file."
                )
            if given > LARGEST_UNPACKED_BYTES:
                raise EndedEarlyError(
                    f"unpacks to more than {LARGEST_UNPACKED_BYTES >> 40} TiB and is read no further. Split it."
                )
            yield piece


def _gzip_pieces(file: BinaryIO) -> Iterator[bytes]:
    decoder = zlib.decompressobj(31)
    while raw := file.read(_READ_BYTES):
        piece = b""
        while raw or len(piece) == _PIECE_BYTES:
            if decoder.eof:
                raw = raw.lstrip(b"\0")
                if not raw:
                    break
                decoder = zlib.decompressobj(31)
            try:
                piece = decoder.decompress(raw, _PIECE_BYTES)
            except zlib.error as error:
                raise _damaged(str(error)) from None
            raw = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
            if piece:
                yield piece
    if not decoder.eof:
        raise _cut()


def _zstd_pieces(file: BinaryIO) -> Iterator[bytes]:
    import zstandard

    unpacker = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES)
    decoder = unpacker.decompressobj()
    while raw := file.read(_ZSTD_READ_BYTES):
        while raw:
            if decoder.eof:
                decoder = unpacker.decompressobj()
            try:
                piece = decoder.decompress(raw)
            except zstandard.ZstdError as error:
                raise _damaged(str(error)) from None
            raw = decoder.unused_data if decoder.eof else b""
            for start in range(0, len(piece), _PIECE_BYTES):
                yield piece[start : start + _PIECE_BYTES]
    if not decoder.eof:
        raise _cut()


def _cut() -> EndedEarlyError:
    return EndedEarlyError(
        "ends in the middle of its packed data: it was cut short, and the rows behind are not there. "
        "Copy or download it again."
    )


def _damaged(reason: str) -> EndedEarlyError:
    return EndedEarlyError(
        f"is damaged within its packed data ({reason}), and the rows behind cannot be read. Copy or download it again."
    )
