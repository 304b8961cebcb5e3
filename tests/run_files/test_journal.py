"""A journal survives what happens to files: torn tails, damage, full disks, failed syncs, reopening."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from remote_agent.contract.events import Complained, Sampled, StateChanged, TrainingEnded
from remote_agent.contract.journal_line import MAX_LINE_BYTES, parse_line
from remote_agent.contract.run_dir import segment_file
from remote_agent.run_files.journal import MEMORY_BYTES, JournalWriter
from remote_agent.run_files.journal_segments import (
    JournalReader,
    last_events,
    open_segment,
    read_events,
    read_header,
    segment_numbers,
    writers,
)

RUN = "r-260101-000000-abcdef"


def writer(folder: Path, name: str = "rank0", **more: Any) -> JournalWriter:
    return JournalWriter(str(folder), name, RUN, lambda: 12.5, **more)


def steps(folder: Path, name: str = "rank0") -> list[int]:
    return [event.step for _, event in read_events(str(folder), name) if isinstance(event, TrainingEnded)]


def write_steps(journal: JournalWriter, *numbers: int) -> None:
    for number in numbers:
        journal.write(TrainingEnded(1, number, False))


def header(folder: Path, number: int) -> Any:
    descriptor = open_segment(str(folder), "rank0", number)
    try:
        return read_header(descriptor)
    finally:
        os.close(descriptor)


def numbers_in(folder: Path) -> list[int]:
    """Return the numbers of all events in the order of the files."""
    found = []
    for segment in segment_numbers(str(folder), "rank0"):
        for raw in (folder / segment_file("rank0", segment)).read_bytes().split(b"\n")[1:-1]:
            line = parse_line(raw)
            found.append(line.seq if line else -1)
    return found


def test_that_a_line_is_read_as_it_was_written(tmp_path: Path) -> None:
    with writer(tmp_path, "supervisor") as journal:
        assert [journal.write(StateChanged(state, 1, "why")) for state in ("queued", "starting")] == [1, 2]
    assert [(stamped.time_s, stamped.event) for stamped in read_events(str(tmp_path), "supervisor")] == [
        (12.5, StateChanged("queued", 1, "why")),
        (12.5, StateChanged("starting", 1, "why")),
    ]
    assert writers(str(tmp_path)) == ["supervisor"]


def test_that_every_opening_begins_a_segment_and_an_incarnation_and_goes_on_counting(tmp_path: Path) -> None:
    for opening in range(3):
        with writer(tmp_path) as journal:
            write_steps(journal, 2 * opening, 2 * opening + 1)
    headers = [header(tmp_path, number) for number in segment_numbers(str(tmp_path), "rank0")]
    assert [found.first_seq for found in headers] == [1, 3, 5]
    assert len({found.incarnation for found in headers}) == 3
    assert {(found.run, found.writer) for found in headers} == {(RUN, "rank0")}
    assert steps(tmp_path) == list(range(6))
    assert numbers_in(tmp_path) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("tail", [b"deadbeef 9 {", b"\0" * 5000, b"00000000 4 {}\n", b"x" * 700_000])
def test_that_a_torn_tail_is_cut_and_every_good_line_kept(tmp_path: Path, tail: bytes) -> None:
    with writer(tmp_path) as journal:
        write_steps(journal, 1, 2, 3)
    path = tmp_path / segment_file("rank0", 0)
    whole = path.read_bytes()
    path.write_bytes(whole + tail)
    with writer(tmp_path) as journal:
        write_steps(journal, 4)
    assert path.read_bytes() == whole
    assert steps(tmp_path) == [1, 2, 3, 4]
    assert numbers_in(tmp_path) == [1, 2, 3, 4]


def test_that_a_journal_cut_at_any_byte_opens_again_with_what_was_whole(tmp_path: Path) -> None:
    with writer(tmp_path) as journal:
        write_steps(journal, 1, 2)
    whole = (tmp_path / segment_file("rank0", 0)).read_bytes()
    for size in range(0, len(whole) + 1, 7):
        folder = tmp_path / str(size)
        folder.mkdir()
        (folder / segment_file("rank0", 0)).write_bytes(whole[:size])
        with writer(folder) as journal:
            write_steps(journal, 9)
        kept = max(0, whole[:size].count(b"\n") - 1)
        assert steps(folder) == [*[1, 2][:kept], 9]


def test_that_damage_in_the_middle_costs_its_lines_and_is_counted(tmp_path: Path) -> None:
    with writer(tmp_path) as journal:
        write_steps(journal, 1, 2, 3, 4)
    path = tmp_path / segment_file("rank0", 0)
    lines = path.read_bytes().split(b"\n")
    lines[2] = lines[2].replace(b'"step":2', b'"step":7')
    path.write_bytes(b"\n".join(lines))
    reader = JournalReader(str(tmp_path), "rank0")
    assert [event.step for _, event in reader.poll() if isinstance(event, TrainingEnded)] == [1, 3, 4]
    assert (reader.damaged, reader.lost) == (1, 1)
    reader.close()


def test_that_a_reader_follows_a_writer_across_segments(tmp_path: Path) -> None:
    reader = JournalReader(str(tmp_path), "rank0")
    assert reader.poll() == []
    journal = writer(tmp_path, segment_bytes=600)
    seen: list[int] = []
    for number in range(40):
        write_steps(journal, number)
        seen += [event.step for _, event in reader.poll() if isinstance(event, TrainingEnded)]
    journal.close()
    assert seen == list(range(40))
    assert len(segment_numbers(str(tmp_path), "rank0")) > 5
    assert numbers_in(tmp_path) == list(range(1, 41))
    assert len({header(tmp_path, number).incarnation for number in segment_numbers(str(tmp_path), "rank0")}) == 1
    reader.close()


def test_that_a_reader_of_some_kinds_sees_only_those(tmp_path: Path) -> None:
    with writer(tmp_path) as journal:
        journal.write(StateChanged("training", 1))
        write_steps(journal, 5)
    reader = JournalReader(str(tmp_path), "rank0", ("training_ended",))
    assert [event for _, event in reader.poll()] == [TrainingEnded(1, 5, False)]
    reader.close()


def test_that_of_a_bulky_kind_only_the_last_are_given_each_at_its_place(tmp_path: Path) -> None:
    with writer(tmp_path) as journal:
        for number in range(1, 31):
            write_steps(journal, number)
            if number % 7 == 0:
                journal.write(StateChanged("running", number))
    reader, everything = JournalReader(str(tmp_path), "rank0"), read_events(str(tmp_path), "rank0")
    far, near = everything[:-14], everything[-14:]  # twelve, and the two that stand between them
    told = reader.poll_latest(["training_ended"], 12)
    assert told == [*(each for each in far if isinstance(each.event, StateChanged)), *near] and len(told) == 16
    assert reader.poll_latest(["training_ended"], 12) == [] and reader.damaged == 0
    with writer(tmp_path) as journal:
        write_steps(journal, 31)
    assert len(reader.poll()) == 1
    reader.close()


def test_that_the_last_events_are_found_without_reading_the_rest(tmp_path: Path) -> None:
    with writer(tmp_path) as journal:
        write_steps(journal, *range(500))
    writer(tmp_path).close()
    found = last_events(str(tmp_path), "rank0", 2000)
    assert 10 < len(found) < 30
    assert found[-1].event == TrainingEnded(1, 499, False)


class FullDisk:
    """Lets some bytes of a write through and then says that the disk is full."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room: int | None = None
        self._write = os.write
        monkeypatch.setattr(os, "write", self.write)

    def write(self, descriptor: int, data: bytes) -> int:
        if self.room is None:
            return self._write(descriptor, data)
        if self.room == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = self._write(descriptor, bytes(data)[: self.room])
        self.room -= written
        return written


def test_that_a_full_disk_leaves_no_half_line_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = writer(tmp_path)
    disk = FullDisk(monkeypatch)
    write_steps(journal, 1)
    disk.room = 20
    write_steps(journal, 2, 3)
    assert steps(tmp_path) == [1]
    assert (tmp_path / segment_file("rank0", 0)).read_bytes().endswith(b"\n")
    disk.room = None
    write_steps(journal, 4)
    journal.close()
    assert steps(tmp_path) == [1, 2, 3, 4]
    assert numbers_in(tmp_path) == [1, 2, 3, 4]


def test_that_what_memory_cannot_hold_is_counted_in_a_complaint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = writer(tmp_path)
    disk = FullDisk(monkeypatch)
    disk.room = 0
    text = "x" * (MAX_LINE_BYTES // 2)
    for number in range(2 * MEMORY_BYTES // len(text) + 2):
        journal.write(Sampled(1, number, "prompt", text))
    disk.room = None
    journal.sync()
    journal.close()
    events = [event for _, event in read_events(str(tmp_path), "rank0")]
    kept = [event.step for event in events if isinstance(event, Sampled)]
    assert kept == list(range(11, 18))
    assert events[-1] == Complained("error", "The disk was full: 11 lines of this journal are lost.")


def test_that_a_failed_sync_begins_a_new_incarnation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = writer(tmp_path)
    write_steps(journal, 1)
    before = journal.incarnation

    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", fail)
        journal.sync()
    write_steps(journal, 2)
    journal.close()
    assert journal.incarnation != before
    assert header(tmp_path, 1).incarnation == journal.incarnation
    assert steps(tmp_path) == [1, 2]
    assert any("could not be synced" in str(event) for _, event in read_events(str(tmp_path), "rank0"))
    assert numbers_in(tmp_path) == sorted(numbers_in(tmp_path))


def test_that_an_event_too_long_for_a_line_becomes_a_complaint(tmp_path: Path) -> None:
    with writer(tmp_path) as journal:
        journal.write(Sampled(1, 1, "prompt", "x" * MAX_LINE_BYTES))
        write_steps(journal, 2)
    assert "too long" in str(read_events(str(tmp_path), "rank0")[0].event)
    assert steps(tmp_path) == [2]


def test_that_a_journal_can_be_read_a_piece_at_a_time(tmp_path: Path) -> None:
    with writer(tmp_path, segment_bytes=300_000) as journal:
        write_steps(journal, *range(1, 20_001))
    reader = JournalReader(str(tmp_path), "rank0")
    pieces = [reader.poll(100_000)]
    while reader.is_behind:
        pieces.append(reader.poll(100_000))
    reader.close()
    found = [event.step for piece in pieces for _, event in piece if isinstance(event, TrainingEnded)]
    assert found == list(range(1, 20_001))
    assert len(pieces) > 3 and max(map(len, pieces)) < 10_000
