"""Sends a folder or file to a node: hashed on the way, resumed where an earlier try was cut, verified there."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from remote_agent.contract.frames import Frame
from studio.remote.call import Call, OnProgress, Progress, progress_of
from studio.remote.errors import AgentFailed, LinkError

CHUNK_BYTES = 256 << 10
_REPORT_EVERY_S = 0.1
_RATE_OVER_S = 5.0


@dataclasses.dataclass(frozen=True)
class SourceFile:
    """A file to send: its name on the node (relative, with slashes), where it lies here, its size, when it changed."""

    name: str
    path: Path
    size_bytes: int
    changed_ns: int


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


def source_files(source: Path) -> tuple[SourceFile, ...]:
    """Return the files of a folder, or one file, in the order of their names.

    Hidden files and folders are left out; links are followed to files, not to folders. Raises ValueError where there
    is no such file or folder, or nothing in it.
    """
    if source.is_file():
        found = {source.name: source}
    elif source.is_dir():
        found = dict(_walk(source))
    else:
        raise ValueError(f"There is no file or folder {source}.")
    if not found:
        raise ValueError(f"The folder {source} holds no files.")
    stats = {name: path.stat() for name, path in found.items()}
    return tuple(SourceFile(name, found[name], stats[name].st_size, stats[name].st_mtime_ns) for name in sorted(found))


def upload_key(files: Sequence[SourceFile]) -> str:
    """Return what names an upload before the contents are hashed; the same files unchanged give the same."""
    lines = "".join(f"{file.size_bytes} {file.changed_ns} {file.name}\n" for file in files)
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def fingerprint(hashes: Mapping[str, str]) -> str:
    """Return the SHA-256 over the files' names and hashes, as ``sha256sum`` lines."""
    lines = "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes))
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def send_source(call: Call, kind: str, source: Path, on_progress: OnProgress | None) -> str:
    """Send what the node does not have of a folder or file, hashing it on the way, and return the path there.

    Where the node seems to have all of it, everything is hashed first and then perhaps nothing sent.

    Raises:
        RemoteError: the call failed; what arrived stays for the next try.
        ValueError: there is nothing to send, or a file became shorter meanwhile.
    """
    files = source_files(source)
    manifest = [{"name": file.name, "size_bytes": file.size_bytes} for file in files]
    call.begin("receive", {"kind": kind, "manifest": manifest, "key": upload_key(files)})
    talk = _Talk(call, on_progress)
    talk.wait(lambda: talk.offsets is not None or talk.result is not None)
    hashes: dict[str, str] = {}
    if talk.likely:
        hashes = _hashed(talk, files)
        talk.offsets = None
        call.send("hashes", fingerprint=fingerprint(hashes), sha256=hashes)
        talk.wait(lambda: talk.offsets is not None or talk.result is not None)
    if talk.result is None:
        sent = _send(call, talk, files)
        # An agent that had everything already may be gone by now, with its result on the way.
        with contextlib.suppress(LinkError):
            if not hashes:
                call.send("hashes", fingerprint=fingerprint(sent), sha256=sent)
            call.send("end")
        talk.wait(lambda: talk.result is not None)
    path = (talk.result or {}).get("path")
    if not isinstance(path, str):
        raise AgentFailed("The agent did not say where it put the files.", "failed")
    return path


def _hashed(talk: _Talk, files: Sequence[SourceFile]) -> dict[str, str]:
    meter = Meter(talk.on_progress, "hashing", sum(file.size_bytes for file in files))
    done, hashes = 0, {}
    for file in files:
        digest = hashlib.sha256()
        for body in _pieces(file, 0, file.size_bytes):
            digest.update(body)
            done += len(body)
            meter.tell(done)
            talk.listen(0.0)
        hashes[file.name] = digest.hexdigest()
    meter.tell(done, last=True)
    return hashes


def _send(call: Call, talk: _Talk, files: Sequence[SourceFile]) -> dict[str, str]:
    """Send the rest of every file and return the hashes of all of them whole."""
    offsets = {file.name: min((talk.offsets or {}).get(file.name, 0), file.size_bytes) for file in files}
    done, rehashed = sum(offsets.values()), 0
    before = Meter(talk.on_progress, "hashing", done)
    meter = Meter(talk.on_progress, "sending", sum(file.size_bytes for file in files))
    meter.tell(done)
    hashes = {}
    for file in files:
        digest, offset = hashlib.sha256(), offsets[file.name]
        for body in _pieces(file, 0, offset):  # what an earlier try has sent
            digest.update(body)
            rehashed += len(body)
            before.tell(rehashed)
            talk.listen(0.0)
        for body in _pieces(file, offset, file.size_bytes):
            call.send("chunk", body, name=file.name, offset=offset)
            digest.update(body)
            talk.listen(0.0)
            offset += len(body)
            done += len(body)
            meter.tell(done)
        hashes[file.name] = digest.hexdigest()
    meter.tell(done, last=True)
    return hashes


class _Talk:
    """What the agent said so far while files travel."""

    def __init__(self, call: Call, on_progress: OnProgress | None) -> None:
        self._call = call
        self.on_progress = on_progress
        self.offsets: dict[str, int] | None = None
        self.likely = False
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
            self.likely = frame.head.get("likely") is True
        elif frame.kind == "result":
            value = frame.head.get("value")
            self.result = value if isinstance(value, dict) else {}
        elif frame.kind == "progress" and self.on_progress is not None and frame.head.get("phase") != "upload":
            self.on_progress(progress_of(frame))  # its own count of what was sent lags behind ours


def _offsets(value: object) -> dict[str, int]:
    if not isinstance(value, Mapping):
        return {}
    return {str(name): offset for name, offset in value.items() if isinstance(offset, int) and offset >= 0}


def _pieces(file: SourceFile, start: int, end: int) -> Iterator[bytes]:
    if start >= end:
        return
    with file.path.open("rb") as stream:
        stream.seek(start)
        while start < end:
            body = stream.read(min(CHUNK_BYTES, end - start))
            if not body:
                raise ValueError(f"{file.path} became shorter while it was sent; send it again.")
            yield body
            start += len(body)


def _walk(folder: Path) -> Iterator[tuple[str, Path]]:
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            path = Path(where, name)
            if not name.startswith(".") and path.is_file():
                yield path.relative_to(folder).as_posix(), path
