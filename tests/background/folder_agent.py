"""An agent that reads run directories in this process and fails on demand; serves the frames a real one would."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from remote_agent.contract.frames import Frame
from remote_agent.contract.run_dir import parse_segment_file
from studio.remote.errors import LinkError
from tests.support.journals import INCARNATION

FRAME_BYTES = 512 << 10
OVERVIEW_BYTES = 8 << 20


class FolderAgent:
    """Serves ``<runs>/<run id>/journal`` and ``log``. ``faults`` is asked before every attach and every receive.

    Attributes:
        attached: what each attach was asked for.
        edit: changes the frames of a channel before they are handed on.
    """

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        self.attached: list[Mapping[str, Mapping[str, Any]]] = []
        self.on_attach: Callable[[], None] = lambda: None
        self.on_receive: Callable[[], None] = lambda: None
        self.edit: Callable[[list[Frame]], list[Frame]] = lambda frames: frames
        self.is_silent = False
        self.open_streams = 0

    def attach(
        self,
        wanted: Mapping[str, Mapping[str, Any]],
        follow: bool,
        overview: bool = False,
        cancelled: threading.Event | None = None,
    ) -> FolderStream:
        self.attached.append(wanted)
        self.on_attach()
        self.open_streams += 1
        return FolderStream(self, wanted, overview)


class FolderStream:
    """A channel: at most 4 MiB beyond what was acknowledged, as the real one."""

    def __init__(self, agent: FolderAgent, wanted: Mapping[str, Mapping[str, Any]], overview: bool) -> None:
        self.ended = False
        self.heard_s = time.monotonic()
        self._agent = agent
        self._frames = self._serve(wanted, overview)
        self._unacknowledged = 0
        self._changed = threading.Event()

    def receive(self, timeout_s: float) -> list[Frame]:
        self._agent.on_receive()
        frames: list[Frame] = []
        until = time.monotonic() + timeout_s
        while not frames:
            for frame in self._frames:
                if frame is None:
                    break
                frames.append(frame)
                self._unacknowledged += len(frame.body)
                if self._unacknowledged > 1 << 20:
                    break
            if not frames and time.monotonic() >= until:
                break
            if not frames:
                self._changed.wait(0.005)
        if not self._agent.is_silent:
            self.heard_s = time.monotonic()
        return self._agent.edit(frames)

    def ack(self) -> None:
        self._unacknowledged = 0

    def close(self) -> None:
        self.ended = True
        self._agent.open_streams -= 1

    def _serve(self, wanted: Mapping[str, Mapping[str, Any]], overview: bool) -> Iterator[Frame | None]:
        cursors = {run_id: dict(asked["cursors"]) for run_id, asked in wanted.items()}
        logs = {run_id: dict(asked["logs"]) for run_id, asked in wanted.items()}
        told: set[str] = set()
        while True:
            for run_id in wanted:
                folder = self._agent.runs / run_id
                if not folder.is_dir():
                    if run_id not in told:
                        told.add(run_id)
                        yield Frame({"frame": "gone", "run": run_id})
                    continue
                if overview and run_id not in told:
                    yield from _overview(folder, run_id, cursors[run_id])
                yield from _journal(folder, run_id, cursors[run_id])
                yield from _logs(folder, run_id, logs[run_id])
                if run_id not in told:
                    told.add(run_id)
                    yield Frame({"frame": "caught_up", "run": run_id})
            yield None


def _overview(folder: Path, run_id: str, cursors: Mapping[str, Any]) -> Iterator[Frame]:
    paths = sorted((folder / "journal").glob("rank0.*.jsonl"))
    if "rank0" in cursors or sum(path.stat().st_size for path in paths) < OVERVIEW_BYTES:
        return
    lines = [line for path in paths for line in path.read_bytes().split(b"\n") if b'"step"' in line]
    body = b"".join(line + b"\n" for line in lines[:: max(1, len(lines) // 2000)])
    yield Frame({"frame": "overview", "run": run_id, "lines": len(lines)}, body)


def _journal(folder: Path, run_id: str, cursors: dict[str, Any]) -> Iterator[Frame]:
    for path in sorted((folder / "journal").glob("*.jsonl")):
        segment = parse_segment_file(path.name)
        assert segment is not None
        at = cursors.get(segment.writer, [0, INCARNATION, 0])
        if segment.number < at[0]:
            continue
        offset = at[2] if segment.number == at[0] and at[1] == INCARNATION else 0
        data = path.read_bytes()
        while offset < len(data):
            end = data.rfind(b"\n", offset, offset + FRAME_BYTES) + 1
            if not end:
                break
            head = {"frame": "journal", "run": run_id, "writer": segment.writer, "segment": segment.number}
            yield Frame(head | {"incarnation": INCARNATION, "offset": offset}, data[offset:end])
            offset = end
            cursors[segment.writer] = [segment.number, INCARNATION, offset]


def _logs(folder: Path, run_id: str, logs: dict[str, Any]) -> Iterator[Frame]:
    for path in sorted((folder / "log").glob("rank*.log")):
        rank = int(path.stem.removeprefix("rank"))
        offset, data = logs.get(str(rank), 0), path.read_bytes()
        if offset < len(data):
            yield Frame({"frame": "log", "run": run_id, "rank": rank, "offset": offset}, data[offset:])
            logs[str(rank)] = len(data)


def refuse(sentence: str = "gpu-box refused the connection.") -> Callable[[], None]:
    """Return a fault that is a link error every time."""

    def fault() -> None:
        raise LinkError(sentence)

    return fault
