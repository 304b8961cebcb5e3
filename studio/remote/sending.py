"""Sends a folder or file to a node: hashed first, resumed where an earlier try was cut, verified there."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from remote_agent.contract.frames import Frame
from studio.remote.call import Call, OnProgress, Progress, progress_of
from studio.remote.errors import AgentFailed, Cancelled, LinkError

CHUNK_BYTES = 256 << 10
_REPORT_EVERY_S = 0.1
_RATE_OVER_S = 5.0


@dataclasses.dataclass(frozen=True)
class SourceFile:
    """A file to send: its name on the node (relative, with slashes), where it lies here, its size and SHA-256."""

    name: str
    path: Path
    size_bytes: int
    sha256: str


class Meter:
    """Reports progress ten times a second at most, with the rate over the last five seconds."""

    def __init__(self, on_progress: OnProgress | None, phase: str, total: float, unit: str = "bytes") -> None:
        self._on_progress = on_progress
        self._phase = phase
        self._total = total
        self._unit = unit
        self._moments: list[tuple[float, float]] = []

    def tell(self, done: float, last: bool = False) -> None:
        """Report that much as done."""
        now = time.monotonic()
        if self._on_progress is None or (self._moments and not last and now - self._moments[-1][0] < _REPORT_EVERY_S):
            return
        self._moments = [moment for moment in self._moments if now - moment[0] <= _RATE_OVER_S]
        self._moments.append((now, done))
        since, before = self._moments[0]
        rate = (done - before) / (now - since) if now > since else 0.0
        self._on_progress(Progress(self._phase, done, self._total, self._unit, rate))


def source_files(
    source: Path, on_progress: OnProgress | None = None, cancelled: threading.Event | None = None
) -> tuple[SourceFile, ...]:
    """Return the files of a folder, or one file, with their hashes, in the order of their names.

    Hidden files and folders are left out; links are followed to files, not to folders.

    Raises:
        ValueError: there is no such file or folder, or nothing in it.
        Cancelled: the event was set.
    """
    if source.is_file():
        found = {source.name: source}
    elif source.is_dir():
        found = dict(_walk(source))
    else:
        raise ValueError(f"There is no file or folder {source}.")
    if not found:
        raise ValueError(f"The folder {source} holds no files.")
    sizes = {name: path.stat().st_size for name, path in found.items()}
    meter = Meter(on_progress, "hashing", sum(sizes.values()))
    files: list[SourceFile] = []
    done = 0
    for name in sorted(found):
        digest = hashlib.sha256()
        with found[name].open("rb") as stream:
            while data := stream.read(1 << 20):
                if cancelled is not None and cancelled.is_set():
                    raise Cancelled("Cancelled.")
                digest.update(data)
                done += len(data)
                meter.tell(done)
        files.append(SourceFile(name, found[name], sizes[name], digest.hexdigest()))
    return tuple(files)


def fingerprint(files: Sequence[SourceFile]) -> str:
    """Return the SHA-256 over the files' hashes and names, as ``sha256sum`` lines."""
    lines = "".join(f"{file.sha256}  {file.name}\n" for file in sorted(files, key=lambda file: file.name))
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def send_files(call: Call, kind: str, files: Sequence[SourceFile], on_progress: OnProgress | None) -> str:
    """Send what the node does not have and return the path there.

    Raises:
        RemoteError: the call failed; what arrived stays for the next try.
        ValueError: a file became shorter meanwhile.
    """
    manifest = [{"name": file.name, "size_bytes": file.size_bytes, "sha256": file.sha256} for file in files]
    call.begin("receive", {"kind": kind, "manifest": manifest, "fingerprint": fingerprint(files)})
    talk = _Talk(call, on_progress)
    talk.wait(lambda: talk.offsets is not None or talk.result is not None)
    offsets = talk.offsets or {}
    total = sum(file.size_bytes for file in files)
    done = sum(min(offsets.get(file.name, 0), file.size_bytes) for file in files)
    meter = Meter(on_progress, "sending", total)
    meter.tell(done)
    for file in files:
        for offset, body in _rest(file, offsets.get(file.name, 0)):
            call.send("chunk", body, name=file.name, offset=offset)
            talk.listen(0.0)
            done += len(body)
            meter.tell(done)
    meter.tell(total, last=True)
    # An agent that had everything already may be gone by now, with its result on the way.
    with contextlib.suppress(LinkError):
        call.send("end")
    talk.wait(lambda: talk.result is not None)
    path = (talk.result or {}).get("path")
    if not isinstance(path, str):
        raise AgentFailed("The agent did not say where it put the files.", "failed")
    return path


class _Talk:
    """What the agent said so far while files travel."""

    def __init__(self, call: Call, on_progress: OnProgress | None) -> None:
        self._call = call
        self._on_progress = on_progress
        self.offsets: dict[str, int] | None = None
        self.result: dict[str, Any] | None = None

    def wait(self, until: Callable[[], bool]) -> None:
        while not until():
            self.listen(1.0)

    def listen(self, timeout_s: float) -> None:
        if self.result is None:
            for frame in self._call.receive(timeout_s):
                self._take(frame)

    def _take(self, frame: Frame) -> None:
        if frame.kind == "have":
            self.offsets = _offsets(frame.head.get("offsets"))
        elif frame.kind == "result":
            value = frame.head.get("value")
            self.result = value if isinstance(value, dict) else {}
        elif frame.kind == "progress" and self._on_progress is not None and frame.head.get("phase") != "upload":
            self._on_progress(progress_of(frame))  # its own count of what was sent lags behind ours


def _offsets(value: object) -> dict[str, int]:
    if not isinstance(value, Mapping):
        return {}
    return {str(name): offset for name, offset in value.items() if isinstance(offset, int) and offset >= 0}


def _rest(file: SourceFile, offset: int) -> Iterator[tuple[int, bytes]]:
    if offset >= file.size_bytes:
        return
    with file.path.open("rb") as stream:
        stream.seek(offset)
        while offset < file.size_bytes:
            body = stream.read(min(CHUNK_BYTES, file.size_bytes - offset))
            if not body:
                raise ValueError(f"{file.path} became shorter while it was sent; send it again.")
            yield offset, body
            offset += len(body)


def _walk(folder: Path) -> Iterator[tuple[str, Path]]:
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            path = Path(where, name)
            if not name.startswith(".") and path.is_file():
                yield path.relative_to(folder).as_posix(), path
