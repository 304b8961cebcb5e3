"""The application from its first import to its last: whole processes, as a person starts them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_START_AND_END = """
import sys, threading
from PySide6.QtCore import QTimer
from studio.app import make_application, open_window
from studio.session.opening import open_session

application = make_application(["luthier"])
session = open_session()
window = open_window(session)
QTimer.singleShot(20_000, lambda: application.exit(3))
timer = QTimer(interval=50)
timer.timeout.connect(lambda: "pyqtgraph" in sys.modules and application.exit(0))
timer.start()
code = application.exec()
assert not [name for name in ("torch", "transformers", "deepspeed", "accelerate") if name in sys.modules]
window.close()
session.close()
window.deleteLater()
session.deleteLater()
application.processEvents()
sys.exit(code)
"""


@pytest.mark.parametrize("number", range(3))
def test_that_a_whole_start_and_end_leaves_a_clean_exit_code(number: int, tmp_path: Path) -> None:
    environment = {**os.environ, "LUTHIER_HOME": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", _START_AND_END], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
