"""From nothing shown to the first chart of one long run: TensorBoard on its own files, Luthier on its library.

TensorBoard is installed into an environment of its own in the user's cache and gets the loss alone of the updates that
Luthier has with all their figures, which favours it; its charts show 1,000 points of them, as it does by default. It is
timed from the start of its server until the points of the loss are answered; Luthier, which has no server, from the
start of an interpreter until the chart of the loss is painted with every update.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
from pathlib import Path

import pytest

from studio.store.library import Library
from studio.store.rows import Block
from tests.support.journals import RUN_ID, step_segments

pytestmark = pytest.mark.benchmark

UPDATES = int(os.environ.get("LUTHIER_BENCH_UPDATES", "1000000"))
VERSION = "2.21.0"
TREE = Path(__file__).parents[2]

WRITER = """
import sys
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter
writer = EventFileWriter(sys.argv[1], max_queue_size=10000, flush_secs=3600)
for step in range(1, int(sys.argv[2]) + 1):
    value = Summary.Value(tag="train/loss", simple_value=1.2 + 1.5 * 2.0 ** (-step / 2000))
    writer.add_event(Event(step=step, wall_time=1.764e9 + step / 4, summary=Summary(value=[value])))
writer.close()
"""

WINDOW = """
import sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
application = QApplication([])
from remote_agent.contract.job_spec import JobSpec
from studio.background.opening import open_run
from studio.background.tasks import Tasks
from studio.state.run import RunState
from studio.store.library import Library
from studio.ui.monitor.monitor_page import MonitorPage
from tests.support.journals import RUN_ID
from tests.ui.page_session import PageSession
page = MonitorPage(PageSession())
page.resize(1280, 800)
page.show()
run, tasks, opened = RunState(RUN_ID, "long", "node", JobSpec()), Tasks(), []
page.show_run(run)
chart = page.charts.chart("loss")
while not chart.is_drawn:
    application.processEvents()
print("window", flush=True)
open_run(tasks, run, Library(Path(sys.argv[1])), RUN_ID, run.fold_batch, opened.append, print)
def points():
    return max((len(chart.line(name)[0]) for name in chart.line_names), default=0)
first = False
while points() < int(sys.argv[2]):
    application.processEvents()
    if points() and not first:
        first = True
        print("first", flush=True)
chart.plot_widget.repaint()
print("whole", flush=True)
tasks.close()
"""


def test_that_a_long_run_is_seen_sooner_than_in_tensorboard(tmp_path: Path) -> None:
    python = environment()
    files = tmp_path / "tensorboard"
    subprocess.run([python, "-c", WRITER, str(files), str(UPDATES)], check=True, timeout=1800)
    library = Library(tmp_path / "library.db")
    for number, body in enumerate(step_segments(UPDATES)):
        library.store_blocks(RUN_ID, [Block("rank0", number, "i", 0, body)])
    sum(library.condense(RUN_ID, is_over=True))
    library.close()
    theirs_s, shown = until_tensorboard_answers(python, files)
    seen = until_luthier_paints(tmp_path / "library.db")
    print(
        f"\n{UPDATES:,} updates, from the start of a process: TensorBoard {VERSION} {theirs_s:.1f} s to the loss with "
        f"{shown:,} points, which a browser has yet to draw; Luthier {seen['window']:.1f} s to its window with empty "
        f"charts, {seen['first']:.1f} s to the first points of the loss, {seen['whole']:.1f} s to all of them painted, "
        f"{seen['whole'] - seen['window']:.2f} s in a window that stands (goal 1); {seen['whole'] / theirs_s:.2f} of "
        f"TensorBoard's; load {os.getloadavg()[0]:.1f}"
    )


def environment() -> str:
    """Return the interpreter of an environment that has TensorBoard and nothing of ours."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "luthier-benchmarks" / f"tensorboard-{VERSION}"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "-q", f"tensorboard=={VERSION}"]
        subprocess.run(pip, check=True, timeout=900)
        (folder / "ready").touch()
    return str(python)


def until_tensorboard_answers(python: str, files: Path) -> tuple[float, int]:
    """Return the seconds until TensorBoard answers with the whole run's loss, and how many points it gives."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}/data/plugin/scalars/scalars?run=.&tag=train%2Floss"
    command = [python, "-m", "tensorboard.main", "--logdir", str(files), "--port", str(port), "--reload_interval", "1"]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            while True:
                points = answered(address)
                if points and points[-1][1] == UPDATES:
                    return time.perf_counter() - began, len(points)
                assert time.perf_counter() - began < 600, "TensorBoard did not show the run"
                time.sleep(0.05)
        finally:
            server.terminate()


def answered(address: str) -> list[list[float]]:
    """Return the points that TensorBoard gives, none while it does not answer."""
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            points: list[list[float]] = json.load(answer)
            return points
    except (urllib.error.URLError, ConnectionError):
        return []


def until_luthier_paints(database: Path) -> dict[str, float]:
    """Return the seconds until the window stands, its loss has first points, and is painted with the whole run."""
    surroundings = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(TREE)}
    command = [sys.executable, "-c", WINDOW, str(database), str(UPDATES)]
    began, seen = time.perf_counter(), dict[str, float]()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=surroundings) as window:
        assert window.stdout is not None
        for line in window.stdout:
            seen[line.strip()] = time.perf_counter() - began
    assert window.returncode == 0
    return seen
