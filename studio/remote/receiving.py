"""Takes files that an agent sends: only under names that were asked for, whole or not at all."""

from __future__ import annotations

import secrets
from pathlib import Path, PurePosixPath
from typing import IO

from remote_agent.contract.frames import Frame
from studio.remote.errors import AgentFailed


class FileTaker:
    """Writes ``file`` frames into a folder. ``allowed`` are the files and folders it takes; a context manager.

    A file is written aside and renamed when the next one begins or `finish` is called, so that a cut leaves none half.
    """

    def __init__(self, folder: Path, allowed: frozenset[str]) -> None:
        self._folder = folder
        self._allowed = allowed
        self._name = ""
        self._aside: Path | None = None
        self._stream: IO[bytes] | None = None
        self._offset = 0
        self.taken: list[str] = []

    def __enter__(self) -> FileTaker:
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._stream.close()
        if self._aside is not None:
            self._aside.unlink(missing_ok=True)

    def take(self, frame: Frame) -> None:
        """Write one frame's body. Raises AgentFailed where its name or offset is not what was asked for."""
        name = frame.head.get("name")
        offset = frame.head.get("offset", 0)
        if not isinstance(name, str) or not self._is_allowed(name):
            raise AgentFailed(f"The agent sent a file that nobody asked for: {name!r}.", "failed")
        if offset == 0 and (name != self._name or self._offset):
            self.finish()
            self._begin(name)
        if name != self._name or offset != self._offset or self._stream is None:
            raise AgentFailed(f"The agent sent {name} out of order.", "failed")
        self._stream.write(frame.body)
        self._offset += len(frame.body)

    def finish(self) -> None:
        """Put the file that is being written into its place."""
        if self._stream is None or self._aside is None:
            return
        self._stream.close()
        self._aside.replace(self._folder / self._name)
        self.taken.append(self._name)
        self._stream, self._aside, self._name, self._offset = None, None, "", 0

    def _is_allowed(self, name: str) -> bool:
        parts = name.split("/")
        return is_inside(name) and any("/".join(parts[:count]) in self._allowed for count in range(1, len(parts) + 1))

    def _begin(self, name: str) -> None:
        target = self._folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        self._aside = target.with_name(f".{target.name[:60]}.{secrets.token_hex(4)}")
        self._stream = self._aside.open("xb")
        self._name, self._offset = name, 0


def is_inside(name: str) -> bool:
    """Say whether a relative name, with slashes, stays below its folder on every system."""
    parts = name.split("/")
    if "\\" in name or ":" in name or PurePosixPath(name).is_absolute():
        return False
    if any(character < " " or "\ud800" <= character <= "\udfff" for character in name):
        return False
    return all(part not in ("", ".", "..") for part in parts)
