"""What window and child processes hold together from choosing a large file to the end of its scan.

The file has 100 MB unless LUTHIER_BENCH_DATA_BYTES says otherwise (5000000000 for the file the goal was set for, which
takes about an hour). Its rows are all different. The tokenizer takes whole words, which is quick: what is measured is
memory, and the tokenizer's share of that does not grow with the file.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path
from pydoc_data.topics import topics
from typing import NamedTuple

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from tests.support.model_folder import write_model
from tests.support.tiny import SPECIAL_TOKENS

ROOT = Path(__file__).parents[2]
BYTES = int(os.environ.get("LUTHIER_BENCH_DATA_BYTES", 100_000_000))
GOAL_MB = 600
_EVERY_S = 0.25
_ROWS_AT_ONCE = 1_000
_TENTHS = 10

# Prints the rows that were read each second, and ends once all were looked at.
WINDOW = """
import sys
from PySide6.QtCore import QTimer
from studio.app import make_application, open_window
app = make_application([])
from studio.session.opening import open_session
session = open_session()
window = open_window(session)

def begin():
    if not window.pages.current_key:
        QTimer.singleShot(20, begin)
        return
    session.draft.set_value("data.max_length", 1024)
    session.choose_model("desktop", sys.argv[1])
    session.choose_data("desktop", sys.argv[2])
    watch.start()

def look():
    data = session.draft.known.data
    print(data.rows_read if data is not None else 0, flush=True)
    if session.inspection_failed:
        sys.exit(session.inspection_problem)
    if session.inspection is None and data is not None and data.complete:
        app.quit()

watch = QTimer(interval=1000)
watch.timeout.connect(look)
QTimer.singleShot(0, begin)
app.exec()
window.close()
session.close()
"""


class Held(NamedTuple):
    """Megabytes that the processes hold at a moment, shared pages by their share; the window's first."""

    seconds: float
    rows: int
    megabytes: tuple[float, ...]

    @property
    def total(self) -> float:
        """Return their sum."""
        return sum(self.megabytes)


@pytest.mark.benchmark
def test_what_window_and_children_hold_until_a_large_file_is_scanned(tmp_path: Path) -> None:
    data, model = tmp_path / "rows.jsonl", _model(tmp_path / "model")
    _write(data, BYTES)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("TOKENIZERS_PARALLELISM", None)
    began, rows, course = time.monotonic(), [0], []
    with subprocess.Popen(
        [sys.executable, "-c", WINDOW, str(model), str(data)], stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        reader = threading.Thread(target=_take_rows, args=(process, rows))
        reader.start()
        while process.poll() is None:
            course.append(Held(time.monotonic() - began, rows[-1], _held(process.pid)))
            time.sleep(_EVERY_S)
        reader.join()
    size = data.stat().st_size
    data.unlink()
    assert process.returncode == 0 and rows[-1] > 0
    most = max(course, key=lambda held: held.total)
    print(
        f"\n{size / 1e6:,.0f} MB, {rows[-1]:,} rows scanned in {course[-1].seconds:.0f} s: window and children hold "
        f"{most.total:.0f} MB at most (goal {GOAL_MB}), at {most.rows:,} rows: "
        f"{', '.join(f'{one:.0f}' for one in most.megabytes)}"
    )
    for tenth in range(1, _TENTHS + 1):
        part = [held for held in course if held.rows * _TENTHS <= rows[-1] * tenth]
        print(f"  to {tenth}0 % of the rows: {max(held.total for held in part):.0f} MB")


def _take_rows(process: subprocess.Popen[str], rows: list[int]) -> None:
    assert process.stdout is not None
    rows.extend(int(line) for line in process.stdout)


def _held(pid: int) -> tuple[float, ...]:
    """Return what a process and its children hold, each."""
    found: list[float] = []
    waiting = [pid]
    while waiting:
        one = waiting.pop(0)
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for task in Path(f"/proc/{one}/task").iterdir():
                waiting += [int(child) for child in (task / "children").read_text(encoding="ascii").split()]
            for line in Path(f"/proc/{one}/smaps_rollup").read_text(encoding="ascii").splitlines():
                if line.startswith("Pss:"):
                    found.append(int(line.split()[1]) / 1024)
    return tuple(found)


def _model(folder: Path) -> Path:
    write_model(folder, limit=2048)
    tokenizer = Tokenizer(models.WordLevel(unk_token="<|endoftext|>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.WordLevelTrainer(vocab_size=30_000, special_tokens=list(SPECIAL_TOKENS), show_progress=False)
    tokenizer.train_from_iterator(topics.values(), trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["vocab_size"] = tokenizer.get_vocab_size()
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def _write(path: Path, size: int) -> None:
    """Write alpaca rows, each of its own choice of sentences."""
    chance = random.Random(3)
    words = [word for text in topics.values() for word in text.split()]
    cuts = [" ".join(words[start : start + chance.randint(6, 30)]) for start in range(0, len(words) - 40, 3)]
    texts = [json.dumps(text)[1:-1] for text in cuts]
    with path.open("w", encoding="utf-8") as file:
        while file.tell() < size:
            for _ in range(_ROWS_AT_ONCE):
                asked, told = (" ".join(chance.choices(texts, k=chance.randint(1, most))) for most in (3, 9))
                file.write(f'{{"instruction": "{asked}", "output": "{told}"}}\n')
