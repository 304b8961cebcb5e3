from __future__ import annotations

import math
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from studio.store import connection
from studio.store.library import LOG_KEPT_BYTES, Library
from studio.store.rows import (
    Block,
    Cursor,
    JobRow,
    JournalGap,
    LabelRow,
    LogBlock,
    NodeRow,
    RunRow,
    StoreDamaged,
    StoreError,
    StoreFull,
)

RUN = "r-261124-044500-abcdef"
ONE, TWO = "1" * 32, "2" * 32


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library.db")


def test_that_jobs_nodes_and_runs_come_back_as_they_were_saved(library: Library) -> None:
    jobs = [JobRow("a", "first", "{}", 1.0), JobRow("b", "second", "{}", 2.0)]
    node = NodeRow("gpu-box", '{"host":"x"}', "")
    run = RunRow(RUN, "try", "gpu-box", "{}", "running", 5, 10, 1.25, 3.0, 0.0, "note", (2.0, 1.5), "{}")
    for job in jobs:
        library.save_job(job)
    library.save_node(node)
    library.save_run(run)
    again = Library(library.path)
    assert again.jobs() == [jobs[1], jobs[0]]
    assert again.nodes() == [node]
    assert again.runs() == [run] and again.run(RUN) == run
    assert again.run("r-000000-000000-aaaaaa") is None


def test_that_a_run_without_a_loss_keeps_it_as_not_a_number(library: Library) -> None:
    library.save_run(RunRow(RUN, "try", "here", "{}", "queued", losses=(math.nan, 1.0)))
    kept = library.runs()[0]
    assert math.isnan(kept.loss) and math.isnan(kept.losses[0]) and kept.losses[1] == 1.0


def test_that_saving_again_replaces_and_deleting_forgets(library: Library) -> None:
    library.save_job(JobRow("a", "first", "{}", 1.0))
    library.save_job(JobRow("a", "renamed", "{}", 2.0))
    assert [job.name for job in library.jobs()] == ["renamed"]
    library.delete_job("a")
    library.save_node(NodeRow("n", "{}"))
    library.delete_node("n")
    assert library.jobs() == [] and library.nodes() == []


def test_that_rows_and_cursor_move_together(library: Library) -> None:
    library.store_blocks(RUN, [Block("rank0", 0, ONE, 0, b"header\n"), Block("rank0", 0, ONE, 7, b"line\n")])
    assert library.cursors(RUN) == {"rank0": Cursor(0, ONE, 12)}
    assert b"".join(block.body for block in library.blocks(RUN)) == b"header\nline\n"
    assert library.journal_bytes(RUN) == 12


def test_that_a_repeated_piece_changes_nothing_and_an_overlapping_one_adds_only_what_is_new(library: Library) -> None:
    first = Block("rank0", 0, ONE, 0, b"aaa\nbbb\n")
    library.store_blocks(RUN, [first])
    library.store_blocks(RUN, [first, Block("rank0", 0, ONE, 4, b"bbb\nccc\n")])
    assert b"".join(block.body for block in library.blocks(RUN)) == b"aaa\nbbb\nccc\n"
    assert library.cursors(RUN)["rank0"].offset == 12


def test_that_a_gap_is_refused_and_nothing_of_the_batch_is_written(library: Library) -> None:
    library.store_blocks(RUN, [Block("rank0", 0, ONE, 0, b"aaa\n")])
    with pytest.raises(JournalGap, match="byte 4 of segment 0 was expected, byte 8 came"):
        library.store_blocks(
            RUN,
            [Block("supervisor", 0, TWO, 0, b"state\n"), Block("rank0", 0, ONE, 8, b"ccc\n")],
            [LogBlock(0, 0, b"log\n")],
        )
    assert library.cursors(RUN) == {"rank0": Cursor(0, ONE, 4)}
    assert library.log_offsets(RUN) == {}


def test_that_a_new_segment_begins_at_its_start_and_an_old_one_is_passed_over(library: Library) -> None:
    library.store_blocks(RUN, [Block("rank0", 0, ONE, 0, b"aaa\n")])
    with pytest.raises(JournalGap):
        library.store_blocks(RUN, [Block("rank0", 1, ONE, 4, b"bbb\n")])
    library.store_blocks(RUN, [Block("rank0", 1, ONE, 0, b"bbb\n"), Block("rank0", 0, ONE, 4, b"late\n")])
    assert library.cursors(RUN)["rank0"] == Cursor(1, ONE, 4)


def test_that_a_segment_of_another_incarnation_replaces_the_one_that_was_kept(library: Library) -> None:
    library.store_blocks(RUN, [Block("rank0", 0, ONE, 0, b"aaa\nbbb\n")])
    library.store_blocks(RUN, [Block("rank0", 0, TWO, 0, b"new\n")])
    assert library.cursors(RUN)["rank0"] == Cursor(0, TWO, 4)
    assert [block.body for block in library.blocks(RUN)] == [b"new\n"]


def test_that_logs_join_without_repeats_and_may_have_holes(library: Library) -> None:
    library.store_blocks(RUN, [], [LogBlock(0, 0, b"one "), LogBlock(1, 0, b"other")])
    library.store_blocks(RUN, [], [LogBlock(0, 2, b"e two"), LogBlock(0, 100, b"after")])
    assert library.log_offsets(RUN) == {0: 105, 1: 5}
    assert [(log.offset, log.body) for log in library.logs(RUN) if log.rank == 0] == [
        (0, b"one "), (4, b"two"), (100, b"after")
    ]  # fmt: skip


def test_that_old_parts_of_a_flooding_log_go(library: Library) -> None:
    piece = b"x" * (LOG_KEPT_BYTES // 4)
    for index in range(8):
        library.store_blocks(RUN, [], [LogBlock(0, index * len(piece), piece)])
    assert sum(len(log.body) for log in library.logs(RUN)) <= LOG_KEPT_BYTES
    assert library.log_offsets(RUN) == {0: 8 * len(piece)}


def test_that_a_deleted_run_leaves_nothing_behind(library: Library) -> None:
    library.save_run(RunRow(RUN, "try", "here", "{}", "running"))
    library.store_blocks(RUN, [Block("rank0", 0, ONE, 0, b"aaa\n")], [LogBlock(0, 0, b"x")])
    library.delete_run(RUN)
    assert library.runs() == [] and library.cursors(RUN) == {} and library.log_offsets(RUN) == {}
    assert list(library.blocks(RUN)) == []


def test_that_two_windows_may_keep_the_same_run_at_once(tmp_path: Path) -> None:
    lines = [b"line %d\n" % number for number in range(200)]
    whole = b"".join(lines)
    failures: list[Exception] = []

    def keep(seed: int) -> None:
        library, chance, at = Library(tmp_path / "library.db"), random.Random(seed), 0
        try:
            while at < len(whole):
                end = whole.find(b"\n", min(len(whole) - 1, at + chance.randrange(60))) + 1
                library.store_blocks(RUN, [Block("rank0", 0, ONE, at, whole[at:end])])
                at = end
        except StoreError as error:
            failures.append(error)
        finally:
            library.close()

    threads = [threading.Thread(target=keep, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert b"".join(block.body for block in Library(tmp_path / "library.db").blocks(RUN)) == whole


_WRITER = """
import sys
from pathlib import Path
from studio.store.library import Library
from studio.store.rows import Block, LogBlock
library = Library(Path(sys.argv[1]))
at = library.cursors("r")["rank0"].offset if library.cursors("r") else 0
print("ready", flush=True)
while True:
    body = b"".join(b"%012d line of a journal.\\n" % ((at // 32) + n) for n in range(1 + at % 7))
    library.store_blocks("r", [Block("rank0", 0, "i", at, body)], [LogBlock(0, at, body)])
    at += len(body)
    print(at, flush=True)
"""


def test_that_a_process_killed_at_any_point_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    chance = random.Random(20261124)
    for _ in range(10):
        child = subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        said = [child.stdout.readline() for _ in range(chance.randrange(1, 40))]
        os.kill(child.pid, signal.SIGKILL)
        # what it said between the last line read and its end counts too
        said += child.stdout.readlines()
        child.stdout.close()
        assert child.wait() == -signal.SIGKILL
        library = Library(path)
        body = b"".join(block.body for block in library.blocks("r"))
        assert library.cursors("r")["rank0"].offset == len(body) == library.log_offsets("r")[0]
        assert len(body) >= int(said[-1])
        assert [int(line[:12]) for line in body.splitlines()] == list(range(len(body) // 32))
        library.close()


def test_that_a_damaged_file_is_moved_aside_and_a_new_library_begun(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    path.write_bytes(b"this is no database at all, but it is here " * 200)
    library = Library(path)
    assert "was damaged and lies aside" in library.notice
    assert library.jobs() == []
    aside = list(tmp_path.glob("library.damaged-*.db"))
    assert len(aside) == 1 and aside[0].read_bytes().startswith(b"this is no database")


def test_that_jobs_survive_damage_to_the_journal_part_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    library = Library(path)
    library.save_job(JobRow("a", "precious", "{}", 1.0))
    for index in range(64):
        library.store_blocks(RUN, [Block("rank0", 0, ONE, index * 65536, b"x" * 65535 + b"\n")])
    library.close()
    _ruin_pages(path, behind=b"CREATE TABLE")
    library = Library(path)
    if not library.notice:
        with pytest.raises(StoreDamaged, match="Close and open Luthier"):
            for _ in library.blocks(RUN):
                pass
            library.store_blocks(RUN, [Block("rank0", 0, ONE, 64 * 65536, b"y\n")])
            raise AssertionError("damage was not noticed")
        library.close()
        library = Library(path)
    assert "lies aside" in library.notice
    assert [job.name for job in library.jobs()] == ["precious"]
    assert library.cursors(RUN) == {}


def _ruin_pages(path: Path, behind: bytes) -> None:
    """Overwrite the index of the blocks, page 6 and on, where the small tables do not lie."""
    with sqlite3.connect(path) as connection:
        page_size = connection.execute("PRAGMA page_size").fetchone()[0]
        roots = dict(connection.execute("SELECT name, rootpage FROM sqlite_master").fetchall())
    connection.close()
    with path.open("r+b") as file:
        for name in ("blocks", "sqlite_autoindex_blocks_1", "cursors"):
            file.seek((roots[name] - 1) * page_size)
            file.write(b"\xee" * page_size)


def test_that_a_library_of_a_newer_luthier_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    Library(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="written by a newer Luthier"):
        Library(path)
    assert path.read_bytes() == before


def test_that_a_full_disk_is_told_as_such_and_leaves_the_library_as_it_was(small_disk: Path) -> None:
    library = Library(small_disk / "library.db")
    library.store_blocks(RUN, [Block("rank0", 0, ONE, 0, b"kept\n")])
    with pytest.raises(StoreFull, match="Make room"):
        library.store_blocks(RUN, [Block("rank0", 0, ONE, 5, b"x" * (16 << 20) + b"\n")])
    assert library.cursors(RUN)["rank0"].offset == 5
    library.store_blocks(RUN, [Block("rank0", 0, ONE, 5, b"fits\n")])
    assert b"".join(block.body for block in library.blocks(RUN)) == b"kept\nfits\n"
    library.close()


def test_that_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StoreError, match="cannot be made"):
        Library(tmp_path / "file" / "below" / "library.db")


def test_that_a_library_of_the_first_layout_is_brought_up_to_date_with_all_it_held(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    old = sqlite3.connect(path)
    old.executescript(connection._TABLES + "PRAGMA user_version = 1;")
    values = (RUN, "try", "here", "{}", "finished", 5, 10, 1.25, 3.0, 9.0, "", "[1.25]", "{}")
    old.execute(f"INSERT INTO runs VALUES ({','.join('?' * len(values))})", values)
    old.commit()
    old.close()
    library = Library(path)
    row = library.run(RUN)
    assert row is not None and (row.loss, row.losses, row.job_id) == (1.25, (1.25,), "")
    assert math.isnan(row.best_held_out)
    label = LabelRow(RUN, "sweep", ("a", "b"), "a remark", True)
    library.save_label(label)
    assert library.labels() == {RUN: label}
    library.save_label(LabelRow(RUN))
    assert library.labels() == {}
    library.close()
