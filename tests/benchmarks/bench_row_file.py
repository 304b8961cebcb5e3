"""How fast a large JSONL file is indexed, and its first and any rows are there, against plain reading of its bytes."""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

FILE_BYTES = 1 << 30
TURNS = 3
ROWS = 50
GOAL_MB_S = 500
REPOSITORY = Path(__file__).parents[2]

_PEAK = """
import sys
from pathlib import Path
from remote_agent.dataset.row_file import RowFile

def peak_mb():
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1000

base = peak_mb()
file = RowFile(Path(sys.argv[1]))
file.rows(0, 50)
file.index()
for start in range(0, file.indexed, file.indexed // 100):
    file.rows(start, 50)
print(peak_mb(), base)
"""


def _write(path: Path) -> None:
    lines = [
        json.dumps({"instruction": f"Explain item {number}. " + "word " * (number % 97), "output": "It is so. " * 50})
        for number in range(5000)
    ]
    block = ("\n".join(lines) + "\n").encode()
    with path.open("wb") as file:
        while file.tell() < FILE_BYTES:
            file.write(block)


def _took_s(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _read_plainly(path: Path) -> None:
    buffer = bytearray(1 << 20)
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


@pytest.mark.benchmark
def test_that_a_large_file_is_indexed_at_the_speed_of_reading_it(tmp_path: Path) -> None:
    from remote_agent.dataset.row_file import RowFile

    path, cache = tmp_path / "rows.jsonl", tmp_path / "cache"
    _write(path)
    size = path.stat().st_size
    try:
        _read_plainly(path)
        plain, indexing, first = [], [], []
        for _ in range(TURNS):
            plain.append(_took_s(lambda: _read_plainly(path)))
            file = RowFile(path)
            first.append(_took_s(lambda: RowFile(path).rows(0, ROWS)))
            indexing.append(_took_s(file.index))
        starts = [random.randrange(file.indexed) for _ in range(300)]
        times = sorted(_took_s(lambda start=start: file.rows(start, ROWS)) for start in starts)  # type: ignore[misc]
        assert file.rows(file.indexed - 1, ROWS)[0].fields["output"]
        RowFile(path, cache).index()
        again = _took_s(lambda: RowFile(path, cache).rows(file.indexed - ROWS, ROWS))
        ran = subprocess.run(
            [sys.executable, "-c", _PEAK, str(path)], capture_output=True, text=True, check=True, cwd=REPOSITORY
        )
    finally:
        path.unlink()
    peak, base = (float(word) for word in ran.stdout.split())
    read, scan = size / statistics.median(plain) / 1e6, size / statistics.median(indexing) / 1e6
    print(
        f"\nJSONL of {size / 1e9:.2f} GB, {file.indexed:,} rows: indexed at {scan:,.0f} MB/s (goal {GOAL_MB_S}), "
        f"{scan / read:.2f} x of plain reading ({read:,.0f} MB/s)\n"
        f"first {ROWS} rows {statistics.median(first) * 1e3:.1f} ms; {ROWS} rows anywhere, indexed, "
        f"{statistics.median(times) * 1e3:.2f} ms (99th percentile {times[-3] * 1e3:.1f}); "
        f"last {ROWS} rows with a kept index {again * 1e3:.1f} ms\n"
        f"peak memory {peak:.0f} MB, of which {base:.0f} before the file was opened"
    )
