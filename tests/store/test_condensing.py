from __future__ import annotations

import math
import struct
from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote_agent.contract.events import AlertCleared, Evaluated, Event, StateChanged
from remote_agent.contract.journal_line import encode_line
from studio.store import condensing, kept_blocks
from studio.store.library import Library
from studio.store.live import STEP_COLUMNS, RunBatch, StepColumns
from studio.store.replay import replay
from studio.store.rows import Block, StoreDamaged, Stretch
from studio.store.step_columns import packed, unpack
from tests.support.journals import event_lines, header_line, step_line

RUN = "r-261124-044500-abcdef"


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    monkeypatch.setattr(condensing, "CONDENSED_BYTES", 20_000)
    return Library(tmp_path / "library.db")


def told(library: Library) -> tuple[list[bytes], list[object], int]:
    """Return what a run's journal says: its columns bit by bit, its events, its damaged lines."""
    whole = RunBatch()
    for batch, _ in replay(library, RUN):
        whole.steps.extend(batch.steps.columns)
        whole.events += batch.events
        whole.damaged += batch.damaged
    return [column.tobytes() for column in whole.steps.columns], list(whole.events), whole.damaged


def store(library: Library, body: bytes, at: int = 0, segment: int = 0, incarnation: str = "i") -> int:
    """Keep a piece of the journal of rank 0 in blocks of ten lines, as they come in, and return where it ends."""
    lines = body.splitlines(keepends=True)
    for first in range(0, len(lines), 10):
        piece = b"".join(lines[first : first + 10])
        library.store_blocks(RUN, [Block("rank0", segment, incarnation, at, piece)])
        at += len(piece)
    return at


def mixed_journal(first: int = 1, steps: int = 500) -> bytes:
    """Return updates with evaluations, a NaN, damage and a kind of a newer writer among them."""
    lines = [header_line()]
    for step in range(first, first + steps):
        lines.append(step_line(step, step))
        if step % 100 == 0:
            events: list[Event] = [Evaluated(1, step, 1.5, 4.5, 10, 10, 0.5), AlertCleared("stall", 0, 1, step)]
            lines.append(event_lines(events, first_seq=step))
        if step % 150 == 0:
            lines += [b"00000000 7 {damaged\n", encode_line(step, {"k": "novel", "t": 1.0, "new": step})]
    return b"".join(lines)


def blocks_of(library: Library) -> list[tuple[int, int, bool]]:
    return [(at.segment, at.offset, at.stretch is not None) for at in kept_blocks.places(library._database, RUN)]


def test_that_a_condensed_run_reads_back_as_its_lines_do_bit_by_bit(library: Library) -> None:
    end = store(library, mixed_journal())
    library.store_blocks(RUN, [Block("supervisor", 0, "s", 0, event_lines([StateChanged("running", 1)]))])
    before, raw = told(library), b"".join(block.body for block in library.blocks(RUN))
    cursors, position = library.cursors(RUN), list(replay(library, RUN))[-1][1]
    assert len(before[1]) == 14 and before[2] == 3
    made = sum(library.condense(RUN, is_over=False))
    assert 0.8 * end < made < end, "the rest waits for more"
    assert told(library) == before
    assert b"".join(block.body for block in library.blocks(RUN)) == raw, "the journal stays as it came"
    sum(library.condense(RUN, is_over=True))
    assert all(has_columns for _, _, has_columns in blocks_of(library)[:-1])
    assert len(blocks_of(library)) < 0.2 * len(raw.splitlines()) / 10
    assert told(library) == before
    assert (library.cursors(RUN), list(replay(library, RUN))[-1][1]) == (cursors, position)
    assert list(library.condense(RUN, is_over=True)) == [], "there is nothing left to do"


def test_that_a_condensed_run_goes_on_where_it_stood(library: Library) -> None:
    end = store(library, mixed_journal())
    sum(library.condense(RUN, is_over=True))
    end = store(library, b"".join(step_line(step, step) for step in range(501, 801)), end)
    store(library, header_line() + step_line(801, 801), segment=1)
    sum(library.condense(RUN, is_over=False))
    steps = array("d", told(library)[0][0])
    assert list(steps) == list(range(1, 802))
    assert library.cursors(RUN)["rank0"].segment == 1


def test_that_a_segment_begun_anew_takes_the_place_of_its_columns(library: Library) -> None:
    store(library, mixed_journal())
    sum(library.condense(RUN, is_over=True))
    store(library, header_line() + step_line(1, 7), incarnation="j")
    for _ in range(2):
        assert list(array("d", told(library)[0][0])) == [7.0]
        sum(library.condense(RUN, is_over=True))


def test_that_columns_of_another_form_are_made_anew(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    store(library, mixed_journal())
    before = told(library)
    monkeypatch.setattr(condensing, "FORMAT", 99)
    sum(library.condense(RUN, is_over=True))
    assert not any(has_columns for _, _, has_columns in blocks_of(library))
    assert told(library) == before
    monkeypatch.undo()
    sum(library.condense(RUN, is_over=True))
    assert any(has_columns for _, _, has_columns in blocks_of(library)) and told(library) == before


def test_that_a_run_read_back_while_another_window_condenses_it_is_read_once(library: Library, tmp_path: Path) -> None:
    store(library, mixed_journal())
    raw = b"".join(block.body for block in library.blocks(RUN))
    other, read = Library(tmp_path / "library.db"), []
    for number, block in enumerate(library.blocks(RUN)):
        read.append(block.body)
        if number == 13:
            sum(other.condense(RUN, is_over=True))
    assert b"".join(read) == raw
    steps = [piece for piece in library.pieces(RUN) if isinstance(piece, Stretch)]
    assert len(steps) == len(list(library.blocks(RUN)))


def test_that_a_cursor_within_a_large_block_gives_what_lies_behind_it(library: Library) -> None:
    store(library, mixed_journal())
    raw = b"".join(block.body for block in library.blocks(RUN))
    early = next(block.end for number, block in enumerate(library.blocks(RUN)) if number == 17)
    sum(library.condense(RUN, is_over=True))
    rest = b"".join(block.body for block in library.blocks(RUN, {"rank0": early}))
    assert rest == raw[early.offset :]


def test_that_deleting_a_run_takes_its_columns_along_and_they_count_as_kept(library: Library) -> None:
    store(library, mixed_journal())
    journal = library.journal_bytes(RUN)
    assert library.kept_bytes(RUN) == journal
    sum(library.condense(RUN, is_over=True))
    assert 1.1 * journal < library.kept_bytes(RUN) < 1.6 * journal
    library.delete_run(RUN)
    assert library.kept_bytes(RUN) == 0 and list(library.pieces(RUN)) == []


@given(st.lists(st.lists(st.floats() | st.integers(-(2**40), 2**40).map(float), min_size=1, max_size=9), max_size=3))
def test_that_columns_are_the_same_to_the_bit_after_packing(values: list[list[float]]) -> None:
    steps = StepColumns()
    for number, row in enumerate(values):
        steps.append([row[place % len(row)] for place in range(len(STEP_COLUMNS))])
        steps.append([float(number)] * len(STEP_COLUMNS))
    found = StepColumns()
    unpack(packed(steps), found)
    assert [column.tobytes() for column in found.columns] == [column.tobytes() for column in steps.columns]


def test_that_columns_of_counting_constant_and_odd_values_stay_to_the_bit() -> None:
    odd = struct.unpack("<d", b"\x01\x00\x00\x00\x00\x00\xf8\x7f")[0]
    cases = [
        list(map(float, range(5, 505))), [2e-5] * 500, [math.nan] * 500, [odd] * 500, [-0.0] * 500, [0.0, -0.0] * 250,
        [1.0, math.nan] * 250, [2.0**31] * 499 + [1.0], [1.0, math.inf] * 250, [0.1 * n for n in range(500)],
        [float(n % 7) for n in range(500)],
    ]  # fmt: skip
    steps, found = StepColumns(), StepColumns()
    steps.extend([array("d", cases[place % len(cases)]) for place in range(len(STEP_COLUMNS))])
    body = packed(steps)
    unpack(body, found)
    assert [column.tobytes() for column in found.columns] == [column.tobytes() for column in steps.columns]
    assert len(body) < 0.7 * 8 * 500 * len(STEP_COLUMNS)
    for length in (0, 3, 40, len(body) - 1):
        with pytest.raises(ValueError, match=r"cut short|not those"):
            unpack(body[:length], found)


def test_that_damaged_columns_are_told_as_damage(library: Library) -> None:
    store(library, mixed_journal())
    sum(library.condense(RUN, is_over=True))
    with library._database.writing() as connection:
        connection.execute("UPDATE stretches SET steps = x'00'")
    with pytest.raises(StoreDamaged, match="damaged"):
        told(library)
