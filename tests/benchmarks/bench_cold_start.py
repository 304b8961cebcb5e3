"""From starting the interpreter to a window that answers, against a bare PySide6 window in the same run."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROUNDS = 5
GOAL = 2.0

BARE = """
import json, sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow
app = QApplication([])
window = QMainWindow()
window.setCentralWidget(QLabel("bare"))
window.resize(1280, 800)
window.show()
QTimer.singleShot(0, app.quit)
app.exec()
print(json.dumps({"heavy": []}))
"""

# Interactive: the window is painted, its job's page is built, and the event loop has come round to an input's timer.
REAL = """
import json, sys
from PySide6.QtCore import QTimer
from studio.app import make_application, open_window
app = make_application([])
from studio.session.opening import open_session
session = open_session()
window = open_window(session)
def interactive():
    if not window.pages.current_key:
        QTimer.singleShot(0, interactive)
        return
    late = ("torch", "transformers", "deepspeed", "accelerate", "pyqtgraph", "qtawesome", "numpy", "paramiko")
    heavy = [name for name in late if name in sys.modules]
    print(json.dumps({"heavy": heavy}), flush=True)
    app.quit()
QTimer.singleShot(0, interactive)
app.exec()
window.close()
session.close()
"""


def seconds_to_window(code: str, home: Path) -> tuple[float, list[str]]:
    """Start an interpreter on the code; return the seconds until it printed its line, and the line's heavy modules."""
    environment = {
        **os.environ,
        "LUTHIER_HOME": str(home),
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHONPATH": str(ROOT),
        "PYTHONPYCACHEPREFIX": str(home / "bytecode"),  # an installed studio has its bytecode beside it
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    began = time.perf_counter()
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        took = time.perf_counter() - began
        process.stdout.read()
    assert process.returncode == 0
    return took, json.loads(line)["heavy"]


@pytest.mark.benchmark
def test_how_much_later_the_window_is_there_than_a_bare_one(tmp_path: Path) -> None:
    bare, real = [], []
    for turn in range(ROUNDS + 1):
        bare_s, _ = seconds_to_window(BARE, tmp_path)
        real_s, heavy = seconds_to_window(REAL, tmp_path)
        assert heavy == [], f"the studio imported {heavy}"
        if turn:  # the first round warms the disk's cache
            bare.append(bare_s)
            real.append(real_s)
    ratio = statistics.median(real) / statistics.median(bare)
    print(
        f"\ncold start to interactive: {statistics.median(real):.2f} s, bare PySide6 window "
        f"{statistics.median(bare):.2f} s, {ratio:.2f} x (goal {GOAL:g} x)"
    )
