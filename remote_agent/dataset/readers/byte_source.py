"""One file as a seekable stream of UTF-8 bytes, however it is packed and encoded, and whether it is still the same."""

from __future__ import annotations

import hashlib
import io
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from remote_agent.dataset.data_error import DataError, NotThereError
from remote_agent.dataset.readers.encodings import UTF_8, encoding_name, encoding_of, recoded
from remote_agent.dataset.readers.rows import Notes
from remote_agent.dataset.readers.unpacking import EndedEarlyError, packing_of, unpacked

BUFFER_BYTES = 1 << 20
SAMPLE_BYTES = 1 << 20
_WHOLE_SAMPLE_BYTES = 8 << 20
_END_BYTES = 1 << 16
_LARGEST_COPY_BYTES = 8 << 30
_STALE_S = 86_400.0
_BINARY = (b"PAR1", b"ARROW1", b"\xff\xff\xff\xff")
_HIGH_BYTES = bytes(range(0x80, 0x100))
_UTF8_BOM = b"\xef\xbb\xbf"


class Stamp(NamedTuple):
    """What tells a file from its later self: bytes, nanoseconds since the epoch, inode."""

    size: int
    mtime_ns: int
    inode: int


def stamp_of(path: Path, name: str) -> Stamp:
    """Return the stamp of a file. Raises NotThereError, DataError."""
    try:
        found = path.stat()
    except FileNotFoundError:
        raise NotThereError(f"{name}: the file is no longer there. Choose it again where it lies now.") from None
    except OSError as error:
        raise unreadable(name, error) from None
    return Stamp(found.st_size, found.st_mtime_ns, found.st_ino)


def unreadable(name: str, error: OSError) -> DataError:
    """Return the sentence for a file that the system does not let us read."""
    if isinstance(error, PermissionError):
        return DataError(f"{name}: there is no permission to read it; allow it (chmod a+r), or choose a copy.")
    if isinstance(error, IsADirectoryError):
        return DataError(f"{name}: it is a folder where a file is needed.")
    return DataError(f"{name}: it cannot be read ({error.strerror or error}). Copy it to a disk that can be read.")


class ByteSource:
    """The bytes of one file, read as what they hold."""

    def __init__(self, path: Path, name: str, cache: Path | None = None) -> None:
        """Look at the file's beginning. Raises DataError where it cannot be read or is empty."""
        self.path, self.name, self.cache = path, name, cache
        self.notes = Notes(name)
        self.ended_early = ""
        self.stamp = stamp_of(path, name)
        self._seen = [1, 1]
        try:
            with path.open("rb") as file:
                head = file.read(_END_BYTES)
                self.packing = packing_of(head)
                self.key = hashlib.sha256(f"{path.resolve()}\n{self.stamp}\n{_ends(file)}".encode()).hexdigest()[:32]
        except OSError as error:
            raise unreadable(name, error) from None
        if not head:
            raise DataError(f"{name}: the file is empty; choose one with rows.")
        self.encoding, self._has_old_line_ends = UTF_8, False
        sample = self._sample()
        self.magic = sample[:8]
        if not sample.startswith(_BINARY):
            self._settle_text(sample)
        self.is_plain = not (self.packing or self.encoding != UTF_8 or self._has_old_line_ends)
        has_bom = self.encoding == UTF_8 and sample.startswith(_UTF8_BOM) and not self._has_old_line_ends
        self.text_start = len(_UTF8_BOM) if has_bom else 0
        self._copy = None if self.is_plain or cache is None else _Copy(cache, self.key)
        if self._copy is not None and self._copy.is_whole:
            self.ended_early = self._copy.ended_early

    def open(self) -> io.BufferedReader:
        """Open the file as UTF-8 text (or as the bytes of a Parquet or Arrow file), unpacked. Raises DataError."""
        try:
            if self.is_plain:
                return io.BufferedReader(self.path.open("rb", buffering=0), BUFFER_BYTES)
        except OSError as error:
            raise unreadable(self.name, error) from None
        return io.BufferedReader(_StreamedFile(self._pieces, self._ended, self._copy), BUFFER_BYTES)

    def sample(self) -> bytes:
        """Return the first MiB at most of what `open` gives."""
        with self.open() as file:
            return file.read(SAMPLE_BYTES)

    def estimated_size(self) -> int:
        """Return the bytes that `open` gives in all, by what was seen so far."""
        return int(self.stamp.size * self._seen[1] / self._seen[0]) if self.packing else self.stamp.size

    def check_unchanged(self) -> None:
        """Raise DataError where the file is no longer the one that was opened."""
        now = stamp_of(self.path, self.name)
        if now == self.stamp:
            return
        if now.size != self.stamp.size:
            how = f"{'grew' if now.size > self.stamp.size else 'shrank'} from {self.stamp.size:,} to {now.size:,} bytes"
        else:
            how = "was written again"
        raise DataError(f"{self.name}: the file {how} while it was read. Let the writing end, then open it again.")

    def _sample(self) -> bytes:
        if self.packing:
            return self._unpacked_sample()
        with self.path.open("rb") as file:
            if self.stamp.size <= _WHOLE_SAMPLE_BYTES:
                return file.read()
            sample = file.read(SAMPLE_BYTES)
            if not sample.startswith(_BINARY):
                sample = sample.rstrip(_HIGH_BYTES)
                for at in (self.stamp.size // 2, self.stamp.size - SAMPLE_BYTES):
                    file.seek(at)
                    # A character that a piece's end cuts would look like damage.
                    sample += b"\n" + file.read(SAMPLE_BYTES).lstrip(_HIGH_BYTES[:64]).rstrip(_HIGH_BYTES)
        return sample

    def _unpacked_sample(self) -> bytes:
        sample = b""
        pieces = unpacked(self.path, self.packing, self._seen)
        try:
            while len(sample) < SAMPLE_BYTES and (piece := next(pieces, b"")):
                sample += piece
        except EndedEarlyError as error:
            if not sample:
                raise DataError(f"{self.name}: the file {error}") from None
        if not sample:
            raise DataError(f"{self.name}: there is nothing in the archive; choose a file with rows.")
        return sample

    def _settle_text(self, sample: bytes) -> None:
        self.encoding = encoding_of(sample)
        if self.encoding != UTF_8:
            self.notes.add("encoding", f"is read as {encoding_name(self.encoding)}")
            sample = b"".join(recoded(iter([sample[:SAMPLE_BYTES]]), self.encoding))
        self._has_old_line_ends = b"\r" in sample and b"\n" not in sample

    def _pieces(self) -> Iterator[bytes]:
        pieces: Iterator[bytes]
        pieces = unpacked(self.path, self.packing, self._seen) if self.packing else _read(self.path)
        if self.encoding != UTF_8 or self._has_old_line_ends:
            pieces = recoded(pieces, self.encoding)
        if self._has_old_line_ends:
            pieces = (piece.replace(b"\r", b"\n") for piece in pieces)
        return pieces

    def _ended(self, why: str) -> None:
        self.ended_early = why


def _ends(file: BinaryIO) -> str:
    """Return a hash of a file's first and last bytes."""
    digest = hashlib.sha256()
    size = file.seek(0, io.SEEK_END)
    for at in (0, max(0, size - _END_BYTES)):
        file.seek(at)
        digest.update(file.read(_END_BYTES))
    return digest.hexdigest()


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(BUFFER_BYTES):
            yield piece


class _Copy:
    """The unpacked beginning of a file, kept in the cache; once it is whole, nobody has to unpack the file again."""

    def __init__(self, folder: Path, key: str) -> None:
        self.path = folder / f"{key}.unpacked"
        self.ended_early = ""
        self.length = 0
        self.is_whole = False
        self._why = folder / f"{key}.ended"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file: Any = self.path.open("rb")
            weakref.finalize(self, self._file.close)
            self.length, self.is_whole = self.path.stat().st_size, True
            self.ended_early = self._why.read_text(encoding="utf-8") if self._why.exists() else ""
            return
        except FileNotFoundError:
            pass
        self._most = min(_LARGEST_COPY_BYTES, shutil.disk_usage(folder).free // 4)
        _remove_stale(folder)
        self._file = tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False)  # noqa: SIM115
        self._part = Path(self._file.name)
        weakref.finalize(self, _drop, self._file, self._part)

    def read(self, at: int, size: int) -> bytes:
        """Return bytes of the part that is there."""
        self._file.seek(at)
        data: bytes = self._file.read(size)
        return data

    def append(self, piece: bytes) -> None:
        """Take the next bytes, unless the copy would grow too large."""
        if self.length + len(piece) <= self._most:
            self._file.seek(self.length)
            self._file.write(piece)
            self.length += len(piece)
        else:
            self._most = 0

    def finish(self, length: int, ended_early: str) -> None:
        """Keep the copy for later, where it holds all ``length`` bytes."""
        if self.is_whole or length != self.length:
            return
        self._file.flush()
        if ended_early:
            self._why.write_text(ended_early, encoding="utf-8")
        self._part.replace(self.path)
        self.is_whole, self.ended_early = True, ended_early


def _drop(file: Any, part: Path) -> None:
    file.close()
    part.unlink(missing_ok=True)


def _remove_stale(folder: Path) -> None:
    for part in folder.glob("*.part"):
        try:
            if part.stat().st_mtime < time.time() - _STALE_S:
                part.unlink()
        except OSError:
            continue


class _StreamedFile(io.RawIOBase):
    """A seekable file out of pieces that come in order: it begins anew to go back, or reads what a copy holds."""

    def __init__(self, pieces: Callable[[], Iterator[bytes]], ended: Callable[[str], None], copy: _Copy | None) -> None:
        self._restart, self._ended, self._copy = pieces, ended, copy
        self._pieces: Iterator[bytes] = iter(())
        self._piece = memoryview(b"")
        self._piece_at = -1
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to an offset; the end is found by reading up to it."""
        if whence == io.SEEK_CUR:
            offset += self._at
        elif whence == io.SEEK_END:
            while self.read(BUFFER_BYTES):
                pass
            offset += self._at
        self._at = offset
        return offset

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with what stands next; 0 at the end."""
        view = memoryview(buffer).cast("B")
        if self._copy is not None and (self._at < self._copy.length or self._copy.is_whole):
            data: bytes | memoryview = self._copy.read(self._at, len(view))
        else:
            data = self._streamed(len(view))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        self._pieces = iter(())
        super().close()

    def _streamed(self, size: int) -> memoryview:
        if self._piece_at < 0 or self._at < self._piece_at:
            self._pieces, self._piece, self._piece_at = self._restart(), memoryview(b""), 0
        while self._at >= self._piece_at + len(self._piece):
            if not self._next():
                return memoryview(b"")
        start = self._at - self._piece_at
        return self._piece[start : start + size]

    def _next(self) -> bool:
        end = self._piece_at + len(self._piece)
        why = ""
        try:
            piece = next(self._pieces, None)
        except EndedEarlyError as error:
            piece, why = None, str(error)
        if piece is None:
            if why:
                self._ended(why)
            if self._copy is not None:
                self._copy.finish(end, why)
            return False
        if self._copy is not None and end == self._copy.length:
            self._copy.append(piece)
        self._piece, self._piece_at = memoryview(piece), end
        return True
