"""What makers made of texts, kept by the texts' content in one file that only grows."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import TracebackType

_DIGEST_BYTES = 16


class MadeTexts:
    """A mapping from text to what was made of it; each addition is written at once, so that nothing made is lost."""

    def __init__(self, path: Path) -> None:
        """Open or make the file; a line that was being written when its process died is cut off."""
        self._file = path.open("a+b")
        self._offsets: dict[bytes, int] = {}
        self._file.seek(0)
        offset = 0
        for line in self._file:
            if not line.endswith(b"\n"):
                break
            self._offsets[bytes.fromhex(json.loads(line)["of"])] = offset
            offset += len(line)
        self._file.truncate(offset)
        self._end = offset

    def __enter__(self) -> MadeTexts:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._file.close()

    def __contains__(self, text: str) -> bool:
        return _digest(text) in self._offsets

    def __getitem__(self, text: str) -> str:
        """Return what was made of a text. Raises KeyError where nothing was."""
        self._file.seek(self._offsets[_digest(text)])
        return str(json.loads(self._file.readline())["made"])

    def add(self, text: str, made: str) -> None:
        """Keep a result."""
        digest = _digest(text)
        line = json.dumps({"of": digest.hex(), "made": made}, ensure_ascii=True).encode("ascii") + b"\n"
        self._file.write(line)
        self._file.flush()
        self._offsets[digest] = self._end
        self._end += len(line)


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).digest()
