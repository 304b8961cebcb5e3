"""Feeding one tracker from a run's events: each step once, in order, until the run rests or goes back a stretch."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from remote_agent.contract.events import RESTING, Stamped, StateChanged, TrainingStarted, event_from_body
from remote_agent.contract.journal_line import parse_line
from remote_agent.contract.run_dir import RANK0_WRITER, SUPERVISOR_WRITER
from remote_agent.contract.tracker_points import POINT_KINDS, Attempts, Point
from remote_agent.run_files.journal_segments import JournalReader
from remote_agent.trackers.sink import Sink

LOOK_S = 1.0
SILENT_S = 900.0
"""A supervisor writes every few seconds; a journal this old has none any more, and nobody will end the run."""
_PIECE_BYTES = 1 << 20
_STARTS, _STATES = ("training",), ("state",)


class Source(Protocol):
    """Where events come from."""

    def starts(self) -> list[TrainingStarted]:
        """Return the attempts that are known from the beginning."""
        ...

    def batches(self) -> Iterator[list[Stamped]]:
        """Yield events as they come, empty lists meanwhile; ends when there will be no more."""
        ...


class Ending(NamedTuple):
    """How a pass over the events ended: the run's resting state, or that it went back and has to be told anew."""

    state: str
    goes_back: bool


def feed(source: Source, sink: Sink) -> Ending:
    """Give a sink all points of a run that it does not hold yet. Raises what its library raises."""
    attempts = Attempts(source.starts())
    held = sink.open()
    state, known = "", {start.attempt for start in source.starts()}
    for events in source.batches():
        points: list[Point] = []
        for stamped in events:
            event = stamped.event
            if isinstance(event, StateChanged):
                state = event.state
            elif isinstance(event, TrainingStarted) and event.attempt not in known:
                known.add(event.attempt)
                if attempts.begin(event):
                    sink.write(points)
                    return Ending("", True)
            point = attempts.point(stamped)
            if point is not None and point.step > held:
                points.append(point)
        if points:
            sink.write(points)
    return Ending(state if state in RESTING else "", False)


class JournalSource:
    """The journal of a run on this machine, read to the end of what the run writes.

    Args:
        folder: the journal's folder.
        look_s: how long to wait where nothing is new.
    """

    def __init__(self, folder: Path, look_s: float = LOOK_S) -> None:
        self._folder, self._look_s = folder, look_s
        self._starts: list[TrainingStarted] | None = None

    def starts(self) -> list[TrainingStarted]:
        """Read the begins of all attempts so far."""
        if self._starts is None:
            reader = JournalReader(str(self._folder), RANK0_WRITER, _STARTS)
            found = _read_all(reader)
            self._starts = [event for _, event in found if isinstance(event, TrainingStarted)]
        return self._starts

    def batches(self) -> Iterator[list[Stamped]]:
        """Yield rank 0's points and the supervisor's states."""
        rank0 = JournalReader(str(self._folder), RANK0_WRITER, (*POINT_KINDS, *_STARTS))
        supervisor = JournalReader(str(self._folder), SUPERVISOR_WRITER, _STATES)
        try:
            while True:
                # states first: once the run rests, what rank 0 wrote lies before us in full
                states = supervisor.poll()
                events = rank0.poll(_PIECE_BYTES)
                while rank0.is_behind:
                    yield events
                    events = rank0.poll(_PIECE_BYTES)
                yield [*events, *states]
                if (states and _rests(states)) or not self._is_written():
                    return
                if not events:
                    time.sleep(self._look_s)
        finally:
            rank0.close()
            supervisor.close()

    def _is_written(self) -> bool:
        try:
            newest = max((path.stat().st_mtime for path in self._folder.iterdir()), default=0.0)
        except OSError:
            return False  # the run was removed
        return time.time() - newest < SILENT_S


class LineSource:
    """Journal lines as they come through a pipe, until its end; what the begins of attempts are is told apart."""

    def __init__(self, stream: BinaryIO, starts: Sequence[TrainingStarted]) -> None:
        self._stream, self._told = stream, list(starts)

    def starts(self) -> list[TrainingStarted]:
        """Return what was told."""
        return self._told

    def batches(self) -> Iterator[list[Stamped]]:
        """Yield the events of what came together."""
        lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._pass_on, args=(lines,), name="lines", daemon=True).start()
        while True:
            found = [lines.get()]
            while len(found) < 1000 and not lines.empty():
                found.append(lines.get())
            yield [stamped for line in found if line for stamped in _decoded(line)]
            if not found[-1]:
                return

    def _pass_on(self, lines: queue.SimpleQueue[bytes]) -> None:
        for line in self._stream:
            if line.strip():
                lines.put(line)
        lines.put(b"")


def _decoded(raw: bytes) -> Iterator[Stamped]:
    line = parse_line(raw.rstrip(b"\n"))
    if line is not None:
        body = json.loads(line.body)
        if isinstance(body, dict):
            yield event_from_body(body)


def _read_all(reader: JournalReader) -> list[Stamped]:
    try:
        return reader.poll()
    finally:
        reader.close()


def _rests(states: Sequence[Stamped]) -> bool:
    last = states[-1].event
    return isinstance(last, StateChanged) and last.state in RESTING
