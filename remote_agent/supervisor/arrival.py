"""Files that arrive from the client: written, hashed and put on the disk as they come, verified at the end."""

from __future__ import annotations

import hashlib
import os
import queue
import threading
import time
from types import TracebackType
from typing import Dict, List, Optional, Type

from remote_agent.contract.frames import Frame
from remote_agent.run_files.atomic_write import sync_folder, write_all
from remote_agent.run_files.manifest import file_sha256
from remote_agent.supervisor.talk import CommandError, Talk

SILENCE_S = 120.0
_LOOK_S = 5.0
_FLUSH_BYTES = 64 << 20


class Arrival:
    """Takes the chunks of the expected files into a folder; use it as a context while they come.

    Attributes:
        offsets: how much of each file is here.

    Args:
        aside: the folder, which may hold what an earlier upload left.
        sizes: the bytes of every file, by its name relative to the folder.
    """

    def __init__(self, talk: Talk, aside: str, sizes: Dict[str, int]) -> None:
        self._talk, self._aside, self._sizes = talk, aside, sizes
        self.offsets = {name: _size_here(os.path.join(aside, name), size) for name, size in sizes.items()}
        self._hashes: Dict[str, str] = {}
        self._arrived: Dict[str, str] = {}
        self._total, self._done = sum(sizes.values()), sum(self.offsets.values())
        self._name, self._descriptor = "", -1
        self._digest: Optional["hashlib._Hash"] = None
        self._flusher = _Flusher()

    def __enter__(self) -> "Arrival":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._close()
        self._flusher.close()

    def take_hashes(self, hashes: Dict[str, str]) -> None:
        """Take the SHA-256 that every file has to have."""
        self._hashes = hashes

    def take_chunks(self) -> Frame:
        """Take chunks until another frame comes, and return that. Raises CommandError."""
        while True:
            frame = self._talk.receive(_LOOK_S)
            self._talk.check()
            if frame is None:
                if time.monotonic() - self._talk.last_heard > SILENCE_S:
                    raise CommandError("Nothing was received for two minutes.", "interrupted")
                continue
            if frame.kind != "chunk":
                return frame
            self._take(frame)

    def _take(self, frame: Frame) -> None:
        name = self._checked_name(frame)
        if name != self._name:
            self._open(name)
        write_all(self._descriptor, frame.body)
        if self._digest is not None:
            self._digest.update(frame.body)
        self.offsets[name] += len(frame.body)
        self._done += len(frame.body)
        if self._digest is not None and self.offsets[name] == self._sizes[name]:
            self._arrived[name] = self._digest.hexdigest()
        self._flusher.wrote(os.path.join(self._aside, name), len(frame.body))
        self._talk.progress("upload", self._done, self._total, "bytes")

    def _checked_name(self, frame: Frame) -> str:
        name = frame.head.get("name")
        if not isinstance(name, str) or name not in self._sizes:
            raise CommandError("A chunk came for a file that the manifest does not name.", "bad_request")
        if frame.head.get("offset") != self.offsets[name]:
            raise CommandError(
                "A chunk of {} came for byte {}, not {}.".format(name, frame.head.get("offset"), self.offsets[name]),
                "bad_request",
            )
        if self.offsets[name] + len(frame.body) > self._sizes[name]:
            raise CommandError("More bytes came for {} than the manifest says.".format(name), "bad_request")
        return name

    def _open(self, name: str) -> None:
        self._close()
        self._descriptor, self._name = _open(os.path.join(self._aside, name)), name
        # of a file that an earlier upload began the whole is hashed at the end
        self._digest = hashlib.sha256() if self.offsets[name] == 0 else None

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._name, self._descriptor, self._digest = "", -1, None

    def verify(self) -> None:
        """Sync everything and compare the hashes; a file that differs is removed, so that it is sent again.

        Raises:
            CommandError: a file is not complete or differs, or no hashes came.
            OSError: the disk did not take something.
        """
        self._flusher.close()
        if self._flusher.failure is not None:
            raise self._flusher.failure
        if not self._hashes:
            raise CommandError("The upload ended without hashes.", "bad_request")
        wrong: List[str] = []
        for index, name in enumerate(self._sizes):
            self._talk.check()
            self._talk.progress("verify", index, len(self._sizes), "files")
            path = os.path.join(self._aside, name)
            self._settle(name, path)
            if (self._arrived.get(name) or file_sha256(path)) != self._hashes[name]:
                os.unlink(path)
                wrong.append(name)
        if wrong:
            raise CommandError("{} arrived damaged; send it again.".format(", ".join(wrong[:3])), "failed")
        for parent, _, _ in os.walk(self._aside):
            sync_folder(parent)
        self._remove_strangers()

    def _settle(self, name: str, path: str) -> None:
        if self._sizes[name] == 0 and not os.path.lexists(path):
            os.close(_open(path))
        if not os.path.isfile(path) or os.path.getsize(path) < self._sizes[name]:
            raise CommandError("{} is not complete; send it again.".format(name), "failed")
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _remove_strangers(self) -> None:
        """Remove what an earlier manifest of the same key left; the folder then holds just what was hashed."""
        for parent, _, files in os.walk(self._aside):
            for name in files:
                path = os.path.join(parent, name)
                if os.path.relpath(path, self._aside) not in self._sizes:
                    os.unlink(path)


class _Flusher:
    """Puts what was written on the disk meanwhile, so that the sync at the end has little left to wait for."""

    def __init__(self) -> None:
        self.failure: Optional[OSError] = None
        self._paths: "queue.Queue[Optional[str]]" = queue.Queue()
        self._written = 0
        self._thread: Optional[threading.Thread] = None

    def wrote(self, path: str, count: int) -> None:
        self._written += count
        if self._written < _FLUSH_BYTES or self._paths.qsize():
            return
        self._written = 0
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="flusher", daemon=True)
            self._thread.start()
        self._paths.put(path)

    def close(self) -> None:
        if self._thread is not None:
            self._paths.put(None)
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while True:
            path = self._paths.get()
            if path is None:
                return
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
                try:
                    os.fdatasync(descriptor)
                finally:
                    os.close(descriptor)
            except OSError as error:  # a later sync might not be told of it any more
                self.failure = error


def _size_here(path: str, size_bytes: int) -> int:
    """Return how much of a file an earlier upload left; what is longer than the file is thrown away."""
    try:
        size = os.lstat(path).st_size
    except OSError:
        return 0
    if size > size_bytes or os.path.islink(path):
        os.unlink(path)
        return 0
    return size


def _open(path: str) -> int:
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
